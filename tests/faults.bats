#!/usr/bin/env bats
# shnek-pub while servers, connections and shnek-pub itself are killed, cut and stopped.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154,SC2317 # bats and `start` set variables, `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    shnek_setup
    unset "${!NATS_@}" SHNEK_SUBJECT
    cd "$BATS_TEST_TMPDIR" || return
    # Sanitizers make everything several times slower.
    fewer=${SANITIZE:+5}
    fewer=${fewer:-1}
}

teardown() {
    shnek_teardown
}

# at_most GOT LIMIT
at_most() {
    (($1 <= $2)) || {
        printf 'got: %s, which is more than %s\n' "$1" "$2"
        return 1
    }
}

# make_lines COUNT: JSON lines with the msgids 0 to COUNT - 1, in the file lines.
make_lines() {
    spamlog -q -r max -n "$1" | shnek-parse >lines
    is "$(wc -l <lines)" "$1"
}

# start_writer COMMAND...: into pub.in, which it has opened when this returns.
start_writer() {
    start writer into pub.in "$@"
    wait_until opened writer 1
}

# opened NAME DESCRIPTOR: whether it is pub.in, or was for a program that has ended.
opened() {
    local pid=${1}_pid
    ended "${!pid}" || [[ /proc/${!pid}/fd/$2 -ef pub.in && ! -e /proc/${!pid}/fd/$feed ]]
}

# start_load RATE [COUNT]: into pub.in, as fast as it is read (max) the file lines, or at RATE what
# spamlog makes and shnek-parse passes on: COUNT messages, or until end_load.
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

# end_load RATE [COUNT]: until all is written. How much that is at a low rate is in $all.
end_load() {
    if [[ $1 != max ]]; then
        [[ -n ${2-} ]] || kill -TERM "$spam_pid"
        wait_exit spam
        is "$status" 0
        all=$(sed -n 's/^spamlog: sent \([0-9]*\) .*/\1/p' spam.err)
    fi
    if [[ -n ${feed-} ]]; then
        wait_until opened pub 0
        end_of_input
    fi
    wait_exit writer
    is "$status" 0
}

# start_proxy [OPTION...]: before the nats-server; $NATS_URL and the checks through it are as before.
start_proxy() {
    start proxy proxy -t "$(port_of "$NATS_URL")" "$@"
    by_proxy=nats://127.0.0.1:$(port_of "$(listen_url proxy.err)")
}

# end_proxy: what it counted, in $confirmed, $unique, $duplicates, $missing, $cuts, $connections,
# $damaged and $out_of_order.
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

# The exit status of shnek-pub, and the losses of its server with their ends.
# ended_with STATUS [LOSSES]
ended_with() {
    wait_exit pub
    tail -n 5 pub.err
    is "$status" "$1"
    losses=$(grep -c '^shnek-pub: lost the server' pub.err || true)
    [[ $# == 1 ]] || is "$losses" "$2"
    is "$(grep -c 'has the server again$' pub.err || true)" "$losses"
}

stored() {
    nats_get jsz | sed -n 's/^  "messages": \([0-9]*\).*/\1/p'
}

stored_at_least() {
    (($(stored) >= $1))
}

crash_nats() {
    kill -KILL "$nats_pid"
    wait_exit nats
}

# counts_when_told COUNTERS: of shnek-pub.
counts_when_told() {
    kill -USR1 "$pub_pid"
    grep -Eq "^shnek-pub: $1 rate" pub.err
}

ended_when_told() {
    kill -TERM "$1" || true
    ended "$1"
}

# holds_once COUNT: the stream logs has each msgid below COUNT once. It is replayed to a subject.
holds_once() {
    is "$(stored)" "$1"
    start replay subscriber -u -n "$1" -i 40 replay
    wait_until grep -q '^ready' replay.err
    wait_until replay_begins
    wait_exit replay
    cat replay.out
    [[ $(<replay.out) == "received: $1 unique: $1 duplicates: 0 missing: 0 "* ]]
}

# Makes a consumer, as the server's protocol wants it; doing it twice is as once.
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

# What one window holds at most, in lines of the file lines.
window_lines() {
    echo $(($1 / $(head -n 1 lines | wc -c)))
}

# Core NATS

# kill_server RATE COUNT: COUNT messages are in the file lines at full throttle.
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
    start pub from pub.in shnek-pub -s "$by_proxy"
    start_load "$1"
    for ((i = 0; i < 5; i++)); do
        wait_until taken_at_least $((least + RANDOM % more))
        crash_nats
        nats_restart
    done
    end_load "$1"
    if [[ $1 == max && -n ${SANITIZE-} ]]; then
        ended_with 0 # the fewer lines may be through before the last kill
    else
        ended_with 0 5
    fi
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
    at_most "$duplicates" $((5 * $(window_lines $((16 << 20)))))
}

@test "a nats-server that is killed five times in mid-stream has everything in the end" {
    kill_server max $((1000000 / fewer))
}

@test "a nats-server that is killed five times at a low rate has everything in the end" {
    kill_server 4k 1
}

lost_at_least() {
    (($(grep -c '^shnek-pub: lost the server' pub.err) >= $1))
}

# cut_connections RATE COUNT BYTES WINDOW: about so many bytes between one cut and the next.
cut_connections() {
    local all=$2
    make_lines "$all"
    nats_start
    start_proxy -c 50 -b "$3" -s "$RANDOM"
    mkfifo pub.in
    start pub from pub.in shnek-pub -s "$by_proxy" --window="$4"
    start_load "$1"
    if [[ $1 != max ]]; then
        wait_until lost_at_least 40
    fi
    end_load "$1"
    ended_with 0
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
    [[ $1 != max ]] || is "$cuts" 50
    # A connection may be cut before it is one.
    at_most "$losses" "$cuts"
    at_most 40 "$losses"
}

@test "connections that are cut at fifty places lose nothing and tear nothing, with a window of 1M" {
    cut_connections max $((200000 / fewer)) $((150000 / fewer)) 1M
}

@test "connections that are cut at fifty places lose nothing and tear nothing, with a window of 16M" {
    cut_connections max $((200000 / fewer)) $((150000 / fewer)) 16M
}

@test "connections that are cut at fifty places lose nothing and tear nothing, at a low rate" {
    cut_connections 4k 1 30000 16M
}

@test "--at-most-once sends nothing twice, and status 2 tells of what is lost" {
    local all=$((200000 / fewer)) lost=0 n
    make_lines "$all"
    nats_start
    start_proxy -n "$all" -c 20 -b $((400000 / fewer)) -s "$RANDOM"
    start pub from lines shnek-pub -s "$by_proxy" --window=1M --at-most-once
    ended_with 2
    end_proxy
    is "$duplicates $damaged" "0 0"
    while read -r n; do
        lost=$((lost + n))
    done < <(sed -n 's/.*up to \([0-9]*\) messages are lost/\1/p' pub.err)
    at_most 1 "$missing"
    at_most "$missing" "$lost"
}

# JetStream

# kill_stream RATE COUNT STEP: so many more are stored before each kill.
kill_stream() {
    local all=$2 i
    make_lines "$all"
    nats_start 'jetstream: enabled'
    mkfifo pub.in
    start pub from pub.in shnek-pub -J --stream=logs --create-stream --msg-id=auto
    start_load "$1"
    for ((i = 1; i <= 5; i++)); do
        wait_until -t 60 stored_at_least $(($3 * i))
        crash_nats
        nats_restart
    done
    end_load "$1"
    ended_with 0 5
    holds_once "$all"
}

@test "a stream whose server is killed five times has every message once" {
    kill_stream max $((500000 / fewer)) $((500000 / fewer / 8))
}

@test "a stream whose server is killed five times at a low rate has every message once" {
    kill_stream 4k 1 3000
}

# What is left

@test "where no server comes back the lines that are not confirmed are written out as they were" {
    local spill
    make_lines 20000
    for spill in --spill=spilled --stats=1h; do
        nats_start
        start_fed pub shnek-pub --max-reconnect-time=1s "$spill"
        head -n 1000 lines >&"$feed"
        wait_until taken_at_least 1000
        wait_until counts_when_told 'in 1000 out 1000 rejected 0 .*'
        suspend "$nats_pid"
        start_writer tail -n +1001 lines
        end_of_input
        wait_exit writer
        crash_nats
        wait_exit pub
        is "$status" 2
        is "$(grep -c '^shnek-pub: lost the server' pub.err)" 1
        [[ $spill == --spill=* ]] || mv pub.out spilled
        cmp spilled <(tail -n +1001 lines)
        grep -q '^shnek-pub: 19000 messages are not confirmed; written to ' pub.err
        rm spilled pub.in
    done
}

@test "a second SIGTERM while the server stands still writes out what was read and nothing else" {
    local n
    make_lines 100000
    nats_start
    start_fed pub shnek-pub --window=1M
    head -n 1000 lines >&"$feed"
    wait_until taken_at_least 1000
    wait_until counts_when_told 'in 1000 out 1000 rejected 0 .*'
    suspend "$nats_pid"
    start_writer tail -n +1001 lines
    # A second's worth of silence: the window and the socket take no more.
    wait_until stands_still "$writer_pid"
    end_of_input
    kill -TERM "$pub_pid"
    wait_until signals_taken "$pub_pid"
    wait_until ended_when_told "$pub_pid"
    wait_exit pub
    is "$status" 2
    grep -q '^shnek-pub: stopped by a second signal' pub.err
    n=$(wc -l <pub.out)
    at_most 5000 "$n"
    grep -q "^shnek-pub: $n messages are not confirmed; written to stdout" pub.err
    # What was read may end within a line.
    cmp <(head -n -1 pub.out) <(tail -n +1001 lines | head -n $((n - 1)))
    [[ $(sed -n "$((1000 + n))p" lines) == "$(tail -n 1 pub.out)"* ]]
}

# stands_still PROCESS: it has written nothing for some twenty looks at it.
stands_still() {
    local i before
    before=$(grep wchar "/proc/$1/io") || return
    for ((i = 0; i < 20; i++)); do
        pause
        [[ $(grep wchar "/proc/$1/io") == "$before" ]] || return
    done
}

# The spool

# kill_pub RATE COUNT MOST: so many more are stored at most before each kill.
kill_pub() {
    local all=$2 i goal=0
    make_lines "$all"
    nats_start 'jetstream: enabled'
    mkfifo pub.in
    exec {feed}<>pub.in
    start_load "$1"
    for ((i = 0; i < 20; i++)); do
        start pub with_spool
        # Every fifth is killed at its beginning.
        if ((i % 5 == 4)); then
            wait_until grep -q spool "/proc/$pub_pid/maps"
        else
            goal=$((goal + RANDOM % $3 + 1))
            wait_until stored_at_least "$goal"
        fi
        kill -KILL "$pub_pid"
        wait_exit pub
    done
    running "$writer_pid" # or the kills came too late
    start pub with_spool
    end_load "$1"
    ended_with 0 0
    holds_once "$all"
    # Nothing is left in it.
    exec {feed}<>pub.in
    start pub with_spool
    wait_until opened pub 0
    end_of_input
    ended_with 0 0
    is "$(stored)" "$all"
}

@test "shnek-pub that is killed twenty times loses nothing from its spool and stores nothing twice" {
    kill_pub max $((200000 / fewer)) $((8000 / fewer))
}

@test "shnek-pub that is killed twenty times at a low rate loses nothing from its spool either" {
    kill_pub 4k 1 800
}

with_spool() {
    from pub.in shnek-pub --spool=spool -J --stream=logs --create-stream --msg-id=auto
}

@test "a spool that is in use, foreign, cut short, damaged or of another size is refused and left" {
    local name
    nats_start
    start_fed pub shnek-pub --spool=spool --window=1M
    wait_until test -s spool
    wait_until grep -q spool "/proc/$pub_pid/maps"
    run timeout 10 shnek-pub --spool=spool </dev/null
    is "$status" 2
    is "$output" 'shnek-pub: --spool: spool: another process uses it'
    end_of_input
    ended_with 0 0

    make_lines 1000
    cp lines foreign
    head -c 300000 spool >short
    cp spool flipped
    printf '\xff' | dd of=flipped bs=1 seek=20 conv=notrunc status=none
    for name in foreign short flipped; do
        cp "$name" copy
        run timeout 10 shnek-pub --spool="$name" <lines
        is "$status" 2
        [[ $output == "shnek-pub: --spool: $name: "*"; the file was left as it is" ]]
        cmp "$name" copy
    done
    cp spool copy
    run timeout 10 shnek-pub --spool=spool --window=2M <lines
    is "$status" 2
    [[ $output == 'shnek-pub: --window: spool has 1048576 bytes;'* ]]
    cmp spool copy
}

# Time

# Whether PROCESS sleeps and has still written so much, as /proc tells it.
waits_at() {
    [[ $(cut -d ' ' -f 3 "/proc/$1/stat") == S && $(grep wchar "/proc/$1/io") == "$2" ]]
}

@test "while there is no server for a minute memory is flat, the sender waits, and order is kept" {
    local all=1000000 written pub_kib parse_kib # more than all buffers hold
    nats_start
    start_proxy -n "$all"
    mkfifo pub.in syslog
    start pub from pub.in shnek-pub -s "$by_proxy"
    start parse into pub.in shnek-parse syslog
    start spam into syslog spamlog -r max -n "$all"
    wait_until taken_at_least 20000
    crash_nats
    wait_until stands_still "$spam_pid"
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
    if [[ -z ${SANITIZE-} ]] && running "$pub_pid"; then
        at_most "$(rss_peak_kib "$pub_pid")" 65536
    fi
    ended_with 0 1
    end_proxy
    is "$missing $damaged $unique $out_of_order" "0 0 $all 0"
}

@test "a server that stands still for two pings is left, and has everything when it goes on" {
    local all=$((100000 / fewer))
    make_lines "$all"
    nats_start
    start_proxy -n "$all"
    start_fed pub shnek-pub -s "$by_proxy" --ping-interval=1s
    head -n 1000 lines >&"$feed"
    wait_until taken_at_least 1000
    suspend "$nats_pid"
    start_writer tail -n +1001 lines
    end_of_input
    wait_until grep -q '^shnek-pub: lost the server' pub.err
    kill -CONT "$nats_pid"
    ended_with 0
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
}

# Servers that do not want it

reports() {
    (($(grep -c "$1" "$2") >= $3))
}

reload_nats() {
    sed -i "$1" nats.conf
    kill -HUP "$nats_pid"
}

# fill_server RATE COUNT: the server has room for a subscriber and one more.
fill_server() {
    local all=$2 port
    make_lines "$all"
    nats_start 'max_connections: 2'
    start sub subscriber -u -n "$all" -i 20 foo
    wait_until grep -q '^ready' sub.err
    start other subscriber other
    wait_until grep -q '^ready' other.err
    start_proxy
    port=${by_proxy##*:}
    mkfifo pub.in
    start pub from pub.in shnek-pub -s "$by_proxy"
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

@test "a server that has too many connections is asked again, and has everything in the end" {
    fill_server max $((500000 / fewer))
}

@test "a server that has too many connections has everything at a low rate, too" {
    fill_server 4k 20000
}

# refuse_login RATE COUNT STEP: the password changes under it, and comes back.
refuse_login() {
    local all=$2
    make_lines "$all"
    nats_start 'authorization { user: me, password: pw }'
    start_proxy
    mkfifo pub.in
    start pub from pub.in shnek-pub -s "$by_proxy" --user=me --password=pw
    start_load "$1"
    wait_until taken_at_least "$3"
    reload_nats 's/password: pw/password: other/'
    wait_until grep -q ': Authorization Violation; trying again$' pub.err
    reload_nats 's/password: other/password: pw/'
    wait_until grep -q 'has the server again$' pub.err
    end_load "$1"
    ended_with 0 1
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
}

@test "a server that refuses the login for a while has everything in the end" {
    refuse_login max $((500000 / fewer)) $((20000 / fewer))
}

@test "a server that refuses the login for a while has everything at a low rate, too" {
    refuse_login 4k 1 4000
}

# stop_pub RATE COUNT STEP: until the server takes it for dead.
stop_pub() {
    local all=$2
    make_lines "$all"
    nats_start 'ping_interval: "500ms"' 'ping_max: 1'
    start_proxy
    mkfifo pub.in
    start pub from pub.in shnek-pub -s "$by_proxy"
    start_load "$1"
    wait_until taken_at_least "$3"
    suspend "$pub_pid"
    wait_until connections_are 0
    kill -CONT "$pub_pid"
    wait_until grep -q 'has the server again$' pub.err
    end_load "$1"
    ended_with 0
    end_proxy
    is "$missing $damaged $unique" "0 0 $all"
}

@test "a server that takes shnek-pub for dead has everything in the end" {
    stop_pub max $((500000 / fewer)) $((20000 / fewer))
}

@test "a server that takes shnek-pub for dead has everything at a low rate, too" {
    stop_pub 4k 1 4000
}

# Other servers

@test "a line that the next server finds too long is rejected once, and those around it arrive" {
    local line port
    printf -v line '{"msgid":"2","msg":"%02000d"}' 0
    nats_start 'max_payload: 4096'
    start_proxy
    port=${by_proxy##*:}
    start_fed pub shnek-pub -s "$by_proxy"
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
        'shnek-pub: stdin:3: PAYLOAD: longer than the server takes (max_payload) (at byte 1000)'
    wait_exit sub
    is "$(<sub.out)" $'{"msgid":"1"}\n{"msgid":"3"}'
}

# start_cluster [CONFIGURATION LINE...]: three servers n1 n2 n3, their URLs in $urls.
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

# A lame duck goes on for a while, then it ends one connection after another, then itself.
lame_duck=('lame_duck_duration: "30s"' 'lame_duck_grace_period: "500ms"')

# use_server NUMBER: for what is asked of a server.
use_server() {
    local name=n${1}_pid ports
    ports=nats-server_${!name}.ports
    wait_until grep -q '}$' "$ports"
    [[ $(<"$ports") =~ \"nats\":\[\"([^\"]*)\" ]]
    export NATS_URL=${BASH_REMATCH[1]}
    [[ $(<"$ports") =~ \"monitoring\":\[\"([^\"]*)\" ]]
    NATS_MON=$(port_of "${BASH_REMATCH[1]}")
}

# The number of the server that leads the stream.
leader() {
    nats_get 'jsz?streams=1' | sed -n '/"stream_detail"/,$ s/.*"leader": "n\([123]\)".*/\1/p'
}

has_leader() {
    [[ $(leader) == [123] ]]
}

# Of three servers one has come: without a leader it drops what it is asked.
@test "JetStream that has no leader is asked again long before --timeout" {
    local nobody
    nobody=$(quiet_port)
    nats_start 'jetstream: enabled' "store_dir: \"$PWD/alone\"" 'server_name: n1' \
        "cluster: {name: three, host: 127.0.0.1, port: -1, routes: [nats://127.0.0.1:$nobody]}"
    start asked subscriber -n 2 '$JS.API.STREAM.INFO.logs'
    wait_until grep -q '^ready' asked.err
    start_fed pub shnek-pub -J --stream=logs --timeout=1h
    wait_exit asked
    is "$status" 0
}

# end_member RATE COUNT STEP [NUMBER SIGNAL]: of the leader, or of the only server that it was told of.
# So many are stored before, and so many more after it.
end_member() {
    local all=$2 first name
    make_lines "$all"
    start_cluster 'jetstream: enabled' "${lame_duck[@]}"
    if [[ $# == 5 ]]; then
        use_server "$4"
        urls=$NATS_URL
    fi
    start_fed pub shnek-pub -s "$urls" -J --stream=logs --create-stream --replicas=3 --msg-id=auto
    start_load "$1"
    wait_until has_leader
    wait_until stored_at_least "$3"
    first=${4-$(leader)}
    name=n${first}_pid
    kill "-${5-KILL}" "${!name}"
    wait_exit "n$first"
    use_server $((first % 3 + 1))
    # Those that are left elect a leader, which may take them more than one attempt of up to 9 s.
    wait_until -t 90 stored_at_least $((2 * $3))
    # A server that is closed may take longer than the lines do; its end must not come after theirs.
    [[ $# == 3 ]] || wait_until grep -q '^shnek-pub: lost the server' pub.err
    end_load "$1"
    ended_with 0
    [[ $# == 3 ]] || is "$losses" 1
    wait_until stored_at_least "$all"
    holds_once "$all"
}

@test "a stream with three replicas has every message once when its leader is killed" {
    end_member max $((60000 / fewer)) $((10000 / fewer))
}

@test "a stream with three replicas has every message once when its leader is killed at a low rate" {
    end_member 4k 1 8000
}

@test "where the only server that it was told of is killed it goes on with those it learned of" {
    end_member max $((60000 / fewer)) $((10000 / fewer)) 1 KILL
}

@test "where the only server that it was told of is killed it goes on at a low rate, too" {
    end_member 4k 1 8000 1 KILL
}

@test "a stream has every message once when the server is closed in lame duck mode" {
    end_member max $((300000 / fewer)) $((10000 / fewer)) 1 USR2
}

@test "a stream has every message once when the server is closed in lame duck mode at a low rate" {
    end_member 4k 1 4000 1 USR2
}

# Whether the server sends what has this subject on to another one.
knows_of() {
    nats_get 'routez?subs=1' | grep -q "\"$1\""
}

# At full throttle the server itself takes some thousands with it that it had not passed on.
@test "a server that is closed in lame duck mode at a low rate is left for another one without a loss" {
    local all=20000
    start_cluster "${lame_duck[@]}"
    use_server 2
    start sub subscriber -u -n "$all" -i 20 foo
    wait_until grep -q '^ready' sub.err
    use_server 1
    wait_until knows_of foo
    mkfifo pub.in
    start pub from pub.in shnek-pub -s "$NATS_URL"
    start_load 4k "$all"
    wait_until taken_at_least 400
    kill -USR2 "$n1_pid"
    wait_until grep -q 'has the server again$' pub.err
    run ! grep -F "${NATS_URL#*://}: has the server again" pub.err
    end_load 4k "$all"
    ended_with 0 1
    wait_exit n1
    wait_exit sub
    cat sub.out
    [[ $(<sub.out) == *" unique: $all "*" missing: 0 "* ]]
}
