#!/usr/bin/env bats
# shnek-parse -l with thousands of connections.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/relay

HEAD='<13>1 - - - - - - '

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
    # Sanitizers are several times slower.
    fewer=${SANITIZE:+10}
    fewer=${fewer:-1}
    messages=$((500000 / fewer))
}

teardown() {
    shnek_teardown
}

need_descriptors() {
    (($(ulimit -Hn) > $1)) || skip "needs $1 descriptors"
}

listening() {
    url=$(listen_url relay.err)
    port=$(port_of "$url")
}

# relay [OPTION...]: starts shnek-parse on a free port.
relay() {
    start relay shnek-parse -l tcp://127.0.0.1:0 "$@"
    listening
}

# counting_relay [OPTION...]: like relay, but keeps only the MSGIDs of spamlog's messages, in
# relay.ids.
counting_relay() {
    mkfifo out
    start reader bash -c 'grep -F "\"appname\":\"spamlog\"" <out | cut -d "\"" -f 28 >relay.ids'
    start relay bash -c 'exec shnek-parse -l tcp://127.0.0.1:0 "$@" >out' -- "$@"
    listening
}

# all_arrived: waits for the end of the relay; all messages of one spamlog must be there in order.
all_arrived() {
    wait_exit reader
    cmp relay.ids <(seq 0 $((messages - 1)))
}

# connect: opens a connection to the relay as descriptor $connection.
connect() {
    exec {connection}<>"/dev/tcp/127.0.0.1/$port"
}

# in_relay COUNT: whether the relay has so many connections.
in_relay() {
    [[ $(find "/proc/$relay_pid/fd" -lname 'socket:*' | wc -l) == $(($1 + 1)) ]]
}

# small: whether the peak memory of the relay is below 32 MiB.
small() {
    local peak
    peak=$(rss_peak_kib "$relay_pid")
    echo "$peak KiB at its peak"
    [[ -n ${SANITIZE-} ]] || ((peak < 32768))
}

@test "10,000 idle connections use less than 32 MiB, and a busy one is served" {
    local many=$((10000 / fewer))
    need_descriptors $((many + 100))
    counting_relay --max-connections=$((many + 10)) --max-connections-per-peer=100 --idle-timeout=1h
    start peers many-connections idle $many "$port"
    wait_until in_relay $many
    idle "$relay_pid"
    spamlog -q -r max -n "$messages" "$url"
    wait_until counts relay "out $(grouped "$messages")"
    in_relay $many
    small
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    all_arrived
}

@test "1,000 slow senders and 1,000 short-lived connections do not delay a busy one" {
    local many=$((1000 / fewer)) round
    need_descriptors $((2 * many + 100))
    counting_relay
    start slow many-connections slow $many "$port"
    start short many-connections leave $many "$port"
    wait_until grep -q 'round 2' slow.out
    wait_until grep -q 'left 2000' short.out
    spamlog -q -r max -n "$messages" "$url"
    wait_until grep -q 'round 4' slow.out
    wait_until grep -q 'left 4000' short.out
    small
    running "$slow_pid"
    running "$short_pid"
    # A message has 23 bytes, one per round.
    mid_message() { round=$(sed -n 's/^round //p' slow.out | tail -n 1) && ((round % 23 > 2 && round % 23 < 16)); }
    wait_until -t 60 mid_message
    suspend "$slow_pid"
    kill -TERM "$relay_pid"
    wait_exit relay
    # The incomplete messages of the slow senders are rejected.
    is "$status" 1
    all_arrived
}

@test "without free descriptors open connections are served, and others wait for one" {
    local good i
    start relay bash -c 'ulimit -n 64 && exec shnek-parse -l tcp://127.0.0.1:0'
    listening
    connect
    good=$connection
    echo "${HEAD}first" >&"$good"
    wait_until lines_are relay.out 1
    start peers many-connections idle 200 "$port"
    wait_until grep -q 'accept: Too many open files' relay.err
    for i in {2..20}; do
        echo "$HEAD$i" >&"$good"
        wait_until lines_are relay.out "$i"
    done
    idle "$relay_pid"
    connect
    echo "${HEAD}late" >&"$connection"
    kill -TERM "$peers_pid"
    wait_until lines_are relay.out 21
    echo "${HEAD}last" >&"$good"
    wait_until lines_are relay.out 22
    is "$(grep -c 'accept:' relay.err)" 1
}

@test "--max-connections-per-peer limits 500 connections from one address" {
    local i
    need socat
    relay --max-connections-per-peer=50
    mkfifo in
    start good socat -u OPEN:in "TCP4:127.0.0.1:$port,bind=127.0.0.2"
    exec {feed}<>in
    echo "${HEAD}1" >&"$feed"
    wait_until lines_are relay.out 1
    start peers many-connections idle 500 "$port" 1
    for i in {2..200}; do
        echo "$HEAD$i" >&"$feed"
    done
    wait_until lines_are relay.out 200
    wait_until counts relay 'refused 450'
    in_relay 51
    kill -TERM "$peers_pid"
    wait_until in_relay 1
    start again many-connections leave 50 "$port" 1
    wait_until grep -q 'left 1000' again.out
    echo "${HEAD}last" >&"$feed"
    wait_until lines_are relay.out 201
}
