# shellcheck shell=bash
# What is measured, and what is wanted of it.
# shellcheck disable=SC2034 # measure.bash and receive.bash read what is set here

# made FILE COUNT OPTION...: messages of spamlog.
made() {
    spamlog -q -r max -n "$2" "${@:3}" >"$1" || fail "spamlog: status $?"
}

# average FILE COUNT: how long its lines are.
average() {
    awk "BEGIN { printf \"%.1f\", $(stat -c %s "$1") / $2 }"
}

line=(--timestamp=2024-12-15T21:08:09.484+09:00 --hostname=mantoshkin-pc --procid=18895
    -m 'hello from rust!')
mixed=(--profile=mixed --seed=7)

files() {
    made plain 1000000 "${line[@]}"
    made mixed 200000 "${mixed[@]}"
    made stamped 1000000 -m 'hello from C!'
    shnek-parse plain >records || fail "shnek-parse: status $?"
    shnek-parse stamped >back || fail "shnek-parse: status $?"
    head -n 100000 records >few_records
    plain=$(average plain 1000000)
    mixed_bytes=$(average mixed 200000)
    record=$(average records 1000000)
    local n
    for n in "$few" "$many"; do
        head -n "$n" plain >"plain.$n"
        head -n "$n" mixed >"mixed.$n"
        head -n "$n" records >"records.$n"
        head -n "$n" back >"back.$n"
    done
}

alone() {
    row 'cat: file to /dev/null' 3000000 "$plain" 'run cat plain plain plain >/dev/null'
    row 'wc -l: the same file' 3000000 "$plain" 'run wc -l plain plain plain >/dev/null'
    row 'shnek-parse: the same file' 3000000 "$plain" 'run shnek-parse plain plain plain >/dev/null'
    row 'shnek-parse: mixed traffic' 600000 "$mixed_bytes" 'run shnek-parse mixed mixed mixed >/dev/null'
    row 'spamlog: to /dev/null' 5000000 "$plain" 'run spamlog -q -r max -n 5M "${line[@]}" >/dev/null'
    row 'spamlog: mixed traffic' 1000000 "$mixed_bytes" 'run spamlog -q -r max -n 1M "${mixed[@]}" >/dev/null'
    row 'spamlog --verify: records' 1000000 "$(average back 1000000)" \
        'run spamlog --verify --expect=1M back >/dev/null'
    row 'shnek-pub -n: records' 1000000 "$record" 'run shnek-pub -n records <records >/dev/null'
    instructions 'shnek-parse: the same file' /dev/null shnek-parse plain.FEW_OR_MANY
    instructions 'shnek-parse: mixed traffic' /dev/null shnek-parse mixed.FEW_OR_MANY
    instructions 'spamlog: to /dev/null' /dev/null spamlog -q -r max -n FEW_OR_MANY "${line[@]}"
    instructions 'spamlog: mixed traffic' /dev/null spamlog -q -r max -n FEW_OR_MANY "${mixed[@]}"
    instructions 'spamlog --verify: records' /dev/null spamlog --verify back.FEW_OR_MANY
    instructions 'shnek-pub -n: records' records.FEW_OR_MANY shnek-pub -n
    measure 'Each program alone and the floors' "$runs"
}

into_nats() {
    row 'bare nats.c loop: records' 1000000 "$record" 'bare_loop bench records'
    row 'shnek-pub: records' 1000000 "$record" 'run shnek-pub bench <records'
    row 'relay: 8 connections' 3000000 "$plain" relayed
    row 'relay: read back at the far end' 500000 "$plain" 'read_back max'
    row 'bare nats.c loop: JetStream' 100000 "$record" 'bare_loop -j bench.js few_records'
    row 'shnek-pub -J: JetStream' 100000 "$record" 'run shnek-pub -J bench.js <few_records'
    measure 'Into nats-server' "$runs"
}

latency() {
    local top percent rate
    top=$(median_of rate 'relay: read back at the far end')
    for percent in 10 50 90; do
        rate=$((top * percent / 100))
        row "relay at $percent % of its top rate" $((rate * 3 / 2)) "$plain" "read_back $rate"
    done
    rate=$((top / 2))
    row 'shnek-parse alone at 50 % of that' $((rate * 3 / 2)) "$plain" "read_directly $rate"
    measure 'Latency of the relay' "$runs"
}

to_file() {
    local over n
    port=$(quiet_port)
    for over in '1 connection' '8 connections'; do
        n=${over%% *}
        row "shnek-parse to a file: $over" 500000 "$plain" \
            "filed stdout $n shnek-parse -l tcp://127.0.0.1:$port"
        row "rsyslog to a file: $over" 200000 "$plain" "filed out $n rsyslog lines"
        row "syslog-ng to a file: $over" 200000 "$plain" "filed out $n syslog_ng lines"
    done
    row 'rsyslog to a file: JSON' 150000 "$plain" 'filed out 8 rsyslog json'
    row 'syslog-ng to a file: JSON' 150000 "$plain" 'filed out 8 syslog_ng json'
    measure 'TCP in and a file out' "$runs"
}

sizes() {
    local name size n
    for name in 60 350 1k 8k 60k; do
        size=${name/k/*1024}
        n=$((64 * 1024 * 1024 / (size)))
        made "size.$name" "$n" --timestamp=- --hostname=- --appname=- --procid=- --size="$name"
        row "shnek-parse: $name bytes" $((4 * n)) "$(average "size.$name" "$n")" \
            "run shnek-parse size.$name size.$name size.$name size.$name >/dev/null"
    done
    measure 'Size of a message' "$runs"
    rm size.*
}

elements() {
    local n k sd
    for n in 0 1 2 4 8; do
        sd=
        for ((k = 1; k <= n; k++)); do
            sd+="[element$k@32473 ip=\"192.0.2.1\" user=\"root\"]"
        done
        made "sd.$n" 200000 "${line[@]}" --sd="${sd:--}"
        row "shnek-parse: $n SD-ELEMENTs" 600000 "$(average "sd.$n" 200000)" \
            "run shnek-parse sd.$n sd.$n sd.$n >/dev/null"
    done
    measure 'STRUCTURED-DATA' "$runs"
    rm sd.*
}

among() {
    crowd=("$1" "$2")
    parsed tcp://127.0.0.1:0 spam
    crowd=()
}

over_tls() {
    server_options=(--tls-cert=server.pem --tls-key=server.key)
    parsed tls://127.0.0.1:0 spam --tls-ca=ca.pem
    server_options=()
}

connections() {
    local over
    tls_certificates
    for over in '1 connection' '10 connections' '100 connections' '1000 connections'; do
        row "shnek-parse: TCP over $over" 12000000 "$plain" "parsed tcp://127.0.0.1:0 spam -c ${over%% *}"
    done
    row 'shnek-parse: among 1000 idle ones' 1500000 "$plain" 'among idle 1000'
    row 'shnek-parse: among 1000 that come and leave' 1500000 "$plain" 'among leave 1000'
    row 'shnek-parse: TLS' 1500000 "$plain" over_tls
    row 'shnek-parse: Unix socket' 1500000 "$plain" 'parsed unix:socket spam'
    row 'shnek-parse: Unix datagrams' 200000 "$plain" 'parsed unixgram:socket spam'
    measure 'Connections and transports' "$runs"
}

senders() {
    row 'spamlog: over TCP' 1500000 "$plain" 'sender spam'
    seq -f 'hello from logger! %.0f' 50000 >words
    row 'logger: over TCP' 50000 100 'sender logger_all'
    row 'loggen: over TCP' 1000000 200 'sender loggen_all'
    measure 'Who sends to shnek-parse' 5
}

logger_all() {
    sent logger -T -n 127.0.0.1 -P "${url##*:}" --rfc5424 --octet-count -f words
}

# Asked and kept: by how much the worst of some rates is off, in percent.
rates_kept() {
    local rate sending=()
    for rate in 1 100 10000 500000; do
        spamlog -r "$rate" -d 10s 2>"kept.$rate" >/dev/null &
        sending+=($!)
    done
    wait "${sending[@]}" || fail "spamlog: status $?"
    figure off 'spamlog: rates kept' "$(awk '
        { off = ($3 / $7 / $11 - 1) * 100; if (off < 0) off = -off; if (off > worst) worst = off }
        END { print worst + 0 }' kept.*)"
}

loggen_all() {
    sent with_peers loggen -Q -P -iS -s 200 -n "${messages[$row]}" -r 100000000 -I 60 127.0.0.1 \
        "${url##*:}" 2>/dev/null
}

bare_loop() {
    bare "$@" >took &
    wait $! || fail "$row: status $?"
    read -r seconds cpu <took
}

# What is wanted, and whether it is so.
claims() {
    claim 'shnek-parse: a 91-byte line' '<=500' instructions value instructions 'shnek-parse: the same file'
    claim 'shnek-parse: mixed traffic' '<=1300' instructions value instructions 'shnek-parse: mixed traffic'
    claim 'spamlog: a message to stdout' '<=150' instructions value instructions 'spamlog: to /dev/null'
    claim 'spamlog: off 1 to 500000/s over 10 s' '<=0.1' % value off 'spamlog: rates kept'
    claim 'shnek-parse: CPU over that of cat and wc -l' '<=2' ratio ratio cpu \
        'shnek-parse: the same file' 'cat: file to /dev/null' 'wc -l: the same file'
    claim 'shnek-pub: CPU beyond the bare nats.c loop' '<=180' ns minus cpu \
        'shnek-pub: records' 'bare nats.c loop: records'
    claim 'relay: rate over that of the bare nats.c loop' '>=0.40' ratio ratio rate \
        'relay: 8 connections' 'bare nats.c loop: records'
    claim 'shnek-parse to a file: rate over rsyslog' '>=3' ratio ratio rate \
        'shnek-parse to a file: 1 connection' 'rsyslog to a file: 1 connection'
    claim 'shnek-parse to a file: rate over syslog-ng' '>=7' ratio ratio rate \
        'shnek-parse to a file: 1 connection' 'syslog-ng to a file: 1 connection'
    claim 'the same: over rsyslog with 8 connections' '>=3' ratio ratio rate \
        'shnek-parse to a file: 8 connections' 'rsyslog to a file: 8 connections'
    claim 'the same: over syslog-ng with 8 connections' '>=7' ratio ratio rate \
        'shnek-parse to a file: 8 connections' 'syslog-ng to a file: 8 connections'
    claim 'relay: p99 at half its top rate' '<=2' ms value p99 'relay at 50 % of its top rate'
    claim 'TCP: rate over 1000 connections against 1' '>=0.7' ratio ratio rate \
        'shnek-parse: TCP over 1000 connections' 'shnek-parse: TCP over 1 connection'
    claim 'sizes: MB/s at 60k against 350 bytes' '>=1' ratio ratio MB/s \
        'shnek-parse: 60k bytes' 'shnek-parse: 350 bytes'
}
