# bash completion for shnek-parse

_shnek_parse()
{
    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} words i

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || option=--
    done

    # bash makes three words of --option=value, and several of tcp://host:port.
    if [[ ${COMP_LINE:0:${COMP_POINT:-0}} == *tcp:*([^[:space:]]) ]]; then
        return
    elif [[ $cur == = ]]; then
        cur=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $option == --stats ]]; then
        option=
    fi

    case $option in
    -l | --listen) words='tcp://' ;;
    -F | --framing) words='auto newline octet' ;;
    --max-size) words='8k 64k 1M' ;;
    --oversize) words='reject truncate' ;;
    --max-connections) words='100 1k 10k' ;;
    --stats) words='1s 10s 1m' ;;
    *)
        if [[ $option == -- || $option == --rejects || $cur != -* ]]; then
            compopt -o default # files
            return
        fi
        words='-l --listen= -F --framing= --max-size= --oversize= --max-connections= --meta --raw
            --rejects= --stats --stats= -q --quiet -h --help -V --version'
        ;;
    esac

    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *[=/] ]] || compopt -o nospace
}

complete -F _shnek_parse shnek-parse
