#!/usr/bin/env bats
# spamlog as a load test: broken connections, proxies, charts, and lines that share a terminal.

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

# relay NAME URL OPTION...: shnek-parse receives into NAME.out.
relay() {
    start "$1" shnek-parse -l "$2" "${@:3}"
    wait_until grep -q ': listening on ' "$1.err"
}

# misused PATTERN ARGUMENT...: status 2, one line with the reason, and a hint.
misused() {
    local pattern=$1
    shift
    run --separate-stderr timeout 10 spamlog "$@"
    # shellcheck disable=SC2053
    [[ $status == 2 && ${#stderr_lines[@]} == 2 && ${stderr_lines[0]} == "spamlog: "$pattern ]] ||
        { echo "$stderr" && return 1; }
}

# number KEY FILE: prints a number of a JSON report.
number() {
    jq ".$1" "$2"
}

@test "--reconnect survives a receiver that restarts, keeps the schedule, and counts what was lost" {
    local url
    url=tcp://127.0.0.1:$(quiet_port)
    relay one "$url"
    start spam spamlog -r 2k -n 6k --checksum --reconnect --json=report "$url"
    wait_until test -s one.out
    kill -KILL "$one_pid"
    wait_exit one
    wait_until grep -q ' lost; reconnecting$' spam.err
    relay two "$url"
    wait_until grep -qx "spamlog: $url: reconnected" spam.err
    wait_exit spam
    is "$status" 2
    is "$(jq -c '[.sent, .reconnects]' report)" '[6000,1]'
    (($(number lost report) >= 1))
    grep -qEx 'spamlog: lost [0-9,]+ of them, reconnected 1 time' spam.err
    # The kernel of the first receiver had messages that it did not read, so more may be missing.
    (($(tail -n +2 two.out | wc -l) >= 1))
    kill "$two_pid"
    wait_exit two
    spamlog --verify --checksum --expect=6k --json=verified two.out one.out >out || true
    is "$(jq -c '[.damaged, .duplicated]' verified)" '[0,0]'
    (($(number received verified) + $(number missing verified) == 6000))
    (($(number lost report) <= $(number missing verified) + 1))
}

@test "--reconnect without a broken connection has status 0 and loses nothing" {
    relay one tcp://127.0.0.1:0
    spamlog -q -r max -n 10k -c 2 --reconnect --reconnect-every=1k --json=report "$(listen_url one.err)"
    is "$(jq -c '[.sent, .lost, .reconnects]' report)" '[10000,0,0]'
}

@test "--reconnect ends with --duration, or by a signal, if the receiver does not return" {
    local url options
    for options in '-d 2s' '-d 1h'; do
        url=tcp://127.0.0.1:$(quiet_port)
        relay one "$url"
        # shellcheck disable=SC2086
        start spam spamlog -r 1k $options --reconnect "$url"
        wait_until test -s one.out
        kill -KILL "$one_pid"
        wait_exit one
        wait_until grep -q ' lost; reconnecting$' spam.err
        [[ $options == *s ]] || kill "$spam_pid"
        wait_exit spam
        is "$status" 2
        [[ $options == *h ]] || grep -qx "spamlog: $url: still disconnected at the end of --duration" spam.err
    done
}

@test "--reconnect over TLS" {
    local url port
    tls_certificates
    port=$(quiet_port)
    url=tls://127.0.0.1:$port
    relay one "$url" --tls-cert=server.pem --tls-key=server.key
    start spam spamlog -r 1k -n 3k --tls-ca=ca.pem --reconnect --json=report "$url"
    wait_until test -s one.out
    kill -KILL "$one_pid"
    wait_exit one
    wait_until grep -q ' lost; reconnecting$' spam.err
    relay two "$url" --tls-cert=server.pem --tls-key=server.key
    wait_exit spam
    is "$status" 2
    is "$(jq -c '[.sent, .reconnects]' report)" '[3000,1]'
}

@test "--proxy-protocol sends a header of version 1 or 2 with the addresses of the connection" {
    local url version
    tls_certificates
    relay tcp tcp://127.0.0.1:0 --proxy-protocol --allow=127.0.0.0/8 --meta
    relay tls tls://127.0.0.1:0 --proxy-protocol --allow=127.0.0.0/8 --meta --tls-cert=server.pem --tls-key=server.key
    for version in v1 v2; do
        spamlog -q -n 1 --proxy-protocol="$version" "$(listen_url tcp.err)"
        spamlog -q -n 1 --proxy-protocol="$version" --tls-ca=ca.pem "$(listen_url tls.err)"
    done
    wait_until lines_are tcp.out 2
    wait_until lines_are tls.out 2
    is "$(jq -r .peer tcp.out tls.out | sed 's/:[0-9]*$//' | sort -u)" 127.0.0.1
    grep -q . /proc/net/if_inet6 || return 0
    relay six 'tcp://[::1]:0' --proxy-protocol --allow=::1 --meta
    url=$(listen_url six.err)
    for version in v1 v2; do
        spamlog -q -n 1 --proxy-protocol="$version" "$url"
    done
    wait_until lines_are six.out 2
    is "$(jq -r .peer six.out | sed 's/:[0-9]*$//' | sort -u)" '[::1]'
}

@test "--tls-insecure accepts any certificate" {
    tls_certificates
    relay tls tls://127.0.0.1:0 --tls-cert=expired.pem --tls-key=expired.key
    local url
    url=$(listen_url tls.err)
    run -2 --separate-stderr spamlog -q -n 1 "$url"
    spamlog -q -n 1 --tls-insecure "$url"
    wait_until lines_are tls.out 1
}

# stub_gnuplot: a gnuplot that keeps the rows and the script.
stub_gnuplot() {
    mkdir bin
    cat >bin/gnuplot <<'END'
#!/bin/sh
cat /dev/fd/3 >rows
printf '%s\n' "$3" >script
echo '<svg></svg>'
END
    chmod +x bin/gnuplot
    PATH=$PWD/bin:$PATH
}

@test "a plot has several points for a short run" {
    stub_gnuplot
    run -0 bash -c 'spamlog -q -r 1k -d 1500ms | spamlog --verify --plot=x.svg'
    (($(wc -l <rows) >= 4))
    run -0 --separate-stderr spamlog -q -r 1k -d 1500ms --plot=x.svg
    (($(wc -l <rows) >= 4))
    # Even one message has a point.
    run -0 --separate-stderr spamlog -q -n 1 --plot=x.svg
    lines_are rows 1
}

# silent COUNT: for wait_until: COUNT messages were received, and none in the two intervals after that.
silent() {
    [[ $(tail -n 3 all | cut -d, -f 2 | paste -sd ' ') == "$1 $1 $1" ]]
}

@test "the plot of --verify has no intervals before the first and after the last messages" {
    stub_gnuplot
    mkfifo fifo
    exec {writer}<>fifo
    start verify spamlog --verify --plot=x.svg --csv=all --interval=50ms fifo
    wait_until silent 0
    spamlog -q -r 1k -d 600ms >fifo
    wait_until silent 600
    spamlog -q -r 1k -d 600ms --run=second >fifo
    wait_until silent 1200
    kill "$verify_pid"
    wait_exit verify
    exec {writer}>&-
    # The gap between the two runs is drawn.
    [[ $(head -n 1 rows | cut -d, -f 2) != 0 ]]
    (($(cut -d, -f 2 rows | grep -cx 600) >= 3))
    # The interval in which the messages ended would look like a drop.
    is "$(cut -d, -f 2 rows | grep -cx 1200)" 0
    (($(wc -l <rows) > 10))
}

@test "--interval sets the interval of --csv, without lines of counters" {
    run -0 --separate-stderr spamlog -q -r 1k -d 300ms --interval=50ms --csv=rows
    [[ -z $stderr ]] && (($(wc -l <rows) >= 4))
}

@test "--find-max writes a row of --csv for each trial, a report as --json, and a chart" {
    need gnuplot
    mkfifo back
    start parse bash -c 'exec shnek-parse -l unix:in >back'
    run -0 --separate-stderr spamlog --find-max -q -d 100ms --latency=2s --idle=20s -r 500..1k --csv=rows --json \
        --plot=chart.svg unix:in back
    is "$(jq -c 'keys_unsorted' <<<"$output")" \
        '["rate","failed_rate","limit","latency_p50","latency_p99","latency_max","trials"]'
    is "$(jq -c '[.rate, .failed_rate, .limit]' <<<"$output")" '[1000,null,null]'
    is "$(head -n 1 rows)" "trial,rate_per_second,result,sent,lost,duplicated,damaged,lag_seconds,\
latency_p50_seconds,latency_p99_seconds,latency_max_seconds"
    is "$(($(wc -l <rows) - 1))" "$(jq .trials <<<"$output")"
    grep -q '^1,500,[a-z]*,50,' rows
    for text in 'rate (messages/s)' 'latency (ms)' p50 p99 max 'limit of p99' 1,000/s; do
        grep -qF ">$text<" chart.svg || { echo "no $text" && return 1; }
    done
}

@test "programs of a pipeline do not replace each other's lines of counters on a terminal" {
    need script
    start terminal script -qefc 'stty cols 80; spamlog -q -r 1k -d 1s --stats=20ms |
        shnek-parse -q --stats=20ms | shnek-pub --dry-run --stats=20ms >/dev/null' /dev/null
    wait_exit terminal
    sed 's/\r$//' terminal.out >lines
    is "$(grep -c $'[\r\e]' lines)" 0
    is "$(grep -Evc '^(spamlog|shnek-parse|shnek-pub): ' lines)" 0
    is "$(grep -oE '(spamlog|shnek-parse|shnek-pub): ' lines | wc -l)" "$(wc -l <lines)"
    is "$(awk 'length > 79' lines)" ''
    for name in spamlog shnek-parse shnek-pub; do
        (($(grep -c "^$name: in " lines) >= 3))
    done
}

@test "invalid options are reported in one line with a hint" {
    misused '--reconnect: requires a destination tcp:// or tls://' --reconnect udp://h
    misused '--reconnect: requires a destination tcp:// or tls://' --reconnect
    misused '--reconnect: cannot be combined with --slow' --reconnect --slow=1k tcp://h:1
    misused '--reconnect: cannot be combined with --find-max' --find-max --reconnect tcp://h:1
    misused '--proxy-protocol: requires a destination tcp:// or tls://' --proxy-protocol=v1 unix:a
    misused "--proxy-protocol: 'v3' is not one of v1, v2" --proxy-protocol=v3 tcp://h:1
    misused '--tls-insecure: requires a destination tls://HOST*' --tls-insecure tcp://h:1
    misused '--tls-insecure: cannot be combined with --tls-ca or --tls-peer' --tls-insecure --tls-ca=x tls://h
    misused '--interval: requires --csv or --plot' --interval=1s
    misused '--interval: cannot be combined with --find-max; *' --find-max --interval=1s --csv=x tcp://h:1
    misused "--interval: '1ms' is out of range*" --interval=1ms --csv=x
    misused '--csv, --json: only one of them can use stdout' --find-max --csv=- --json unix:a
}
