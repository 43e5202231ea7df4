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
