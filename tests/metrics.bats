#!/usr/bin/env bats
# --metrics of shnek-parse and shnek-pub: counters for Prometheus by HTTP, or in a file.
# shellcheck disable=SC2030,SC2031,SC2154 # `start` and bats set variables

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    shnek_teardown
}

message() {
    echo "<34>1 - - - - - - $1"
}

# metrics_port NAME [PROGRAM]: waits for the port of the metrics of a process of `start`.
metrics_port() {
    wait_until grep -q "${2-}: metrics on " "$1.err" || return
    sed -n "/${2-}: metrics on /{s|.*://[^/]*:\([0-9]*\)/metrics\$|\1|p;q;}" "$1.err"
}

# http PORT PATH [METHOD]: sets code and headers, and prints the body into the file `body`.
http() {
    local connection line
    code='' headers=''
    { exec {connection}<>"/dev/tcp/127.0.0.1/$1"; } 2>/dev/null || return
    printf '%s %s HTTP/1.0\r\n\r\n' "${3-GET}" "$2" >&"$connection"
    read -r _ code _ <&"$connection"
    while read -r line <&"$connection" && [[ $line != $'\r' ]]; do
        headers+=$line
    done
    cat <&"$connection" >body
    exec {connection}>&-
}

# answers PORT PATH CODE [TEXT]
answers() {
    http "$1" "$2" && [[ $code == "$3" ]] && { [[ $# == 3 ]] || [[ $(<body) == "$4" ]]; }
}

# value NAME [FILE]: prints the value of a metric, whose labels are part of its name.
value() {
    awk -v name="$1" '$1 == name { print $2 }' "${2-body}"
}

# sum NAME [FILE]: prints the sum over all labels.
sum() {
    awk -v name="$1{" 'index($1, name) == 1 { sum += $2 } END { print sum + 0 }' "${2-body}"
}

# metric_is PORT NAME VALUE: scrapes and compares.
metric_is() {
    http "$1" /metrics && [[ $(value "$2") == "$3" ]]
}

# stat_of NAME PROGRAM COUNTER: prints a counter of the totals that a process has printed last.
stat_of() {
    grep -o "$2: .*" "$1.err" | tail -n 1 | sed -n "s/.*$2:.* \?\b$3 \([0-9,]*\).*/\1/p" | tr -d ,
}

lint() {
    run -0 promtool check metrics <"${1-body}"
    is "$output" ''
}

names() {
    sed -n 's/^# TYPE \([a-z_]*\) .*/\1/p' "$1"
}

@test "a scrape under load equals --stats and the counters of nats-server" {
    local parse_port pub_port scrapes=0
    nats_start
    start relay shnek-parse -l tcp://127.0.0.1:0 --metrics=127.0.0.1:0 --stats=1h -q \
        --exec='exec shnek-pub --metrics=:0 logs'
    url=$(listen_url relay.err)
    parse_port=$(metrics_port relay shnek-parse)
    pub_port=$(metrics_port relay shnek-pub)
    wait_until answers "$pub_port" /readyz 200 ok
    start load spamlog -q -r max -n 200k -c 4 "$url"
    # Counters never decrease, and no scrape fails.
    local before=0 now
    while running "$load_pid"; do
        http "$pub_port" /metrics
        is "$code" 200
        now=$(value shnek_pub_confirmed_total)
        ((now >= before))
        is "$(value shnek_pub_confirm_seconds_count)" "$(value 'shnek_pub_confirm_seconds_bucket{le="+Inf"}')"
        before=$now
        http "$parse_port" /metrics
        is "$code" 200
        ((++scrapes))
    done
    wait_exit load
    is "$status" 0
    ((scrapes > 0))
    printf '<34>1 - - - - - - end\n<999>1\n' >"/dev/tcp/127.0.0.1/$(port_of "$url")"
    wait_until metric_is "$parse_port" 'shnek_parse_rejected_total{field="PRI"}' 1
    wait_until metric_is "$pub_port" shnek_pub_confirmed_total 200001
    cp body pub.metrics
    wait_until metric_is "$parse_port" shnek_parse_connections 0
    cp body parse.metrics
    is "$(value 'shnek_parse_messages_total{transport="tcp"}')" 200002
    is "$(sum shnek_parse_messages_total)" 200002
    is "$(value shnek_parse_records_total)" 200001
    is "$(sum shnek_parse_rejected_total)" 1
    is "$(value shnek_pub_lines_total pub.metrics)" 200001
    is "$(value shnek_pub_confirm_seconds_count pub.metrics)" 200001
    is "$(nats_varz in_msgs)" 200001
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 1
    is "$(stat_of relay shnek-parse in)" 200002
    is "$(stat_of relay shnek-parse rejected)" 1
    is "$(stat_of relay shnek-pub out)" 200001
    # The server has gone with the process.
    run ! http "$parse_port" /metrics
    run ! http "$pub_port" /metrics
}

@test "promtool accepts all metrics, and the man pages list them" {
    need promtool
    local program
    nats_start
    start_fed shnek_parse shnek-parse --metrics=:0
    start_fed shnek_pub shnek-pub --metrics=:0 logs
    for program in shnek-parse shnek-pub; do
        http "$(metrics_port "${program/-/_}")" /metrics
        is "$code" 200
        [[ $headers == *'text/plain; version=0.0.4'* ]]
        lint
        is "$(value "shnek_build_info{program=\"$program\",version=\"$("$program" --version | cut -d' ' -f2)\"}")" 1
        is "$(names body | sort)" \
            "$(sed -n 's/^\.It Li \(shnek_[a-z_]*\).*/\1/p' "$SHNEK_TOP/man/$program.1" | sort)"
    done
}

@test "/readyz is 503 while shnek-pub has no server and while shnek-parse drains" {
    local port
    nats_start
    start_fed pub shnek-pub --metrics=127.0.0.1:0 logs
    port=$(metrics_port pub)
    wait_until answers "$port" /readyz 200 ok
    kill -KILL "$nats_pid"
    wait_exit nats
    wait_until answers "$port" /readyz 503 'not connected'
    answers "$port" /healthz 200 ok
    message a | shnek-parse >&"$feed"
    wait_until metric_is "$port" shnek_pub_connected 0
    # A line that waits for a server has an age.
    has_age() {
        http "$port" /metrics && [[ $(value shnek_pub_oldest_unconfirmed_seconds) != 0.000000000 ]]
    }
    wait_until has_age
    (($(value shnek_pub_window_bytes) > 0))
    nats_restart
    wait_until answers "$port" /readyz 200 ok
    wait_until metric_is "$port" shnek_pub_confirmed_total 1
    is "$(value shnek_pub_reconnects_total)" 1
    is "$(value shnek_pub_oldest_unconfirmed_seconds)" 0.000000000
    is "$(value shnek_pub_window_bytes)" 0
    # The server has inherited $feed, so closing it would not end the input.
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 0
    start parse shnek-parse -l tcp://127.0.0.1:0 --metrics=:0
    port=$(metrics_port parse)
    wait_until answers "$port" /readyz 200 ok
    url=$(listen_url parse.err)
    exec {sender}>"/dev/tcp/127.0.0.1/$(port_of "$url")"
    echo -n '<34>1 unfinished' >&"$sender"
    wait_until metric_is "$port" shnek_parse_connections 1
    kill -TERM "$parse_pid"
    wait_until answers "$port" /readyz 503 'not receiving'
    answers "$port" /healthz 200 ok
    exec {sender}>&-
    wait_exit parse
}

@test "other paths and methods are refused" {
    local port
    start_fed parse shnek-parse --metrics=:0
    port=$(metrics_port parse)
    http "$port" /
    is "$code $(<body)" '404 expected /metrics, /healthz or /readyz'
    http "$port" /metrics POST
    is "$code" 405
    [[ $headers == *'Allow: GET, HEAD'* ]]
    http "$port" /metrics HEAD
    is "$code $(<body)" '200 '
}

@test "a port in use and a file that cannot be written are startup errors" {
    local port program
    nats_start
    start_fed first shnek-parse --metrics=127.0.0.1:0
    port=$(metrics_port first)
    for program in shnek-parse shnek-pub; do
        run --separate-stderr "$program" --metrics=127.0.0.1:"$port" </dev/null
        is "$status" 2
        is "$stderr" "$program: --metrics: 127.0.0.1:$port: Address already in use"
        run --separate-stderr "$program" --metrics=nowhere/a.prom </dev/null
        is "$status" 2
        is "$stderr" "$program: --metrics: nowhere/a.prom: No such file or directory"
        run --separate-stderr "$program" --metrics=a.txt </dev/null
        is "$status" 2
        is "${stderr_lines[0]}" \
            "$program: --metrics: 'a.txt' is not an address: expected HOST:PORT or FILE.prom"
    done
}

@test "a file contains metrics from the start, and the totals at the end" {
    nats_start
    message a >input
    start_fed parse shnek-parse --metrics=parse.prom
    wait_until test -e parse.prom
    is "$(value shnek_parse_records_total parse.prom)" 0
    is "$(stat -c %a parse.prom)" 644
    cat input >&"$feed"
    echo '<13>x' >&"$feed"
    end_of_input
    wait_exit parse
    is "$status" 1
    is "$(value shnek_parse_records_total parse.prom)" 1
    is "$(value 'shnek_parse_messages_total{transport="stdin"}' parse.prom)" 2
    run -0 shnek-pub --metrics=pub.prom logs <parse.out
    is "$(value shnek_pub_confirmed_total pub.prom)" 1
    is "$(value shnek_pub_connected pub.prom)" 0
    is "$(echo ./*.prom*)" './parse.prom ./pub.prom'
    need promtool
    lint parse.prom
    lint pub.prom
}

@test "rejected, refused and resent messages are counted by their cause" {
    local port
    nats_start 'jetstream: enabled'
    start parse shnek-parse -l tcp://127.0.0.1:0 -l unix:refused --allow=127.0.0.1 --allow-uid=4242 --metrics=:0
    url=$(listen_url parse.err)
    port=$(metrics_port parse)
    printf 'GET / HTTP/1.1\r\n\r\n' >"/dev/tcp/127.0.0.1/$(port_of "$url")"
    wait_until metric_is "$port" 'shnek_parse_refused_total{reason="protocol"}' 1
    # The peer may be disconnected before it has sent anything.
    message a | socat - UNIX-CONNECT:refused 2>socat.log || true
    wait_until metric_is "$port" 'shnek_parse_refused_total{reason="uid"}' 1
    printf '<34>2 x\n<34>1 yesterday - - - - -\n' >"/dev/tcp/127.0.0.1/$(port_of "$url")"
    wait_until metric_is "$port" 'shnek_parse_rejected_total{field="TIMESTAMP"}' 1
    is "$(value 'shnek_parse_rejected_total{field="VERSION"}')" 1
    start_fed pub shnek-pub -J --create-stream --stream=LOGS --metrics=:0 --timeout=1s logs
    port=$(metrics_port pub)
    echo 'no JSON' >&"$feed"
    wait_until metric_is "$port" 'shnek_pub_rejected_total{field="JSON"}' 1
    # Messages in flight are resent after a new connection.
    echo '{}' >&"$feed"
    wait_until metric_is "$port" shnek_pub_confirmed_total 1
    suspend "$nats_pid"
    echo '{}' >&"$feed"
    wait_until metric_is "$port" shnek_pub_lines_total 3
    kill -KILL "$nats_pid"
    wait_exit nats
    nats_restart
    wait_until metric_is "$port" shnek_pub_confirmed_total 2
    (($(value shnek_pub_resent_total) >= 1))
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 1
}

@test "the time that writes to stdout wait is counted, also during such a write" {
    local port
    mkfifo out
    exec {reader}<>out
    start parse into out shnek-parse -l tcp://127.0.0.1:0 --metrics=:0
    url=$(listen_url parse.err)
    port=$(metrics_port parse)
    start load spamlog -q -r max "$url"
    # The pipe is never read.
    blocked_more_than() {
        http "$port" /metrics &&
            awk -v least="$1" '$1 == "shnek_parse_output_blocked_seconds_total" { exit !($2 > least) }' body
    }
    wait_until blocked_more_than 0.2
    wait_until blocked_more_than 0.4
    exec {reader}<&-
    start drain cat out
    kill -TERM "$load_pid" "$parse_pid"
    wait_exit load
    wait_exit parse
    is "$status" 0
}

@test "the alerts in shnek(7) are valid rules" {
    need promtool
    sed -n '/^groups:/,/^\.Ed/{/^\.Ed/d;s/\\(aq/'\''/g;s/\\e/\\/g;p}' "$SHNEK_TOP/man/shnek.7" >rules.yml
    run -0 promtool check rules rules.yml
    [[ $output == *'3 rules found'* ]]
}
