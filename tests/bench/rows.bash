# shellcheck shell=bash
# The rows of the benchmark and the limits of their figures.
# shellcheck disable=SC2034 # measure.bash and receive.bash read what is set here

# make_messages FILE COUNT OPTION...: writes messages of spamlog.
make_messages() {
    spamlog -q -r max -n "$2" "${@:3}" >"$1" || fail "spamlog: status $?"
}

# average_length FILE COUNT: prints the average_length length of COUNT lines.
average_length() {
    awk "BEGIN { printf \"%.1f\", $(stat -c %s "$1") / $2 }"
}

line=(--timestamp=2024-12-15T21:08:09.484+09:00 --hostname=mantoshkin-pc --procid=18895
    -m 'hello from rust!')
mixed=(--profile=mixed --seed=7)

make_files() {
    make_messages plain 1000000 "${line[@]}"
    make_messages mixed 200000 "${mixed[@]}"
    make_messages stamped 1000000 -m 'hello from C!'
    shnek-parse plain >records || fail "shnek-parse: status $?"
    shnek-parse stamped >back || fail "shnek-parse: status $?"
    head -n 100000 records >few_records
    plain=$(average_length plain 1000000)
    mixed_bytes=$(average_length mixed 200000)
    record=$(average_length records 1000000)
    local n
    for n in "$few" "$many"; do
        head -n "$n" plain >"plain.$n"
        head -n "$n" mixed >"mixed.$n"
        head -n "$n" records >"records.$n"
        head -n "$n" back >"back.$n"
    done
}

measure_programs() {
    row 'cat: file to /dev/null' 3000000 "$plain" 'run cat plain plain plain >/dev/null'
    row 'wc -l: the same file' 3000000 "$plain" 'run wc -l plain plain plain >/dev/null'
    row 'shnek-parse: the same file' 3000000 "$plain" 'run shnek-parse plain plain plain >/dev/null'
    row 'shnek-parse: mixed traffic' 600000 "$mixed_bytes" 'run shnek-parse mixed mixed mixed >/dev/null'
    row 'shnek-parse: --schema=ecs' 3000000 "$plain" 'run shnek-parse --schema=ecs plain plain plain >/dev/null'
    row 'shnek-parse: --schema=otlp' 3000000 "$plain" 'run shnek-parse --schema=otlp plain plain plain >/dev/null'
    row 'shnek-parse: --select' 3000000 "$plain" "run shnek-parse --select='*.*' plain plain plain >/dev/null"
    row 'spamlog: to /dev/null' 5000000 "$plain" 'run spamlog -q -r max -n 5M "${line[@]}" >/dev/null'
    row 'spamlog: mixed traffic' 1000000 "$mixed_bytes" 'run spamlog -q -r max -n 1M "${mixed[@]}" >/dev/null'
    row 'spamlog --verify: records' 1000000 "$(average_length back 1000000)" \
        'run spamlog --verify --expect=1M back >/dev/null'
    row 'shnek-pub -n: records' 1000000 "$record" 'run shnek-pub -n records <records >/dev/null'
    row 'shnek-pub -n: three fields in SUBJECT' 1000000 "$record" \
        'run shnek-pub -n "logs.{facility}.{severity}.{hostname}" <records >/dev/null'
    instructions 'shnek-parse: the same file' /dev/null shnek-parse plain.FEW_OR_MANY
    instructions 'shnek-parse: mixed traffic' /dev/null shnek-parse mixed.FEW_OR_MANY
    instructions 'shnek-parse: --schema=ecs' /dev/null shnek-parse --schema=ecs plain.FEW_OR_MANY
    instructions 'shnek-parse: --schema=otlp' /dev/null shnek-parse --schema=otlp plain.FEW_OR_MANY
    instructions 'shnek-parse: --select' /dev/null shnek-parse --select='*.*' plain.FEW_OR_MANY
    instructions 'spamlog: to /dev/null' /dev/null spamlog -q -r max -n FEW_OR_MANY "${line[@]}"
    instructions 'spamlog: mixed traffic' /dev/null spamlog -q -r max -n FEW_OR_MANY "${mixed[@]}"
    instructions 'spamlog --verify: records' /dev/null spamlog --verify back.FEW_OR_MANY
    instructions 'shnek-pub -n: records' records.FEW_OR_MANY shnek-pub -n
    measure 'Single programs and baselines' "$runs"
}

measure_nats() {
    row 'bare nats.c loop: records' 1000000 "$record" 'bare_loop bench records'
    row 'shnek-pub: records' 1000000 "$record" 'run shnek-pub bench <records'
    row 'shnek-pub --batch=32k: records' 1000000 "$record" 'run shnek-pub --batch=32k bench <records'
    row 'relay: 8 connections' 3000000 "$plain" relay_to_nats
    row 'relay --batch=32k: 8 connections' 3000000 "$plain" 'relay_to_nats --batch=32k'
    row 'relay: with --metrics' 3000000 "$plain" relay_with_metrics
    row 'relay: read back from NATS' 500000 "$plain" 'read_back max'
    row 'bare nats.c loop: JetStream' 100000 "$record" 'bare_loop -j bench.js few_records'
    row 'shnek-pub -J: JetStream' 100000 "$record" 'run shnek-pub -J bench.js <few_records'
    row 'shnek-pub -J --batch=32k: JetStream' 1000000 "$record" 'run shnek-pub -J --batch=32k bench.js <records'
    measure 'Into nats-server' "$runs"
}

measure_latency() {
    local maximum percent rate
    maximum=$(median_of rate 'relay: read back from NATS')
    for percent in 10 50 90; do
        rate=$((maximum * percent / 100))
        row "relay at $percent % of its maximum rate" $((rate * 3 / 2)) "$plain" "read_back $rate"
    done
    rate=$((maximum / 2))
    row 'shnek-parse alone at 50 % of that rate' $((rate * 3 / 2)) "$plain" "read_back_directly $rate"
    measure 'Latency of the relay' "$runs"
}

measure_files() {
    local over n
    port=$(quiet_port)
    for over in '1 connection' '8 connections'; do
        n=${over%% *}
        row "shnek-parse to a file: $over" 500000 "$plain" \
            "receive_to_file stdout $n shnek-parse -l tcp://127.0.0.1:$port"
        row "rsyslog to a file: $over" 200000 "$plain" "receive_to_file out $n rsyslog lines"
        row "syslog-ng to a file: $over" 200000 "$plain" "receive_to_file out $n syslog_ng lines"
    done
    row 'rsyslog to a file: JSON' 150000 "$plain" 'receive_to_file out 8 rsyslog json'
    row 'syslog-ng to a file: JSON' 150000 "$plain" 'receive_to_file out 8 syslog_ng json'
    measure 'TCP in and a file out' "$runs"
}

measure_sizes() {
    local name size n
    for name in 60 350 1k 8k 60k; do
        size=${name/k/*1024}
        n=$((64 * 1024 * 1024 / (size)))
        make_messages "size.$name" "$n" --timestamp=- --hostname=- --appname=- --procid=- --size="$name"
        row "shnek-parse: $name bytes" $((4 * n)) "$(average_length "size.$name" "$n")" \
            "run shnek-parse size.$name size.$name size.$name size.$name >/dev/null"
    done
    measure 'Message size' "$runs"
    rm size.*
}

measure_structured_data() {
    local n k sd
    for n in 0 1 2 4 8; do
        sd=
        for ((k = 1; k <= n; k++)); do
            sd+="[element$k@32473 ip=\"192.0.2.1\" user=\"root\"]"
        done
        make_messages "sd.$n" 200000 "${line[@]}" --sd="${sd:--}"
        row "shnek-parse: $n SD-ELEMENTs" 600000 "$(average_length "sd.$n" 200000)" \
            "run shnek-parse sd.$n sd.$n sd.$n >/dev/null"
    done
    measure 'STRUCTURED-DATA' "$runs"
    rm sd.*
}

receive_with() {
    background=("$1" "$2")
    receive tcp://127.0.0.1:0 send_spamlog
    background=()
}

receive_over_tls() {
    server_options=(--tls-cert=server.pem --tls-key=server.key)
    receive tls://127.0.0.1:0 send_spamlog --tls-ca=ca.pem
    server_options=()
}

measure_connections() {
    local over
    tls_certificates
    for over in '1 connection' '10 connections' '100 connections' '1000 connections'; do
        row "shnek-parse: TCP over $over" 12000000 "$plain" "receive tcp://127.0.0.1:0 send_spamlog -c ${over%% *}"
    done
    row 'shnek-parse: with 1000 idle connections' 1500000 "$plain" 'receive_with idle 1000'
    row 'shnek-parse: with 1000 reconnecting clients' 1500000 "$plain" 'receive_with leave 1000'
    row 'shnek-parse: TLS' 1500000 "$plain" receive_over_tls
    row 'shnek-parse: Unix socket' 1500000 "$plain" 'receive unix:socket send_spamlog'
    row 'shnek-parse: Unix datagrams' 200000 "$plain" 'receive unixgram:socket send_spamlog'
    measure 'Connections and transports' "$runs"
}

measure_senders() {
    row 'spamlog: over TCP' 1500000 "$plain" 'measure_sender send_spamlog'
    seq -f 'hello from logger! %.0f' 50000 >words
    row 'logger: over TCP' 50000 100 'measure_sender send_logger'
    row 'loggen: over TCP' 1000000 200 'measure_sender send_loggen'
    measure 'Senders into shnek-parse' 5
}

send_logger() {
    send_all logger -T -n 127.0.0.1 -P "${url##*:}" --rfc5424 --octet-count -f words
}

# The largest difference between a requested and the actual rate, in percent.
measure_rate_error() {
    local rate senders=()
    for rate in 1 100 10000 500000; do
        spamlog -q --json="rate.$rate" -r "$rate" -d 10s >/dev/null &
        senders+=($!)
    done
    wait "${senders[@]}" || fail "spamlog: status $?"
    figure error 'spamlog: rate error' "$(
        sed 's/.*"sent":\([0-9]*\).*"seconds":\([0-9.]*\).*"asked":"\([0-9]*\).*/\1 \2 \3/' rate.* | awk '
            { error = ($1 / $2 / $3 - 1) * 100; if (error < 0) error = -error; if (error > max) max = error }
            END { print max + 0 }'
    )"
}

send_loggen() {
    send_all with_peers loggen -Q -P -iS -s 200 -n "${messages[$row]}" -r 100000000 -I 60 127.0.0.1 \
        "${url##*:}" 2>/dev/null
}

bare_loop() {
    bare "$@" >bare.out &
    wait $! || fail "$row: status $?"
    read -r seconds cpu <bare.out
}

# The limits. README.md lists these figures.
write_claims() {
    claim 'shnek-parse: a 91-byte line' '<=500' instructions value instructions 'shnek-parse: the same file'
    claim 'shnek-parse: mixed traffic' '<=1300' instructions value instructions 'shnek-parse: mixed traffic'
    claim 'shnek-parse: instructions in ECS' '<=1.5' ratio ratio instructions 'shnek-parse: --schema=ecs' \
        'shnek-parse: the same file'
    claim 'shnek-parse: instructions in OTLP' '<=1.5' ratio ratio instructions 'shnek-parse: --schema=otlp' \
        'shnek-parse: the same file'
    claim 'shnek-parse: CPU for --select' '<=20' ns minus cpu 'shnek-parse: --select' \
        'shnek-parse: the same file'
    claim 'spamlog: a message to stdout' '<=150' instructions value instructions 'spamlog: to /dev/null'
    claim 'spamlog: rate error at 1 to 500k/s' '<=0.1' % value error 'spamlog: rate error'
    claim 'shnek-parse: CPU relative to cat plus wc -l' '<=2' ratio ratio cpu \
        'shnek-parse: the same file' 'cat: file to /dev/null' 'wc -l: the same file'
    claim 'shnek-pub: CPU above the bare nats.c loop' '<=180' ns minus cpu \
        'shnek-pub: records' 'bare nats.c loop: records'
    claim 'shnek-pub: three fields in SUBJECT' '<=150' ns minus cpu \
        'shnek-pub -n: three fields in SUBJECT' 'shnek-pub -n: records'
    claim 'relay: rate relative to the bare nats.c loop' '>=0.40' ratio ratio rate \
        'relay: 8 connections' 'bare nats.c loop: records'
    claim 'relay --batch=32k: rate relative to that loop' '>=0.8' ratio ratio rate \
        'relay --batch=32k: 8 connections' 'bare nats.c loop: records'
    claim 'JetStream --batch=32k: rate relative to js_PublishMsgAsync' '>=6' ratio ratio rate \
        'shnek-pub -J --batch=32k: JetStream' 'bare nats.c loop: JetStream'
    claim 'relay: rate with --metrics' '>=0.95' ratio ratio rate 'relay: with --metrics' \
        'relay: 8 connections'
    claim 'shnek-parse to a file: relative to rsyslog' '>=3' ratio ratio rate \
        'shnek-parse to a file: 1 connection' 'rsyslog to a file: 1 connection'
    claim 'shnek-parse to a file: relative to syslog-ng' '>=7' ratio ratio rate \
        'shnek-parse to a file: 1 connection' 'syslog-ng to a file: 1 connection'
    claim '8 connections to a file: relative to rsyslog' '>=3' ratio ratio rate \
        'shnek-parse to a file: 8 connections' 'rsyslog to a file: 8 connections'
    claim '8 connections to a file: relative to syslog-ng' '>=7' ratio ratio rate \
        'shnek-parse to a file: 8 connections' 'syslog-ng to a file: 8 connections'
    claim 'relay: p99 latency at half its maximum rate' '<=2' ms value p99 'relay at 50 % of its maximum rate'
    claim 'shnek-parse: 1000 connections relative to 1' '>=0.7' ratio ratio rate \
        'shnek-parse: TCP over 1000 connections' 'shnek-parse: TCP over 1 connection'
    claim 'shnek-parse: MB/s at 60k relative to 350 bytes' '>=1' ratio ratio MB/s \
        'shnek-parse: 60k bytes' 'shnek-parse: 350 bytes'
}
