#!/usr/bin/env bats
# The messages of spamlog, and the parser of shnek-parse, compared with go-syslog.

bats_require_minimum_version 1.5.0

load lib/shnek
load lib/interop

setup_file() {
    if has_go && has_go_syslog; then
        GO111MODULE=off GOPATH=$go_path GOCACHE=$BATS_FILE_TMPDIR/cache go build \
            -o "$BATS_FILE_TMPDIR/go-syslog" "$SHNEK_TOP/tests/lib/go-syslog.go"
    fi
}

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
    PATH=$PATH:$BATS_FILE_TMPDIR
    export TZ=UTC0
    need_peers go go_syslog
    need jq
}

# Converts a record to the form of go-syslog, in which severity and facility are numbers, an empty
# MSG is null, and a zero offset is Z.
as_go_syslog='
    def number($names): . as $name | $names | index($name);
    .severity |= number(["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"])
    | .facility |= number(["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp",
        "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clockd"] + [range(8) | "local\(.)"])
    | .timestamp |= (if . then sub("[+]00:00$"; "Z") else . end)
    | .procid |= (if . == null then . else tostring end)
    | .msg |= (if . == "" then null else . end)'

# agree COUNT OPTION...: sends COUNT messages of spamlog to both parsers. go-syslog must accept all,
# and both must find the same fields.
agree() {
    local count=$1
    shift
    echo "$*"
    spamlog -q -r max -n "$count" "$@" >raw
    go-syslog <raw >theirs
    run -1 grep -m 3 -v '^{' theirs
    is "$output" ''
    jq -cS '.msg |= (if . == "\ufeff" then null elif . then ltrimstr("\ufeff") else . end)' theirs >fields
    shnek-parse raw | jq -cS "$as_go_syslog" >ours
    is "$(wc -l <fields)" "$count"
    cmp fields ours
}

@test "go-syslog agrees on plain messages, STRUCTURED-DATA, sizes and checksums" {
    agree 1000
    agree 1000 --checksum
    agree 1000 -p local7.debug --sd='[a@1 b="\"\\\]ü" c=""][d]' -m 'grüße, "all"'
    agree 1000 --hostname=- --appname=- --procid=- --msgid=- --timestamp=- -m ''
    agree 3000 --sizes=200..4k --checksum --sd='[a b="c"]' --seed=2
    agree 1000 --sizes=100..200 -m 'żółć 東京 🚀' --seed=3
    agree 1000 --arrivals=poisson -r 1M --seed=4
}

@test "go-syslog agrees on mixed messages of several seeds, and with checksums" {
    local seed
    for seed in 1 2 3 4 5; do
        agree 10000 --profile=mixed --seed="$seed"
    done
    agree 10000 --profile=mixed --checksum --seed=6
    agree 10000 --profile=mixed --fresh=time,host,counter --seed=7
}

@test "go-syslog accepts local times west and east of UTC" {
    local zone
    for zone in NPT-5:45 NST3:30; do
        TZ=$zone spamlog -q -r max -n 10k --profile=mixed --seed=8 | go-syslog >theirs
        run -1 grep -m 3 -v '^{' theirs
        [[ -z $output && $(wc -l <theirs) == 10000 ]]
    done
}

@test "go-syslog rejects malformed messages" {
    local kind good
    while read -r line; do
        is "$(printf '%s\n' "$line" '<13>1 - - - - - -' | go-syslog | cut -c 1-2 | tr '\n' ' ')" '1: {" '
    done <<END
<192>1 - - - - - -
<013>1 - - - - - -
<13>0 - - - - - -
<13>1 2026-02-30T10:00:00Z - - - - -
<13>1 2026-11-22T10:00:00.1234567Z - - - - -
<13>1  - - - - - -
<13>1 - - - - -
<13>1 - é - - - -
<13>1 - - - - $(printf %033d 0) -
<13>1 - - - - - [a b="\q"]
<13>1 - - - - - [a=b c="d"]
<13>1 - - - - - -x
END
    for kind in pri date length sd cut; do
        spamlog -q -r max -n 100 --bad="1:$kind" | go-syslog >theirs
        good=$(grep -c '^{' theirs) || true
        is "$kind $good of $(wc -l <theirs)" "$kind 0 of 100"
    done
}
