#!/usr/bin/env bats
# shnek-parse -l: listeners, connections, back-pressure from the reader of stdout, drain.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.
# shellcheck disable=SC2030,SC2031 # tests look like subshells of each other.

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/relay

HEAD='<13>1 - - - - - - '

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    shnek_teardown
}

# listening NAME: waits until NAME listens. Sets url and port.
listening() {
    url=$(listen_url "$1.err")
    port=$(port_of "$url")
}

# relay [OPTION...]: starts shnek-parse on a free port.
relay() {
    start relay shnek-parse -l tcp://127.0.0.1:0 "$@"
    listening relay
}

# blocked_relay [OPTION...]: like relay, but its stdout is only read through descriptor $reader.
blocked_relay() {
    mkfifo out
    start relay bash -c 'exec shnek-parse -l tcp://127.0.0.1:0 "$@" >out' -- "$@"
    exec {reader}<out
    listening relay
}

# connect [HOST [PORT]]: opens a connection to the relay as descriptor $connection.
connect() {
    exec {connection}<>"/dev/tcp/${1:-127.0.0.1}/${2:-$port}"
}

hang_up() {
    local descriptor
    for descriptor in "$@"; do
        exec {descriptor}>&-
    done
}

# port_from DESCRIPTOR: prints the local port of a connection over IPv4.
port_from() {
    local socket
    socket=$(readlink "/proc/$$/fd/$1")
    socket=${socket//[!0-9]/}
    printf %d "0x$(awk -v inode="$socket" '$10 == inode { sub(/.*:/, "", $2); print $2 }' /proc/net/tcp)"
}

# texts FILE: prints the "msg" of each record.
texts() {
    sed 's/.*"msg":"\(.*\)"}$/\1/' "$1"
}

printed_times() {
    [[ $(grep -c ' in [0-9,]* out ' "$1") == "$2" ]]
}

# stalled NAME: whether the output counter of NAME is the same in five lines of SIGUSR1.
stalled() {
    local pid=${1}_pid printed
    takes_signals "${!pid}" || return
    printed=$(grep -c ' in [0-9,]* out ' "$1.err" || true)
    for _ in {1..5}; do
        kill -USR1 "${!pid}"
        poll 10 printed_times "$1.err" $((++printed)) || return
        pause
    done
    [[ $(sed -n 's/.* out \([0-9,]*\) .*/\1/p' "$1.err" | tail -n 5 | uniq | wc -l) == 1 ]]
}

# in_order CONNECTIONS FILE: whether the MSGIDs of each spamlog connection are consecutive.
in_order() {
    LC_ALL=C cut -d '"' -f 28 "$2" |
        awk -v connections="$1" '{ c = $1 % connections; if ($1 != c + connections * n[c]++) { print "at line " NR ": " $1; exit 1 } }'
}

# Addresses

@test "listens on 127.0.0.1 and reports the port" {
    relay
    [[ $url =~ ^tcp://127\.0\.0\.1:[0-9]+$ ]]
    connect
    echo "${HEAD}text" >&"$connection"
    wait_until lines_are relay.out 1
    is "$(<relay.out)" "$(json text)"
    is "$(<relay.err)" "shnek-parse: listening on $url"
}

@test "an address without a host is 127.0.0.1" {
    start relay shnek-parse -l tcp://:0
    listening relay
    connect
    echo "${HEAD}text" >&"$connection"
    wait_until lines_are relay.out 1
}

@test "listens on a host name" {
    start relay shnek-parse --listen=tcp://localhost:0
    listening relay
    connect localhost
    echo "${HEAD}text" >&"$connection"
    wait_until lines_are relay.out 1
}

@test "listens on IPv6 and formats peers with brackets" {
    need_ipv6
    start relay shnek-parse --meta -l 'tcp://[::1]:0'
    listening relay
    [[ $url =~ ^tcp://\[::1\]:[0-9]+$ ]]
    connect ::1
    printf '%stext\nbad\n' "$HEAD" >&"$connection"
    wait_until lines_are relay.out 1
    [[ $(<relay.out) =~ '"peer":"'(\[::1\]:[0-9]+)'"' ]]
    wait_until grep -Fxq "shnek-parse: ${BASH_REMATCH[1]}:2: PRI: expected '<' (at byte 0)" relay.err
}

@test "listens on the IPv6 wildcard address" {
    need_ipv6
    start relay shnek-parse -l 'tcp://[::]:0'
    listening relay
    [[ $url =~ ^tcp://\[::\]:[0-9]+$ ]]
    connect ::1
    echo "${HEAD}text" >&"$connection"
    wait_until lines_are relay.out 1
}

@test "listens on several addresses" {
    local ports
    start relay shnek-parse -l tcp://127.0.0.1:0 -l tcp://127.0.0.1:0 -l tcp://127.0.0.2:0
    several() { [[ $(grep -c ': listening on tcp://' relay.err) == 3 ]]; }
    wait_until several
    mapfile -t ports < <(sed 's/.*://' relay.err)
    echo "${HEAD}one" >"/dev/tcp/127.0.0.1/${ports[0]}"
    wait_until lines_are relay.out 1
    echo "${HEAD}two" >"/dev/tcp/127.0.0.1/${ports[1]}"
    wait_until lines_are relay.out 2
    echo "${HEAD}six" >"/dev/tcp/127.0.0.2/${ports[2]}"
    wait_until lines_are relay.out 3
    is "$(<relay.out)" "$(json one && json two && json six)"
}

@test "an address in use is reported, with status 2" {
    relay
    run --separate-stderr timeout 20 shnek-parse -l "$url"
    is "$status" 2
    is "$output" ''
    is "$stderr" "shnek-parse: $url: Address already in use"
    run --separate-stderr timeout 20 shnek-parse -l tcp://127.0.0.1:0 -l "$url"
    is "$status" 2
    is "${stderr_lines[-1]}" "shnek-parse: $url: Address already in use"
}

@test "an IPv6 address in use is reported in the form that was given" {
    need_ipv6
    start relay shnek-parse -l 'tcp://[::1]:0'
    listening relay
    run --separate-stderr timeout 20 shnek-parse -l "$url"
    is "$status" 2
    is "$stderr" "shnek-parse: $url: Address already in use"
}

@test "a port can be reused immediately after the relay ends" {
    relay
    connect
    echo "${HEAD}text" >&"$connection"
    wait_until lines_are relay.out 1
    kill -TERM "$relay_pid"
    wait_exit relay
    start again shnek-parse -l "$url"
    listening again
}

@test "an address of another machine is reported, with status 2" {
    run --separate-stderr timeout 20 shnek-parse -l tcp://192.0.2.1:0
    is "$status" 2
    is "$stderr" 'shnek-parse: tcp://192.0.2.1:0: Cannot assign requested address'
}

@test "an invalid address is a usage error that quotes it" {
    local address expected
    local schemes='tcp://HOST:PORT, udp://, tls://, unix:PATH, unixgram:PATH'
    local -A form=([tcp]='tcp://HOST:PORT' [udp]='SCHEME://HOST[:PORT]' [tls]='SCHEME://HOST[:PORT]'
        [unix]='PATH is missing' [unixgram]='PATH is missing')
    for address in '' 8888 127.0.0.1:0 localhost tcp:// tcp://127.0.0.1 tcp://127.0.0.1: \
        tcp://127.0.0.1:x tcp://127.0.0.1:-1 tcp://127.0.0.1:0/ tcp://::1:0 'tcp://[::1:0' 'tcp://[::1]' \
        tcp://127.0.0.1:1k 'tcp://[]:0' udp://h: udp://::1 tls://h:x unix: unixgram: unix unix/x; do
        run --separate-stderr timeout 20 shnek-parse -l "$address"
        is "$status" 2
        is "$output" ''
        is "${#stderr_lines[@]}" 2
        [[ $address == *:* && ${form[${address%%:*}]+known} ]] && expected=${form[${address%%:*}]} || expected=$schemes
        is "${stderr_lines[0]}" "shnek-parse: --listen: '$address' is not an address: $expected"
        is "${stderr_lines[1]}" "shnek-parse: try 'shnek-parse --help'"
    done
}

@test "a port above 65535 is a usage error that quotes it" {
    run --separate-stderr timeout 20 shnek-parse -l tcp://127.0.0.1:65536
    is "$status" 2
    is "$output" ''
    [[ ${stderr_lines[0]} == 'shnek-parse: --listen: '*65536* ]]
    is "${stderr_lines[1]}" "shnek-parse: try 'shnek-parse --help'"
}

@test "more addresses than can be used are reported, with status 2" {
    local arguments=()
    for _ in {1..100}; do
        arguments+=(-l tcp://127.0.0.1:0)
    done
    start relay shnek-parse "${arguments[@]}"
    all() { [[ $(grep -c ': listening on tcp://' relay.err) == 100 ]] || ended "$relay_pid"; }
    wait_until all
    if ended "$relay_pid"; then
        wait_exit relay
        is "$status" 2
        run ! grep Success relay.err
    fi
}

@test "0.0.0.0 and [::] can listen on the same port, and * is both" {
    local address
    need_ipv6
    port=$(quiet_port)
    for address in "-l tcp://0.0.0.0:$port -l tcp://[::]:$port" "-l tcp://*:$port"; do
        # shellcheck disable=SC2086
        start relay shnek-parse $address
        both() { [[ $(grep -c 'listening on tcp://' relay.err) == 2 ]]; }
        wait_until both
        echo "${HEAD}one" >"/dev/tcp/127.0.0.1/$port"
        wait_until lines_are relay.out 1
        echo "${HEAD}two" >"/dev/tcp/::1/$port"
        wait_until lines_are relay.out 2
        kill -TERM "$relay_pid"
        wait_exit relay
        is "$status" 0
    done
}

@test "a port below 1024 without the capability is reported with its name" {
    need setpriv
    (($(id -u) == 0 && $(</proc/sys/net/ipv4/ip_unprivileged_port_start) > 514)) || skip 'needs root and privileged ports'
    run --separate-stderr setpriv --inh-caps=-all --bounding-set=-all "$(command -v shnek-parse)" -l udp://127.0.0.1
    is "$status" 2
    is "$stderr" 'shnek-parse: udp://127.0.0.1:514: Permission denied; a port below 1024 requires CAP_NET_BIND_SERVICE'
}

@test "a host that does not exist is reported, with status 2" {
    run --separate-stderr timeout 20 shnek-parse -l tcp://not..a..host:0
    is "$status" 2
    is "$stderr" 'shnek-parse: tcp://not..a..host:0: Name or service not known'
}

# useless ERROR OPTION...: the options are a usage error.
useless() {
    run --separate-stderr timeout 20 shnek-parse "${@:2}" </dev/null
    is "$status" 2
    is "${stderr_lines[0]}" "shnek-parse: $1"
    is "${stderr_lines[1]}" "shnek-parse: try 'shnek-parse --help'"
}

@test "options without effect are usage errors" {
    local option
    for option in --allow=127.0.0.1 --reuseport; do
        useless "${option%=*}: has no effect without --listen with tcp://, tls:// or udp://" "$option"
        useless "${option%=*}: has no effect without --listen with tcp://, tls:// or udp://" "$option" -l unix:s
    done
    for option in --max-connections=1 --max-connections-per-peer=1 --idle-timeout=1 --max-memory=1M \
        --first-message-timeout=1; do
        useless "${option%=*}: has no effect without --listen with tcp://, tls:// or unix:" "$option" -l udp://:0
    done
    for option in --allow-uid=0 --socket-mode=600; do
        useless "${option%=*}: has no effect without --listen with unix: or unixgram:" "$option" -l tcp://:0
    done
    useless '--rcvbuf: has no effect without --listen with udp://' --rcvbuf=1M -l tcp://:0
    useless '--handshake-timeout: has no effect without --listen with tls:// or --proxy-protocol' \
        --handshake-timeout=1 -l tcp://:0
    for option in --framing=newline --multiline; do
        useless "${option%=*}: has no effect on datagrams" "$option" -l udp://:0 -l unixgram:s
        useless '--listen: cannot be combined with a FILE ('\''x'\'')' "$option" -l udp://:0 x
    done
    useless '--multiline: has no effect with --framing=octet' --multiline -F octet
    useless '--tz: has no effect without --format=auto or rfc3164' --tz=utc
    useless '--host: has no effect without --format=auto or rfc3164' --host=always
    useless '--max-memory: must be at least --max-size' -l tcp://:0 --max-memory=1M --max-size=2M
}

@test "--tz refuses a file that is not a time zone" {
    local name
    for name in zone.tab tzdata.zi Etc; do
        run --separate-stderr shnek-parse -f auto --tz="$name" </dev/null
        is "$status" 2
        [[ ${stderr_lines[0]} == "shnek-parse: --tz: '$name' is not a time zone: "* ]]
    done
}

@test "a misspelt option is reported with the most similar one" {
    local program
    for program in shnek-parse shnek-pub spamlog; do
        run --separate-stderr timeout 20 "$program" --verzion </dev/null
        is "$status" 2
        is "${stderr_lines[1]}" "$program: did you mean '--version'? Else try '$program --help'"
        run --separate-stderr timeout 20 "$program" --something </dev/null
        is "$status" 2
        is "${stderr_lines[1]}" "$program: try '$program --help'"
    done
}

# Senders

@test "receives from nc" {
    need nc
    nc -h 2>&1 | grep -q -e '-N' || skip 'needs netcat-openbsd'
    relay
    printf '%sone\n%stwo\n' "$HEAD" "$HEAD" | nc -N 127.0.0.1 "$port"
    wait_until lines_are relay.out 2
    is "$(<relay.out)" "$(json one && json two)"
}

@test "receives from socat" {
    need socat
    relay
    printf '%sone\n%stwo' "$HEAD" "$HEAD" | socat -u - "TCP:127.0.0.1:$port"
    wait_until lines_are relay.out 2
    is "$(<relay.out)" "$(json one && json two)"
}

@test "receives from logger in both framings" {
    local counted
    need logger jq
    relay
    for counted in '' --octet-count; do
        printf 'one\ntwo "quoted" €\n' |
            logger --rfc5424 --tcp -n 127.0.0.1 -P "$port" $counted -p local3.warning -t it --id=42 --msgid here
    done
    wait_until lines_are relay.out 4
    is "$(jq -c '[.severity, .facility, .appname, .procid, .msgid, .msg]' relay.out | sort | uniq -c | sed 's/^ *//')" '2 ["warning","local3","it",42,"here","one"]
2 ["warning","local3","it",42,"here","two \"quoted\" €"]'
    is "$(<relay.err)" "shnek-parse: listening on $url"
}

@test "receives from spamlog in both framings over many connections" {
    need spamlog
    relay --stats=1h
    spamlog -q -r max -n 20000 -c 50 "$url"
    wait_until lines_are relay.out 20000
    in_order 50 relay.out
    spamlog -q -r max -n 20000 -c 50 -F octet "$url"
    wait_until lines_are relay.out 40000
    tail -n 20000 relay.out >second
    in_order 50 second
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    grep -q ' in 40,000 out 40,000 bytes ' relay.err
}

@test "200 simultaneous connections are served, and each one's order is kept" {
    local i k open=()
    ulimit -Sn "$(ulimit -Hn)"
    (($(ulimit -n) > 250)) || skip 'needs 250 descriptors'
    relay
    for i in {1..200}; do
        connect
        open+=("$connection")
    done
    for k in {1..5}; do
        for i in "${!open[@]}"; do
            # Each line arrives in two parts, interleaved with those of other connections.
            printf '%s%d' "${HEAD}" "$i" >&"${open[i]}"
        done
        for i in "${!open[@]}"; do
            printf ' %d\n' "$k" >&"${open[i]}"
        done
    done
    wait_until lines_are relay.out 1000
    is "$(<relay.err)" "shnek-parse: listening on $url"
    texts relay.out | sort -s -n -k 1,1 >got
    for i in {0..199}; do
        for k in {1..5}; do
            echo "$i $k"
        done
    done | cmp - got
}

@test "descriptors and memory of closed connections are released" {
    local i files
    relay
    connect
    echo "${HEAD}text" >&"$connection"
    wait_until lines_are relay.out 1
    files=$(find "/proc/$relay_pid/fd" | wc -l)
    for i in {1..1000}; do
        echo "${HEAD}text" >"/dev/tcp/127.0.0.1/$port"
    done
    wait_until lines_are relay.out 1001
    released() { [[ $(find "/proc/$relay_pid/fd" | wc -l) == "$files" ]]; }
    wait_until released
    [[ ${SANITIZE-} ]] || (($(rss_kib "$relay_pid") < 8192))
}

@test "a connection that stalls in a message does not delay others" {
    local first
    relay
    connect
    first=$connection
    printf '%son' "$HEAD" >&"$first"
    connect
    echo "${HEAD}two" >&"$connection"
    wait_until lines_are relay.out 1
    is "$(<relay.out)" "$(json two)"
    echo e >&"$first"
    wait_until lines_are relay.out 2
    is "$(<relay.out)" "$(json two && json one)"
}

@test "a last line without LF is a message when the peer closes the connection" {
    relay
    connect
    echo "${HEAD}one" >&"$connection"
    printf '%stwo' "$HEAD" >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 2
    echo "${HEAD}six" >&"$connection"
    wait_until lines_are relay.out 3
    is "$(<relay.out)" "$(json one && json two && json six)"
    is "$(<relay.err)" "shnek-parse: listening on $url"
}

@test "a truncated counted frame is rejected, and other connections continue" {
    local other from
    relay --stats=1h
    connect
    other=$connection
    connect
    from=$(port_from "$connection")
    printf '21 %sone21 %so' "$HEAD" "$HEAD" >&"$connection"
    wait_until lines_are relay.out 1
    hang_up "$connection"
    wait_until grep -Fxq "shnek-parse: 127.0.0.1:$from:2: SYSLOG-MSG: stream ends within it (at byte 19)" relay.err
    printf '21 %stwo' "$HEAD" >&"$other"
    wait_until lines_are relay.out 2
    is "$(<relay.out)" "$(json one && json two)"
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
    grep -q ' in 3 out 2 rejected 1 dropped 0 ' relay.err
}

@test "framing is detected for each connection" {
    local first second third
    relay
    connect
    first=$connection
    connect
    second=$connection
    connect
    third=$connection
    printf 2 >&"$first"
    printf '2\n' >&"$second"
    printf '%stwo\n' "$HEAD" >&"$second"
    wait_until lines_are relay.out 1
    printf '0 <' >&"$first"
    printf '%sthree\n' "$HEAD" >&"$third"
    wait_until lines_are relay.out 2
    printf '%sab21 %sone' "${HEAD:1}" "$HEAD" >&"$first"
    wait_until lines_are relay.out 4
    is "$(<relay.out)" "$(json two && json three && json ab && json one)"
    is "$(grep -c 'PRI: expected' relay.err)" 1
}

@test "an invalid MSG-LEN is reported once and closes only its connection" {
    local other from line
    relay --stats=1h
    connect
    other=$connection
    echo "${HEAD}one" >&"$other"
    connect
    from=$(port_from "$connection")
    printf '21 %stwo2x' "$HEAD" >&"$connection"
    # The relay closes the connection: read ends with the stream, not with the timeout.
    status=0
    read -rt 30 line <&"$connection" || status=$?
    is "$line $status" ' 1'
    echo "${HEAD}six" >&"$other"
    wait_until lines_are relay.out 3
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
    is "$(sed -n 2p relay.err)" "shnek-parse: 127.0.0.1:$from:2: MSG-LEN: expected a digit or SP (at byte 25)"
    grep -q ' in 4 out 3 rejected 1 dropped 0 ' relay.err
}

@test "log lines, --rejects and --meta name the peer" {
    local from
    relay --meta --rejects=rejects
    connect
    from=127.0.0.1:$(port_from "$connection")
    echo "${HEAD}two" >&"$connection"
    wait_until lines_are relay.out 1
    [[ $(<relay.out) == *',"msg":"two","peer":"'"$from"'","transport":"tcp","received":"'* ]]
    connect
    from=127.0.0.1:$(port_from "$connection")
    printf '\n%sone\nbad\n' "$HEAD" >&"$connection"
    wait_until lines_are rejects 1
    [[ $(<relay.out) == *',"msg":"one","peer":"'"$from"'","transport":"tcp","received":"'* ]]
    is "$(sed -n 2p relay.err)" "shnek-parse: $from:3: PRI: expected '<' (at byte 0)"
    [[ $(<rejects) =~ ^'{"source":"'$from'","number":3,"error":"PRI: expected '"'<'"'","offset":0,"raw":"bad","peer":"'$from'","transport":"tcp","received":"'[^\"]+'","peer_ip":"127.0.0.1","peer_port":'${from#*:}'}'$ ]]
}

@test "a line truncated by a reset is rejected, and other connections continue" {
    local from
    need socat
    relay
    mkfifo in
    # With linger=0 the end of the process resets its connection.
    start peer socat -u OPEN:in "TCP:127.0.0.1:$port,linger=0"
    exec {feed}>in
    printf '%sone\n%scu' "$HEAD" "$HEAD" >&"$feed"
    wait_until lines_are relay.out 1
    kill -KILL "$peer_pid"
    wait_until grep -q 'Connection reset by peer$' relay.err
    connect
    echo "${HEAD}two" >&"$connection"
    wait_until grep -q two relay.out
    is "$(<relay.out)" "$(json one && json two)"
    from=$(sed -n 's/^shnek-parse: \(127\.0\.0\.1:[0-9]*\): Connection reset by peer$/\1/p' relay.err)
    grep -Fxq "shnek-parse: $from:2: SYSLOG-MSG: stream ends within it (at byte 20)" relay.err
}

@test "a reset between messages is reported, and other connections continue" {
    need socat
    relay
    mkfifo in
    start peer socat -u OPEN:in "TCP:127.0.0.1:$port,linger=0"
    exec {feed}>in
    printf '%sone\n' "$HEAD" >&"$feed"
    wait_until lines_are relay.out 1
    kill -KILL "$peer_pid"
    wait_until grep -Eqx 'shnek-parse: 127\.0\.0\.1:[0-9]+: Connection reset by peer' relay.err
    connect
    echo "${HEAD}two" >&"$connection"
    wait_until lines_are relay.out 2
    is "$(<relay.out)" "$(json one && json two)"
}

@test "a record is written when its connection goes idle" {
    relay --rejects=rejects
    connect
    printf '%sone\nbad\n%st' "$HEAD" "$HEAD" >&"$connection"
    wait_until lines_are relay.out 1
    wait_until lines_are rejects 1
    printf 'wo\n' >&"$connection"
    wait_until lines_are relay.out 2
}

@test "with a closed stderr it listens, and uses no CPU time while idle" {
    local free
    relay
    free=$port
    kill -TERM "$relay_pid"
    wait_exit relay
    start relay sh -c "exec shnek-parse -l tcp://127.0.0.1:$free 2>&-"
    wait_until connect 127.0.0.1 "$free"
    printf 'bad\n%stext\n' "$HEAD" >&"$connection"
    wait_until lines_are relay.out 1
    is "$(<relay.out)" "$(json text)"
    idle "$relay_pid"
}

# Limits

@test "beyond --max-connections a connection waits until another one is closed, without loss" {
    local first second third round
    relay --max-connections=2
    connect
    first=$connection
    connect
    second=$connection
    echo "${HEAD}first" >&"$first"
    wait_until lines_are relay.out 1
    echo "${HEAD}second" >&"$second"
    wait_until lines_are relay.out 2
    connect
    third=$connection
    echo "${HEAD}third" >&"$third"
    # A fourth peer sends and closes before it is accepted.
    echo "${HEAD}fourth" >"/dev/tcp/127.0.0.1/$port"
    for round in {1..10}; do
        echo "${HEAD}first" >&"$first"
        echo "${HEAD}second" >&"$second"
        wait_until lines_are relay.out $((2 + 2 * round))
    done
    run ! grep -e third -e fourth relay.out
    idle "$relay_pid"
    hang_up "$first"
    wait_until grep -q third relay.out
    run ! grep fourth relay.out
    hang_up "$third"
    wait_until grep -q fourth relay.out
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    lines_are relay.out 24
}

@test "without descriptors connections wait and are served later, without busy looping" {
    local i open=() served
    start relay bash -c 'ulimit -n 20 && exec shnek-parse -l tcp://127.0.0.1:0'
    listening relay
    for i in {1..40}; do
        connect
        open+=("$connection")
        echo "${HEAD}$i" >&"$connection"
    done
    wait_until grep -q 'accept: Too many open files' relay.err
    some() { (($(wc -l <relay.out) > 5)); }
    wait_until some
    idle "$relay_pid"
    served=$(wc -l <relay.out)
    ((served < 20))
    for i in "${open[@]}"; do
        hang_up "$i"
    done
    wait_until lines_are relay.out 40
    is "$(texts relay.out | sort -n)" "$(seq 40)"
}

@test "a lack of descriptors is reported once, not for each connection" {
    local i open=() served
    start relay bash -c 'ulimit -n 20 && exec shnek-parse -l tcp://127.0.0.1:0'
    listening relay
    for i in {1..40}; do
        connect
        open+=("$connection")
        echo "${HEAD}$i" >&"$connection"
    done
    wait_until grep -q 'accept: Too many open files' relay.err
    served=$(($(find "/proc/$relay_pid/fd" -lname 'socket:*' | wc -l) - 1))
    wait_until lines_are relay.out $served
    # Each connection that is closed lets a waiting one in.
    for i in {0..39}; do
        hang_up "${open[i]}"
        ((served < 40)) && served=$((served + 1))
        wait_until lines_are relay.out $served
    done
    is "$(grep -c 'accept:' relay.err)" 1
}

@test "a slow reader of stdout blocks the senders, in constant memory and without loss" {
    local n=30000
    need spamlog
    blocked_relay --stats=1h
    start spam spamlog -r max -n $n -c 8 --size=4000 "$url"
    wait_until stalled spam
    [[ ${SANITIZE-} ]] || (($(rss_peak_kib "$relay_pid") < 16384))
    # The reader continues, pauses again, and then reads to the end.
    head -c 20000000 <&"$reader" >got
    wait_until stalled spam
    running "$spam_pid"
    [[ ${SANITIZE-} ]] || (($(rss_peak_kib "$relay_pid") < 16384))
    cat <&"$reader" >>got 3>&- &
    wait_exit spam
    is "$status" 0
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    wait $!
    grep -q " in $(grouped $n) out $(grouped $n) bytes " relay.err
    lines_are got $n
    in_order 8 got
}

# Drain

@test "SIGTERM and SIGINT end it with status 0 if there is no connection" {
    local signal
    for signal in TERM INT; do
        relay
        kill -$signal "$relay_pid"
        wait_exit relay
        is "$status" 0
        is "$(<relay.err)" "shnek-parse: listening on $url"
    done
}

@test "SIGTERM and SIGINT end it with status 0 if connections are idle" {
    local signal
    for signal in TERM INT; do
        relay
        connect
        connect
        echo "${HEAD}text" >&"$connection"
        wait_until lines_are relay.out 1
        kill -$signal "$relay_pid"
        wait_exit relay
        is "$status" 0
        is "$(<relay.out)" "$(json text)"
        is "$(<relay.err)" "shnek-parse: listening on $url"
    done
}

@test "after SIGTERM under load the records are complete, without a gap, and the status is 0" {
    need spamlog jq
    relay
    start spam spamlog -r max -c 4 --hostname=h "$url"
    many() { (($(wc -l <relay.out) > 20000)); }
    wait_until many
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    # Records may be in the pipe.
    is "$(grep -v ' draining for at most ' relay.err)" "shnek-parse: listening on $url"
    is "$(tail -c 1 relay.out)" ''
    in_order 4 relay.out
    # All records have the same form, which is JSON.
    record='\{"severity":"crit","facility":"auth","version":1,"timestamp":"[-0-9T:.+Z]+","hostname":"h",'
    record+='"appname":"spamlog","procid":[0-9]+,"msgid":"[0-9]+","sd":\{\},"msg":"hello from C!"\}'
    is "$(grep -Evxc "$record" relay.out)" 0
    tail -n 1000 relay.out | jq -es 'length == 1000'
    wait_exit spam
    [[ $status == 0 || $status == 2 && $(<spam.err) == *'spamlog: tcp://127.0.0.1:'* ]]
}

@test "a message that is incomplete at SIGTERM is rejected" {
    local octet newline
    relay
    connect
    newline=$connection
    printf '%sone\n%scut' "$HEAD" "$HEAD" >&"$newline"
    connect
    octet=$connection
    printf '21 %stwo21 %scu' "$HEAD" "$HEAD" >&"$octet"
    wait_until lines_are relay.out 2
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
    is "$(sort relay.out)" "$(json one && json two)"
    is "$(sed 1d relay.err | sort)" "$(sort <<END
shnek-parse: 127.0.0.1:$(port_from "$newline"):2: SYSLOG-MSG: stream ends within it (at byte 21)
shnek-parse: 127.0.0.1:$(port_from "$octet"):2: SYSLOG-MSG: stream ends within it (at byte 20)
END
)"
}

@test "a message that is completed soon after SIGTERM is written" {
    relay
    connect
    printf '%sone\n%st' "$HEAD" "$HEAD" >&"$connection"
    wait_until lines_are relay.out 1
    kill -TERM "$relay_pid"
    wait_until signals_taken "$relay_pid"
    echo wo >&"$connection"
    wait_exit relay
    is "$status" 0
    is "$(<relay.out)" "$(json one && json two)"
}

@test "SIGTERM ends it even if a peer never completes its message" {
    relay
    connect
    echo "${HEAD}one" >&"$connection"
    wait_until lines_are relay.out 1
    start flood bash -c "exec tr '\0' x </dev/zero >&$connection"
    wait_until grep -q 'longer than --max-size' relay.err
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
    is "$(<relay.out)" "$(json one)"
}

@test "messages sent before SIGTERM are written, also from connections not yet accepted" {
    need spamlog
    blocked_relay
    connect
    # While stdout is blocked, nothing is read or accepted.
    start spam spamlog -r max -n 100000 "$url"
    read -rt 30 <&"$reader"
    wait_until stalled relay
    echo "${HEAD}two" >&"$connection"
    for _ in {1..200}; do
        echo "${HEAD}three" >"/dev/tcp/127.0.0.1/$port"
    done
    kill -TERM "$relay_pid"
    wait_until signals_taken "$relay_pid"
    cat <&"$reader" >got
    wait_exit relay
    is "$status" 0
    is "$(texts got | grep -xc two)" 1
    is "$(texts got | grep -xc three)" 200
}

@test "if a connection waits to be accepted at SIGTERM, nothing is lost with status 0" {
    relay --max-connections=1
    connect
    echo "${HEAD}one" >&"$connection"
    wait_until lines_are relay.out 1
    echo "${HEAD}two" >"/dev/tcp/127.0.0.1/$port"
    kill -TERM "$relay_pid"
    wait_exit relay
    [[ $status != 0 ]] || is "$(<relay.out)" "$(json one && json two)"
}

@test "if there are no descriptors left at SIGTERM, nothing is lost with status 0" {
    local i
    start relay bash -c 'ulimit -n 20 && exec shnek-parse -l tcp://127.0.0.1:0'
    listening relay
    for i in {1..40}; do
        connect
        echo "${HEAD}$i" >&"$connection"
    done
    wait_until grep -q 'accept: Too many open files' relay.err
    kill -TERM "$relay_pid"
    wait_exit relay
    [[ $status != 0 ]] || is "$(texts relay.out | sort -n)" "$(seq 40)"
}

@test "a second SIGTERM ends it immediately, even if stdout is blocked" {
    need spamlog
    blocked_relay
    start spam spamlog -r max -c 2 "$url"
    wait_until stalled spam
    kill -TERM "$relay_pid"
    wait_until signals_taken "$relay_pid"
    running "$relay_pid"
    wait_until ended_when_told "$relay_pid"
    wait_exit relay
    is "$status" 2
    grep -q '^shnek-parse: stopped by a second signal$' relay.err
    wait_exit spam
    is "$status" 2
}

@test "data that arrived before SIGTERM is written, however slow the reader is" {
    local n=8000
    need spamlog
    blocked_relay --stats=50ms
    # The receive buffers have space for everything, so the sender ends.
    spamlog -q -r max -n $n -c 20 "$url"
    kill -TERM "$relay_pid"
    wait_until signals_taken "$relay_pid"
    printed_more() { (($(wc -l <relay.err) > seen + 30)); }
    head -c 300000 <&"$reader" >got
    # The reader pauses for 30 times 50 ms.
    seen=$(wc -l <relay.err)
    wait_until printed_more
    cat <&"$reader" >>got
    wait_exit relay
    is "$status" 0
    lines_are got $n
}

@test "SIGUSR1 prints the counters, even while stdout is blocked" {
    need spamlog
    blocked_relay
    start spam spamlog -r max -c 2 "$url"
    wait_until stalled spam
    kill -USR1 "$relay_pid"
    wait_until grep -Eq '^shnek-parse: in [1-9][0-9,]* out [1-9][0-9,]* (rejected 0 dropped 0 )?bytes [0-9,]+ rate [0-9,]+/s$' relay.err
    # The sender inherited the descriptor of the FIFO.
    kill -KILL "$spam_pid"
    hang_up "$reader"
    wait_exit relay
}

@test "if the reader of stdout exits, it ends silently with status 2, even when idle" {
    blocked_relay
    hang_up "$reader"
    wait_exit relay
    is "$status" 2
    is "$(<relay.err)" "shnek-parse: listening on $url"
}

@test "if stdout is full, it reports that and ends with status 2" {
    start relay sh -c 'exec shnek-parse -l tcp://127.0.0.1:0 >/dev/full'
    listening relay
    connect
    echo "${HEAD}one" >&"$connection"
    wait_exit relay
    is "$status" 2
    is "$(sed 1d relay.err)" 'shnek-parse: stdout: No space left on device'
}

@test "TLS and HTTP without TLS are refused with a reason" {
    local bytes
    start relay shnek-parse -f auto -l tcp://:0
    listening relay
    for bytes in '\x16\x03\x01\x02\x00\x01' 'GET / HTTP/1.1\r\nHost: a\r\n\r\n' 'POST /a HTTP/1.0\r\n'; do
        connect
        # It may be refused before all of it is written: SIGPIPE.
        (printf %b "$bytes" >&"$connection") || true
        run timeout 20 cat <&"$connection"
        hang_up "$connection"
    done
    # A byte at a time
    connect
    for bytes in G E T ' ' / ' ' H T T P; do
        printf '%s' "$bytes" >&"$connection"
    done
    printf '/' >&"$connection"
    run timeout 20 cat <&"$connection"
    hang_up "$connection"
    is "$(sed -E '1d; s/127.0.0.1:[0-9]+/PEER/' relay.err)" "\
shnek-parse: PEER: refused: looks like TLS; use tls://
shnek-parse: PEER: refused: looks like HTTP, which is not accepted
shnek-parse: PEER: refused: looks like HTTP, which is not accepted
shnek-parse: PEER: refused: looks like HTTP, which is not accepted"
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    is "$(<relay.out)" ''
}

@test "text that begins like HTTP or TLS is a message" {
    local bytes
    start relay shnek-parse -f auto --raw -l tcp://:0
    listening relay
    for bytes in 'GET / HTTP' 'GET' 'POST it\n' 'PUT / HTTX/1.1\n' '\x16\n' 'DELETE / \nx'; do
        connect
        printf %b "$bytes" >&"$connection"
        hang_up "$connection"
    done
    wait_until lines_are relay.out 7
    is "$(jq -c .raw relay.out | sort)" "$(printf '%s\n' '"\u0016"' '"DELETE / "' '"GET / HTTP"' '"GET"' '"POST it"' \
        '"PUT / HTTX/1.1"' '"x"' | sort)"
    connect
    printf 'GET' >&"$connection"
    wait_until counts relay 'in 7'
    printf ' this\n' >&"$connection"
    wait_until lines_are relay.out 8
    is "$(tail -n 1 relay.out | jq -r .raw)" 'GET this'
    hang_up "$connection"
}

@test "a message that ends with NUL is written when nothing follows it for a while" {
    local peer
    start relay shnek-parse -f auto -l tcp://:0
    listening relay
    exec {peer}<>"/dev/tcp/127.0.0.1/$port"
    printf '<13>a: one\0<13>b: two\0' >&"$peer"
    wait_until grep -q '"msg":"two"' relay.out
    printf '<13>c: three\0' >&"$peer"
    wait_until grep -q '"msg":"three"' relay.out
    printf '<13>d: four\0' >&"$peer"
    wait_until counts relay 'bytes 47'
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    is "$(jq -c .msg relay.out)" $'"one"\n"two"\n"three"\n"four"'
}

@test "Python's SysLogHandler delivers over TCP and UDP" {
    need python3
    start relay shnek-parse -f auto -l tcp://:0 -l udp://127.0.0.1:0
    listening relay
    wait_until grep -q 'listening on udp' relay.err
    python3 -c '
import logging.handlers, socket, sys
for port, kind in zip(sys.argv[1:], (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
    handler = logging.handlers.SysLogHandler(("127.0.0.1", int(port)), socktype=kind)
    for text in "one", "two\nlines", "three":
        handler.emit(logging.makeLogRecord({"msg": "app: " + text}))
    handler.close()
' "$(sed -n 's|.*listening on tcp://.*:||p' relay.err)" "$(sed -n 's|.*listening on udp://.*:||p' relay.err)"
    # The LF is data in a datagram only.
    wait_until lines_are relay.out 7
    is "$(jq -c .msg relay.out | sort)" "$(printf '%s\n' '"one"' '"one"' '"two"' '"lines"' '"two\nlines"' \
        '"three"' '"three"' | sort)"
}

@test "all LF, CR and NUL at the end of a datagram are removed" {
    need socat
    start relay shnek-parse -f auto --raw -l unixgram:socket
    wait_until test -S socket
    printf '<13>a: one\0\0\r\n\n\0' | socat -u - UNIX-SENDTO:socket
    printf '12 <13>a: b\0cd\n' | socat -u - UNIX-SENDTO:socket
    wait_until lines_are relay.out 2
    is "$(jq -c '[.msg, .raw]' relay.out)" '["one","<13>a: one"]
["b\u0000cd","12 <13>a: b\u0000cd"]'
}

@test "with --multiline a message is written when no line continues it for a while" {
    local peer
    start relay shnek-parse -f auto --multiline -l tcp://:0
    listening relay
    exec {peer}<>"/dev/tcp/127.0.0.1/$port"
    printf '<13>a: one\n  two\n' >&"$peer"
    wait_until grep -q '"msg":"one\\n  two"' relay.out
    printf 'three\n<13>b: four\n' >&"$peer"
    exec {peer}>&-
    wait_until grep -q '"msg":"four"' relay.out
    is "$(jq -c .msg relay.out)" $'"one\\n  two"\n"three"\n"four"'
}

# Blocked stderr

# full_fifo NAME: creates a FIFO that is open as descriptor $blocked and full.
full_fifo() {
    mkfifo "$1"
    exec {blocked}<>"$1"
    dd if=/dev/zero of="$1" oflag=nonblock bs=4096 count=1024 2>/dev/null || true
}

@test "while stderr is blocked messages are relayed, and later the number of lines not logged is reported" {
    need socat
    full_fifo err
    start relay sh -c 'exec shnek-parse -l unix:socket 2>err'
    wait_until test -S socket
    printf 'bad\nbad\n%sone\n' "$HEAD" | socat -u - UNIX-CONNECT:socket
    wait_until lines_are relay.out 1
    # The reader of stderr continues.
    start reader from err tr -d '\0'
    bad() { echo bad | socat -u - UNIX-CONNECT:socket && grep -q 'PRI: expected' reader.out; }
    wait_until bad
    # "listening on", two defects, and those until the FIFO had space.
    is "$(sed -n '1s/[0-9]*//gp' reader.out)" 'shnek-parse:  lines not logged, because stderr was blocked'
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
    hang_up "$blocked"
}

@test "while stderr is blocked SIGTERM drains, and the status is that of the messages" {
    full_fifo err
    mkfifo in
    start relay sh -c 'exec shnek-parse --stats=10ms in 2>err'
    exec {feed}>in
    printf 'bad\n%sone\n' "$HEAD" >&"$feed"
    wait_until lines_are relay.out 1
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
}

# Internal failures

# inject CALL ERROR [WHEN]: calls of the relay that has started fail, until end_injection.
inject() {
    need strace
    start tracer strace -f -o trace -e trace="$1" -e inject="$1:error=$2:when=${3-1+}" -p "$relay_pid"
    traced() { ! grep -q '^TracerPid:[[:space:]]*0$' /proc/"$relay_pid"/task/*/status || ended "$tracer_pid"; }
    wait_until traced
    running "$tracer_pid" || skip 'strace may not attach to a process'
}

end_injection() {
    kill -TERM "$tracer_pid"
    wait_exit tracer
}

# fails_with ERROR: whether one injected call has failed.
fails_with() {
    grep -q "$1.*(INJECTED)" trace
}

@test "a connection that cannot be read is reported, and the status is 2" {
    relay
    connect
    echo "${HEAD}one" >&"$connection"
    wait_until lines_are relay.out 1
    inject read EIO 1
    echo "${HEAD}two" >&"$connection"
    wait_until grep -qx 'shnek-parse: 127.0.0.1:[0-9]*: Input/output error' relay.err
    end_injection
    connect
    echo "${HEAD}six" >&"$connection"
    wait_until lines_are relay.out 2
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 2
}

@test "a connection that cannot be watched is reported, and the status is 2" {
    relay
    inject epoll_ctl ENOSPC 1
    connect
    echo "${HEAD}one" >&"$connection"
    wait_until grep -qx 'shnek-parse: 127.0.0.1:[0-9]*: epoll: No space left on device' relay.err
    end_injection
    connect
    echo "${HEAD}two" >&"$connection"
    wait_until lines_are relay.out 1
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 2
}

@test "unknown errors of accept, recvmmsg and epoll_wait are reported once and retried without busy looping" {
    local call round=0 udp
    start relay shnek-parse -l tcp://127.0.0.1:0 -l udp://127.0.0.1:0
    wait_until grep -q 'listening on udp:' relay.err
    listening relay
    udp=$(sed -n 's/.*listening on udp:.*://p' relay.err)
    for call in accept4 recvmmsg epoll_wait; do
        # On arm64, epoll_wait() is the system call epoll_pwait.
        inject "${call/epoll_wait/epoll_wait,epoll_pwait}" EIO
        connect
        echo "${HEAD}tcp" >&"$connection"
        echo "${HEAD}udp" >"/dev/udp/127.0.0.1/$udp"
        wait_until fails_with EIO
        idle "$relay_pid"
        end_injection
        round=$((round + 1))
        is "$(grep -c 'Input/output error; retrying$' relay.err)" "$round"
        wait_until lines_are relay.out $((2 * round))
    done
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
}

# Peers and files that fail

@test "connections have keepalive probes, so that those of dead peers end" {
    relay
    connect
    echo "${HEAD}one" >&"$connection"
    wait_until lines_are relay.out 1
    # A timer of type 2 in /proc/net/tcp.
    awk -v port="$(printf ':%04X$' "$port")" '$2 ~ port && $4 == "01" { print $6 }' /proc/net/tcp >timers
    grep -q '^02:' timers
}

@test "it is reported when --max-connections is reached and when connections are accepted again" {
    local first
    relay --max-connections=2
    connect
    first=$connection
    connect
    wait_until grep -Fxq 'shnek-parse: 2 connections are open; others wait (--max-connections)' relay.err
    hang_up "$first"
    wait_until grep -Fxq 'shnek-parse: connections are accepted again; 1 is open' relay.err
    lines_are relay.err 3
}

@test "--first-message-timeout closes a connection that never completes a message, and no other" {
    local silent partial counted name
    relay --first-message-timeout=100ms
    connect
    other=$connection
    echo "${HEAD}one" >&"$other"
    wait_until lines_are relay.out 1
    connect
    silent=$connection
    connect
    partial=$connection
    printf '%stw' "$HEAD" >&"$partial"
    connect
    counted=$connection
    printf '100 %sthree' "$HEAD" >&"$counted"
    closed() {
        grep -Fxq "shnek-parse: 127.0.0.1:$1: closed, no message for too long (--first-message-timeout)" relay.err
    }
    for name in "$silent" "$partial" "$counted"; do
        wait_until closed "$(port_from "$name")"
    done
    echo "${HEAD}four" >&"$other"
    wait_until lines_are relay.out 2
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
    is "$(grep -c 'stream ends within it' relay.err)" 2
}

@test "--max-memory closes the connections whose unfinished messages have been idle for longest" {
    local i bytes tenths open=()
    relay --max-memory=1M --stats=1h
    printf -v part '%050000d' 0
    for i in {1..40}; do
        connect
        open+=("$(port_from "$connection")")
        printf '%s%s' "$HEAD" "$part" >&"$connection"
        bytes=$((i * (50000 + ${#HEAD})))
        tenths=$(((bytes / 50000 + 1) / 2))
        if ((bytes < 1000000)); then
            wait_until counts relay "bytes $(grouped "$bytes")"
        else
            wait_until counts relay "bytes $((tenths / 10)).$((tenths % 10)) MB"
        fi
    done
    wait_until grep -q '(--max-memory)$' relay.err
    # The last one is not affected.
    echo >&"$connection"
    wait_until lines_are relay.out 1
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
    # The oldest connections were closed, in this order.
    sed -n 's/^shnek-parse: 127.0.0.1:\([0-9]*\): closed, .* (--max-memory)$/\1/p' relay.err >closed
    # At most ten lines per second are printed.
    printf '%s\n' "${open[@]:0:5}" | cmp - <(head -n 5 closed)
    grep -q ' in 40 out 1 rejected 39 ' relay.err
}

# limited_relay: the files that the relay writes may have 1024 bytes; its stdout is a pipe.
limited_relay() {
    mkfifo out
    start cat cat out
    start relay bash -c 'trap "" XFSZ; ulimit -S -f 1; exec shnek-parse -q -l unix:socket --rejects=rejects >out'
    wait_until test -S socket
}

send() {
    printf '%s\n' "$@" | socat -u - UNIX-CONNECT:socket
}

@test "while --rejects cannot be written messages are relayed, and later it is completed" {
    local i
    need socat jq prlimit
    limited_relay
    for i in {1..40}; do
        send "bad $i" "${HEAD}good $i"
    done
    wait_until lines_are cat.out 40
    grep -Fxq 'shnek-parse: rejects: File too large; retrying every second' relay.err
    is "$(wc -c <rejects)" 1024
    prlimit --pid "$relay_pid" --fsize=unlimited:
    completed() {
        send "bad $((++i))"
        grep -Fxq 'shnek-parse: rejects: can be written again' relay.err
    }
    wait_until completed
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
    is "$(jq -r .raw rejects)" "$(seq -f 'bad %g' "$i")"
}

@test "rejected messages that --rejects could not store are counted, and the status is 2" {
    start relay bash -c 'printf "%s\n" bad bad "$1" bad | shnek-parse -q --rejects=/dev/full' -- "${HEAD}one"
    wait_exit relay
    is "$status" 2
    is "$(<relay.out)" "$(json one)"
    is "$(<relay.err)" 'shnek-parse: /dev/full: No space left on device; retrying every second
shnek-parse: /dev/full: 3 rejected messages not written'
}

# SIGHUP

@test "SIGHUP reopens --rejects after a rotation, and does not end a relay" {
    local options
    need socat
    for options in '-l unix:socket' 'in' '--jobs=2 in'; do
        rm -f rejects rejects.1 in && mkfifo in
        # shellcheck disable=SC2086
        start relay shnek-parse --rejects=rejects $options
        exec {feed}<>in
        exec {feed}<>in
        # The relay reads the FIFO itself, or from socat.
        [[ $options != -l* ]] || start sender socat -u OPEN:in UNIX-CONNECT:socket,retry=100,interval=0.1
        echo bad 1 >&"$feed"
        wait_until lines_are rejects 1
        mv rejects rejects.1
        kill -HUP "$relay_pid"
        wait_until grep -Fxq 'shnek-parse: rejects: reopened' relay.err
        echo bad 2 >&"$feed"
        wait_until lines_are rejects 1
        grep -q 'bad 2' rejects
        is "$(stat -c %a rejects)" 600
        lines_are rejects.1 1
        kill -TERM "$relay_pid"
        wait_exit relay
        is "$status" 1
        hang_up "$feed"
    done
}

@test "SIGHUP keeps --rejects if it cannot be opened again" {
    mkdir dir
    relay --rejects=dir/rejects
    mv dir other
    kill -HUP "$relay_pid"
    wait_until grep -Fxq 'shnek-parse: dir/rejects: No such file or directory; keeping the file that is open' relay.err
    connect
    echo bad >&"$connection"
    wait_until lines_are other/rejects 1
}

# --shutdown-timeout

@test "a drain that is blocked ends after --shutdown-timeout with status 2" {
    need spamlog
    blocked_relay --shutdown-timeout=200ms
    start spam spamlog -r max -c 2 "$url"
    wait_until stalled spam
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 2
    grep -Fxq 'shnek-parse: not drained within 0.2 s (--shutdown-timeout), stopped' relay.err
    grep -Eqx 'shnek-parse: draining for at most 0.2 s \(--shutdown-timeout\); the reader of stdout has [0-9,]+ bytes to read' relay.err
    wait_exit spam
}
