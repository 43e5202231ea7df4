#!/usr/bin/env bats
# What spamlog makes, how fast, and where it goes.

bats_require_minimum_version 1.5.0

load lib/shnek

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR"
}

teardown() {
    shnek_teardown
}

fixed=(--hostname=host --appname=app --procid=7 --timestamp=2024-12-15T20:57:00.217+09:00)

# misused PATTERN ARGUMENT...: status 2, nothing on stdout, one line like this and a hint.
misused() {
    local pattern=$1
    shift
    run --separate-stderr timeout 10 spamlog "$@"
    [[ $status == 2 && -z $output && ${#stderr_lines[@]} == 2 ]]
    # shellcheck disable=SC2053
    [[ ${stderr_lines[0]} == "spamlog: "$pattern ]] || { echo "$stderr" && return 1; }
    [[ ${stderr_lines[1]} == "spamlog: try 'spamlog --help'" ]]
}

# invalid PATTERN ARGUMENT...: status 2 and one line: a value that no message can carry.
invalid() {
    local pattern=$1
    shift
    run --separate-stderr timeout 10 spamlog -n 1 "$@"
    [[ $status == 2 && -z $output && ${#stderr_lines[@]} == 1 ]]
    # shellcheck disable=SC2053
    [[ $stderr == "spamlog: "$pattern ]] || { echo "$stderr" && return 1; }
}

@test "a message has the parts that the options give, and MSGID counts from 0" {
    run --separate-stderr spamlog -q -r max -n 2 -p local3.warning "${fixed[@]}" --sd='[a@1 b="c"]' -m hi
    [[ $status == 0 && -z $stderr ]]
    [[ ${lines[0]} == '<156>1 2024-12-15T20:57:00.217+09:00 host app 7 0 [a@1 b="c"] hi' ]]
    [[ ${lines[1]} == '<156>1 2024-12-15T20:57:00.217+09:00 host app 7 1 [a@1 b="c"] hi' ]]
}

@test "by default it tells this host, its own process, and the time with the local offset" {
    export TZ=NPT-5:45
    spamlog -q -n 1 >out &
    pid=$!
    wait "$pid"
    [[ $(<out) =~ ^'<34>1 '[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}\+05:45' '(.*)' spamlog '([0-9]+)' 0 - hello from C!'$ ]]
    [[ ${BASH_REMATCH[1]} == "$(uname -n)" ]]
    [[ ${BASH_REMATCH[2]} == "$pid" ]]
}

@test "at a rate, TIMESTAMP is when a message is due: exactly spaced, whenever it was sent" {
    TZ=UTC spamlog -q -r 1000 -n 50 | sed -E 's/.*T[0-9:]{8}\.([0-9]{6}).*/\1/' |
        awk 'NR > 1 && ($1 - before + 1000000) % 1000000 != 1000 { exit 1 } { before = $1 } END { exit NR != 50 }'
}

@test "a rate and a duration give as many messages as are due in it" {
    [[ $(spamlog -q -r 1000 -d 100ms | wc -l) == 100 ]]
    [[ $(spamlog -q -r 5/50ms -d 100ms | wc -l) == 10 ]]
}

@test "it reports at the end: sent, bytes, seconds, achieved and asked rate, lag" {
    run --separate-stderr spamlog -r 1000 -n 10 "${fixed[@]}"
    bytes=$(printf '%s\n' "$output" | wc -c)
    [[ $stderr =~ ^spamlog:\ sent\ 10\ bytes\ $bytes\ seconds\ [0-9.]+\ rate\ [0-9.]+/s\ asked\ 1000/s\ lag\ [0-9.]+ms$ ]]
}

@test "octet counting has each message's length before it" {
    run -0 --separate-stderr spamlog -q -r max -n 2 -F octet "${fixed[@]}" -m "$(printf 'a\nb')"
    length=$(printf '<34>1 2024-12-15T20:57:00.217+09:00 host app 7 0 - a\nb' | wc -c)
    [[ $output == "$length <34>"*"$length <34>"* ]]
}

@test "with --size every message has that length, when the counter grows and in both framings" {
    spamlog -q -r max -n 1200 --size=200 | awk 'length != 200 { exit 1 } END { exit NR != 1200 }'
    spamlog -q -r max -n 1200 --size=200 -F octet | shnek-parse --raw -F octet | jq -e '.raw | length == 200' |
        sort -u | grep -qx true
}

@test "a text that --size cuts is cut between characters" {
    spamlog -q -r max -n 30 --size=90 --hostname h --procid 1 -m éééééééééééééééééééééééééééé >out
    iconv -f utf-8 -t utf-8 out >/dev/null
    [[ $(LC_ALL=C awk '{ print length }' out | sort -u) == 90 ]]
}

@test "what it makes is valid RFC 5424" {
    for size in 100 1000 60000; do
        spamlog -q -r max -n 100 --size="$size" --sd='[x@1 a="\"\\\]" é="ü"]' 2>/dev/null || true
        spamlog -q -r max -n 100 --size="$size" --sd='[x@1 a="\"\\\]ü"][y]' -F octet
    done | shnek-parse >out
    [[ $(wc -l <out) == 300 ]]
}

@test "connections share the messages evenly, in one sequence" {
    start parse shnek-parse --meta -l tcp://:0
    spamlog -q -r max -n 999 -c 3 "$(listen_url parse.err)"
    kill "$parse_pid"
    wait_exit parse
    [[ $(jq -r .peer parse.out | sort | uniq -c | awk '{ print $1 }') == $'333\n333\n333' ]]
    [[ $(jq -r .msgid parse.out | sort -n | uniq | wc -l) == 999 ]]
}

@test "where nobody listens it says so, with status 2" {
    start probe shnek-parse -l tcp://:0
    url=$(listen_url probe.err)
    kill "$probe_pid"
    wait_exit probe
    run --separate-stderr spamlog -n 1 "$url"
    [[ $status == 2 && $stderr == "spamlog: $url: Connection refused" ]]
}

@test "a receiver that goes away in mid-run is reported, with status 2" {
    start parse shnek-parse -l tcp://:0
    start spam spamlog -r max "$(listen_url parse.err)"
    some() { [[ -s parse.out ]]; }
    wait_until some
    kill -KILL "$parse_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -qE '^spamlog: tcp://.*: (Connection reset by peer|Broken pipe)$' spam.err
}

@test "SIGTERM ends it with its report and status 0" {
    start spam spamlog -r 1000
    some() { [[ -s spam.out ]]; }
    wait_until some
    kill "$spam_pid"
    wait_exit spam
    [[ $status == 0 ]]
    grep -q "^spamlog: sent $(wc -l <spam.out) bytes $(wc -c <spam.out) " spam.err
}

@test "a reader that ends first ends it quietly with status 2, a full disk with a report" {
    run --separate-stderr bash -c 'spamlog -q -r max | head -n 1 >/dev/null; exit "${PIPESTATUS[0]}"'
    [[ $status == 2 && -z $stderr ]]
    run --separate-stderr bash -c 'spamlog -q -r max -n 10 >/dev/full'
    [[ $status == 2 && $stderr == 'spamlog: stdout: No space left on device' ]]
}

@test "values that would not stay in their field are refused, by the name of the option" {
    invalid "--hostname: 'a b': *" --hostname='a b'
    invalid "--hostname: '*': HOSTNAME: not printable US-ASCII" --hostname=é
    invalid "--appname: '*': APP-NAME: longer than 48 characters" --appname="$(printf '%049d' 0)"
    invalid "--procid: '': PROCID: is empty" --procid=
    invalid "--msgid: *: MSGID: longer than 32 characters" --msgid="$(printf '%033d' 0)"
    invalid "--sd: '\\[a': SD-ID: message ends here" --sd='[a'
    invalid "--sd: '- x': *" --sd='- x'
    invalid "--timestamp: *: TIMESTAMP: no such month" --timestamp=2024-13-01T00:00:00Z
    invalid '--message: a line end in it wants --framing=octet' -m "$(printf 'a\nb')"
    invalid '--size: the parts before MSG can take * bytes' --size=20
}

@test "misuse gets one clear line and a hint, with status 2" {
    misused "--rate: '0' is not a rate*" -r 0
    misused "--rate: 'fast' is not a rate*" -r fast
    misused "--count: '1x' is not a count*" -n 1x
    misused "--duration: '1d' is not a duration*" -d 1d
    misused "--framing: 'lines' is not one of newline, octet" -F lines
    misused "--priority: '192' is not*" -p 192
    misused "--priority: 'auth.none' is not*" -p auth.none
    misused "--connections: stdout is only one" -c 2
    misused "DESTINATION: 'udp://h:1' is not an address: tcp://HOST:PORT" udp://h:1
    misused "'b': only one DESTINATION is taken" tcp://127.0.0.1:1 b
    misused "unrecognized option '--no-such'" --no-such
}

@test "the zone is the one of TZ, east, west, with half an hour, or none" {
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

@test "priorities are numbers and pairs of names, those of logger among them" {
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

@test "each field may be as long as RFC 5424 lets it be" {
    for field in hostname:255 appname:48 procid:128 msgid:32; do
        value=$(printf "%0${field#*:}d" 0)
        spamlog -q -n 1 "--${field%:*}=$value" | grep -q " $value "
        invalid "--${field%:*}: '0$value': * longer than ${field#*:} characters" "--${field%:*}=0$value"
    done
}

@test "a line end in STRUCTURED-DATA is blamed on --sd, and taken with octet counting" {
    invalid '--sd: * --framing=octet' --sd=$'[a b="x\ny"]'
    spamlog -q -n 1 -F octet --sd=$'[a b="x\ny"]' | shnek-parse | grep -q '"sd":{"a":{"b":"x\\ny"}}'
}

@test "--size takes every size into which what stands before MSG fits" {
    local nil=(-q -r max -n 2 -p 0 --timestamp=- --hostname=- --appname=- --procid=- --msgid=- -m abc)
    for size in 17 18 19 20 40; do
        spamlog "${nil[@]}" --size="$size" >out || { echo "$size" && return 1; }
        [[ $(awk '{ print length }' out) == "$size"$'\n'"$size" ]]
    done
    invalid '--size: *' "${nil[@]}" --size=8
}

@test "an empty message is one, and bytes that are no text go out as they are" {
    [[ $(spamlog -q -n 1 "${fixed[@]}" -m '') == '<34>1 2024-12-15T20:57:00.217+09:00 host app 7 0 - ' ]]
    spamlog -q -n 1 "${fixed[@]}" -m $'\xff\xfe\x01' >out
    printf '<34>1 2024-12-15T20:57:00.217+09:00 host app 7 0 - \xff\xfe\x01\n' | cmp - out
}

@test "of a count and a duration the one that is over first ends it" {
    [[ $(spamlog -q -r 1000 -n 5 -d 1h | wc -l) == 5 ]]
    [[ $(spamlog -q -r 1000 -n 1M -d 20ms | wc -l) == 20 ]]
    spamlog -q -r max -n 7 -d 1h >out
    [[ $(wc -l <out) == 7 ]]
    timeout 20 spamlog -q -r max -d 10ms >out
    [[ -s out ]]
}

@test "a message goes out when it is due, not when a block is full" {
    start spam spamlog -r 1/h
    lines_are() { [[ $(wc -l <spam.out) == "$1" ]]; }
    wait_until lines_are 1
    kill -INT "$spam_pid"
    wait_exit spam
    [[ $status == 0 ]]
    lines_are 1
    [[ $(<spam.err) == 'spamlog: sent 1 bytes '*' asked 0.000277778/s '* ]]
}

@test "it tells of no bytes that it could not send" {
    run --separate-stderr bash -c 'spamlog -n 5 -r max >/dev/full'
    [[ $status == 2 && ${stderr_lines[1]} == 'spamlog: sent 0 bytes 0 '* ]] || { echo "$stderr" && return 1; }
}

@test "with --quiet there is no report, but what went wrong is told" {
    run --separate-stderr spamlog -q -n 1
    [[ $status == 0 && -z $stderr ]]
    run --separate-stderr bash -c 'spamlog -q -n 1 >/dev/full'
    [[ $status == 2 && ${#stderr_lines[@]} == 1 ]]
}

@test "a slow sender too learns that its receiver is gone" {
    start parse shnek-parse -l tcp://:0
    start spam spamlog -r 50 "$(listen_url parse.err)"
    some() { [[ -s parse.out ]]; }
    wait_until some
    kill -KILL "$parse_pid"
    wait_exit spam
    [[ $status == 2 ]]
    grep -qE '^spamlog: tcp://.*: (Connection reset by peer|Broken pipe)$' spam.err
}

@test "a receiver that stands still stops it; a first signal lets it wait, a second ends it" {
    start parse shnek-parse -l tcp://:0
    url=$(listen_url parse.err)
    kill -STOP "$parse_pid"
    start spam spamlog -r max -c 2 "$url"
    wait_until takes_signals "$spam_pid"
    full() {
        local was=${now-}
        kill -USR1 "$spam_pid"
        now=$(grep -o ' out [0-9]*' spam.err | tail -n 1)
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

@test "a receiver that says goodbye and does not read is waited for without spinning" {
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

@test "more connections than descriptors are refused with one line" {
    start parse shnek-parse -l tcp://:0
    url=$(listen_url parse.err)
    run --separate-stderr bash -c "ulimit -n 20; exec spamlog -c 100 -n 100 $url"
    [[ $status == 2 && ${#stderr_lines[@]} == 1 && $stderr == "spamlog: $url: Too many open files" ]]
}

@test "a destination may be a name, and - is stdout" {
    start parse shnek-parse -l tcp://127.0.0.1:0
    url=$(listen_url parse.err)
    spamlog -q -n 1 "tcp://localhost:$(port_of "$url")"
    spamlog -q -n 1 "tcp://:$(port_of "$url")"
    some() { [[ $(wc -l <parse.out) == 2 ]]; }
    wait_until some
    [[ $(spamlog -q -n 1 - | wc -l) == 1 ]]
}

@test "counters come at the interval of --stats, at its end and at SIGUSR1" {
    start spam spamlog -r 1/h --stats=20ms
    counters() { [[ $(grep -cE '^spamlog: in 1 out 1 rejected 0 dropped 0 bytes [0-9]+ rate [0-9]+/s$' spam.err) -ge $1 ]]; }
    wait_until counters 3
    kill "$spam_pid"
    wait_exit spam
    start other spamlog -r 1/h
    wait_until takes_signals "$other_pid"
    told() { kill -USR1 "$other_pid" && grep -q '^spamlog: in 1 out 1 ' other.err; }
    wait_until told
    run --separate-stderr spamlog -q -n 3 -r max --stats "${fixed[@]}"
    [[ $stderr =~ ^spamlog:\ in\ 3\ out\ 3\ rejected\ 0\ dropped\ 0\ bytes\ $(printf '%s\n' "$output" | wc -c)\ rate\ [0-9]+/s$ ]]
}

@test "--help goes to stdout and names every option, --version names the program" {
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
