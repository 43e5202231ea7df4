#!/usr/bin/env bats
# The messages that spamlog sends, its rate, and its destinations.

bats_require_minimum_version 1.5.0

load lib/shnek
load lib/certificates

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR"
}

teardown() {
    shnek_teardown
}

fixed=(--hostname=host --appname=app --procid=7 --timestamp=2024-12-15T20:57:00.217+09:00)

# invalid PATTERN ARGUMENT...: status 2 and one line: a value that cannot be part of a message.
invalid() {
    local pattern=$1
    shift
    run --separate-stderr timeout 10 spamlog -n 1 "$@"
    [[ $status == 2 && -z $output && ${#stderr_lines[@]} == 1 ]]
    # shellcheck disable=SC2053
    [[ $stderr == "spamlog: "$pattern ]] || { echo "$stderr" && return 1; }
}

# fails PATTERN ARGUMENT...: status 2, and one line with the reason.
fails() {
    local pattern=$1
    shift
    run --separate-stderr timeout 30 spamlog -q "$@"
    # shellcheck disable=SC2053
    [[ $status == 2 && ${#stderr_lines[@]} == 1 && $stderr == "spamlog: "$pattern ]] ||
        { echo "$status: $stderr" && return 1; }
}

# counters PID: requests a line of counters, once the process handles SIGUSR1.
counters() {
    takes_signals "$1" && kill -USR1 "$1"
}

# receive NAME ADDRESS [OPTION...]: socat receives into NAME.out; sets $port if there is one.
receive() {
    local name=$1 address=$2 pid=${1}_pid
    shift 2
    start "$name" socat -dd -u "$@" "$address" stdout
    wait_until grep -qE 'listening on|starting data transfer' "$name.err"
    case $address in
    udp*) port=$(udp_port "${!pid}") ;;
    unix*) ;;
    *) port=$(tcp_port "$name") ;;
    esac
}

tcp_port() {
    sed -n 's/.* listening on AF=.*:\([0-9]*\)$/\1/p' "$1.err"
}

udp_port() {
    local socket hex
    socket=$(find "/proc/$1/fd" -lname 'socket:*' -printf '%l\n' | tr -dc '0-9\n' | paste -sd '|')
    hex=$(awk -v socket="^($socket)\$" '$10 ~ socket { sub(/.*:/, "", $2); print $2 }' \
        /proc/net/udp /proc/net/udp6)
    echo $((16#$hex))
}

# tls_server NAME OPTION...: openssl receives, with the certificate in server.pem; sets $port. Its
# stdin stays open, because it exits at EOF.
tls_server() {
    local name=$1
    shift
    [[ -p stdin ]] || mkfifo stdin
    start "$name" bash -c 'exec openssl s_server "$@" <>stdin' bash -accept 0 -cert server.pem \
        -key server.key "$@"
    wait_until grep -q '^ACCEPT .*:' "$name.out"
    port=$(sed -n 's/^ACCEPT .*://p' "$name.out")
}

# came NAME COUNT: for wait_until: COUNT messages arrived, all with different MSGIDs.
came() {
    [[ $(wc -l <"$1.out") == "$2" && $(cut -d ' ' -f 6 "$1.out" | sort -u | wc -l) == "$2" ]]
}

@test "options set the fields of a message, and MSGID counts from 0" {
    run --separate-stderr spamlog -q -r max -n 2 -p local3.warning "${fixed[@]}" --sd='[a@1 b="c"]' -m hi
    [[ $status == 0 && -z $stderr ]]
    [[ ${lines[0]} == '<156>1 2024-12-15T20:57:00.217+09:00 host app 7 0 [a@1 b="c"] hi' ]]
    [[ ${lines[1]} == '<156>1 2024-12-15T20:57:00.217+09:00 host app 7 1 [a@1 b="c"] hi' ]]
}

@test "by default a message has this host name, the process ID, and the time with the local offset" {
    export TZ=NPT-5:45
    spamlog -q -n 1 >out &
    pid=$!
    wait "$pid"
    [[ $(<out) =~ ^'<34>1 '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\+05:45' '(.*)' spamlog '([0-9]+)' 0 - hello from C!'$ ]]
    [[ ${BASH_REMATCH[1]} == "$(uname -n)" ]]
    [[ ${BASH_REMATCH[2]} == "$pid" ]]
}

@test "with --rate TIMESTAMP is the due time, exactly spaced, regardless of when the message was sent" {
    TZ=UTC spamlog -q -r 1000 -n 50 | sed -E 's/.*T[0-9:]{8}\.([0-9]{6}).*/\1/' |
        awk 'NR > 1 && ($1 - before + 1000000) % 1000000 != 1000 { exit 1 } { before = $1 } END { exit NR != 50 }'
}

@test "--rate with --duration sends every message that is due in that time" {
    [[ $(spamlog -q -r 1000 -d 100ms | wc -l) == 100 ]]
    [[ $(spamlog -q -r 5/50ms -d 100ms | wc -l) == 10 ]]
}

@test "the report has lines of messages and bytes, achieved and requested rate, and lag" {
    run --separate-stderr spamlog -r 1000 -n 10 "${fixed[@]}"
    bytes=$(grouped "$(printf '%s\n' "$output" | wc -c)")
    [[ ${stderr_lines[0]} =~ ^spamlog:\ sent\ 10\ messages,\ $bytes\ bytes\ in\ 0\.[0-9]{3}\ s$ ]]
    [[ ${stderr_lines[1]} =~ ^spamlog:\ rate\ [0-9.,]+/s,\ [0-9.]+\ MB/s,\ asked\ 1,000/s$ ]]
    [[ ${stderr_lines[2]} =~ ^spamlog:\ lag\ [0-9]+\.[0-9]{3}\ ms$ && ${#stderr_lines[@]} == 3 ]]
    run --separate-stderr spamlog -n 1 "${fixed[@]}"
    [[ ${stderr_lines[0]} == 'spamlog: sent 1 message, '* ]]
}

@test "rates and counts in the report are printed for people, and bare in JSON" {
    run -0 --separate-stderr spamlog -r 1M -n 12345 --json=report -m '' --bad=0.5:pri
    [[ ${stderr_lines[0]} =~ ^spamlog:\ sent\ 12,345\ messages,\ [0-9,]+\ bytes\  ]]
    [[ ${stderr_lines[1]} =~ ^spamlog:\ rate\ [0-9,]+/s,\ [0-9.]+\ MB/s,\ asked\ 1,000,000/s$ ]]
    [[ ${stderr_lines[3]} =~ ^spamlog:\ bad\ [56],[0-9]{3}\ pri\ [56],[0-9]{3}$ ]]
    is "$(jq -c '[.sent, .asked, (.rate | type)]' report)" '[12345,"1000000/s","number"]'
    run -0 --separate-stderr spamlog -r 500k..2M/10ms -n 1 --json=report
    [[ $stderr == *', asked 500,000..2,000,000/s'* ]]
    is "$(jq -r .asked report)" 500000..2000000/s
}

@test "a line of counters fits in 80 columns, whatever the counts" {
    local n options numbers=(1 999 1000 123456)
    [[ ${SANITIZE-} ]] || numbers+=(1200000)
    for options in '' --bad=0.5:pri; do
        for n in "${numbers[@]}"; do
            # shellcheck disable=SC2086
            spamlog -r max -n "$n" -q --stats=10ms $options 2>err | shnek-parse -q --stats=10ms 2>parse.err >/dev/null || true
            is "$(awk 'length > 79' err parse.err)" ''
            grep -q "^spamlog: in $(grouped "$n") out $(grouped "$n") " err
            grep -q "^shnek-parse: in $(grouped "$n") out " parse.err
        done
    done
    # Zeros are omitted from 1,000 messages on.
    run -0 --separate-stderr spamlog -q -r max -n 999 --stats=1h
    [[ $stderr == 'spamlog: in 999 out 999 rejected 0 dropped 0 bytes '* ]]
    run -0 --separate-stderr spamlog -q -r max -n 1000 --stats=1h
    [[ $stderr == 'spamlog: in 1,000 out 1,000 bytes '* ]]
}

@test "octet counting writes the length before each message" {
    run -0 --separate-stderr spamlog -q -r max -n 2 -F octet "${fixed[@]}" -m "$(printf 'a\nb')"
    length=$(printf '<34>1 2024-12-15T20:57:00.217+09:00 host app 7 0 - a\nb' | wc -c)
    [[ $output == "$length <34>"*"$length <34>"* ]]
}

@test "with --size every message has that length, also when the counter gets another digit, in both framings" {
    spamlog -q -r max -n 1200 --size=200 | awk 'length != 200 { exit 1 } END { exit NR != 1200 }'
    spamlog -q -r max -n 1200 --size=200 -F octet | shnek-parse --raw -F octet | jq -e '.raw | length == 200' |
        sort -u | grep -qx true
}

@test "--size truncates the text between characters" {
    spamlog -q -r max -n 30 --size=90 --hostname h --procid 1 -m éééééééééééééééééééééééééééé >out
    iconv -f utf-8 -t utf-8 out >/dev/null
    [[ $(LC_ALL=C awk '{ print length }' out | sort -u) == 90 ]]
}

@test "all messages are valid RFC 5424" {
    for size in 100 1000 60000; do
        spamlog -q -r max -n 100 --size="$size" --sd='[x@1 a="\"\\\]" é="ü"]' 2>/dev/null || true
        spamlog -q -r max -n 100 --size="$size" --sd='[x@1 a="\"\\\]ü"][y]' -F octet
    done | shnek-parse >out
    [[ $(wc -l <out) == 300 ]]
}

@test "connections share the messages evenly, in one sequence of numbers" {
    start parse shnek-parse --meta -l tcp://:0
    spamlog -q -r max -n 999 -c 3 "$(listen_url parse.err)"
    kill "$parse_pid"
    wait_exit parse
    [[ $(jq -r .peer parse.out | sort | uniq -c | awk '{ print $1 }') == $'333\n333\n333' ]]
    [[ $(jq -r .msgid parse.out | sort -n | uniq | wc -l) == 999 ]]
}

@test "at the maximum rate connection i of c sends the messages k with k mod c = i, in order" {
    for framing in newline octet; do
        start parse shnek-parse --meta -l tcp://:0
        spamlog -q -r max -n 100003 -c 7 -F "$framing" "$(listen_url parse.err)"
        kill "$parse_pid"
        wait_exit parse
        jq -r '[.peer, .msgid] | @tsv' parse.out >got
        [[ $(sort -n -k 2 got | awk '$2 != NR - 1' | head -n 1) == '' && $(wc -l <got) == 100003 ]]
        awk '!($1 in of) { of[$1] = $2 % 7 } $2 % 7 != of[$1] || $2 < last[$1] { print; exit 1 } { last[$1] = $2 }' got
    done
}

@test "a refused connection is reported, with status 2" {
    start probe shnek-parse -l tcp://:0
    url=$(listen_url probe.err)
    kill "$probe_pid"
    wait_exit probe
    run --separate-stderr spamlog -n 1 "$url"
    [[ $status == 2 && $stderr == "spamlog: $url: Connection refused" ]]
}

@test "a receiver that exits during the run is reported, with status 2" {
    start parse shnek-parse -l tcp://:0
    start spam spamlog -r max "$(listen_url parse.err)"
    some() { [[ -s parse.out ]]; }
    wait_until some
    kill -KILL "$parse_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -qE '^spamlog: tcp://.*: (Connection reset by peer|Broken pipe)$' spam.err
}

@test "a receiver that shuts down its side, reads nothing more and exits is reported, with status 2" {
    local at
    mkfifo unread
    exec 9<>unread
    start deaf socat -dd -t 600 tcp-listen:0,bind=127.0.0.1 'open:/dev/null,rdonly!!open:unread,wronly'
    wait_until grep -q 'listening on' deaf.err
    at=$(tcp_port deaf)
    start spam spamlog -q -r max -n 1 -F octet --size=600k "tcp://127.0.0.1:$at"
    both_closed() { grep -q "^ *[0-9]*: [0-9A-F:]* 0100007F:$(printf %04X "$at") \(09\|0B\) " /proc/net/tcp; }
    wait_until both_closed
    pause
    kill -KILL "$deaf_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -qE '^spamlog: tcp://.*: (Connection reset by peer|Broken pipe)$' spam.err
}

@test "SIGTERM ends the run with the report and status 0" {
    start spam spamlog -r 1000
    wait_until lines_are_at_least spam.out 2
    kill "$spam_pid"
    wait_exit spam
    [[ $status == 0 ]]
    grep -q "^spamlog: sent $(grouped "$(wc -l <spam.out)") messages, $(grouped "$(wc -c <spam.out)") bytes in " spam.err
}

@test "a closed pipe ends the run quietly, and a full disk with a message, both with status 2" {
    run --separate-stderr bash -c 'spamlog -q -r max | head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"'
    [[ $status == 2 && -z $stderr ]]
    run --separate-stderr bash -c 'spamlog -q -r max -n 10 >/dev/full'
    [[ $status == 2 && $stderr == 'spamlog: stdout: No space left on device' ]]
}

@test "values that are not exactly one valid field are rejected, with the name of the option" {
    invalid "--hostname: 'a b': *" --hostname='a b'
    invalid "--hostname: '*': HOSTNAME: not printable US-ASCII" --hostname=é
    invalid "--appname: '*': APP-NAME: longer than 48 characters" --appname="$(printf '%049d' 0)"
    invalid "--procid: '': PROCID: is empty" --procid=
    invalid "--msgid: *: MSGID: longer than 32 characters" --msgid="$(printf '%033d' 0)"
    invalid "--sd: '\\[a': SD-ID: message ends here" --sd='[a'
    invalid "--sd: '- x': *" --sd='- x'
    invalid "--timestamp: *: TIMESTAMP: no such month" --timestamp=2024-13-01T00:00:00Z
    invalid '--message: the value contains a line feed; use --framing=octet' -m "$(printf 'a\nb')"
    invalid '--size: 20 is too small; the fields before MSG need up to * bytes' --size=20
}

@test "usage errors are reported in one line with a hint, with status 2" {
    misused "--rate: '0' is not a rate*" -r 0
    misused "--rate: 'fast' is not a rate*" -r fast
    misused "--count: '1x' is not a count*" -n 1x
    misused "--duration: '1y' is not a duration*" -d 1y
    misused "--framing: 'lines' is not one of newline, octet" -F lines
    misused "--priority: '192' is not*" -p 192
    misused "--priority: 'auth.none' is not*" -p auth.none
    misused "--connections: 2 connections require a DESTINATION" -c 2
    misused "--csv: stdout is used for the messages" --csv=-
    misused "--json: stdout is used for the messages" --json=-
    misused "--csv, --json: only one of them can use stdout" --csv=- --json udp://h
    misused "--plot: 'x.png' is not an SVG file; the name must end in .svg" --plot=x.png
    misused "DESTINATION: 'relp://h:1' is not an address: tcp://HOST:PORT, *" relp://h:1
    misused "DESTINATION: 'tcp://h' is not an address: tcp://HOST:PORT" tcp://h
    misused "DESTINATION: 'unix:' is not an address: PATH is missing" unix:
    misused "--framing: datagrams have no framing" -F newline udp://h
    misused "--framing: datagrams have no framing" -F octet unixgram:x
    misused "--tls-ca: requires a destination tls://HOST*" --tls-ca=x tcp://:1
    misused "--tls-peer: requires a destination tls://HOST*" --tls-peer=x
    misused "--tls-key: requires --tls-cert" --tls-key=x tls://h
    misused "--tls-peer: 'sha256:00' is not a fingerprint: *" --tls-peer=sha256:00 tls://h
    local fingerprint
    fingerprint=sha256:$(sha256sum </dev/null | cut -d ' ' -f 1)
    misused "--tls-ca: has no effect if all --tls-peer are fingerprints" --tls-ca=x --tls-peer="$fingerprint" tls://h
    misused "--format: 'rfc1149' is not one of rfc5424, rfc3164" -f rfc1149
    misused "--msgid: RFC 3164 has no MSGID" -f rfc3164 --msgid=x
    misused "--sd: RFC 3164 has no STRUCTURED-DATA" --sd=- -f rfc3164
    misused "'b': unexpected argument; only one DESTINATION is accepted" tcp://127.0.0.1:1 b
    misused "unrecognized option '--no-such'" --no-such
}

@test "the offset of TIMESTAMP is that of TZ: east, west, with half hours, or UTC" {
    [[ -e /usr/share/zoneinfo/America/St_Johns ]] || skip 'needs time zones'
    local zone offset
    while read -r zone offset; do
        TZ=$zone spamlog -q -n 1 >out
        [[ $(cut -d ' ' -f 2 out) =~ ^[-0-9]{10}T[:0-9]{8}\.[0-9]{6}($offset)$ ]] || { cat out && return 1; }
        local here=${BASH_REMATCH[1]}
        [[ $here == "$(TZ=$zone date +%:z)" ]]
    done <<'END'
UTC \+00:00
Asia/Tokyo \+09:00
Asia/Kathmandu \+05:45
America/St_Johns -0[23]:30
Pacific/Marquesas -09:30
END
}

@test "--priority accepts numbers, FACILITY.SEVERITY and the names of logger(1)" {
    local names number
    while read -r number names; do
        for name in $names; do
            run --separate-stderr spamlog -q -r max -n 1 -p "$name" "${fixed[@]}"
            [[ $output == "<$number>1 "* ]] || { echo "$name: $output $stderr" && return 1; }
        done
    done <<'END'
0 0 kern.emerg
14 14 user.info info
28 daemon.warning
36 auth.warning
34 34 auth.crit
101 101 ntp.notice
111 audit.debug
113 alert.alert
123 clockd.err
191 191 local7.debug
12 user.warn
11 user.error
8 user.panic
END
    for name in '' -1 1x 0x10 ' 3' 99999999999999999999 auth. .crit auth.crit.x auth,crit crit.auth local8.info; do
        misused '--priority: *' -n 1 -p "$name"
    done
}

@test "each field may have the maximum length of RFC 5424" {
    for field in hostname:255 appname:48 procid:128 msgid:32; do
        value=$(printf "%0${field#*:}d" 0)
        spamlog -q -n 1 "--${field%:*}=$value" | grep -q " $value "
        invalid "--${field%:*}: '0$value': * longer than ${field#*:} characters" "--${field%:*}=0$value"
    done
}

@test "a line feed in --sd is rejected in newline framing, and accepted in octet counting" {
    invalid '--sd: * --framing=octet' --sd=$'[a b="x\ny"]'
    spamlog -q -n 1 -F octet --sd=$'[a b="x\ny"]' | shnek-parse | grep -q '"sd":{"a":{"b":"x\\ny"}}'
}

@test "--size accepts every size that the fields before MSG fit into" {
    local nil=(-q -r max -n 2 -p 0 --timestamp=- --hostname=- --appname=- --procid=- --msgid=- -m abc)
    for size in 17 18 19 20 40; do
        spamlog "${nil[@]}" --size="$size" >out || { echo "$size" && return 1; }
        [[ $(awk '{ print length }' out) == "$size"$'\n'"$size" ]]
    done
    invalid '--size: *' "${nil[@]}" --size=8
}

@test "an empty MSG is sent, and bytes that are not text are sent unchanged" {
    [[ $(spamlog -q -n 1 "${fixed[@]}" -m '') == '<34>1 2024-12-15T20:57:00.217+09:00 host app 7 0 - ' ]]
    spamlog -q -n 1 "${fixed[@]}" -m $'\xff\xfe\x01' >out
    printf '<34>1 2024-12-15T20:57:00.217+09:00 host app 7 0 - \xff\xfe\x01\n' | cmp - out
}

@test "--duration is the length of the run, so the achieved rate equals the requested one" {
    run --separate-stderr spamlog -r 4 -d 1s
    [[ ${#lines[@]} == 4 && $stderr =~ in\ ([0-9]+)\.[0-9]+\ s.*rate\ ([0-9.]+)/s ]]
    ((BASH_REMATCH[1] >= 1)) && [[ ${BASH_REMATCH[2]} == [0-4]* && ${BASH_REMATCH[2]} != 4.[1-9]* ]]
}

@test "the run ends at --count or --duration, whichever is reached first" {
    [[ $(spamlog -q -r 1000 -n 5 -d 1h | wc -l) == 5 ]]
    [[ $(spamlog -q -r 1000 -n 1M -d 20ms | wc -l) == 20 ]]
    spamlog -q -r max -n 7 -d 1h >out
    [[ $(wc -l <out) == 7 ]]
    timeout 20 spamlog -q -r max -d 10ms >out
    [[ -s out ]]
}

@test "a message is sent when it is due, not when a buffer is full" {
    start spam spamlog -r 1/h
    lines_are() { [[ $(wc -l <spam.out) == "$1" ]]; }
    wait_until lines_are 1
    kill -INT "$spam_pid"
    wait_exit spam
    [[ $status == 0 ]]
    lines_are 1
    [[ $(<spam.err) == 'spamlog: sent 1 message, '*', asked 0.000277778/s'* ]]
}

@test "bytes that could not be written are not reported as sent" {
    run --separate-stderr bash -c 'spamlog -n 5 -r max >/dev/full'
    [[ $status == 2 && ${stderr_lines[1]} == 'spamlog: sent 0 messages, 0 bytes '* ]] || { echo "$stderr" && return 1; }
}

@test "--quiet suppresses the report, but not errors" {
    run --separate-stderr spamlog -q -n 1
    [[ $status == 0 && -z $stderr ]]
    run --separate-stderr bash -c 'spamlog -q -n 1 >/dev/full'
    [[ $status == 2 && ${#stderr_lines[@]} == 1 ]]
}

@test "at a low rate, too, a receiver that exits is reported" {
    start parse shnek-parse -l tcp://:0
    start spam spamlog -r 50 "$(listen_url parse.err)"
    some() { [[ -s parse.out ]]; }
    wait_until some
    kill -KILL "$parse_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -qE '^spamlog: tcp://.*: (Connection reset by peer|Broken pipe)$' spam.err
}

@test "a stopped receiver blocks the run: a first signal waits for it, a second one ends the process" {
    start parse shnek-parse -l tcp://:0
    url=$(listen_url parse.err)
    kill -STOP "$parse_pid"
    start spam spamlog -r max -c 2 "$url"
    wait_until takes_signals "$spam_pid"
    full() {
        local was=${now-}
        counters "$spam_pid"
        now=$(grep -o ' out [0-9,]*' spam.err | tail -n 1)
        [[ -n $now && $now == "$was" ]] && ((++same > 5))
    }
    same=0
    wait_until full
    kill -TERM "$spam_pid"
    same=0
    wait_until full
    wait_until ended_when_told "$spam_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -q '^spamlog: stopped by a second signal$' spam.err
    kill -CONT "$parse_pid"
}

@test "waiting for a receiver that shut down its side and does not read uses no CPU" {
    need python3
    start receiver python3 -uc '
import signal, socket
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
s.bind(("127.0.0.1", 0))
s.listen(1)
print(": listening on tcp://127.0.0.1:%d" % s.getsockname()[1])
c, _ = s.accept()
c.shutdown(socket.SHUT_WR)
signal.pause()'
    start spam spamlog -r max -n 1000 "$(listen_url receiver.out)"
    turns=0
    later() { ((++turns > 40)); }
    wait_until takes_signals "$spam_pid"
    wait_until later
    running "$spam_pid"
    read -ra stat <"/proc/$spam_pid/stat"
    echo "ticks: ${stat[13]} + ${stat[14]}"
    ((stat[13] + stat[14] < 25))
    wait_until ended_when_told "$spam_pid"
    wait_exit spam
    [[ $status == 2 ]]
}

@test "more connections than file descriptors are reported in one line" {
    start parse shnek-parse -l tcp://:0
    url=$(listen_url parse.err)
    run --separate-stderr bash -c "ulimit -n 20; exec spamlog -c 100 -n 100 $url"
    [[ $status == 2 && ${#stderr_lines[@]} == 1 && $stderr == "spamlog: $url: Too many open files" ]]
}

@test "a destination may be a host name, and - is stdout" {
    start parse shnek-parse -l tcp://127.0.0.1:0
    url=$(listen_url parse.err)
    spamlog -q -n 1 "tcp://localhost:$(port_of "$url")"
    spamlog -q -n 1 "tcp://:$(port_of "$url")"
    some() { [[ $(wc -l <parse.out) == 2 ]]; }
    wait_until some
    [[ $(spamlog -q -n 1 - | wc -l) == 1 ]]
}

@test "counters are printed at the interval of --stats, at the end and at SIGUSR1" {
    start spam spamlog -r 1/h --stats=20ms
    lines() { [[ $(grep -cE '^spamlog: in 1 out 1 rejected 0 dropped 0 bytes [0-9,]+ rate [0-9,]+/s$' spam.err) -ge $1 ]]; }
    wait_until lines 3
    kill "$spam_pid"
    wait_exit spam
    start other spamlog -r 1/h
    wait_until counts other "out 1"
    run --separate-stderr spamlog -q -n 3 -r max --stats "${fixed[@]}"
    [[ $stderr =~ ^spamlog:\ in\ 3\ out\ 3\ rejected\ 0\ dropped\ 0\ bytes\ $(printf '%s\n' "$output" | wc -c)\ rate\ [0-9,]+/s$ ]]
}

# on_terminal NAME COMMAND...: starts a shell command on a terminal; NAME.id contains its process ID.
on_terminal() {
    start "$1" script -qefc "echo \$\$ >$1.id; exec ${*:2}" /dev/null
}

# printed NAME: the lines that it printed on the terminal, including those that were replaced.
printed() {
    sed -E 's/\r$//; s/\r\x1b\[K/\n/g; s/\r +\r/\n/g' "$1.out" | grep .
}

# shows NAME PATTERN: for wait_until: a printed line matches.
shows() {
    printed "$1" | grep -qE "$2"
}

end_on_terminal() {
    kill -TERM "$(<"$1.id")"
    wait_exit "$1"
}

@test "on a terminal a status line shows the progress, and the report replaces it" {
    need script
    local live='^spamlog: sent [0-9,]+ of 1,000,000 [0-9,]+/s lag [0-9.]+m?s left [0-9:]+ \[[=> ]+\] [0-9]+%$'
    on_terminal spam 'spamlog -r 100 -n 1M >/dev/null'
    wait_until shows spam "$live"
    lines_are spam.out 0
    end_on_terminal spam
    lines_are spam.out 3
    [[ $(printed spam | tail -n 3 | head -n 1) == 'spamlog: sent '*' bytes '* ]]
    is "$(printed spam | head -n -3 | grep -Evc "$live")" 0
    on_terminal spam 'spamlog -r 0..1k/1h -d 1h >/dev/null'
    wait_until shows spam '^spamlog: sent [0-9,]+ [0-9,]+/s lag [0-9.]+m?s left (1:00:00|59:[0-9]+) \[ +\] 0%$'
    end_on_terminal spam
    on_terminal spam 'spamlog >/dev/null'
    wait_until shows spam '^spamlog: sent [0-9,]+ [0-9,]+/s lag [0-9.]+m?s$'
    end_on_terminal spam
}

@test "the status line fits the terminal, and uses no escape sequences with NO_COLOR or TERM=dumb" {
    need script
    on_terminal narrow 'bash -c "stty cols 40; exec spamlog -r 100 -n 1M >/dev/null"'
    on_terminal wide 'bash -c "stty cols 150; exec spamlog -r 100 -n 1M >/dev/null"'
    on_terminal plain 'env NO_COLOR=1 spamlog -r 100 -n 1M >/dev/null'
    on_terminal dumb 'env TERM=dumb spamlog -r 100 -n 1M >/dev/null'
    wait_until shows narrow '^spamlog: sent [0-9,]+ of 1,000,000 [0-9,]+/s$'
    wait_until shows wide '\[[=> ]{40}\] 0%$'
    local name
    for name in plain dumb; do
        twice() { (($(printed "$name" | grep -c 'left') >= 2)); }
        wait_until twice
        end_on_terminal "$name"
        [[ $(<"$name.out") != *$'\e'* && $(printed "$name" | tail -n 3) == 'spamlog: sent '*' bytes '* ]]
        is "$(printed "$name" | awk 'length > 79' | wc -l)" 0
    done
    end_on_terminal narrow
    end_on_terminal wide
}

@test "there is no status line with --quiet or --stats, without a terminal, or if another program uses it" {
    need script
    local command
    run -0 script -qefc 'spamlog -q -d 1500ms >/dev/null' /dev/null
    [[ -z $output ]]
    for command in 'spamlog -d 1500ms --stats=50ms >/dev/null' \
        'spamlog -d 1500ms 2>&1 >/dev/null | cat' 'spamlog -d 1500ms | cat' 'spamlog -d 1500ms'; do
        run -0 script -qefc "$command" /dev/null
        # In the report "bytes" follows the number of messages, in a status line a rate.
        [[ $output == *'sent '[0-9]* && ! $output =~ sent\ [0-9]+\ [0-9] ]] || { echo "$command:" "$output" && return 1; }
    done
}

@test "--csv writes a row at the end of each interval" {
    start spam spamlog -r 1k --stats=100ms --csv=rows
    wait_until lines_are_at_least rows 5
    running "$spam_pid"
    kill "$spam_pid"
    wait_exit spam
    [[ $(head -n 1 rows) == seconds,sent,rate_per_second,bytes,lag_seconds ]]
    is "$(sed 1d rows | grep -Evc '^[0-9]+\.[0-9]{3},[0-9]+,[0-9]+\.[0-9],[0-9]+,[0-9]+\.[0-9]{6}$')" 0
    [[ $(tail -n 1 rows) =~ ^[^,]*,"$(wc -l <spam.out)",[^,]*,"$(wc -c <spam.out)", ]]
    awk -F, 'NR == 1 { next }
        $1 < seconds || $2 < sent || $4 < bytes { exit 1 }
        $1 - seconds > 0.05 && ($2 - sent) / ($1 - seconds) * 0.95 > $3 + 0.1 { exit 1 }
        $1 - seconds > 0.05 && ($2 - sent) / ($1 - seconds) * 1.05 < $3 - 0.1 { exit 1 }
        { seconds = $1; sent = $2; bytes = $4 }' rows
    spamlog -q -r max -n 10 --csv=rows >/dev/null
    [[ $(sed 1d rows) =~ ^[0-9.]+,10,[0-9.]+,[0-9]+,0.000000$ ]]
}

@test "a row of --csv has the bytes of the messages that it counts" {
    spamlog -q -r max -d 1s --size=99 --stats=10ms --csv=rows 2>/dev/null >/dev/null
    awk -F, 'NR > 1 && $4 != 100 * $2 { print; bad++ } END { exit bad > 0 || NR < 3 }' rows
}

@test "the lag in --csv grows while the receiver is stopped, and falls when it continues" {
    local url
    start parse shnek-parse -l tcp://:0
    url=$(listen_url parse.err)
    start spam spamlog -q -r 2k --size=8k --stats=50ms --csv=- "$url"
    lag_is() { awk -F, -v low="$1" -v high="$2" 'END { exit !($5 > low && $5 < high) }' spam.out; }
    wait_until lines_are_at_least spam.out 3
    suspend "$parse_pid"
    wait_until lag_is 1 1000
    awk -F, '$5 > last && $3 == 0 { stopped = 1 } { last = $5 } END { exit !stopped }' spam.out
    kill -CONT "$parse_pid"
    wait_until lag_is -1 0.5
    kill "$spam_pid"
    wait_exit spam
    [[ $status == 0 ]]
}

@test "a file of --csv that cannot be written is reported before anything is sent" {
    run --separate-stderr spamlog -n 1 --csv=/none/x
    [[ $status == 2 && -z $output && $stderr == 'spamlog: --csv: /none/x: No such file or directory' ]]
    run --separate-stderr spamlog -n 1 --csv=/dev/full
    [[ $status == 2 && -z $output && $stderr == 'spamlog: /dev/full: No space left on device' ]]
}

@test "--json writes the report to stdout, to stderr if stdout is used for the messages, or to a file" {
    local keys='destination sent dropped bytes seconds rate asked lag'
    start parse shnek-parse -l tcp://:0
    url=$(listen_url parse.err)
    run -0 --separate-stderr spamlog -r 1k -n 30 --json "$url"
    [[ -z $stderr ]]
    is "$(jq -r 'keys_unsorted | join(" ")' <<<"$output")" "$keys"
    is "$(jq -c '[.destination, .sent, .dropped, .asked]' <<<"$output")" "[\"$url\",30,0,\"1000/s\"]"
    jq -e '.rate > 30 / .seconds * 0.99 and .rate < 30 / .seconds * 1.01 and .lag >= 0' <<<"$output"
    run -0 --separate-stderr spamlog -q -r max -n 3 --json
    [[ $(wc -c <<<"$output") == $(jq .bytes <<<"$stderr") ]]
    is "$(jq -c '[.destination, .sent, .asked]' <<<"$stderr")" '["-",3,"max"]'
    echo old and longer than nothing >report.json
    run -0 --separate-stderr spamlog -r max -n 200 --json=report.json --bad=50%:pri,date --seed=7
    [[ $stderr =~ sent\ 200\ .*\ seed\ 7.spamlog:\ bad\ ([0-9]+)\ pri\ ([0-9]+)\ date\ ([0-9]+)$ ]]
    is "$(jq -c '[.seed, .bad.all, .bad.pri, .bad.date]' report.json)" \
        "[7,${BASH_REMATCH[1]},${BASH_REMATCH[2]},${BASH_REMATCH[3]}]"
    start quotes shnek-parse -l 'unix:a"b'
    wait_until test -S 'a"b'
    run -0 spamlog -q -n 1 --json 'unix:a"b'
    is "$(jq -r .destination <<<"$output")" 'unix:a"b'
}

@test "--plot draws throughput and lag, with title and units" {
    need gnuplot
    run -0 --separate-stderr spamlog -q -r 1k -n 300 --stats=50ms --plot="it's.svg" "${fixed[@]}"
    [[ ${#lines[@]} == 300 && $(grep -v ': in ' <<<"$stderr") == '' ]]
    head -n 2 "it's.svg" | grep -q '<svg'
    grep -q '</svg>' "it's.svg"
    grep -qF '1,000/s to stdout' "it's.svg"
    for text in 'throughput (messages/s)' 'lag (ms)' 'time since the start (s)'; do
        grep -qF "$text" "it's.svg"
    done
    # A single row without lag: the ranges of both axes are empty.
    run -0 --separate-stderr spamlog -q -r max -n 1 --plot=one.svg
    [[ -z $stderr ]] && grep -q '</svg>' one.svg
    start quotes shnek-parse -l "unix:a'b"
    wait_until test -S "a'b"
    run -0 --separate-stderr spamlog -q -n 1 --plot=one.svg "unix:a'b"
    [[ -z $stderr ]] && grep -qE "1/s to unix:a('|&[^;]*;)b" one.svg
}

@test "--plot reports a missing or failing gnuplot, with status 2" {
    mkdir bin
    ln -s "$(command -v spamlog)" bin/
    run --separate-stderr env PATH=bin spamlog -n 1 --plot=x.svg
    [[ $status == 2 && -z $output && ! -e x.svg ]]
    [[ $stderr == 'spamlog: --plot: gnuplot: No such file or directory; install gnuplot (Debian: gnuplot-nox)' ]]
    need gnuplot
    run --separate-stderr spamlog -n 1 --plot=none/x.svg
    [[ $status == 2 && -z $output && $stderr == 'spamlog: --plot: none/x.svg: No such file or directory' ]]
    run --separate-stderr env TMPDIR=/none spamlog -n 1 --plot=x.svg
    [[ $status == 2 && -z $output && $stderr == 'spamlog: --plot: /none: No such file or directory' ]]
    run --separate-stderr bash -c 'ulimit -f 4; trap "" XFSZ; exec spamlog -q -n 1 --plot=x.svg'
    [[ $status == 2 && $stderr == 'spamlog: --plot: x.svg: gnuplot could not write all of it' ]]
}

@test "--help prints every option to stdout, and --version the name and the version" {
    run --separate-stderr spamlog --help
    [[ $status == 0 && -z $stderr ]]
    for option in -r --rate -n --count -d --duration -c --connections -F --framing -m --message --size \
        -p --priority --hostname --appname --procid --msgid --sd --timestamp --stats -q --quiet -h \
        --help -V --version; do
        grep -qwe "$option" <<<"$output" || { echo "$option" && return 1; }
    done
    run --separate-stderr spamlog --version
    [[ $status == 0 && -z $stderr && $output =~ ^spamlog\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
}

@test "at the maximum rate all messages arrive over TCP and Unix connections, in order" {
    receive tcp tcp-listen:0,bind=127.0.0.1
    spamlog -q -r max -n 200k "tcp://127.0.0.1:$port"
    receive unix unix-listen:socket
    spamlog -q -r max -n 200k unix:socket
    for name in tcp unix; do
        wait_exit "$name"
        cut -d ' ' -f 6 "$name.out" | cmp - <(seq 0 199999)
    done
}

@test "at the maximum rate all Unix datagrams arrive: a full queue blocks the sender" {
    receive gram unix-recv:socket
    spamlog -q -r max -n 200k -c 2 -m $'text\n' unixgram:socket
    wait_until came gram 200000
}

@test "all UDP datagrams arrive if the receive buffer is large enough" {
    # They fit in the default buffer, however slow the receiver is.
    receive udp udp-recv:0,bind=127.0.0.1
    run --separate-stderr spamlog -r 20k -n 200 -m $'text\n' "udp://127.0.0.1:$port"
    [[ $status == 0 && ${#stderr_lines[@]} == 3 && $stderr == 'spamlog: sent 200 messages, '* ]]
    wait_until came udp 200
}

@test "each datagram contains one message and nothing else" {
    local message='<34>1 2024-12-15T20:57:00.217+09:00 host app 7 0 - hello from C!'
    receive gram unix-recv:socket -v
    receive udp udp-recv:0,bind=127.0.0.1 -v
    spamlog -q -r max -n 3 "${fixed[@]}" "udp://127.0.0.1:$port"
    spamlog -q -r max -n 3 "${fixed[@]}" unixgram:socket
    for name in udp gram; do
        datagrams() { [[ $(grep -c " length=${#message} " "$name.err") == 3 ]]; }
        wait_until datagrams
        [[ $(<"$name.out") == "$message${message/7 0/7 1}${message/7 0/7 2}" ]]
    done
}

@test "at a low rate each datagram is sent when it is due" {
    receive udp udp-recv:0,bind=127.0.0.1
    receive gram unix-recv:socket
    start one spamlog -q -r 1/h "udp://127.0.0.1:$port"
    start two spamlog -q -r 1/h unixgram:socket
    both() { [[ -s udp.out && -s gram.out ]]; }
    wait_until both
}

@test "refused UDP datagrams are reported, counted as dropped, and cause status 2" {
    receive probe udp-recv:0,bind=127.0.0.1
    kill "$probe_pid"
    wait_exit probe
    for rate in 1k max; do
        run --separate-stderr spamlog -r "$rate" -n 500 --stats "udp://127.0.0.1:$port"
        [[ $status == 2 ]]
        [[ ${stderr_lines[0]} == "spamlog: udp://127.0.0.1:$port: Connection refused (1 dropped so far)" ]]
        [[ $stderr == *"spamlog: udp://127.0.0.1:$port: Connection refused (500 dropped so far)"* ]]
        [[ $stderr == *'spamlog: in 500 out 0 rejected 0 dropped 500 '* ]]
        [[ ${stderr_lines[-3]} == 'spamlog: sent 0 '* && ${#stderr_lines[@]} -lt 20 ]]
    done
    fails "*: Connection refused (1 dropped so far)" -n 1 "udp://localhost:$port"
}

@test "a receiver on IPv6 that restarts gets the remaining datagrams" {
    grep -q . /proc/net/if_inet6 || skip 'needs IPv6'
    receive probe 'udp6-recv:0,bind=[::1]'
    kill "$probe_pid"
    wait_exit probe
    start spam spamlog -r 500 --stats=20ms "udp://[::1]:$port"
    wait_until grep -q 'Connection refused' spam.err
    receive udp "udp6-recv:$port,bind=[::1]"
    some() { [[ -s udp.out ]]; }
    wait_until some
    kill "$spam_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -qE '^spamlog: sent [1-9]' spam.err
}

@test "a Unix socket that is missing, not listening or of another type is reported" {
    fails 'unix:none: No such file or directory' -n 1 unix:none
    fails 'unixgram:none: No such file or directory' -n 1 unixgram:none
    receive gram unix-recv:socket
    fails 'unix:socket: Protocol wrong type for socket' -n 1 unix:socket
    kill -KILL "$gram_pid"
    wait_exit gram
    fails 'unixgram:socket: Connection refused' -n 1 unixgram:socket
}

@test "a receiver of Unix datagrams that exits during the run is reported, with status 2" {
    receive gram unix-recv:socket
    start spam spamlog -r max unixgram:socket
    some() { [[ -s gram.out ]]; }
    wait_until some
    kill -KILL "$gram_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -q '^spamlog: unixgram:socket: Connection refused$' spam.err
}

@test "the run ends when the receiver on a Unix socket has read everything, not earlier" {
    receive gram unix-recv:gram
    receive unix unix-listen:unix
    kill -STOP "$gram_pid" "$unix_pid"
    start one spamlog -r max -n 5 -m $'x\n' unixgram:gram
    start two spamlog -r max -n 5 unix:unix
    wait_until counts one "out 5"
    wait_until counts two "out 5"
    running "$one_pid" && running "$two_pid"
    kill -CONT "$gram_pid" "$unix_pid"
    for name in one two; do
        wait_exit "$name"
        [[ $status == 0 ]]
    done
    wait_until came gram 5
    wait_until came unix 5
}

@test "a Unix connection that is closed with unread messages is a failure" {
    receive unix unix-listen:unix
    kill -STOP "$unix_pid"
    start spam spamlog -r max -n 5 unix:unix
    wait_until counts spam "out 5"
    kill -KILL "$unix_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -qE '^spamlog: unix:unix: (Connection reset by peer|Broken pipe)$' spam.err
}

@test "a message that is too long for a datagram is rejected before anything is sent" {
    receive udp udp-recv:0,bind=127.0.0.1 -b 65536
    fails "udp://127.0.0.1:$port: a message of 65508 bytes is too long for a datagram; the maximum is 65507" \
        -n 1 --size=65508 "udp://127.0.0.1:$port"
    spamlog -q -n 1 --size=65507 "udp://127.0.0.1:$port"
    size() { [[ $(wc -c <udp.out) == "$1" ]]; }
    wait_until size 65507
    receive gram unix-recv:socket -b 500000
    fails 'unixgram:socket: a message of 536870912 bytes is too long *' -n 1 --size=512M unixgram:socket
    spamlog -q -n 1 --size=300000 unixgram:socket
    has_size() { [[ $(wc -c <gram.out) == 300000 ]]; }
    wait_until has_size
}

@test "at the maximum rate all messages arrive over several TLS connections" {
    local options=bind=127.0.0.1,cert=server.pem,key=server.key,cafile=ca.pem,fork
    tls_certificates
    # shellcheck disable=SC2016
    start tls socat -dd -u "openssl-listen:0,$options" system:'cat >part.$SOCAT_PID'
    wait_until grep -q 'listening on' tls.err
    spamlog -q -r max -n 200k -c 2 -F newline --tls-ca=ca.pem --tls-cert=client.pem \
        --tls-key=client.key "tls://localhost:$(tcp_port tls)"
    all() {
        cat part.* >tls.out
        came tls 200000
    }
    wait_until all
}

@test "the default framing over TLS is octet counting" {
    local message='<34>1 2024-12-15T20:57:00.217+09:00 host app 7 0 - hello from C!'
    tls_certificates
    for framing in default octet newline; do
        receive tls openssl-listen:0,bind=127.0.0.1,cert=server.pem,key=server.key,verify=0
        local options=()
        [[ $framing == default ]] || options=(-F "$framing")
        spamlog -q -n 1 "${fixed[@]}" --tls-ca=ca.pem "${options[@]}" "tls://127.0.0.1:$port"
        wait_exit tls
        if [[ $framing == newline ]]; then
            [[ $(<tls.out) == "$message" ]]
        else
            [[ $(<tls.out) == "${#message} $message" ]]
        fi
    done
}

@test "the certificate of the receiver must be valid for its name, or match the fingerprint" {
    tls_certificates
    tls_server tls
    local url=tls://localhost:$port
    for options in --tls-ca=ca.pem "--tls-peer=$(fingerprint server.pem)" \
        "--tls-peer=other.example --tls-peer=localhost --tls-ca=ca.pem"; do
        # shellcheck disable=SC2086
        spamlog -q -n 1 $options "$url"
    done
    fails "$url: the certificate is not signed by a trusted CA" -n 1 --tls-ca=other-ca.pem "$url"
    fails "$url: the certificate is not signed by a trusted CA" -n 1 "$url"
    fails "$url: the certificate is for a different name" -n 1 --tls-ca=ca.pem --tls-peer=other.example "$url"
    fails "tls://127.0.0.2:$port: the certificate is for a different name" -n 1 --tls-ca=ca.pem \
        "tls://127.0.0.2:$port"
    fails "$url: the certificate is for a different name" -n 1 --tls-ca=ca.pem \
        "--tls-peer=$(fingerprint client.pem)" --tls-peer=other.example "$url"
    fails "$url: the certificate is not signed by a trusted CA" -n 1 \
        "--tls-peer=$(fingerprint client.pem)" "$url"
}

@test "an expired certificate is rejected" {
    tls_certificates
    cp expired.pem server.pem
    cp expired.key server.key
    tls_server tls
    fails '*: the certificate has expired' -n 1 --tls-ca=ca.pem "tls://localhost:$port"
}

@test "a client certificate is sent on request, and a late rejection by the server is reported" {
    tls_certificates
    tls_server tls -Verify 1 -verify_return_error -CAfile ca.pem
    local url=tls://localhost:$port rate
    spamlog -q -n 1 --tls-ca=ca.pem --tls-cert=client.pem --tls-key=client.key "$url"
    cat client.pem client.key >both.pem
    spamlog -q -n 1 --tls-ca=ca.pem --tls-cert=both.pem "$url"
    for rate in '1 -n 1' 'max -n 1' '20' max; do
        # shellcheck disable=SC2086
        fails "$url: the peer requires a certificate" --tls-ca=ca.pem -r $rate "$url"
        # shellcheck disable=SC2086
        fails "$url: the peer does not trust the CA of our certificate" --tls-ca=ca.pem -r $rate \
            --tls-cert=stranger.pem --tls-key=stranger.key "$url"
    done
    run --separate-stderr timeout 30 spamlog -q --tls-ca=ca.pem -n 1 --tls-cert=expired.pem \
        --tls-key=expired.key "$url"
    is "$status" 2
    is "$stderr" "spamlog: --tls-cert: expired.pem: the certificate has expired
spamlog: $url: the peer reports that our certificate has expired"
}

@test "TLS 1.2 is accepted, TLS 1.1 and other protocols are not" {
    tls_certificates
    tls_server new -tls1_2
    spamlog -q -n 1 --tls-ca=ca.pem "tls://localhost:$port"
    tls_server old -tls1_1 -cipher DEFAULT@SECLEVEL=0
    fails '*: the peer does not support TLS 1.2 or later' -n 1 --tls-ca=ca.pem "tls://localhost:$port"
    start mail socat -dd tcp-listen:0,bind=127.0.0.1 system:'echo 220 ready; cat'
    wait_until grep -q 'listening on' mail.err
    fails '*: the peer does not speak TLS' -n 1 "tls://127.0.0.1:$(tcp_port mail)"
}

@test "invalid certificate and key files are rejected, with the name of the option" {
    tls_certificates
    echo rubbish >rubbish
    fails '--tls-ca: none: No such file or directory' --tls-ca=none tls://localhost
    fails '--tls-ca: rubbish: *' --tls-ca=rubbish tls://localhost
    fails '--tls-cert: rubbish: *' --tls-cert=rubbish tls://localhost
    fails '--tls-cert: client.pem: no private key found' --tls-cert=client.pem tls://localhost
    fails '--tls-key: server.key: the key does not match the certificate' --tls-cert=client.pem --tls-key=server.key \
        tls://localhost
}

@test "a TLS receiver that exits during the run is reported, with status 2" {
    tls_certificates
    tls_server tls
    start spam spamlog -r 5k -F newline --tls-ca=ca.pem "tls://localhost:$port"
    some() { grep -q "<34>1" tls.out; }
    wait_until some
    kill -KILL "$tls_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -qE '^spamlog: tls://.*: (Connection reset by peer|Broken pipe|the peer closed the connection.*)$' spam.err
}

@test "with --format=rfc3164 a message has TAG and PID, and its number before the text" {
    run --separate-stderr spamlog -q -r max -n 2 -f rfc3164 -p daemon.info --hostname=web \
        --appname=sshd --procid=42 --timestamp='Nov  2 10:00:00' -m 'Accepted: key'
    [[ $status == 0 && -z $stderr ]]
    [[ ${lines[0]} == '<30>Nov  2 10:00:00 web sshd[42]: 0 Accepted: key' ]]
    [[ ${lines[1]} == '<30>Nov  2 10:00:00 web sshd[42]: 1 Accepted: key' ]]
    run --separate-stderr spamlog -q -n 1 --format=rfc3164 --hostname=- --procid=- --timestamp='Nov  2 10:00:00'
    [[ $output == '<34>Nov  2 10:00:00 spamlog: 0 hello from C!' ]]
    run --separate-stderr spamlog -q -n 1 --format=rfc3164 --timestamp=2024-12-15T20:57:00Z -F octet --hostname=h --procid=1
    local message='<34>2024-12-15T20:57:00Z h spamlog[1]: 0 hello from C!'
    [[ $output == "${#message} $message" ]]
}

@test "the timestamp of RFC 3164 is local time, as date(1) prints it" {
    local zone=NPT-5:45 before after time
    before=$(LC_ALL=C TZ=$zone date '+%b %e %T')
    run -0 env TZ=$zone spamlog -q -n 1 -f rfc3164
    after=$(LC_ALL=C TZ=$zone date '+%b %e %T')
    [[ $output =~ ^'<34>'([A-Z][a-z]{2}\ [\ 1-3][0-9]\ [0-9]{2}:[0-9]{2}:[0-9]{2})\ "$(uname -n)"\ spamlog\[[0-9]+\]:\ 0\ hello\ from\ C!$ ]]
    time=${BASH_REMATCH[1]}
    [[ $before < $time || $before == "$time" ]] && [[ $time < $after || $time == "$after" ]]
}

@test "--size and the field checks apply to RFC 3164" {
    spamlog -q -r max -n 1200 --size=100 -f rfc3164 | awk 'length != 100 { exit 1 } END { exit NR != 1200 }'
    invalid "--hostname: 'a b': not a HOSTNAME; *" -f rfc3164 --hostname='a b'
    invalid "--appname: 'a:b': not a TAG; *" -f rfc3164 --appname=a:b
    invalid "--appname: '-': not a TAG; *" -f rfc3164 --appname=-
    invalid "--appname: '*': not a TAG; *" -f rfc3164 --appname="$(printf '%033d' 0)"
    invalid "--procid: '4]': not a PID; *" -f rfc3164 --procid='4]'
    invalid "--timestamp: 'Nov 2 10:00:00': not a TIMESTAMP; *" -f rfc3164 --timestamp='Nov 2 10:00:00'
    invalid "--timestamp: 'Nov  2 25:00:00': not a TIMESTAMP; *" -f rfc3164 --timestamp='Nov  2 25:00:00'
    invalid "--size: 20 is too small; the fields before MSG need up to * bytes" -f rfc3164 --size=20
}
