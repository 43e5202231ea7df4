#!/usr/bin/env bats
# spamlog --find-max: the highest rate at which nothing is lost and p99 stays under --latency.

bats_require_minimum_version 1.5.0

load lib/shnek

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR"
    mkfifo back
}

teardown() {
    shnek_teardown
}

# receiver URL: shnek-parse, whose lines are in the FIFO `back`.
receiver() {
    start parse bash -c "exec shnek-parse -l $1 >back"
}

# filtered URL COMMAND...: the same, with a filter between.
filtered() {
    mkfifo lines
    start parse bash -c "exec shnek-parse -l $1 >lines"
    start filter bash -c "exec $2 <lines >back"
}

# quick OPTION... DESTINATION: short trials, with a limit that a loaded machine keeps, and a patience
# that it needs.
quick() {
    run --separate-stderr timeout 300 spamlog --find-max -d 100ms --latency=2s --idle=20s "$@" back
}

reported() {
    sed -n "s/^$1: //p" <<<"$output"
}

# ended_with STATUS: of the last run.
ended_with() {
    [[ $status == "$1" ]] || { echo "status $status" "$output" "$stderr" && return 1; }
}

@test "the sentence and the report say which rate held, each trial has a line" {
    receiver unix:in
    quick -r 500..1k unix:in
    ended_with 0
    [[ ${lines[0]} == 'highest rate at which nothing is lost and p99 stays under 2 s: 1,000/s' ]]
    [[ "${lines[*]:1:4}" == 'rate: 1000 failed-rate: - limit: - latency-p50: '[0-9]* ]]
    [[ "${lines[*]:4}" =~ ^'latency-p50: '[0-9.]+' latency-p99: '[0-9.]+' latency-max: '[0-9.]+' trials: '[3-9]$ ]]
    [[ $stderr =~ 'spamlog: 500/s: held, p99 '[0-9.]+' ms'.*'spamlog: 1,000/s: held, p99 '[0-9.]+' ms'.*'spamlog: 1,000/s: held, ' ]]
    wait_exit parse
    receiver unix:again
    quick -q -r 1k..1k unix:again
    ended_with 0
    [[ $(reported rate) == 1000 && -z $stderr ]]
}

@test "TCP, TLS's framing, several connections, mixed messages and a file's: what shapes a load does here" {
    local options port
    port=$(quiet_port)
    printf '%s\n' '<34>1 2024-12-15T20:57:00Z h a - - - one' '<34>1 - h a - - - two' >profile
    for options in '-c 3' '-F octet --profile=mixed' --profile=profile '--arrivals=poisson --sizes=200..400' \
        '--reconnect-every=20 --run=named'; do
        receiver "tcp://127.0.0.1:$port"
        # shellcheck disable=SC2086
        quick $options -r 500..500 "tcp://127.0.0.1:$port"
        ended_with 0
        [[ $(reported rate) == 500 ]]
        wait_exit parse
    done
}

# Its threads are the one that reads, that of the signals, and the one that sends.
awaits_its_receiver() {
    local threads=("/proc/$spam_pid/task/"*)
    ((${#threads[@]} >= 3))
}

@test "the receiver may start after it, whatever the transport" {
    local url port
    port=$(quiet_port)
    for url in "tcp://127.0.0.1:$port" unix:later "udp://127.0.0.1:$port" unixgram:later-too; do
        start spam spamlog --find-max -d 100ms --latency=2s --idle=20s -r 1k..1k "$url" back
        wait_until awaits_its_receiver
        receiver "$url"
        wait_exit spam
        [[ $status == 0 && $(grep -cv '/s: ' spam.err) == 0 ]] || { cat spam.err && return 1; }
        [[ $(sed -n 's/^rate: //p' spam.out) == 1000 ]]
        wait_exit parse
    done
}

# throttle MICROSECONDS: lets a line through in that time, and after a pause no more at once than are
# due in 20 ms.
throttle() {
    local line due=0 now never
    exec {never}<> <(:)
    while IFS= read -r line; do
        now=${EPOCHREALTIME/[.,]/}
        ((due > now - 20000)) || due=$((now - 20000))
        while ((due > now)); do
            read -rt "$(printf '0.%06d' $((due - now)))" -u "$never" || true
            now=${EPOCHREALTIME/[.,]/}
        done
        printf '%s\n' "$line"
        due=$((due + $1))
    done
}

@test "a receiver that takes so many a second is found out by its latency" {
    export -f throttle
    filtered unix:in 'bash -c "throttle 2000"'
    run --separate-stderr timeout 500 spamlog --find-max -r 100 -d 500ms --latency=100ms --idle=20s unix:in back
    ended_with 0
    (($(reported rate) >= 250 && $(reported rate) <= 750))
    (($(reported failed-rate) > $(reported rate) && $(reported failed-rate) <= 1000))
    [[ $(reported limit) == latency ]]
    [[ ${lines[0]} == 'highest rate at which nothing is lost and p99 stays under 100 ms: '*/s ]]
    [[ $stderr =~ 'spamlog: '[0-9,]+'/s: p99 '[0-9.]+' ' ]]
}

@test "where some are lost at any rate none is found, and the status is 1" {
    filtered unix:in 'sed -u 2~500d'
    run --separate-stderr timeout 300 spamlog --find-max -r 10k -d 200ms --latency=2s unix:in back
    ended_with 1
    [[ ${lines[0]} == *': none' && $(reported rate) == - && $(reported failed-rate) == 10000 ]]
    [[ $(reported limit) == loss && $(reported latency-p99) == - && $(reported trials) == 3 ]]
    [[ ${stderr_lines[0]} =~ ^'spamlog: 10,000/s: lost '[0-9]+', p99 ' ]]
}

@test "messages that come twice, or changed, do not pass" {
    filtered unix:in 'sed -u 2~500p'
    run --separate-stderr timeout 300 spamlog --find-max -r 10k -d 200ms --latency=2s --idle=20s unix:in back
    ended_with 1
    [[ $(reported limit) == duplication && $stderr =~ '/s: duplicated '[1-9] ]]
    kill "$parse_pid"
    wait_exit parse
    wait_exit filter
    rm lines
    filtered unix:again 'sed -u 2~500s/hello/hallo/'
    run --separate-stderr timeout 300 spamlog --find-max -r 10k -d 200ms --latency=2s unix:again back
    ended_with 1
    [[ $(reported limit) == loss && $stderr =~ '/s: lost '[1-9][0-9]*', damaged '[1-9] ]]
}

@test "what others send to the same place is neither lost nor damaged" {
    receiver unix:in
    start others into back spamlog -q -r 1k
    quick -r 100..200 unix:in
    ended_with 0
    [[ $(reported rate) == 200 ]]
}

@test "a receiver of UDP loses what its socket does not take, and is found out" {
    local port
    port=$(quiet_port)
    export -f throttle
    filtered "udp://127.0.0.1:$port" 'bash -c "throttle 200"'
    quick -r 500..1k "udp://127.0.0.1:$port"
    ended_with 0
    [[ $(reported rate) == 1000 ]]
    run --separate-stderr timeout 300 spamlog --find-max -r 100k -d 500ms --latency=1h "udp://127.0.0.1:$port" back
    ended_with 1
    [[ $(reported limit) == loss && ${stderr_lines[0]} =~ '/s: lost '[1-9] ]]
}

@test "a receiver that ends makes the status 2, with one line" {
    local url port
    port=$(quiet_port)
    for url in "tcp://127.0.0.1:$port" "udp://127.0.0.1:$port"; do
        receiver "$url"
        start spam spamlog --find-max -q -r 100 -d 1h --idle=20s "$url" back
        wait_until counts spam 'in [1-9][0-9]'
        kill -KILL "$parse_pid"
        wait_exit parse
        wait_exit spam
        [[ $status == 2 && ! -s spam.out ]]
        grep -v '^spamlog: in ' spam.err >said
        cat said
        lines_are said 1
    done
}

@test "where nothing comes back it says so" {
    start parse shnek-parse -l unix:in
    exec {writer}<>back
    run --separate-stderr timeout 300 spamlog --find-max unix:in back
    exec {writer}>&-
    ended_with 2
    [[ -z $output && $stderr == 'spamlog: back: no message sent to unix:in came back within 10 s' ]]
}

@test "a signal ends it, with status 2" {
    receiver unix:in
    start spam spamlog --find-max -q -r 100 -d 1h --idle=20s unix:in back
    wait_until counts spam 'in [1-9][0-9]'
    kill "$spam_pid"
    wait_exit spam
    [[ $status == 2 && ! -s spam.out ]]
}

@test "a receiver that takes nothing more does not hold it for ever" {
    receiver unix:in
    start spam spamlog --find-max -q -r 100k -d 2s --idle=500ms unix:in back
    wait_until counts spam 'in [1-9][0-9]*'
    suspend "$parse_pid"
    wait_exit spam
    kill -CONT "$parse_pid"
    [[ $status == 2 && ! -s spam.out ]]
    tail -n 1 spam.err
    [[ $(tail -n 1 spam.err) == 'spamlog: unix:in: receiver accepts no more data, and no messages come back' ]]
}

@test "what does not go with it is told at the start" {
    local options
    while IFS='|' read -r options text; do
        # shellcheck disable=SC2086
        run --separate-stderr timeout 10 spamlog --find-max $options
        [[ $status == 2 && -z $output && ${#stderr_lines[@]} == 2 && ${stderr_lines[0]} == "spamlog: $text" ]] ||
            { echo "$options: $stderr" && return 1; }
    done <<'END'
|--find-max: requires a DESTINATION
-|--find-max: requires a DESTINATION
unix:a b c|'c': unexpected argument; only DESTINATION and FILE are accepted
-n 5 unix:a|--count: cannot be combined with --find-max; use --duration
--burst=5/1s unix:a|--burst: cannot be combined with --find-max; use --rate
--bad=1% unix:a|--bad: cannot be combined with --find-max
--timestamp=2024-12-15T20:57:00Z unix:a|--timestamp: cannot be combined with --find-max, which computes latency from it
-f rfc3164 unix:a|--checksum: RFC 3164 has no STRUCTURED-DATA to contain it
-r max unix:a|--rate: 'max' is not a rate: a number a second, or in another time as in 5/m, or max
-r 1/m unix:a|--rate: '1/m' is out of range; --find-max requires 1 to 1,000,000,000 per second
-r 5..2 unix:a|--rate: '2' is too small
--latency=0 unix:a|--latency: '0' is too small
--expect=5 unix:a|--expect, --hgrm: require --verify
END
    run --separate-stderr timeout 10 spamlog --latency=5ms unix:a
    [[ $status == 2 && ${stderr_lines[0]} == 'spamlog: --latency: requires --find-max' ]]
    echo text >file
    run --separate-stderr timeout 10 spamlog --find-max unix:a file
    [[ $status == 2 && $stderr == 'spamlog: file: is a regular file; --find-max reads messages back from a pipe or FIFO' ]]
    run --separate-stderr timeout 10 spamlog --find-max unix:a none
    [[ $status == 2 && $stderr == 'spamlog: none: No such file or directory' ]]
}
