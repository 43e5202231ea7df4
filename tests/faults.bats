#!/usr/bin/env bats
# shnek-pub while servers, connections and shnek-pub itself are killed, cut and suspended.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154,SC2317 # bats and `start` set variables, `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    pub_setup
    # Sanitizers make everything several times slower.
    fewer=${SANITIZE:+5}
    fewer=${fewer:-1}
    # BATCH=32k tests/run tests/faults.bats runs all tests with batches of that size.
    batch=(${BATCH:+"--batch=$BATCH"})
    times=${BATCH:+5}
    times=${times:-1}
}

teardown() {
    shnek_teardown
}

# with_batches COMMAND...: runs a test with --batch, and with five times as many records if the rate is
# max, because they take less time.
with_batches() {
    batch=(--batch=32k)
    times=5
    "$@"
}

# scale RATE NUMBER: prints the number, multiplied for batches at full throttle.
scale() {
    if [[ $1 == max ]]; then
        echo $(($2 * times))
    else
        echo "$2"
    fi
}

# at_most GOT LIMIT
at_most() {
    (($1 <= $2)) || {
        printf 'got: %s, which is more than %s\n' "$1" "$2"
        return 1
    }
}

# make_lines COUNT: writes JSON lines with the msgids 0 to COUNT - 1 to the file lines.
make_lines() {
    spamlog -q -r max -n "$1" | shnek-parse >lines
    is "$(wc -l <lines)" "$1"
}

# start_writer COMMAND...: starts it with stdout in pub.in, and waits until it has opened that.
start_writer() {
    start writer into pub.in "$@"
    wait_until opened writer 1
}

# opened NAME DESCRIPTOR: succeeds if the descriptor is pub.in, or the program has ended.
opened() {
    local pid=${1}_pid
    ended "${!pid}" || [[ /proc/${!pid}/fd/$2 -ef pub.in && ! -e /proc/${!pid}/fd/$feed ]]
}

# start_load RATE [COUNT]: starts a writer to pub.in: of the file lines at full throttle if RATE is
# max, else of COUNT messages at RATE, or until end_load, from spamlog and shnek-parse.
start_load() {
    local command=(cat lines)
    if [[ $1 != max ]]; then
        mkfifo syslog
        start spam into syslog spamlog -r "$1" ${2:+-n "$2"}
        command=(shnek-parse syslog)
    fi
    if [[ -n ${feed-} ]]; then
        start_writer "${command[@]}"
    else
        start writer into pub.in "${command[@]}"
    fi
}

# end_load RATE [COUNT]: waits until everything is written. At a low rate, sets $all to the count.
end_load() {
    if [[ $1 != max ]]; then
        [[ -n ${2-} ]] || kill -TERM "$spam_pid"
        wait_exit spam
        is "$status" 0
        all=$(sed -n 's/,//g; s/^spamlog: sent \([0-9]*\) .*/\1/p' spam.err)
    fi
    if [[ -n ${feed-} ]]; then
        wait_until opened pub 0
        end_of_input
    fi
    wait_exit writer
    is "$status" 0
}

# start_proxy [OPTION...]: sets $by_proxy to the URL of a proxy to the nats-server at $NATS_URL.
start_proxy() {
    start proxy proxy -t "$(port_of "$NATS_URL")" "$@"
    by_proxy=nats://127.0.0.1:$(port_of "$(listen_url proxy.err)")
}

# end_proxy: sets $confirmed, $unique, $duplicates, $missing, $cuts, $connections, $damaged and
# $out_of_order to the proxy's counters.
end_proxy() {
    local word name=
    kill -TERM "$proxy_pid"
    wait_exit proxy
    is "$status" 0
    echo "# $(<proxy.out)"
    for word in $(<proxy.out); do
        if [[ $word == *: ]]; then
            name=${word%:}
        else
            printf -v "${name//-/_}" %s "$word"
        fi
    done
}

# ended_with STATUS [LOSSES]: asserts the exit status of shnek-pub, the number of disconnects, and as
# many reconnects.
ended_with() {
    wait_exit pub
    tail -n 5 pub.err
    is "$status" "$1"
    losses=$(count_losses)
    [[ $# == 1 ]] || is "$losses" "$2"
    is "$(grep -c '^shnek-pub: reconnected to ' pub.err || true)" \
        "$(grep -c '^shnek-pub: disconnected from ' pub.err || true)"
}

# count_losses: prints how often shnek-pub was disconnected, including suppressed reports.
count_losses() {
    awk '/^shnek-pub: disconnected from / { n++ } / similar lines? suppressed$/ { n += $2 } END { print n + 0 }' pub.err
}

# stored [KEY]: prints how many messages, or bytes, the streams contain.
stored() {
    nats_get jsz | sed -n "s/^  \"${1-messages}\": \([0-9]*\).*/\1/p"
}

# The server does not know how many records a batch has; those of make_lines have about 190 bytes.
stored_at_least() {
    if [[ ${#batch[@]} == 0 ]]; then
        (($(stored) >= $1))
    else
        (($(stored bytes) >= $1 * 180))
    fi
}

# Whether a replica has everything. A message has headers of more than one byte in place of the LF.
has_stored_lines() {
    if [[ ${#batch[@]} == 0 || $(wc -l <lines) != "$all" ]]; then
        stored_at_least "$all"
    else
        (($(stored bytes) >= $(stat -c %s lines) + $(stored) * 100))
    fi
}

taken_at_least() {
    if [[ ${#batch[@]} == 0 || $1 == 1 ]]; then
        (($(nats_varz in_msgs) >= $1))
    else
        (($(nats_varz in_bytes) >= $1 * 180))
    fi
}

crash_nats() {
    kill -KILL "$nats_pid"
    wait_exit nats
}

# counts_when_told COUNTERS: requests the counters of shnek-pub, for wait_until.
counts_when_told() {
    kill -USR1 "$pub_pid"
    grep -Eq "^shnek-pub: $1 rate" pub.err
}

ended_when_told() {
    kill -TERM "$1" || true
    ended "$1"
}

# replay_stream COUNT: replays the stream logs up to COUNT different msgids, and sets $duplicates.
replay_stream() {
    start replay subscriber -u -n "$1" -i 40 replay
    wait_until grep -q '^ready' replay.err
    wait_until replay_begins
    wait_exit replay
    cat replay.out
    [[ $(<replay.out) =~ ^received:\ [0-9]+\ unique:\ $1\ duplicates:\ ([0-9]+)\ missing:\ 0\  ]]
    duplicates=${BASH_REMATCH[1]}
}

# holds_once COUNT [COPIES]: asserts that the stream logs has each msgid below COUNT once, except for so
# many COPIES [0].
holds_once() {
    local copies=${2-0}
    [[ ${#batch[@]} != 0 ]] || at_most "$(stored)" $(($1 + copies))
    replay_stream "$1"
    at_most "$duplicates" "$copies"
    at_most "$(stored)" $(($(sed -n 's/^messages: //p' replay.err) + copies))
    [[ ${#batch[@]} == 0 ]] || at_most "$(stored)" $(($1 / 3))
}

# copies_after_election: prints how many messages may be stored twice. A leader before nats-server 2.11
# may accept messages before it has processed the last ones of its predecessor (nats-server, pull
# requests 6485 and 6486): at most those that were unconfirmed.
copies_after_election() {
    local version
    version=$(nats_get varz | sed -n 's/^ *"version": "\(.*\)",$/\1/p')
    if [[ $(sort -V <<<"2.11"$'\n'"$version") == 2.11* ]]; then
        echo 0
        return
    fi
    sed -nE 's/^shnek-pub: disconnected from .*; ([0-9,]+) messages? unconfirmed.*/\1/p' pub.err |
        tr -d , | awk '{ n += $1 } END { print n + 0 }'
}

# Creates a consumer through the server's API, which is idempotent.
replay_begins() {
    local api connection line=
    local request='{"stream_name":"logs","config":{"durable_name":"replay","ack_policy":"none",'
    request+='"deliver_subject":"replay"}}'
    # shellcheck disable=SC2016 # a subject
    api='$JS.API.CONSUMER.DURABLE.CREATE.logs.replay'
    exec {connection}<>"/dev/tcp/127.0.0.1/$(port_of "$NATS_URL")" || return
    printf 'CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB %s answer %d\r\n%s\r\n' \
        "$api" "${#request}" "$request" >&"$connection"
    while read -rt 3 line <&"$connection" && [[ $line != *'"type"'* ]]; do :; done
    exec {connection}>&-
    [[ $line == *'"type"'* && $line != *'"error"'* ]]
}

# window_lines BYTES: prints how many lines of the file lines fit into a window of that size.
window_lines() {
    echo $(($1 / $(head -n 1 lines | wc -c)))
}

# Core NATS

# kill_server RATE COUNT: at full throttle, COUNT is the number of messages.
kill_server() {
    local all=$2 i least=20000 more=32768
    if [[ $1 == max ]]; then
        least=$((least / fewer)) more=$((more / fewer))
    else
        least=500 more=2500
    fi
    make_lines "$all"
    nats_start
    start_proxy
    mkfifo pub.in
    start pub from pub.in shnek-pub "${batch[@]}" -s "$by_proxy"
    start_load "$1"
    for ((i = 0; i < 5; i++)); do
        wait_until taken_at_least $((least + RANDOM % more))
        crash_nats
        nats_restart
    done
    end_load "$1"
    if [[ $1 == max && -n ${SANITIZE-} ]]; then
        ended_with 0 # the fewer lines may be published before the last kill
    else
        ended_with 0 5
    fi
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
    at_most "$duplicates" $((5 * $(window_lines $((16 << 20)))))
}

@test "no message is lost when nats-server is killed five times in mid-stream" {
    kill_server max $((1000000 / fewer))
}

@test "no record is lost when nats-server is killed five times in mid-stream, with batches" {
    with_batches kill_server max $((2000000 / fewer))
}

@test "no message is lost when nats-server is killed five times at a low rate" {
    kill_server 4k 1
}

lost_at_least() {
    (($(count_losses) >= $1))
}

# cut_connections RATE COUNT BYTES WINDOW: cuts a connection after BYTES on average.
cut_connections() {
    local all=$2
    make_lines "$all"
    nats_start
    start_proxy -c 50 -b "$3" -s "$RANDOM"
    mkfifo pub.in
    start pub from pub.in shnek-pub "${batch[@]}" -s "$by_proxy" --window="$4"
    start_load "$1"
    if [[ $1 != max ]]; then
        wait_until lost_at_least 40
    fi
    end_load "$1"
    ended_with 0
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
    [[ $1 != max ]] || is "$cuts" 50
    # A connection may be cut before it is established.
    at_most "$losses" "$cuts"
    at_most 40 "$losses"
}

@test "no message is lost or damaged when connections are cut at fifty places, with a window of 1M" {
    cut_connections max $((200000 / fewer)) $((150000 / fewer)) 1M
}

@test "no message is lost or damaged when connections are cut at fifty places, with a window of 16M" {
    cut_connections max $((200000 / fewer)) $((150000 / fewer)) 16M
}

@test "no message is lost or damaged when connections are cut at fifty places, at a low rate" {
    cut_connections 4k 1 30000 16M
}

@test "no record is lost or damaged when connections are cut at fifty places, with batches" {
    with_batches cut_connections max $((200000 / fewer)) $((150000 / fewer)) 16M
}

@test "--at-most-once sends nothing twice, and reports losses with status 2" {
    local all=$((200000 / fewer)) lost=0 n
    make_lines "$all"
    nats_start
    start_proxy -n "$all" -c 20 -b $((400000 / fewer)) -s "$RANDOM"
    start pub from lines shnek-pub "${batch[@]}" -s "$by_proxy" --window=1M --at-most-once
    ended_with 2
    end_proxy
    is "$duplicates $damaged" "0 0"
    while read -r n; do
        lost=$((lost + ${n//,/}))
    done < <(sed -n 's/.*up to \([0-9,]*\) messages\? lost.*/\1/p' pub.err)
    at_most 1 "$missing"
    at_most "$missing" "$lost"
}

# JetStream

# kill_stream RATE COUNT STEP: kills the server after each STEP messages that it has stored.
kill_stream() {
    local all i step
    all=$(scale "$1" "$2")
    step=$(scale "$1" "$3")
    make_lines "$all"
    nats_start 'jetstream: enabled'
    mkfifo pub.in
    start pub from pub.in shnek-pub "${batch[@]}" -J --stream=logs --create-stream --msg-id=auto
    start_load "$1"
    for ((i = 1; i <= 5; i++)); do
        wait_until -t 60 stored_at_least $((step * i))
        crash_nats
        nats_restart
        # A backlog may have stored enough for the next kill before shnek-pub is back.
        wait_until reports '^shnek-pub: reconnected to ' pub.err "$i"
    done
    end_load "$1"
    ended_with 0 5
    holds_once "$all"
}

@test "a stream stores every message once when its server is killed five times" {
    kill_stream max $((500000 / fewer)) $((500000 / fewer / 8))
}

@test "a stream stores every record once when its server is killed five times, with batches" {
    with_batches kill_stream max $((500000 / fewer)) $((500000 / fewer / 8))
}

@test "a stream stores every message once when its server is killed five times at a low rate" {
    kill_stream 4k 1 3000
}

# Unconfirmed lines

@test "unconfirmed lines are written out unchanged when no server comes back" {
    local spill
    make_lines 20000
    for spill in --spill=spilled --stats=1h; do
        nats_start
        start_fed pub shnek-pub "${batch[@]}" --max-reconnect-time=1s "$spill"
        head -n 1000 lines >&"$feed"
        wait_until taken_at_least 1000
        wait_until counts_when_told 'in 1,000 out 1,000 .*'
        suspend "$nats_pid"
        start_writer tail -n +1001 lines
        end_of_input
        wait_exit writer
        crash_nats
        wait_exit pub
        is "$status" 2
        is "$(grep -c '^shnek-pub: disconnected from ' pub.err)" 1
        [[ $spill == --spill=* ]] || mv pub.out spilled
        cmp spilled <(tail -n +1001 lines)
        grep -q '^shnek-pub: 19,000 messages are unconfirmed; written to ' pub.err
        rm spilled pub.in
    done
}

@test "unconfirmed lines and nothing else are written out on a second SIGTERM while the server hangs" {
    local n
    make_lines 100000
    nats_start
    start_fed pub shnek-pub "${batch[@]}" --window=1M
    head -n 1000 lines >&"$feed"
    wait_until taken_at_least 1000
    wait_until counts_when_told 'in 1,000 out 1,000 .*'
    suspend "$nats_pid"
    start_writer tail -n +1001 lines
    # The window and the socket are full.
    wait_until writes_nothing "$writer_pid"
    end_of_input
    kill -TERM "$pub_pid"
    wait_until signals_taken "$pub_pid"
    wait_until ended_when_told "$pub_pid"
    wait_exit pub
    is "$status" 2
    grep -q '^shnek-pub: stopped by a second signal' pub.err
    n=$(wc -l <pub.out)
    at_most 5000 "$n"
    grep -q "^shnek-pub: $(grouped "$n") messages are unconfirmed; written to stdout" pub.err
    # The last line may be truncated: reading stops anywhere.
    cmp <(head -n -1 pub.out) <(tail -n +1001 lines | head -n $((n - 1)))
    [[ $(sed -n "$((1000 + n))p" lines) == "$(tail -n 1 pub.out)"* ]]
}

# writes_nothing PROCESS: succeeds if it has written nothing between twenty looks at it.
writes_nothing() {
    local i before
    before=$(grep wchar "/proc/$1/io") || return
    for ((i = 0; i < 20; i++)); do
        pause
        [[ $(grep wchar "/proc/$1/io") == "$before" ]] || return
    done
}

# The spool

# kill_pub RATE COUNT MOST: kills shnek-pub when up to MOST more messages are stored.
kill_pub() {
    local all i goal=0 most messages
    all=$(scale "$1" "$2")
    most=$(scale "$1" "$3")
    make_lines "$all"
    nats_start 'jetstream: enabled'
    mkfifo pub.in
    exec {feed}<>pub.in
    start_load "$1"
    for ((i = 0; i < 20; i++)); do
        start pub with_spool
        # Every fifth process is killed while it starts.
        if ((i % 5 == 4)); then
            wait_until grep -q spool "/proc/$pub_pid/maps"
        else
            goal=$((goal + RANDOM % most + 1))
            wait_until stored_at_least "$goal"
        fi
        kill -KILL "$pub_pid"
        wait_exit pub
    done
    running "$writer_pid" # else the kills came too late
    start pub with_spool
    end_load "$1"
    ended_with 0 0
    holds_once "$all"
    # The spool is empty.
    messages=$(stored)
    exec {feed}<>pub.in
    start pub with_spool
    wait_until opened pub 0
    end_of_input
    ended_with 0 0
    is "$(stored)" "$messages"
}

@test "no message is lost or stored twice when shnek-pub with a spool is killed twenty times" {
    kill_pub max $((200000 / fewer)) $((8000 / fewer))
}

@test "no message is lost or stored twice when shnek-pub with a spool is killed twenty times at a low rate" {
    kill_pub 4k 1 800
}

@test "no record is lost or stored twice when shnek-pub with a spool is killed twenty times, with batches" {
    with_batches kill_pub max $((200000 / fewer)) $((8000 / fewer))
}

@test "no record is lost or stored twice when shnek-pub with a spool is killed twenty times at a low rate, with batches" {
    with_batches kill_pub 4k 1 800
}

with_spool() {
    # With a window for all lines the writer would end early.
    from pub.in shnek-pub "${batch[@]}" --spool=spool --window=$((16 / fewer))M -J --stream=logs --create-stream --msg-id=auto
}

# Time

# waits_at PROCESS WCHAR: succeeds if it sleeps and its count of written bytes is unchanged.
waits_at() {
    [[ $(cut -d ' ' -f 3 "/proc/$1/stat") == S && $(grep wchar "/proc/$1/io") == "$2" ]]
}

@test "memory stays flat, the sender waits and order is kept while there is no server for a minute" {
    local all=1000000 written pub_kib parse_kib peak # more than all buffers hold
    nats_start
    start_proxy -n "$all"
    mkfifo pub.in syslog
    start pub from pub.in shnek-pub "${batch[@]}" -s "$by_proxy"
    start parse into pub.in shnek-parse syslog
    start spam into syslog spamlog -r max -n "$all"
    wait_until taken_at_least 20000
    crash_nats
    wait_until at_rest "$spam_pid" "$parse_pid" "$pub_pid"
    written=$(grep wchar "/proc/$spam_pid/io")
    pub_kib=$(rss_kib "$pub_pid")
    parse_kib=$(rss_kib "$parse_pid")
    SECONDS=0
    while ((SECONDS < 61)); do
        waits_at "$spam_pid" "$written"
        if [[ -z ${SANITIZE-} ]]; then
            at_most "$(rss_kib "$pub_pid")" $((pub_kib + 512))
            at_most "$(rss_kib "$parse_pid")" $((parse_kib + 512))
        fi
        pause
    done
    nats_restart
    wait_exit spam
    is "$status" 0
    wait_exit parse
    is "$status" 0
    # shnek-pub may have ended already, and has no memory then.
    peak=$(rss_peak_kib "$pub_pid" 2>/dev/null || true)
    [[ -n ${SANITIZE-} || -z $peak ]] || at_most "$peak" 65536
    ended_with 0 1
    end_proxy
    is "$missing $damaged $unique $out_of_order" "0 0 $all 0"
}

@test "a server that hangs for two pings counts as lost, and no message is lost when it continues" {
    local all=$((100000 / fewer))
    make_lines "$all"
    nats_start
    start_proxy -n "$all"
    start_fed pub shnek-pub "${batch[@]}" -s "$by_proxy" --ping-interval=1s
    head -n 1000 lines >&"$feed"
    wait_until taken_at_least 1000
    suspend "$nats_pid"
    start_writer tail -n +1001 lines
    end_of_input
    wait_until grep -q '^shnek-pub: disconnected from ' pub.err
    kill -CONT "$nats_pid"
    ended_with 0
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
}

# Servers that refuse connections

reports() {
    (($(grep -c "$1" "$2") >= $3))
}

reload_nats() {
    sed -i "$1" nats.conf
    kill -HUP "$nats_pid"
}

# fill_server RATE COUNT: the server accepts a subscriber and one more connection.
fill_server() {
    local all port
    all=$(scale "$1" "$2")
    make_lines "$all"
    nats_start 'max_connections: 2'
    start sub subscriber -u -n "$all" -i 20 foo
    wait_until grep -q '^ready' sub.err
    start other subscriber other
    wait_until grep -q '^ready' other.err
    start_proxy
    port=${by_proxy##*:}
    mkfifo pub.in
    start pub from pub.in shnek-pub "${batch[@]}" -s "$by_proxy"
    start_load "$1" "$all"
    wait_until reports 'maximum connections exceeded' nats.err 3
    grep -q '; waiting for a server$' pub.err
    is "$(nats_varz in_msgs)" 0
    kill -TERM "$other_pid"
    wait_exit other
    wait_until taken_at_least $((all / 20))
    end_proxy
    wait_until connections_are 1
    start other subscriber other
    wait_until grep -q '^ready' other.err
    start_proxy -l "$port"
    wait_until reports 'maximum connections exceeded' nats.err 6
    running "$pub_pid"
    kill -TERM "$other_pid"
    wait_exit other
    end_load "$1" "$all"
    ended_with 0 1
    wait_exit sub
    cat sub.out
    [[ $(<sub.out) == *" unique: $all "*" missing: 0 "* ]]
}

@test "no message is lost when the server has too many connections for a while" {
    fill_server max $((500000 / fewer))
}

@test "no message is lost when the server has too many connections for a while at a low rate" {
    fill_server 4k 20000
}

# refuse_login RATE COUNT STEP: changes the password of the server after STEP messages, and restores
# it.
refuse_login() {
    local all
    all=$(scale "$1" "$2")
    make_lines "$all"
    nats_start 'authorization { user: me, password: pw }'
    start_proxy
    mkfifo pub.in
    start pub from pub.in shnek-pub "${batch[@]}" -s "$by_proxy" --user=me --password=pw
    start_load "$1"
    wait_until taken_at_least "$3"
    reload_nats 's/password: pw/password: other/'
    wait_until grep -q ': Authorization Violation; retrying$' pub.err
    reload_nats 's/password: other/password: pw/'
    wait_until grep -q '^shnek-pub: reconnected to ' pub.err
    end_load "$1"
    ended_with 0 1
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
}

@test "no message is lost when the server refuses the login for a while" {
    refuse_login max $((500000 / fewer)) $((20000 / fewer))
}

@test "no message is lost when the server refuses the login for a while at a low rate" {
    refuse_login 4k 1 4000
}

# stop_pub RATE COUNT STEP: suspends shnek-pub until the server closes its connection.
stop_pub() {
    local all
    all=$(scale "$1" "$2")
    make_lines "$all"
    nats_start 'ping_interval: "500ms"' 'ping_max: 1'
    start_proxy
    mkfifo pub.in
    start pub from pub.in shnek-pub "${batch[@]}" -s "$by_proxy"
    start_load "$1"
    wait_until taken_at_least "$3"
    suspend "$pub_pid"
    wait_until connections_are 0
    kill -CONT "$pub_pid"
    wait_until grep -q '^shnek-pub: reconnected to ' pub.err
    end_load "$1"
    ended_with 0
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
}

@test "no message is lost when the server mistakes a suspended shnek-pub for dead" {
    stop_pub max $((500000 / fewer)) $((20000 / fewer))
}

@test "no message is lost when the server mistakes a suspended shnek-pub for dead at a low rate" {
    stop_pub 4k 1 4000
}

# Other servers

@test "a line that is too long for the next server is rejected once, and its neighbours are published" {
    local line port
    printf -v line '{"msgid":"2","msg":"%02000d"}' 0
    nats_start 'max_payload: 4096'
    start_proxy
    port=${by_proxy##*:}
    start_fed pub shnek-pub "${batch[@]}" -s "$by_proxy"
    printf '{"msgid":"0"}\n' >&"$feed"
    wait_until taken_at_least 1
    wait_until counts_when_told 'in 1 out 1 rejected 0 .*'
    suspend "$nats_pid"
    printf '{"msgid":"1"}\n%s\n{"msgid":"3"}\n' "$line" >&"$feed"
    wait_until counts_when_told 'in 4 out 1 rejected 0 .*'
    end_of_input
    end_proxy
    crash_nats
    sed -i 's/^max_payload: .*/max_payload: 1000/' nats.conf
    nats_restart
    start sub subscriber -n 2 foo
    wait_until grep -q '^ready' sub.err
    start_proxy -l "$port"
    ended_with 1 1
    is "$(grep 'max_payload' pub.err)" \
        "shnek-pub: stdin:3: PAYLOAD: longer than the server's max_payload (at byte 1000)"
    wait_exit sub
    is "$(<sub.out)" $'{"msgid":"1"}\n{"msgid":"3"}'
}

# start_cluster [CONFIGURATION LINE...]: starts the servers n1, n2 and n3; sets $urls.
start_cluster() {
    local i routes=
    local -a route_ports
    for i in 1 2 3; do
        route_ports[i]=$(quiet_port)
        routes+="nats://127.0.0.1:${route_ports[i]} "
    done
    for i in 1 2 3; do
        cat >"n$i.conf" <<END
server_name: n$i
host: 127.0.0.1
port: -1
http: "127.0.0.1:-1"
ports_file_dir: "$PWD"
store_dir: "$PWD/n$i"
cluster: {name: three, host: 127.0.0.1, port: ${route_ports[i]}, routes: [${routes// /, }]}
END
        [[ $# == 0 ]] || printf '%s\n' "$@" >>"n$i.conf"
    done
    urls=
    for i in 1 2 3; do
        start "n$i" nats-server --config "n$i.conf"
    done
    for i in 1 2 3; do
        use_server "$i"
        urls+=${urls:+,}$NATS_URL
    done
}

# A server in lame duck mode continues for a while, then closes one connection after another.
lame_duck=('lame_duck_duration: "30s"' 'lame_duck_grace_period: "500ms"')

# use_server NUMBER: sets $NATS_URL and the monitoring port to those of that server.
use_server() {
    local name=n${1}_pid ports
    ports=nats-server_${!name}.ports
    wait_until grep -q '}$' "$ports"
    [[ $(<"$ports") =~ \"nats\":\[\"([^\"]*)\" ]]
    export NATS_URL=${BASH_REMATCH[1]}
    [[ $(<"$ports") =~ \"monitoring\":\[\"([^\"]*)\" ]]
    NATS_MON=$(port_of "${BASH_REMATCH[1]}")
}

# Prints the number of the server that leads the stream.
leader() {
    nats_get 'jsz?streams=1' | sed -n '/"stream_detail"/,$ s/.*"leader": "n\([123]\)".*/\1/p'
}

has_leader() {
    [[ $(leader) == [123] ]]
}

# One of three servers is up: without a leader it drops requests.
@test "JetStream without a leader is queried again long before --timeout" {
    local absent
    absent=$(quiet_port)
    nats_start 'jetstream: enabled' "store_dir: \"$PWD/alone\"" 'server_name: n1' \
        "cluster: {name: three, host: 127.0.0.1, port: -1, routes: [nats://127.0.0.1:$absent]}"
    start asked subscriber -n 2 '$JS.API.STREAM.INFO.logs'
    wait_until grep -q '^ready' asked.err
    start_fed pub shnek-pub "${batch[@]}" -J --stream=logs --timeout=1h
    wait_exit asked
    is "$status" 0
}

# end_member RATE COUNT STEP [NUMBER SIGNAL]: ends the leader, or server NUMBER, which is then the
# only configured one, after STEP messages; waits for as many more.
end_member() {
    local all first name step
    all=$(scale "$1" "$2")
    step=$(scale "$1" "$3")
    make_lines "$all"
    start_cluster 'jetstream: enabled' "${lame_duck[@]}"
    if [[ $# == 5 ]]; then
        use_server "$4"
        urls=$NATS_URL
    fi
    start_fed pub shnek-pub "${batch[@]}" -s "$urls" -J --stream=logs --create-stream --replicas=3 --msg-id=auto
    start_load "$1"
    wait_until has_leader
    wait_until stored_at_least "$step"
    first=${4-$(leader)}
    name=n${first}_pid
    kill "-${5-KILL}" "${!name}"
    wait_exit "n$first"
    use_server $((first % 3 + 1))
    # The other servers elect a leader, which may need more than one attempt of up to 9 s.
    wait_until -t 90 stored_at_least $((2 * step))
    # A server may need longer to close than the lines do; its end must come first.
    [[ $# == 3 ]] || wait_until grep -q '^shnek-pub: disconnected from ' pub.err
    end_load "$1"
    ended_with 0
    [[ $# == 3 ]] || is "$losses" 1
    wait_until has_stored_lines
    holds_once "$all" "$(copies_after_election)"
}

@test "a stream with three replicas stores every message once when its leader is killed" {
    end_member max $((60000 / fewer)) $((10000 / fewer))
}

@test "a stream with three replicas stores every message once when its leader is killed at a low rate" {
    end_member 4k 1 8000
}

@test "a stream stores every message once when the only configured server is killed" {
    end_member max $((60000 / fewer)) $((10000 / fewer)) 1 KILL
}

@test "a stream stores every record once when the only configured server is killed, with batches" {
    with_batches end_member max $((60000 / fewer)) $((10000 / fewer)) 1 KILL
}

@test "a stream stores every message once when the only configured server is killed at a low rate" {
    end_member 4k 1 8000 1 KILL
}

@test "a stream stores every message once when the server is closed in lame duck mode" {
    end_member max $((300000 / fewer)) $((10000 / fewer)) 1 USR2
}

@test "a stream stores every message once when the server is closed in lame duck mode at a low rate" {
    end_member 4k 1 4000 1 USR2
}

# knows_of SUBJECT: succeeds if the server forwards that subject to another one.
knows_of() {
    nats_get 'routez?subs=1' | grep -q "\"$1\""
}

# At full throttle the server loses some thousand messages that it had not forwarded.
@test "no message is lost when a server is closed in lame duck mode at a low rate" {
    local all=20000
    start_cluster "${lame_duck[@]}"
    use_server 2
    start sub subscriber -u -n "$all" -i 20 foo
    wait_until grep -q '^ready' sub.err
    use_server 1
    wait_until knows_of foo
    mkfifo pub.in
    start pub from pub.in shnek-pub "${batch[@]}" -s "$NATS_URL"
    start_load 4k "$all"
    wait_until taken_at_least 400
    kill -USR2 "$n1_pid"
    wait_until grep -q '^shnek-pub: reconnected to ' pub.err
    run ! grep -F "reconnected to $NATS_URL" pub.err
    end_load 4k "$all"
    ended_with 0 1
    wait_exit n1
    wait_exit sub
    cat sub.out
    [[ $(<sub.out) == *" unique: $all "*" missing: 0 "* ]]
}
