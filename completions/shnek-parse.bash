# bash completion for shnek-parse

_shnek_parse()
{
    local cur=${COMP_WORDS[COMP_CWORD]} option=${COMP_WORDS[COMP_CWORD - 1]} words i

    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -- ]] || option=--
    done

    # bash splits --option=value into three words, and tcp://host:port into several.
    if [[ ${COMP_LINE:0:${COMP_POINT:-0}} == *@(tcp|tls|udp):*([^[:space:]]) ]]; then
        return
    elif [[ ${COMP_LINE:0:${COMP_POINT:-0}} == *@(unix|unixgram):*([^[:space:]]) ]]; then
        compopt -o default # files
        return
    elif [[ $cur == = ]]; then
        cur=
    elif [[ $option == = ]]; then
        option=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $option == --stats ]]; then
        option=
    fi

    case $option in
    -l | --listen) words='tcp:// tls:// udp:// unix: unixgram: systemd' ;;
    -f | --format) words='rfc5424 auto rfc3164' ;;
    --tz) words='local utc' ;;
    --charset) words='windows-1252 iso-8859-15 gb18030 shift_jis' ;;
    -F | --framing) words='auto newline octet nul' ;;
    --host) words='rule always never' ;;
    --max-size) words='8k 64k 1M' ;;
    --oversize) words='reject truncate' ;;
    --select) words='*.err *.notice auth,authpriv.*' ;;
    --select-app | --select-host | --fields) words= ;;
    --schema) words='shnek ecs otlp' ;;
    --rcvbuf) words='1M 8M 64M' ;;
    --socket-mode) words='600 660 666' ;;
    --tls-peer) words='sha256:' ;;
    --allow) words='127.0.0.0/8 10.0.0.0/8 192.168.0.0/16' ;;
    --allow-uid) words=$(compgen -u) ;;
    --max-connections) words='100 1k 10k' ;;
    --max-connections-per-peer) words='1 10 100' ;;
    --max-memory) words='64M 256M 1G' ;;
    --first-message-timeout) words='1m 10m 1h' ;;
    --idle-timeout) words='1m 10m 1h' ;;
    --handshake-timeout) words='5s 10s 30s' ;;
    --shutdown-timeout) words='5s 20s 1m' ;;
    --exec)
        mapfile -t COMPREPLY < <(compgen -c -- "$cur")
        return
        ;;
    --jobs) words='2 4 8' ;;
    --stats) words='1s 10s 1m' ;;
    *)
        if [[ $option == -- || $option == --@(rejects|metrics) || $option == --tls-@(cert|key|ca) ||
            $cur != -* ]]; then
            compopt -o default # files
            return
        fi
        words='-l --listen= -f --format= --tz= --charset= --host= --multiline -F --framing= --max-size= --oversize= --select= --select-app= --select-host= --rcvbuf= --reuseport
            --socket-mode= --tls-cert= --tls-key= --tls-ca= --tls-peer= --allow= --allow-uid=
            --proxy-protocol --max-connections= --max-connections-per-peer= --idle-timeout=
            --first-message-timeout= --max-memory= --handshake-timeout= --schema= --fields=
            --severity-number --host-from-peer --meta --raw
            --shutdown-timeout= --rejects= --exec= --jobs= --metrics= --stats --stats= -q --quiet -h --help -V --version'
        ;;
    esac

    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *[=/:] ]] || compopt -o nospace
}

complete -F _shnek_parse shnek-parse
