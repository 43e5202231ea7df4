# bash completion for shnek-pub

# The names of the contexts of the nats CLI.
_shnek_pub_contexts()
{
    local file
    for file in "${XDG_CONFIG_HOME:-$HOME/.config}"/nats/context/*.json; do
        file=${file##*/}
        [[ $file == '*.json' ]] || echo "${file%.json}"
    done
}

_shnek_pub()
{
    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} words='' i

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || option=--
    done

    # bash splits --option=value into three words.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $option == --stats ]]; then
        option=
    fi

    case $option in
    -s | --server) words='nats:// tls://' ;;
    --timeout | --connect-timeout | --max-reconnect-time | --ping-interval | --spool-sync) words='1s 5s 30s 1m' ;;
    --stats) words='1s 10s 1m' ;;
    --shutdown-timeout) words='5s 20s 1m' ;;
    --window | --max-bytes) words='16M 64M 1G' ;;
    --max-age | --dupe-window) words='1h 24h 1w' ;;
    --max-msgs) words='100k 1M' ;;
    --max-msg-size) words='64k 1M' ;;
    --context) words=$(_shnek_pub_contexts) ;;
    --batch) words='8k 32k 128k' ;;
    --batch-wait) words='0 1ms 10ms 100ms 1s' ;;
    --storage) words='file memory' ;;
    --retention) words='limits interest workqueue' ;;
    --discard) words='old new' ;;
    --replicas) words='1 3 5' ;;
    --msg-id) words='auto hash' ;;
    -H | --header | --user | --password | --token | --connection-name | --stream | --create-stream | --subjects | --js-domain | \
        --js-api-prefix | --inbox-prefix | --) ;;
    --stream-config | --creds | --nkey | --tlscert | --tlskey | --tlsca | --rejects | --metrics | --spool | --spill)
        compopt -o default # files
        return
        ;;
    *)
        [[ $cur != -* ]] ||
            words='-s --server= --context= --no-context --user= --password= --token= --creds= --nkey= --tlscert= --tlskey=
                --tlsca= --connection-name= --timeout= --connect-timeout= --max-reconnect-time= --ping-interval= --batch= --batch-wait= --window=
                --spool= --spool-sync= --spool-list --spill= --at-most-once --shutdown-timeout= -J --jetstream --js-domain= --js-api-prefix= --inbox-prefix=
                --stream= --create-stream --create-stream= --subjects= --replicas= --storage= --retention= --discard=
                --max-age= --max-bytes= --max-msgs= --max-msg-size= --dupe-window= --stream-config= --msg-id= -H --header= --no-check -n --dry-run
                --rejects= --metrics= --stats --stats= -q --quiet -h --help -V --version'
        ;;
    esac

    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *[=/] ]] || compopt -o nospace
}

complete -F _shnek_pub shnek-pub
