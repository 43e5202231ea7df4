# bash completion for shnek-pub

_shnek_pub()
{
    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} words='' i

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || option=--
    done

    # bash makes three words of --option=value.
    if [[ $cur == = ]]; then
        cur=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $option == --stats ]]; then
        option=
    fi

    case $option in
    -s | --server) words='nats:// tls://' ;;
    --timeout | --connect-timeout) words='1s 5s 30s 1m' ;;
    --stats) words='1s 10s 1m' ;;
    --user | --password | --token | --connection-name | --) ;;
    --creds | --nkey | --tlscert | --tlskey | --tlsca | --rejects)
        compopt -o default # files
        return
        ;;
    *)
        [[ $cur != -* ]] ||
            words='-s --server= --user= --password= --token= --creds= --nkey= --tlscert= --tlskey=
                --tlsca= --connection-name= --timeout= --connect-timeout= --no-check -n --dry-run
                --rejects= --stats --stats= -q --quiet -h --help -V --version'
        ;;
    esac

    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *[=/] ]] || compopt -o nospace
}

complete -F _shnek_pub shnek-pub
