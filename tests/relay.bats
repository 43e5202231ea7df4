#!/usr/bin/env bats
# The three programs together, with a real nats-server.
# shellcheck disable=SC2030,SC2031 # each test has its own MANY

bats_require_minimum_version 1.5.0

load lib/shnek

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR"
    MANY=1000000
    [[ -z ${SANITIZE-} ]] || MANY=50000
    LINE='<34>1 2024-12-15T21:08:09.484+09:00 mantoshkin-pc spamlog 18895 0 - hello from rust!'
    RECORD='{"severity":"crit","facility":"auth","version":1,"timestamp":"2024-12-15T21:08:09.484+09:00","hostname":"mantoshkin-pc","appname":"spamlog","procid":18895,"msgid":"0","sd":{},"msg":"hello from rust!"}'
}

teardown() {
    shnek_teardown
}

# relay [OPTION...]: starts shnek-parse with these options on a free port, piped into shnek-pub. Sets
# url.
relay() {
    mkfifo records
    shnek-pub logs <records >pub.out 2>pub.err 3>&- &
    pub_pid=$!
    # shellcheck disable=SC2034
    started[$pub_pid]=pub
    shnek-parse -l tcp://:0 "$@" </dev/null >records 2>parse.err 3>&- &
    parse_pid=$!
    # shellcheck disable=SC2034
    started[$parse_pid]=parse
    url=$(listen_url parse.err)
}

# subscribe COUNT: starts a subscriber of logs that counts messages by MSGID.
subscribe() {
    start sub subscriber -u -n "$1" -i 30 logs
    wait_until grep -q ready sub.err
}

# relay_ends_well: ends the relay; both programs must exit with status 0.
relay_ends_well() {
    kill -TERM "$parse_pid"
    wait_exit parse
    [[ $status == 0 ]] || { cat parse.err && return 1; }
    wait_exit pub
    [[ $status == 0 ]] || { cat pub.err && return 1; }
}

# counter NAME FILE: prints a counter from the last line of counters.
counter() {
    grep -oE "\\b$1 [0-9,]+" "$2" | tail -n 1 | tr -dc 0-9
}

@test "a line is published to the subject foo as the expected record, byte for byte" {
    nats_start
    start sub subscriber -n 1 foo
    wait_until grep -q ready sub.err
    printf '%s\n' "$LINE" | shnek-parse | shnek-pub
    wait_exit sub
    [[ $status == 0 ]]
    printf '%s\n' "$RECORD" | cmp - sub.out
}

@test "messages from logger over TCP arrive, in both framings" {
    need logger
    nats_start
    relay
    start sub subscriber -n 2 logs
    wait_until grep -q ready sub.err
    logger --rfc5424 -T -n 127.0.0.1 -P "$(port_of "$url")" -t test 'by line'
    logger --rfc5424 -T --octet-count -n 127.0.0.1 -P "$(port_of "$url")" -t test 'by count'
    wait_exit sub
    [[ $status == 0 ]]
    grep -q '"appname":"test".*"msg":"by line"}$' sub.out
    grep -q '"appname":"test".*"msg":"by count"}$' sub.out
    relay_ends_well
}

@test "nc as the listener works in a pipeline" {
    need nc
    nats_start
    start sub subscriber -n 1 foo
    wait_until grep -q ready sub.err
    # nc -l cannot select a free port, so it gets one that was free a moment ago.
    start probe shnek-parse -l tcp://:0
    port=$(port_of "$(listen_url probe.err)")
    kill "$probe_pid"
    wait_exit probe
    start piped bash -c "nc -l 127.0.0.1 $port | shnek-parse | shnek-pub"
    sent() { printf '%s\n' "$LINE" | nc -N 127.0.0.1 "$port"; }
    wait_until sent
    wait_exit sub
    printf '%s\n' "$RECORD" | cmp - sub.out
    wait_exit piped
    [[ $status == 0 ]]
}

@test "a million messages over 8 connections arrive once each, and all programs exit with status 0" {
    nats_start
    subscribe "$MANY"
    relay
    run -0 spamlog -r max -n "$MANY" -c 8 "$url"
    wait_exit sub
    cat sub.out
    [[ $(<sub.out) == "received: $MANY unique: $MANY duplicates: 0 missing: 0 "* ]]
    relay_ends_well
}

@test "while NATS is stopped for 10 seconds the sender blocks, memory is bounded, and nothing is lost" {
    local end peak_parse=0 peak_pub=0 before
    local MANY=1000000 # more than fits in all buffers
    nats_start
    subscribe "$MANY"
    relay
    start spam spamlog -r max -n "$MANY" -c 8 --stats=50ms "$url"
    moving() { (($(counter out spam.err) > MANY / 50)); }
    wait_until moving
    kill -STOP "$nats_pid"
    still() {
        local was=${now-}
        now=$(counter out spam.err)
        [[ $now == "$was" ]] && ((++same > 20))
    }
    same=0
    wait_until still
    before=$(counter out spam.err)
    # The duration of the pause is part of the test.
    end=$((SECONDS + 10))
    while ((SECONDS < end)); do
        peak_parse=$(rss_peak_kib "$parse_pid")
        peak_pub=$(rss_peak_kib "$pub_pid")
        pause
    done
    [[ $(counter out spam.err) == "$before" ]]
    running "$spam_pid"
    echo "resident: shnek-parse $peak_parse KiB, shnek-pub $peak_pub KiB"
    if [[ -z ${SANITIZE-} ]]; then
        ((peak_parse < 16 * 1024))
        ((peak_pub < 64 * 1024))
    fi
    kill -CONT "$nats_pid"
    wait_exit spam
    [[ $status == 0 ]]
    wait_until -t 120 ended "$sub_pid"
    wait_exit sub
    [[ $(<sub.out) == "received: "*" unique: $MANY duplicates: 0 missing: 0 "* ]]
    relay_ends_well
}

@test "after SIGTERM under load all messages that were read arrive complete and without a gap" {
    nats_start
    start sub subscriber -i 20 logs
    wait_until grep -q ready sub.err
    relay --stats=50ms
    start spam spamlog -r max "$url"
    moving() { (($(counter out parse.err) > 20000)); }
    wait_until moving
    relay_ends_well
    wait_exit spam
    out=$(counter out parse.err)
    arrived() { [[ $(wc -l <sub.out) == "$out" ]]; }
    wait_until arrived
    kill -TERM "$sub_pid"
    wait_exit sub
    awk -F '"msgid":"' '{ split($2, id, "\""); if (id[1] != NR - 1 || !/^{.*}$/) { print; exit 1 } }' sub.out
    { head -n 1000 sub.out && tail -n 1000 sub.out; } | jq -e '.msg == "hello from C!"' >/dev/null
}

@test "SIGINT to all programs, as with Ctrl-C, loses no record of the parser" {
    local rate=max some=20000
    # The parser must be done within the second that shnek-pub waits for it.
    [[ ! ${SANITIZE-} ]] || rate=2k some=4000
    nats_start
    relay --stats=50ms
    start spam spamlog -r "$rate" "$url"
    moving() { (($(counter out parse.err) > some)); }
    wait_until moving
    kill -INT "$spam_pid" "$parse_pid" "$pub_pid"
    wait_exit parse
    [[ $status == 0 ]] || { cat parse.err && return 1; }
    wait_exit pub
    [[ $status == 0 ]] || { cat pub.err && return 1; }
    all_there() { [[ $(nats_varz in_msgs) == $(counter out parse.err) ]]; }
    wait_until all_there
}

@test "nc -k relays several senders in turn, and the relay ends with nc" {
    need nc
    nats_start
    start sub subscriber -n 3 foo
    wait_until grep -q ready sub.err
    start probe shnek-parse -l tcp://:0
    port=$(port_of "$(listen_url probe.err)")
    kill "$probe_pid"
    wait_exit probe
    mkfifo received
    start piped bash -c 'shnek-parse <received | shnek-pub'
    start receiver bash -c "exec nc -lk 127.0.0.1 $port >received"
    sent() { printf '%s\n' "$LINE" | nc -N 127.0.0.1 "$port"; }
    for _ in 1 2 3; do
        wait_until sent
    done
    wait_exit sub
    printf '%s\n' "$RECORD" "$RECORD" "$RECORD" | cmp - sub.out
    kill "$receiver_pid"
    wait_exit receiver
    wait_exit piped
    [[ $status == 0 ]]
}

@test "rejected messages can be published to another subject" {
    nats_start
    start sub subscriber -n 2 logs
    start rejects subscriber -n 2 syslog.rejects
    wait_until grep -q ready sub.err
    wait_until grep -q ready rejects.err
    run -1 --separate-stderr bash -c 'set -o pipefail
        printf "%s\n" "$1" oops "$1" "<999>1 - - - - - -" |
            shnek-parse -q --rejects=>(shnek-pub syslog.rejects) | shnek-pub logs' relay "$LINE"
    wait_exit sub
    printf '%s\n' "$RECORD" "$RECORD" | cmp - sub.out
    wait_exit rejects
    [[ $(jq -c '[.source, .number, .raw]' rejects.out) == '["stdin",2,"oops"]
["stdin",4,"<999>1 - - - - - -"]' ]]
}

@test "a record above the max_payload of the server is rejected, and the others arrive" {
    nats_start 'max_payload: 1000'
    subscribe 20
    run --separate-stderr bash -c '{ spamlog -q -r max -n 10
            spamlog -q -r max -n 5 --size=2000
            spamlog -q -r max -n 20 | tail -n 10; } | shnek-parse | shnek-pub logs
        echo "${PIPESTATUS[@]}"'
    [[ $output == '0 0 1' ]]
    [[ $(grep -c ": PAYLOAD: longer than the server's max_payload" <<<"$stderr") == 5 ]]
    wait_exit sub
    [[ $(<sub.out) == 'received: 20 unique: 20 duplicates: 0 missing: 0 out-of-order: 0' ]]
}

@test "octet-counted messages with line ends arrive" {
    nats_start
    start sub subscriber -n 300 logs
    wait_until grep -q ready sub.err
    relay
    run -0 spamlog -q -r max -n 300 -c 3 -F octet -m $'one\ntwo\n\nthree' "$url"
    wait_exit sub
    [[ $(jq -r .msg sub.out | sort | uniq -c | tr -s ' \n' ' ') == ' 300 300 one 300 three 300 two ' ]]
    relay_ends_well
}

@test "when the publisher dies, the parser and the sender exit with status 2" {
    nats_start
    relay
    start spam spamlog -r max -c 4 "$url"
    moving() { (($(nats_varz in_msgs) > 1000)); }
    wait_until moving
    kill -KILL "$pub_pid"
    wait_exit parse
    [[ $status == 2 ]]
    wait_exit spam
    [[ $status == 2 ]]
}

@test "Ctrl-C on a terminal ends the whole pipeline with status 0 and without loss" {
    need script
    nats_start
    cat >pipeline <<'END'
trap : INT
spamlog -r 20000 | shnek-parse --stats=1h 2>parse.err | shnek-pub logs 2>pub.err
echo "${PIPESTATUS[@]}" >statuses
END
    mkfifo keys
    exec {keys}<>keys
    script -qefc 'bash pipeline' /dev/null <keys >typescript 2>&1 3>&- {keys}>&- &
    # shellcheck disable=SC2034
    started[$!]=terminal terminal_pid=$!
    moving() { (($(nats_varz in_msgs) > 1000)); }
    wait_until moving
    printf '\003' >&"$keys"
    wait_exit terminal
    [[ $(<statuses) == '0 0 0' ]] || { cat statuses typescript parse.err pub.err && return 1; }
    [[ -n $(counter out parse.err) && $(counter in parse.err) == "$(counter out parse.err)" ]]
    [[ $(grep -o 'sent [0-9,]*' typescript | tr -d ,) == "sent $(counter out parse.err)" ]]
    all_there() { [[ $(nats_varz in_msgs) == $(counter out parse.err) ]]; }
    wait_until all_there
}

@test "spamlog --verify finds all messages after NATS, at 100,000 per second" {
    local rate=$((MANY / 10)) many=$((MANY / 2))
    nats_start
    relay
    # shellcheck disable=SC2016 # expanded by the inner shell
    start verify bash -c 'subscriber -n "$1" -i 30 logs 2>sub.err |
        spamlog --verify --checksum --expect="$1"' bash "$many"
    wait_until grep -q ready sub.err
    spamlog -q -r "$rate" -n "$many" -c 8 --checksum "$url"
    wait_exit verify
    [[ $status == 0 ]] || { cat verify.out verify.err && return 1; }
    grep -qx "received: $(grouped "$many")" verify.out
    grep -qx 'connections: 8' verify.out
    for name in missing duplicated reordered damaged foreign; do
        grep -qx "$name: 0" verify.out
    done
    relay_ends_well
}

# blocked_pub: shnek-pub has lines that a suspended server does not confirm, and stdout, to which it
# would write them, is blocked. Its first two SIGTERMs were sent.
blocked_pub() {
    nats_start
    mkfifo out
    # shellcheck disable=SC2034 # It is open, but not read.
    exec {blocked}<>out
    start_fed pub sh -c 'exec shnek-pub >out'
    wait_until counts pub 'in 0'
    wait_until connections_are 1
    suspend "$nats_pid"
    # More than the FIFO accepts.
    printf '{"msg":"%01000d"}\n' {1..1000} >&"$feed"
    wait_until counts pub 'bytes 1.0 MB'
    kill -TERM "$pub_pid"
    wait_until signals_taken "$pub_pid"
    # One that follows too soon is ignored, and one too many would be the third.
    second() { kill -TERM "$pub_pid" && poll 1 grep -q 'stopped by a second signal' pub.err; }
    wait_until second
}

@test "a third SIGTERM ends shnek-pub while unconfirmed messages cannot be written out" {
    blocked_pub
    wait_until ended_when_told "$pub_pid"
    wait_exit pub
    is "$status" 2
    grep -q '^shnek-pub: stopped by a third signal before all output was written$' pub.err
}

@test "a second SIGTERM ends shnek-pub after a while if unconfirmed messages cannot be written out" {
    blocked_pub
    wait_exit pub
    is "$status" 2
    grep -q '^shnek-pub: stopped before all output was written$' pub.err
}
