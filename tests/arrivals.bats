#!/usr/bin/env bats
# The load that spamlog generates: due times, sizes, and the behaviour of connections.

bats_require_minimum_version 1.5.0

load lib/shnek
load lib/certificates

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR"
    export TZ=UTC0
}

teardown() {
    shnek_teardown
}

# due FILE: the due time of each message in it, in microseconds after midnight.
due() {
    awk '{
        split(substr($2, 12), t, /[:Z+]/)
        printf "%.0f\n", (t[1] * 3600 + t[2] * 60 + t[3]) * 1e6
    }' "$1"
}

# after_first FILE: the due times in microseconds after the first message, correct across midnight.
after_first() {
    due "$1" | awk 'NR == 1 { first = $1 } { print ($1 - first + 86400e6) % 86400e6 }'
}

# relay [ADDRESS [OPTION...]]: starts shnek-parse on a free port; sets $url.
relay() {
    start parse shnek-parse --meta --stats=100ms -l "${1:-tcp://:0}" "${@:2}"
    url=$(listen_url parse.err)
}

relay_ends() {
    kill "$parse_pid"
    wait_exit parse
}

@test "on a ramp the number of due messages is the integral of the rate" {
    spamlog -q -r 0..2000/1s -d 1s >raw
    [[ $(wc -l <raw) == 1000 ]]
    # Message k is due after sqrt(k / 1000) seconds; it and the start are truncated to microseconds.
    after_first raw | awk '{ d = $1 - 1e6 * sqrt((NR - 1) / 1000); if (d < -1.01 || d > 1.01) { print NR, $1; exit 1 } }'
    spamlog -q -r 3k..1k/500ms -d 500ms >raw
    [[ $(wc -l <raw) == 1000 ]]
    run -0 --separate-stderr spamlog -r 1k..2k/100ms -n 190
    [[ $stderr == *' rate '*', asked 1,000..2,000/s'* ]]
    spamlog -q -r 1k..2k/100ms -n 190 >raw
    # 150 messages in the ramp, and 40 at 2000/s after it.
    [[ $(after_first raw | sed -n 190p) =~ ^(1195..|119499|119501|119500)$ ]]
}

@test "messages that are due within 0.2 ms are sent together" {
    spamlog -q -r 100k -n 20k | dd bs=64k 2>dd.err >raw
    [[ $(wc -l <raw) == 20000 ]]
    read -r read_at_once _ <dd.err
    ((${read_at_once#*+} <= 1001))
}

@test "the messages of a burst are due together, and the next burst after the period" {
    run -0 --separate-stderr spamlog --burst=50/100ms -n 120
    [[ $stderr == *', asked 500/s'* ]]
    printf '%s\n' "${lines[@]}" >raw
    [[ $(after_first raw | uniq -c | awk '{ print $1 ":" $2 }' | paste -sd ' ') =~ ^'50:0 50:'(100000|99999|100001)' 20:'(200000|199999|200001)$ ]]
    spamlog -q --burst=3/100ms -d 250ms >raw
    [[ $(wc -l <raw) == 9 ]]
}

@test "Poisson arrivals repeat with --seed, and the report contains the seed" {
    for seed in 1 1 2; do
        spamlog -q -r 50k -n 5000 --arrivals=poisson --seed="$seed" >raw
        after_first raw >>"gaps.$seed"
    done
    # The start is truncated to a microsecond, too.
    awk 'NR <= 5000 { first[NR] = $1; next } { d = first[NR - 5000] - $1; if (d < -1 || d > 1) exit 1 }' gaps.1
    run -1 cmp -s <(head -n 100 gaps.1) gaps.2
    run -0 --separate-stderr spamlog -r 50k -n 10 --arrivals=poisson --seed=7
    [[ $stderr == *' seed 7' ]]
    run -0 --separate-stderr spamlog -r 50k -n 10 --arrivals=poisson
    [[ $stderr =~ ' seed '[0-9]+$ ]]
    run -0 --separate-stderr spamlog -r 50k -n 10
    [[ $stderr != *seed* ]]
    spamlog -q --burst=10/1ms --arrivals=poisson -n 1000 >raw
    [[ $(after_first raw | uniq -c | awk '$1 % 10' | wc -l) == 0 ]]
}

@test "sizes are uniformly distributed, repeat with --seed, and are exact in both framings" {
    fixed=(--hostname=h --procid=1 --timestamp=-)
    spamlog -q -r max -n 11k "${fixed[@]}" --sizes=100..110 --seed=5 >one
    spamlog -q -r max -n 11k "${fixed[@]}" --sizes=100..110 --seed=5 >two
    spamlog -q -r max -n 11k "${fixed[@]}" --sizes=100..110 --seed=6 >three
    cmp one two
    run -1 cmp -s one three
    awk '{ n[length]++ } END { for (i in n) if (n[i] < 850 || n[i] > 1150 || i < 100 || i > 110) exit 1; exit length(n) != 11 }' one
    spamlog -q -r max -n 1000 -F octet --sizes=200..3k --checksum | spamlog --verify --checksum --expect=1k >report
    grep -qx 'received: 1,000' report
}

@test "with --reconnect-every a connection is replaced after that many messages" {
    relay
    spamlog -q -r max -n 1000 -c 4 --reconnect-every=10 --checksum "$url"
    relay_ends
    [[ $(jq -r .peer parse.out | sort -u | wc -l) == 100 ]]
    [[ $(jq -r .peer parse.out | sort | uniq -c | awk '{ print $1 }' | sort -u) == 10 ]]
    run -0 spamlog --verify --checksum --expect=1000 parse.out
}

@test "--reconnect-every applies to TLS and Unix sockets" {
    local -r unix=$BATS_TEST_TMPDIR/socket
    relay "unix:$unix"
    spamlog -q -r max -n 100 --reconnect-every=7 --checksum "unix:$unix"
    relay_ends
    run -0 spamlog --verify --checksum --expect=100 parse.out
    tls_certificates
    relay tls://:0 --tls-cert=server.pem --tls-key=server.key
    spamlog -q -r max -n 100 --reconnect-every=7 --checksum --tls-ca=ca.pem "$url"
    relay_ends
    run -0 spamlog --verify --checksum --expect=100 parse.out
    jq -r .peer parse.out | sort | uniq -c | awk '{ n[$1]++ } END { exit !(n[7] == 14 && n[2] == 1 && length(n) == 2) }'
}

@test "--idle-connections opens additional connections that send nothing" {
    relay
    start spam spamlog -q -r 1/h --idle-connections=20 "$url"
    connections() { [[ $(awk -v port="$(printf ':%04X' "$(port_of "$url")")" '$2 ~ port "$" && $4 == "01"' /proc/net/tcp | wc -l) == "$1" ]]; }
    wait_until connections 21
    kill "$spam_pid"
    wait_exit spam
    [[ $status == 0 ]]
    wait_until connections 0
    relay_ends
    [[ $(wc -l <parse.out) == 1 ]]
}

@test "--slow limits each connection, and all connections send in parallel" {
    relay
    began=${EPOCHREALTIME/[.,]/}
    run -0 --separate-stderr spamlog -r max -n 10 -c 10 --size=200 --slow=400/s "$url"
    took=$((${EPOCHREALTIME/[.,]/} - began))
    # A message has 201 bytes with the LF.
    echo "$took us"
    ((took >= 500000 && took < 2000000))
    relay_ends
    [[ $(wc -l <parse.out) == 10 ]]
}

@test "messages that --slow delays are reported as lag" {
    relay
    run -0 --separate-stderr spamlog -r 1k -n 5 --size=200 --slow=2k/s "$url"
    [[ $stderr =~ lag\ ([0-9]+)\. ]]
    ((BASH_REMATCH[1] >= 380))
    relay_ends
    [[ $(wc -l <parse.out) == 5 ]]
}

@test "invalid load options are reported in one line with a hint" {
    misused "--rate: '1..2' is not a ramp; expected FROM..TO/DURATION, as in 1k..100k/60s" -r 1..2
    misused "--rate: 'x' is not a count*" -r x..2/s
    misused "--rate: '0/s' is not a rate*" -r 1..0/s
    misused "--rate: '1..2000M/s' is too large; a ramp is limited to 1000M messages/s and 24h" -r 1..2000M/s
    misused "--burst: '0/1s' is not a rate*" --burst=0/1s
    misused '--rate, --burst: cannot be combined' -r 5 --burst=5/s
    misused '--size, --sizes: cannot be combined' --size=100 --sizes=100..200
    misused "--sizes: '100' is not a range; expected FROM..TO, as in 100..4k" --sizes=100
    misused "--sizes: '99' is out of range (100 to 1G)" --sizes=100..99
    misused "--arrivals: 'x' is not one of even, poisson" --arrivals=x
    misused '--arrivals: poisson cannot be combined with --rate=max' --arrivals=poisson -r max
    misused '--slow: requires a connection, not stdout' --slow=5
    misused '--reconnect-every: requires a connection, not a datagram socket' --reconnect-every=5 udp://127.0.0.1:9
    misused '--idle-connections: requires a connection, not stdout' --idle-connections=5
    misused '--verify: of the options*' --verify --seed=5
    misused '--seed: requires --arrivals=poisson, --sizes, --profile=mixed or --bad' --seed=5
    misused '--seed: requires *' --seed=5 --bad=0
    misused '--seed: requires *' --seed=5 --find-max unix:x
    run --separate-stderr spamlog -n 1 --sizes=10..200
    [[ $status == 2 && $stderr == 'spamlog: --sizes: 10 is too small; the fields before MSG need up to '*' bytes' ]]
}
