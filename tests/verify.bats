#!/usr/bin/env bats
# spamlog --verify: the report on loss, duplicates, reordering, corruption and latency.

bats_require_minimum_version 1.5.0

load lib/shnek

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR"
}

teardown() {
    shnek_teardown
}

# bare: numbers without separators, and milliseconds as seconds, as in JSON.
bare() {
    awk '/^[0-9,.]+( ms)?$/ { gsub(",", "") } / ms$/ { $0 = sprintf("%.6f", $1 / 1000) } { print }'
}

# reported NAME [FILE]: prints the value of NAME in the report, which is $output or FILE, as in JSON.
reported() {
    if [[ $# == 2 ]]; then
        sed -n "s/^$1: //p" "$2"
    else
        sed -n "s/^$1: //p" <<<"$output"
    fi | bare
}

# report_is STATUS NAME VALUE...: compares the exit status and the report of the last run.
report_is() {
    [[ $status == "$1" ]] || { echo "status $status" "$output" && return 1; }
    shift
    while [[ $# != 0 ]]; do
        [[ $(reported "$1") == "$2" ]] || { echo "$1 is not $2:" "$output" && return 1; }
        shift 2
    done
}

report_is_clean() {
    report_is 0 received "$1" runs 1 missing 0 missing-ranges - duplicated 0 reordered 0 damaged 0 foreign 0
}

# in_range VALUE LOW HIGH: compares decimal fractions.
in_range() {
    awk -v value="$1" -v low="$2" -v high="$3" 'BEGIN { exit !(value >= low && value <= high) }' ||
        { echo "$1 is not from $2 to $3" && return 1; }
}

# relay COUNT CONNECTIONS OPTION...: sends messages to shnek-parse over TCP; relayed.json is its output,
# relayed.raw its input.
relay() {
    local url
    start parse shnek-parse --raw -l tcp://:0
    url=$(listen_url parse.err)
    spamlog -q -r max -n "$1" -c "$2" "${@:3}" "$url"
    kill "$parse_pid"
    wait_exit parse
    jq -c 'del(.raw)' parse.out >relayed.json
    jq -r .raw parse.out >relayed.raw
}

@test "messages are intact as sent and as JSON of shnek-parse" {
    local options
    for options in '' --checksum; do
        # shellcheck disable=SC2086
        spamlog -q -r max -n 10k $options >raw
        run -0 spamlog --verify $options --expect=10k raw
        report_is_clean 10000
        shnek-parse raw >json
        run -0 spamlog --verify $options json
        report_is_clean 10000
        [[ $(reported connections) == 1 && $(reported latency-count) == 0 ]]
        run -0 bash -c "spamlog -q -r max -n 10k $options | shnek-parse | spamlog --verify $options -"
        report_is_clean 10000
        [[ $(reported latency-count) == 10000 ]]
    done
}

@test "the report has one value a line, in a fixed order" {
    run -0 bash -c 'spamlog -q -r max -n 1 | spamlog --verify'
    [[ "${lines[*]%%: *} " == "received runs connections missing missing-ranges \
duplicated reordered damaged foreign latency-count latency-negative latency-mean latency-p50 latency-p90 \
latency-p99 latency-p99.9 latency-p99.99 latency-max " ]]
}

@test "lost, duplicate, delayed and damaged messages are counted exactly in twenty random cases" {
    local seed of kind options form
    for of in 1 3 8; do
        for kind in plain marked; do
            options=()
            [[ $kind == plain ]] || options=(--checksum)
            relay 2000 "$of" "${options[@]}"
            mv relayed.json "$kind-$of.json"
            mv relayed.raw "$kind-$of.raw"
        done
    done
    for ((seed = 1; seed <= 20; seed++)); do
        of=$((seed % 3 == 0 ? 1 : seed % 3 == 1 ? 3 : 8))
        form=$((seed % 2)) && form=${form/0/raw} && form=${form/1/json}
        kind=marked options=(--checksum)
        ((seed % 4 < 2)) || kind=plain options=(--connections="$of")
        awk -v seed="$seed" -v connections="$of" -v corrupt="$((${#kind} == 6))" -v report_file=expected \
            -f "$BATS_TEST_DIRNAME/lib/mangle.awk" "$kind-$of.$form" >mangled
        run -1 spamlog --verify -q --expect=2000 "${options[@]}" mangled
        diff -u --label "expected, case $seed: $kind-$of.$form" expected --label got <(head -n 9 <<<"$output" | tr -d ,)
    done
}

@test "a change of any byte is detected" {
    spamlog -q -n 1 --checksum -m 'hé "x"' >raw
    shnek-parse raw >json
    for form in raw json; do
        LC_ALL=C awk '{
            for (i = 1; i <= length($0); i++)
                print substr($0, 1, i - 1) (substr($0, i, 1) == "7" ? "8" : "7") substr($0, i + 1)
        }' "$form" >changed
        # The first line determines the framing; a changed one could look like octet counting.
        cat "$form" changed >all
        run -1 spamlog --verify -q --checksum all
        report_is 1 received 1 damaged "$(wc -l <changed)" missing 0 duplicated 0
    done
}

@test "damaged messages are logged with their number, unless --quiet is given" {
    spamlog -q -r max -n 3 --checksum -m hello >raw
    sed '2s/hello/hallo/' raw >changed
    echo '<34>1 - x' >>changed
    run -1 --separate-stderr spamlog --verify changed
    [[ ${stderr_lines[0]} == 'spamlog: changed:2: spamlog@32473: checksum does not match (at byte 0)' ]]
    [[ ${stderr_lines[1]} == 'spamlog: changed:4: APP-NAME: message ends here (at byte 9)' ]]
    report_is 1 received 2 missing 1 missing-ranges 1 damaged 2
    run -1 --separate-stderr spamlog --verify -q changed
    [[ -z $stderr ]]
}

@test "the checksum survives relaying for any text, field, size and framing" {
    local options
    while read -r options; do
        eval "options=($options)"
        run -0 bash -c 'spamlog -q -r max -n 1200 --checksum "$@" | shnek-parse |
            spamlog --verify --checksum --expect=1200' bash "${options[@]}"
        report_is_clean 1200
        run -0 bash -c 'spamlog -q -r max -n 1200 --checksum "$@" | spamlog --verify --checksum --expect=1200' \
            bash "${options[@]}"
        report_is_clean 1200
    done <<'END'
-m ''
-m 'quotes " and \ and é'
-m $'\xff\xfe\x01\t\xe2\x82'
-m $'\xef\xbb\xbfbom'
-m $'line\nends' -F octet
-m $'an end\n' -F octet
-m $'an end\r'
--size=300
--size=180 -m éééééééééééééééééééééééééééééé --hostname=h --procid=1
--sd='[a b="\"c\\\\\]é"][d]'
--hostname=- --appname=- --procid=- --msgid=- --timestamp=-
--hostname='"' --appname='\' --procid='\"' --msgid='"'
--procid=007
--procid=99999999999999999999
-p local7.debug
--timestamp=2024-12-15T20:57:00Z
END
}

@test "RFC 3164 messages are numbered by the first word of MSG" {
    spamlog -q -r max -n 500 -f rfc3164 >raw
    run -0 spamlog --verify --expect=500 raw
    report_is_clean 500
    shnek-parse --format=rfc3164 raw >json
    run -0 spamlog --verify --expect=500 json
    report_is_clean 500
    spamlog -q -r max -n 500 -f rfc3164 -F octet --hostname=- --timestamp='Nov  2 15:04:05' -m '' >raw
    run -0 spamlog --verify raw
    report_is_clean 500
    spamlog -q -r max -n 500 -f rfc3164 | sed '4d; 9s/spamlog\[.*/other: x/; 20,21d' >raw
    run -1 spamlog --verify --expect=500 raw
    report_is 1 received 496 missing 4 missing-ranges '3 8 19-20' foreign 1
    run -1 spamlog --verify -q --checksum raw
    report_is 1 received 0 damaged 497
}

@test "JSON is accepted with any order of keys, additional keys and other whitespace" {
    spamlog -q -r max -n 100 --checksum -m 'é"/' --sd='[a b="c" b="d"]' | shnek-parse --meta --raw >json
    for filter in 'to_entries | reverse | from_entries' '.sd |= (to_entries | reverse | from_entries)' \
        '.sd["spamlog@32473"] |= (to_entries | reverse | from_entries)' '{more: {msg: 1}} + .'; do
        jq -c "$filter" json >other
        run -0 spamlog --verify --checksum other
        report_is_clean 100
    done
    jq -ca . json | sed 's/": */" : /g; s/,"/ , "/g' >other
    run -0 spamlog --verify --checksum other
    report_is_clean 100
}

@test "lines of other programs are counted as foreign and are not an error" {
    {
        echo '<34>1 - host app - - - hi'
        spamlog -q -r max -n 3
        echo '<34>1 - host app - ID47 - hi'
        echo '{}'
        echo '{"severity":"crit","msg":"hi"}'
        echo '<34>1 - host app - 007 - hi'
    } >mixed
    run -0 spamlog --verify mixed
    report_is 0 received 3 runs 1 foreign 5 damaged 0
    run -1 spamlog --verify --checksum mixed
    report_is 1 received 0 damaged 8
}

@test "messages without MSGID are foreign, whatever their length" {
    spamlog -q -r max -n 3 --hostname=- --procid=- --msgid=- -m "$(printf 'x%.0s' {1..200})" >raw
    run -1 spamlog --verify raw
    report_is 1 received 0 foreign 3 damaged 0
    spamlog -q -r max -n 3 --hostname=- --procid=- -m "$(printf 'x%.0s' {1..200})" >raw
    run -0 spamlog --verify raw
    report_is_clean 3
}

@test "several runs are distinguished, also in missing-ranges" {
    spamlog -q -r max -n 5 --procid=1 --hostname=a >a
    spamlog -q -r max -n 5 --procid=1 --hostname=b >b
    spamlog -q -r max -n 5 --procid=1 --hostname=b --run=other >c
    sed -i 2d a
    sed -i 3,4d b
    run -1 spamlog --verify a b c
    report_is 1 received 12 runs 3 connections 3 missing 3 foreign 0
    [[ $(reported missing-ranges | tr ' ' '\n' | sort) == $'a/1:1\nb/1:2-3' ]]
    sed -i 3,4d c
    run -1 spamlog --verify --expect=16 a b c
    report_is 1 missing 6
    [[ $(reported missing-ranges | tr ' ' '\n' | sort) == $'?\na/1:1\nb/1:2-3\nother:2-3' ]]
}

@test "the order is checked for each connection separately" {
    relay 3000 3
    run -0 spamlog --verify -c 3 relayed.json
    report_is 0 received 3000 connections 3 missing 0 reordered 0
    relay 3000 3 --checksum
    run -0 spamlog --verify relayed.raw
    report_is 0 received 3000 connections 3 missing 0 reordered 0
    grep -v 'conn="1"' relayed.raw >two
    run -1 spamlog --verify two
    report_is 1 received 2000 connections 2 missing 1000 reordered 0
    [[ $(reported missing-ranges) == '1 4 7 10 13 16 19 22 25 28 31 34 37 40 43 46 49 52 55 58 ...' ]]
}

@test "--expect reveals messages missing at the end, or all if nothing arrived" {
    spamlog -q -r max -n 90 >raw
    run -0 spamlog --verify raw
    report_is_clean 90
    run -1 spamlog --verify --expect=100 raw
    report_is 1 received 90 missing 10 missing-ranges 90-99
    run -1 spamlog --verify --expect=100 /dev/null
    report_is 1 received 0 runs 0 connections 0 missing 100 missing-ranges 0-99
}

@test "status 1 if no message of spamlog was received, whatever else was" {
    local input
    true >empty
    printf '<34>1 - host app - ID47 - hi\n' >foreign
    for input in empty foreign; do
        run -1 spamlog --verify "$input"
        report_is 1 received 0 missing 0 missing-ranges - damaged 0
        run -1 bash -c 'spamlog --verify --json' <"$input"
        jq -e '.received == 0 and .missing == 0' <<<"$output"
    done
    spamlog -q -n 1 >one
    run -0 spamlog --verify empty foreign one
    report_is 0 received 1 foreign 1
}

@test "--expect stops after that many distinct messages, even if more follow" {
    run -0 timeout 60 bash -c 'spamlog -q -r max | spamlog --verify --expect=1k'
    report_is 0 missing 0 duplicated 0
    [[ $(reported received) -ge 1000 ]]
    mkfifo fifo
    exec {writer}<>fifo
    spamlog -q -r max -n 10 >fifo
    run -0 timeout 60 spamlog --verify --expect=10 fifo
    report_is_clean 10
    # Duplicates do not count towards --expect.
    spamlog -q -r max -n 10 >raw
    start verify spamlog --verify --expect=10 fifo
    wait_until takes_signals "$verify_pid"
    { sed 10d raw && sed -n 9p raw; } >fifo
    counted() { kill -USR1 "$verify_pid" && grep -q '^spamlog: in 10 out 10 ' verify.err; }
    wait_until counted
    running "$verify_pid"
    sed -n 10p raw >fifo
    wait_exit verify
    output=$(<verify.out)
    report_is 1 received 11 duplicated 1 missing 0
    # Messages that arrived together with the last one are read.
    spamlog -q -r max -n 10 | tee again >fifo
    cat again >fifo
    run -1 timeout 60 spamlog --verify --expect=10 fifo
    report_is 1 received 20 duplicated 10 missing 0
    exec {writer}>&-
}

@test "--idle stops after a time without input" {
    mkfifo fifo
    exec {writer}<>fifo
    spamlog -q -r max -n 10 >fifo
    started_at=${EPOCHREALTIME/[.,]/}
    run -1 timeout 60 spamlog --verify --expect=11 --idle=300ms fifo
    ((${EPOCHREALTIME/[.,]/} - started_at >= 300000))
    report_is 1 received 10 missing 1 missing-ranges 10
    exec {writer}>&-
}

@test "SIGTERM stops it with a report on the messages received so far" {
    mkfifo fifo
    exec {writer}<>fifo
    start verify spamlog --verify fifo
    spamlog -q -r max -n 10 | sed 4d >fifo
    wait_until takes_signals "$verify_pid"
    counted() { kill -USR1 "$verify_pid" && grep -q '^spamlog: in 9 out 9 rejected 0 ' verify.err; }
    wait_until counted
    kill "$verify_pid"
    wait_exit verify
    [[ $status == 1 && $(reported missing-ranges verify.out) == 3 ]]
    exec {writer}>&-
}

@test "a stalled relay shows in the latency of all messages due meanwhile (no coordinated omission)" {
    mkfifo fifo
    start verify spamlog --verify --checksum fifo
    start parse bash -c 'exec shnek-parse -l tcp://:0 >fifo'
    url=$(listen_url parse.err)
    start spam spamlog -r 1000 -n 3000 --checksum "$url"
    until_time() { while ((${EPOCHREALTIME/[.,]/} < $1)); do pause; done; }
    until_time $((${EPOCHREALTIME/[.,]/} + 500000))
    kill -STOP "$parse_pid"
    stopped=${EPOCHREALTIME/[.,]/}
    until_time $((stopped + 1000000))
    paused=$((${EPOCHREALTIME/[.,]/} - stopped))
    kill -CONT "$parse_pid"
    wait_exit spam
    kill "$parse_pid"
    wait_exit parse
    wait_exit verify
    output=$(<verify.out)
    report_is_clean 3000
    # A third of the messages waited, between the whole pause and zero, evenly distributed.
    awk -v paused="$paused" -v got="$(reported latency-p90) $(reported latency-p99) $(reported latency-p99.9)
        $(reported latency-max)" 'BEGIN {
            split(got, v)
            p = paused / 1e6
            print "paused " p ": " got
            exit !(v[1] > p - 0.32 && v[2] > p - 0.05 && v[3] > p - 0.02 && v[4] >= p - 0.002 && v[4] < p + 0.5)
        }'
}

@test "the latency agrees with an independent measurement within 10 %" {
    need python3
    cat >relay.py <<'END'
import datetime, math, os, sys, time

late = []
rest = b""
while True:
    time.sleep(0.2)
    block = os.read(0, 1 << 20)
    lines = (rest + block).split(b"\n")
    rest = lines.pop()
    if not lines:
        break
    now = time.time()
    os.write(1, b"\n".join(lines) + b"\n")
    for line in lines:
        due = datetime.datetime.fromisoformat(line.split(b" ")[1].decode()).timestamp()
        late.append(now - due)
late.sort()
for percent in 50, 90, 99, 99.9, 100:
    print(late[math.ceil(len(late) * percent / 100) - 1], file=sys.stderr)
END
    run -0 bash -c 'spamlog -q -r 1000 -n 3000 | python3 relay.py 2>clock | spamlog --verify --hgrm=hgrm'
    report_is_clean 3000
    mapfile -t clock <clock
    i=0
    for name in p50 p90 p99 p99.9 max; do
        in_range "$(reported "latency-$name")" "$(awk "BEGIN { print ${clock[i]} * 0.9 }")" \
            "$(awk "BEGIN { print ${clock[i]} * 1.1 }")"
        i=$((i + 1))
    done
    # The same distribution, in milliseconds.
    in_range "$(awk '$2 == 0.5 { print $1 / 1000; exit }' hgrm)" "$(awk "BEGIN { print $(reported latency-p50) * 0.999 }")" \
        "$(awk "BEGIN { print $(reported latency-p50) * 1.001 }")"
}

@test "--hgrm writes a percentile distribution of HdrHistogram" {
    echo 'old and longer than nothing' >hgrm
    spamlog -q -r max -n 1000 | spamlog --verify --hgrm=hgrm >report
    [[ $(head -n 1 hgrm) == '       Value     Percentile TotalCount 1/(1-Percentile)' ]]
    [[ $(tail -n 3 hgrm) =~ ^'#[Mean    = '\ *[0-9.]+', StdDeviation   = '\ *[0-9.]+']'$'\n#[Max     = '\ *[0-9.]+', Total count    =         1000]'$'\n#[Buckets =           22, SubBuckets     =         2048]'$ ]]
    sed '1,2d; /^#/d' hgrm | awk 'NF != 3 + ($2 < 1) || $1 < value || $2 <= level && NR > 1 || $3 < count { exit 1 }
        { value = $1; level = $2; count = $3 } END { exit !(level == 1 && count == 1000 && NR > 20) }'
    [[ $(spamlog -q -r max -n 9 | spamlog --verify --hgrm=-) == *'Total count    =            9]'* ]]
}

# send_late SECONDS HOSTNAME OPTION...: prints ten messages that were due SECONDS ago.
send_late() {
    spamlog -q -r max -n 10 --hostname="$2" --timestamp="$(date -d "-$1 seconds" +%FT%T.%6N%:z)" "${@:3}"
}

@test "--csv has a row with latencies for each interval, and the report as the last row" {
    local row
    mkfifo fifo
    exec {writer}<>fifo
    start verify spamlog --verify --stats=50ms --csv=rows fifo
    send_late 1000 a >fifo
    wait_until grep -q '^[^,]*,10,' rows
    send_late 10 b >fifo
    wait_until grep -q '^[^,]*,20,' rows
    { send_late 10 c && send_late 100 d; } | sed '2d; 5,6d' >fifo
    wait_until grep -q '^[^,]*,37,' rows
    kill "$verify_pid"
    wait_exit verify
    exec {writer}>&-
    [[ $status == 1 ]]
    [[ $(head -n 1 rows) == seconds,received,rate_per_second,latency_p50_seconds,latency_p90_seconds,\
latency_p99_seconds,latency_p99_9_seconds,latency_p99_99_seconds,latency_max_seconds,runs,connections,missing,\
missing_ranges,duplicated,reordered,damaged,foreign,latency_count,latency_negative,latency_mean_seconds ]]
    awk -F, 'NF != 20 || NR > 2 && $1 != "total" && ($1 < seconds || $2 < received || ($2 == received) != ($4 == "")) {
            exit 1
        }
        { seconds = $1; received = $2 }' rows
    is "$(sed '1d; $d' rows | grep -Evc '^[0-9]+\.[0-9]{3},[0-9]+,[0-9]+\.[0-9](,[0-9]+\.[0-9]{6}){6},{11}$|^[^,]*,[0-9]+,[^,]*,{17}$')" 0
    # The latencies of a row are those of its interval alone.
    for row in 10:1000 20:10; do
        in_range "$(grep "^[^,]*,${row%:*},.*[0-9]" rows | head -n 1 | cut -d, -f 4)" "${row#*:}" $((${row#*:} + 60))
        in_range "$(grep "^[^,]*,${row%:*},.*[0-9]" rows | head -n 1 | cut -d, -f 9)" "${row#*:}" $((${row#*:} + 60))
    done
    row=$(tail -n 1 rows)
    [[ $row == total,37,* ]]
    for name in received:2 latency-p50:4 latency-p90:5 latency-p99:6 latency-p99.9:7 latency-p99.99:8 latency-max:9 \
        runs:10 connections:11 missing:12 missing-ranges:13 duplicated:14 reordered:15 damaged:16 foreign:17 \
        latency-count:18 latency-negative:19 latency-mean:20; do
        is "$(cut -d, -f "${name#*:}" <<<"$row")" "$(reported "${name%:*}" verify.out)"
    done
    in_range "$(cut -d, -f 9 <<<"$row")" 1000 1060
    is "$(reported latency-count verify.out)" 37
    [[ $(grep -c '^total,' rows) == 1 && $(reported missing verify.out) == 3 ]]
}

@test "the latencies in a row of --csv are those of the messages that it counts, however fast they arrive" {
    run bash -c 'spamlog -q --burst=20k/25ms -n 1M -m "" | spamlog --verify --stats=10ms --csv=rows 2>/dev/null'
    report_is_clean 1000000
    awk -F, 'NR > 2 && $1 != "total" && ($2 == received) != ($4 == "") { print NR ": " $0; bad++ }
        { received = $2 }
        END { print NR " rows, " bad + 0 " inconsistent"; exit bad > 0 }' rows
}

@test "--csv=- replaces the report on stdout, and --csv=FILE truncates the file" {
    spamlog -q -r max -n 10 >raw
    echo old >rows
    run -0 spamlog --verify --csv=rows raw
    report_is 0 received 10
    [[ $(tail -n 1 rows) =~ ^total,10,[0-9.]+,,,,,,,1,1,0,,0,0,0,0,0,0,$ ]]
    [[ $(head -n 1 rows) == seconds,* ]]
    run -0 spamlog --verify --csv=- raw
    [[ ${#lines[@]} == 3 && ${lines[1]} =~ ^[0-9.]+,10,[0-9.]+,{17}$ && ${lines[2]} == total,10,* ]]
}

@test "a terminal shows a status line, which the report replaces" {
    need script
    mkfifo fifo
    exec {writer}<>fifo
    start verify script -qefc 'exec spamlog --verify --expect=40 fifo' /dev/null
    printed() { sed -E 's/\r$//; s/\r\x1b\[K/\n/g' verify.out | grep .; }
    shows() { printed | grep -qE "$1"; }
    send_late 100 a >fifo
    wait_until shows '^spamlog: received 10 of 40 [0-9,]+/s p99 1[0-5][0-9]\.[0-9]s left [0-9:]+ \[[=> ]+\] 25%$'
    wait_until shows '^spamlog: received 10 of 40 0/s left [0-9:]+ \[[=> ]+\] 25%$'
    send_late 100 b -n 30 >fifo
    wait_exit verify
    exec {writer}>&-
    [[ $status == 0 && $(printed | grep -v '^spamlog: ' | head -n 1) == 'received: 40' ]]
    is "$(printed | grep -v '^[a-z0-9.-]*: ')" ''
}

@test "the report is printed for people: thousands separators and milliseconds" {
    run -0 bash -c 'spamlog -q -r max -n 12345 | spamlog --verify'
    [[ ${lines[0]} == 'received: 12,345' ]]
    grep -qEx 'latency-p99\.9: [0-9]+\.[0-9]{3} ms' <<<"$output"
}

@test "--json writes the report with its names as keys, which need no quotes in jq" {
    spamlog -q -r max -n 10 --hostname='a"b' | sed '2d; 5,6d' >a
    spamlog -q -r max -n 10 --hostname=b --checksum | sed 4d >b
    run -1 spamlog --verify --json=report.json a b
    is "$(jq -r 'to_entries[] | "\(.key): \(.value // "-")"' report.json)" "$(sed -E ':a; s/^([^:]*)[-.]/\1_/; ta' <<<"$output")"
    is "$(jq -c '[.missing, (.missing_ranges | type), .latency_p50]' report.json)" '[4,"string",null]'
    run -1 spamlog --verify --json a b
    is "$output" "$(<report.json)"
    run -0 bash -c 'spamlog -q -r max -n 10 | spamlog --verify --json'
    jq -e '.missing_ranges == null and .latency_count == 10 and .latency_p99_99 > 0' <<<"$output"
}

# record HOSTNAME MSGID: prints a record of shnek-parse; HOSTNAME may contain escapes of JSON.
record() {
    printf '{"severity":"crit","facility":"auth","version":1,"timestamp":null,"hostname":"%s",%s}\n' "$1" \
        '"appname":"a","procid":"1","msgid":"'"$2"'","sd":{},"msg":null'
}

@test "a HOSTNAME can neither forge the report nor control the terminal or a spreadsheet" {
    {
        record '=HYPERLINK(\"x\")' 1
        record 'a:7-8 b\nmissing: 0\r\u001b[31m\u009b0m\u202e\u2028\"}' 1
        record é 1
    } >hostile
    run -1 spamlog --verify --csv=rows --json=report.json hostile
    report_is 1 received 3 runs 3 missing 3
    is "$(reported missing-ranges)" 'é/1:0 a:7-8?b?missing:?0??[31m?0m??"}/1:0 =HYPERLINK("x")/1:0'
    is "$(wc -l <<<"$output")" 18
    is "$(jq -r '.missing_ranges' report.json)" "$(reported missing-ranges)"
    is "$(jq -c 'keys_unsorted | length' report.json)" 18
    # The cell of the last row, as a spreadsheet reads it.
    { head -n 1 hostile && record h 1; } | tac >formula
    run -1 spamlog --verify --csv=rows formula
    is "$(tail -n 1 rows | cut -d, -f 13)" $'"\'=HYPERLINK(""x"")/1:0 h/1:0"'
}

@test "--plot draws throughput and latency, or throughput alone if there is no latency" {
    need gnuplot
    run -0 bash -c 'spamlog -q -r 1k -n 300 | spamlog --verify --plot=run.svg'
    report_is 0 received 300
    for text in 'throughput (messages/s)' 'latency (ms)' 'time since the start (s)' p50 p90 p99 p99.9 p99.99 max; do
        grep -qF ">$text<" run.svg
    done
    spamlog -q -r max -n 10 >raw
    run -0 --separate-stderr spamlog --verify --plot=file.svg raw
    [[ -z $stderr ]]
    grep -qF '>throughput (messages/s)<' file.svg
    run -1 grep -F '>latency (ms)<' file.svg
}

@test "--run and a fixed --timestamp make the output reproducible" {
    for i in 1 2; do
        spamlog -q -r max -n 1000 --run=a --hostname=h --procid=1 --timestamp=2026-11-22T10:00:00Z >"$i"
    done
    cmp 1 2
    [[ $(head -n 1 1) == '<34>1 2026-11-22T10:00:00Z h spamlog 1 0 [spamlog@32473 run="a" conn="0" of="1" n="0" crc="'????????'"] hello from C!' ]]
    run -0 spamlog --verify --checksum 1
    report_is_clean 1000
    spamlog -q -n 1 --checksum --procid=1 >one
    spamlog -q -n 1 --checksum --procid=1 >two
    run -0 spamlog --verify --checksum one two
    report_is 0 received 2 runs 2
}

@test "memory use is independent of the number of messages" {
    local count peak=()
    mkfifo fifo
    exec {writer}<>fifo
    for count in 100000 5000000; do
        start verify spamlog --verify --checksum fifo
        wait_until takes_signals "$verify_pid"
        spamlog -q -r max -n "$count" --checksum >fifo
        counted() { kill -USR1 "$verify_pid" && grep -q "^spamlog: in $(grouped "$count") out $(grouped "$count") " verify.err; }
        wait_until counted
        peak+=("$(rss_peak_kib "$verify_pid")")
        kill "$verify_pid"
        wait_exit verify
        [[ $status == 0 ]]
    done
    exec {writer}>&-
    echo "${peak[*]} KiB"
    [[ ${SANITIZE-} ]] || ((peak[1] - peak[0] < 512 && peak[1] < 16384))
}

@test "late messages close their gaps, whatever the order" {
    spamlog -q -r max -n 100k --checksum >raw
    shuf --random-source=raw raw >shuffled
    run -0 spamlog --verify --checksum --expect=100k shuffled
    report_is 0 received 100000 missing 0 duplicated 0 damaged 0
    [[ $(reported reordered) -gt 90000 ]]
}

@test "invalid options get one line and a hint, an unreadable file status 2" {
    while read -r pattern; do
        read -r options
        # shellcheck disable=SC2086
        run --separate-stderr timeout 10 spamlog $options </dev/null
        [[ $status == 2 && -z $output && ${#stderr_lines[@]} == 2 ]]
        # shellcheck disable=SC2053
        [[ ${stderr_lines[0]} == "spamlog: "$pattern ]] || { echo "$stderr" && return 1; }
    done <<'END'
--expect: '0' is out of range (at least 1)
--verify --expect=0
--idle: 'x' is not a duration*
--verify --idle=x
--expect, --hgrm: require --verify
--expect=5
--verify: of the options for sending, only --connections and --checksum are allowed
--verify -r 5
--connections: has no effect with --verify --checksum; the messages contain the number
--verify --checksum -c 3
--checksum: RFC 3164 has no STRUCTURED-DATA to contain it
-f rfc3164 --checksum
--checksum: RFC 3164 has no STRUCTURED-DATA to contain it
-f rfc3164 --run=a
--run: 'a:b' is not*
--run=a:b
--csv, --json, --hgrm: only one of them can use stdout
--verify --csv=- --hgrm=-
--csv, --json, --hgrm: only one of them can use stdout
--verify --json --hgrm=-
--plot: 'x' is not an SVG file; *
--verify --plot=x
--run: '' is not*
--run=
END
    run --separate-stderr spamlog --verify none
    [[ $status == 2 && $stderr == 'spamlog: none: No such file or directory' ]]
    run --separate-stderr spamlog --verify --csv=/none/x /dev/null
    [[ $status == 2 && $stderr == 'spamlog: --csv: /none/x: No such file or directory' ]]
    run --separate-stderr bash -c 'spamlog --verify /dev/null >/dev/full'
    [[ $status == 2 && $stderr == 'spamlog: stdout: No space left on device' ]]
}
