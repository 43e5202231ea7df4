# bash completion for spamlog

_spamlog()
{
    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} words='' i
    local severities='emerg alert crit err warning notice info debug'
    local facilities='kern user mail daemon auth syslog lpr news uucp cron authpriv ftp ntp audit
        alert clockd local0 local1 local2 local3 local4 local5 local6 local7'

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || option=--
    done

    # bash splits --option=value into three words, and unix:path into several.
    if [[ ${COMP_LINE:0:${COMP_POINT:-0}} == *unix?(gram):*([^[:space:]]) ]]; then
        compopt -o default # files
        return
    elif [[ $cur == = ]]; then
        cur=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $option == --stats || $option == --json ]]; then
        option=
    fi

    case $option in
    -r | --rate) words='max 1 100 1k 1M' ;;
    -n | --count) words='1 100 1k 1M' ;;
    -d | --duration) words='1s 10s 1m 1h' ;;
    -c | --connections) words='1 10 100' ;;
    -f | --format) words='rfc5424 rfc3164' ;;
    -F | --framing) words='newline octet' ;;
    --size) words='100 1k 64k' ;;
    -p | --priority)
        if [[ $cur == *.* ]]; then
            for i in $severities; do words+="${cur%%.*}.$i "; done
        else
            for i in $facilities; do words+="$i. "; done
        fi
        ;;
    --stats) words='1s 10s 1m' ;;
    --burst) words='10/1s 1k/10s' ;;
    --arrivals) words='even poisson' ;;
    --idle-connections) words='1 10 100' ;;
    --reconnect-every) words='1 100 10k' ;;
    --proxy-protocol) words='v1 v2' ;;
    --interval) words='100ms 1s 10s' ;;
    --slow) words='10/s 1k/s' ;;
    --sizes) words='100..1k 64..64k' ;;
    --profile)
        compopt -o default # files
        words='plain mixed'
        ;;
    --fresh) words='time host counter' ;;
    --bad) words='1% 10%' ;;
    --expect) words='1 100 1k 1M' ;;
    --idle) words='1s 10s 1m' ;;
    --latency) words='1ms 10ms 100ms' ;;
    --json | --tls-cert | --tls-key | --tls-ca | --csv | --plot | --hgrm)
        compopt -o default # files
        return
        ;;
    --tls-peer) words='sha256:' ;;
    --seed | --run | -m | --message | --hostname | --appname | --procid | --msgid | --sd | --timestamp) ;;
    *)
        if [[ ($option == -- || $cur != -*) && " ${COMP_WORDS[*]} " == *' --verify '* ]]; then
            compopt -o default # files
            return
        elif [[ $option == -- || $cur != -* ]]; then
            words='tcp:// tls:// udp:// unix: unixgram:'
        else
            words='-r --rate= --burst= --arrivals= -n --count= -d --duration= -c --connections=
                --idle-connections= --reconnect-every= --reconnect --proxy-protocol= --slow= -f --format= -F --framing= -m
                --message= --size= --sizes= --seed= -p --priority= --profile= --fresh= --bad= --hostname= --appname= --procid=
                --msgid= --sd= --timestamp= --tls-cert= --tls-key= --tls-ca= --tls-peer= --tls-insecure
                --checksum --run= --verify --expect= --idle= --find-max --latency= --csv= --json --json= --plot= --interval=
                --hgrm= --stats --stats= -q --quiet -h --help -V --version'
        fi
        ;;
    esac

    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *[=/.:] ]] || compopt -o nospace
}

complete -F _spamlog spamlog
