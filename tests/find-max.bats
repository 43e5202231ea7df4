#!/usr/bin/env bats
# spamlog --find-max: the highest rate without loss and with a p99 latency within --latency.

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

# receiver URL: starts shnek-parse, which writes to the FIFO `back`.
receiver() {
    start parse bash -c "exec shnek-parse -l $1 >back"
}

# filtered_receiver URL COMMAND: starts shnek-parse, whose output passes through COMMAND to `back`.
filtered_receiver() {
    mkfifo lines
    start parse bash -c "exec shnek-parse -l $1 >lines"
    start filter bash -c "exec $2 <lines >back"
}

# find_max OPTION... DESTINATION: runs short trials, with limits that a loaded machine can meet.
find_max() {
    run --separate-stderr timeout 300 spamlog --find-max -d 100ms --latency=2s --idle=20s "$@" back
}

# reported NAME: prints the value in the report without separators and unit.
reported() {
    sed -n "s/^$1: //p" <<<"$output" | sed -E '/^[0-9]/ { s/,//g; s/(\/s| ms)$//; }'
}

# status_is STATUS: checks the last run, and prints its output on failure.
status_is() {
    [[ $status == "$1" ]] || { echo "status $status" "$output" "$stderr" && return 1; }
}

@test "the report states the highest rate, and each trial is logged" {
    receiver unix:in
    find_max -r 500..1k unix:in
    status_is 0
    [[ ${lines[0]} == 'highest rate at which nothing is lost and p99 stays under 2 s: 1,000/s' ]]
    [[ "${lines[*]:1:4}" == 'rate: 1,000/s failed-rate: - limit: - latency-p50: '[0-9]* ]]
    [[ "${lines[*]:4}" =~ ^'latency-p50: '[0-9.]+' ms latency-p99: '[0-9.]+' ms latency-max: '[0-9.]+' ms trials: '[3-9]$ ]]
    [[ $stderr =~ 'spamlog: 500/s: held, p99 '[0-9.]+' ms'.*'spamlog: 1,000/s: held, p99 '[0-9.]+' ms'.*'spamlog: 1,000/s: held, ' ]]
    wait_exit parse
    receiver unix:again
    find_max -q -r 1k..1k unix:again
    status_is 0
    [[ $(reported rate) == 1000 && -z $stderr ]]
}

@test "the options that shape a load apply: connections, framing, profiles, arrivals, sizes" {
    local options port
    port=$(quiet_port)
    printf '%s\n' '<34>1 2024-12-15T20:57:00Z h a - - - one' '<34>1 - h a - - - two' >profile
    for options in '-c 3' '-F octet --profile=mixed' --profile=profile '--arrivals=poisson --sizes=200..400' \
        '--reconnect-every=20 --run=named'; do
        receiver "tcp://127.0.0.1:$port"
        # shellcheck disable=SC2086
        find_max $options -r 500..500 "tcp://127.0.0.1:$port"
        status_is 0
        [[ $(reported rate) == 500 ]]
        wait_exit parse
    done
}

# Three threads are running: the reader, the signal handler and the sender.
awaits_its_receiver() {
    local threads=("/proc/$spam_pid/task/"*)
    ((${#threads[@]} >= 3))
}

@test "the receiver may start later, whatever the transport" {
    local url port
    port=$(quiet_port)
    for url in "tcp://127.0.0.1:$port" unix:later "udp://127.0.0.1:$port" unixgram:later-too; do
        start spam spamlog --find-max -d 100ms --latency=2s --idle=20s -r 1k..1k "$url" back
        wait_until awaits_its_receiver
        receiver "$url"
        wait_exit spam
        [[ $status == 0 && $(grep -cv '/s: ' spam.err) == 0 ]] || { cat spam.err && return 1; }
        [[ $(sed -n 's/^rate: //p' spam.out) == 1,000/s ]]
        wait_exit parse
    done
}

# throttle MICROSECONDS: passes one line per interval; after a pause, a burst of at most 20 ms.
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

@test "a receiver with limited throughput is detected by its latency" {
    export -f throttle
    filtered_receiver unix:in 'bash -c "throttle 2000"'
    run --separate-stderr timeout 500 spamlog --find-max -r 100 -d 500ms --latency=100ms --idle=20s unix:in back
    status_is 0
    (($(reported rate) >= 250 && $(reported rate) <= 750))
    (($(reported failed-rate) > $(reported rate) && $(reported failed-rate) <= 1000))
    [[ $(reported limit) == latency ]]
    [[ ${lines[0]} == 'highest rate at which nothing is lost and p99 stays under 100 ms: '*/s ]]
    [[ $stderr =~ 'spamlog: '[0-9,]+'/s: p99 '[0-9.]+' ' ]]
}

@test "no rate is found and the status is 1 if messages are lost at any rate" {
    filtered_receiver unix:in 'sed -u 2~500d'
    run --separate-stderr timeout 300 spamlog --find-max -r 10k -d 200ms --latency=2s unix:in back
    status_is 1
    [[ ${lines[0]} == *': none' && $(reported rate) == - && $(reported failed-rate) == 10000 ]]
    [[ $(reported limit) == loss && $(reported latency-p99) == - && $(reported trials) == 3 ]]
    [[ ${stderr_lines[0]} =~ ^'spamlog: 10,000/s: lost '[0-9]+', p99 ' ]]
}

@test "a trial with duplicates or corruption fails" {
    filtered_receiver unix:in 'sed -u 2~500p'
    run --separate-stderr timeout 300 spamlog --find-max -r 10k -d 200ms --latency=2s --idle=20s unix:in back
    status_is 1
    [[ $(reported limit) == duplication && $stderr =~ '/s: duplicated '[1-9] ]]
    kill "$parse_pid"
    wait_exit parse
    wait_exit filter
    rm lines
    filtered_receiver unix:again 'sed -u 2~500s/hello/hallo/'
    run --separate-stderr timeout 300 spamlog --find-max -r 10k -d 200ms --latency=2s unix:again back
    status_is 1
    [[ $(reported limit) == loss && $stderr =~ '/s: lost '[1-9][0-9]*', damaged '[1-9] ]]
}

@test "messages of other senders are ignored" {
    receiver unix:in
    start others into back spamlog -q -r 1k
    find_max -r 100..200 unix:in
    status_is 0
    [[ $(reported rate) == 200 ]]
}

@test "loss in the receive buffer of a UDP socket is detected" {
    local port
    port=$(quiet_port)
    export -f throttle
    filtered_receiver "udp://127.0.0.1:$port" 'bash -c "throttle 200"'
    find_max -r 500..1k "udp://127.0.0.1:$port"
    status_is 0
    [[ $(reported rate) == 1000 ]]
    run --separate-stderr timeout 300 spamlog --find-max -r 100k -d 500ms --latency=1h "udp://127.0.0.1:$port" back
    status_is 1
    [[ $(reported limit) == loss && ${stderr_lines[0]} =~ '/s: lost '[1-9] ]]
}

@test "status 2 and one line if the receiver exits" {
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
        grep -v '^spamlog: in ' spam.err >log
        cat log
        lines_are log 1
    done
}

@test "an error is logged if no message comes back" {
    start parse shnek-parse -l unix:in
    exec {writer}<>back
    run --separate-stderr timeout 300 spamlog --find-max unix:in back
    exec {writer}>&-
    status_is 2
    [[ -z $output && $stderr == 'spamlog: back: no message sent to unix:in came back within 10 s' ]]
}

@test "a signal stops it with status 2" {
    receiver unix:in
    start spam spamlog --find-max -q -r 100 -d 1h --idle=20s unix:in back
    wait_until counts spam 'in [1-9][0-9]'
    kill "$spam_pid"
    wait_exit spam
    [[ $status == 2 && ! -s spam.out ]]
}

@test "a receiver that stops reading does not block it forever" {
    receiver unix:in
    start spam spamlog --find-max -q -r 100k -d 2s --idle=500ms unix:in back
    wait_until counts spam 'in [1-9][0-9,]*'
    suspend "$parse_pid"
    wait_exit spam
    kill -CONT "$parse_pid"
    [[ $status == 2 && ! -s spam.out ]]
    tail -n 1 spam.err
    [[ $(tail -n 1 spam.err) == 'spamlog: unix:in: receiver accepts no more data, and no messages come back' ]]
}

@test "incompatible options are rejected at the start" {
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
-r max unix:a|--rate: 'max' is not a rate: expected a number per second, a number per interval such as 5/m, or max
-r 1/m unix:a|--rate: '1/m' is out of range; --find-max requires 1 to 1,000,000,000 per second
-r 5..2 unix:a|--rate: '2' is out of range (5 to 1000M)
--latency=0 unix:a|--latency: '0' is out of range (1us to 168h)
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
