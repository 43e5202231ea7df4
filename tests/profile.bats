#!/usr/bin/env bats
# Profiles of spamlog: mixed traffic, and lines of a file.

bats_require_minimum_version 1.5.0

load lib/shnek

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR"
}

teardown() {
    shnek_teardown
}

# part LOW HIGH FILTER: the jq filter is true for LOW to HIGH percent of out.json.
part() {
    local n
    n=$(jq -c "select($3)" out.json | wc -l)
    echo "$3: $n of 20000"
    ((n >= $1 * 200 && n <= $2 * 200))
}

@test "100,000 mixed messages are valid RFC 5424, in both framings" {
    local framing seed
    for framing in newline octet; do
        for seed in 1 2; do
            run -0 --separate-stderr bash -c "spamlog -q -r max -n 50k -F $framing --profile=mixed --seed=$seed |
                shnek-parse --framing=$framing --stats=1h >out"
            [[ $stderr == *'in 50,000 out 50,000 bytes '* ]]
        done
    done
}

@test "the distributions of mixed messages are those of the man page" {
    spamlog -q -r max -n 20k --profile=mixed --seed=4 >raw
    shnek-parse raw >out.json
    part 40 52 '.severity == "info"'
    part 1 5 '.timestamp == null'
    part 35 45 '(.timestamp // "") | endswith("Z")'
    part 2 8 '.hostname == null'
    part 2 8 '.appname == null'
    part 11 19 '.procid == null'
    part 74 86 '.procid | type == "number"'
    part 25 35 '.msgid == null'
    part 35 45 '.msgid != null and (.msgid | test("^[0-9]+$"))'
    part 44 56 '.sd == {}'
    part 1 5 '.msg == null'
    part 1 5 '.msg == ""'
    # shnek-parse removes the BOM.
    n=$(grep -c $'\xef\xbb\xbf' raw)
    ((n >= 7 * 200 && n <= 13 * 200))
    [[ $(jq -r .facility out.json | sort -u | wc -l) == 24 && $(jq -r .severity out.json | sort -u | wc -l) == 8 ]]
    n=$(wc -c <raw)
    echo "$n bytes"
    ((n > 320 * 20000 && n < 400 * 20000))
    iconv -f utf-8 -t utf-8 raw >/dev/null
}

@test "a seed repeats the messages, another seed changes them, and the report contains it" {
    for seed in 5 5 6; do
        spamlog -q -r max -n 5k --profile=mixed --timestamp=- --seed="$seed" | md5sum >>"sums.$seed"
    done
    [[ $(sort -u sums.5 | wc -l) == 1 ]]
    run -1 cmp -s <(head -n 1 sums.5) sums.6
    run -0 --separate-stderr spamlog -r max -n 1 --profile=mixed --seed=5
    [[ $stderr == *' seed 5' ]]
}

@test "the counter in MSGID of a mixed message is the number of the message" {
    spamlog -q -r max -n 3000 --profile=mixed --seed=1 | shnek-parse >out
    jq -r '.msgid // "-"' out | awk '/^[0-9]+$/ && $1 != NR - 1 { exit 1 }'
    spamlog -q -r max -n 1000 --profile=mixed --fresh=counter | shnek-parse | jq -r .msgid | cmp - <(seq 0 999)
}

@test "mixed messages with a checksum arrive unchanged" {
    run -0 bash -c 'spamlog -q -r max -n 20k -F octet --profile=mixed --checksum | spamlog --verify --checksum --expect=20k'
    run -0 bash -c 'spamlog -q -r max -n 20k --profile=mixed --checksum | shnek-parse | spamlog --verify --checksum --expect=20k'
    [[ ${lines[0]} == 'received: 20,000' && ${lines[1]} == 'runs: 1' ]]
}

@test "the latency of mixed messages is measured in any time zone" {
    local zone
    for zone in NPT-5:45 EST5; do
        run -0 bash -c "TZ=$zone spamlog -q -r max -n 2k --profile=mixed --checksum --seed=1 |
            spamlog --verify --checksum --expect=2k"
        [[ $output =~ latency-count:\ 1,[89][0-9][0-9] && ${lines[10]} == 'latency-negative: 0' ]]
        # Latencies up to an hour are recorded.
        [[ $output =~ latency-max:\ [0-9]{1,7}[.][0-9]{3}\ ms ]]
    done
}

@test "the reported number of malformed mixed messages is correct" {
    spamlog -r max -n 5000 --profile=mixed --bad=0.5:pri,version,date,length,sd,cut --seed=1 2>spam.err |
        shnek-parse -q --stats=1h 2>parse.err >out || true
    bad=$(sed -n 's/,//g; s/.*: bad \([0-9]*\).*/\1/p' spam.err)
    ((bad > 2300))
    grep -q "in 5,000 out $(grouped $((5000 - bad))) rejected $(grouped "$bad") " parse.err
}

@test "an option sets its field in all messages" {
    spamlog -q -r max -n 1000 --profile=mixed -p local3.err --hostname=h --appname=a --procid=7 --msgid=m --sd='[x y="z"]' -m hi |
        shnek-parse | jq -c 'del(.timestamp)' | sort -u >out
    [[ $(<out) == '{"severity":"err","facility":"local3","version":1,"hostname":"h","appname":"a","procid":7,"msgid":"m","sd":{"x":{"y":"z"}},"msg":"hi"}' ]]
}

lines() {
    printf '%s\n' '<13>1 2020-01-02T03:04:05Z web app 7 ID1 [a b="c d"][e] caf'$'\xc3\xa9' '' \
        '<14>1 - - - - - -' '<15>1 - h a 1 2 - '
}

@test "lines of a file are replayed unchanged, in order" {
    lines >file
    spamlog -q -r max -n 7 --profile=file >out
    { lines | grep . && lines | grep . && lines | head -n 1; } | cmp - out
    printf 'no syslog\n<13>Nov  2 15:04:05 old\0x\nend' >file
    spamlog -q -r max -n 3 --profile=file >out
    { cat file && echo; } | cmp - out
    [[ $(spamlog -q -r max -n 1 -F octet --profile=file) == '9 no syslog' ]]
}

@test "--fresh replaces time, host and counter of a line, and keeps the rest" {
    lines >file
    run -0 spamlog -q -r max -n 3 --profile=file --fresh=time,host,counter --hostname=here
    [[ ${lines[0]} =~ ^'<13>1 20'[2-9][0-9]-[^\ ]+' here app 7 0 [a b="c d"][e] caf'$'\xc3\xa9'$ ]]
    [[ ${lines[1]} =~ ^'<14>1 20'[2-9][0-9]-[^\ ]+' here - - 1 -'$ ]]
    [[ ${lines[2]} =~ ^'<15>1 20'[2-9][0-9]-[^\ ]+' here a 1 2 - '$ ]]
    run -0 spamlog -q -r max -n 1 --profile=file --fresh=counter
    [[ $output == '<13>1 2020-01-02T03:04:05Z web app 7 0 [a b="c d"][e] caf'$'\xc3\xa9' ]]
    run -0 bash -c 'spamlog -q -r max -n 100 --profile=file --checksum | shnek-parse | spamlog --verify --checksum --expect=100'
    printf '<13>1 - - - - - -\n<13>1 broken\n' >file
    run -2 spamlog -q -r max -n 1 --profile=file --fresh=time
    [[ $output == 'spamlog: file:2: TIMESTAMP: '* ]]
    run -2 spamlog -q -r max -n 1 --profile=file --bad=1:pri
    [[ $output == 'spamlog: file:2: TIMESTAMP: '* ]]
}

@test "invalid profile options are reported in one line" {
    misused '--profile: cannot be combined with --size or --sizes' --profile=mixed --size=100
    misused '--profile: cannot be combined with --size or --sizes' --profile=mixed --sizes=100..200
    misused '--profile: requires --format=rfc5424' --profile=mixed -f rfc3164
    misused '--fresh: requires --profile=mixed or --profile=FILE' --fresh=time
    misused '--fresh: time cannot be combined with --timestamp' --profile=mixed --fresh=host,time --timestamp=-
    misused '--fresh: counter cannot be combined with --msgid' --profile=mixed --fresh=counter --msgid=x
    misused "--fresh: 'x' is not one of time, host, counter" --profile=mixed --fresh=x
    misused "--fresh: '' is not one of time, host, counter" --profile=mixed --fresh=time,
    run -2 spamlog -n 1 --profile=none
    [[ $output == 'spamlog: --profile: none: No such file or directory' ]]
    run -2 spamlog -n 1 --profile=/dev/null
    [[ $output == 'spamlog: /dev/null: the file contains no messages' ]]
    run -2 spamlog -n 1 --profile=.
    [[ $output == 'spamlog: .: Is a directory' ]]
}
