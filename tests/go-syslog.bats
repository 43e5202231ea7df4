#!/usr/bin/env bats
# What spamlog makes without --bad, before a parser of RFC 5424 that is not ours.

bats_require_minimum_version 1.5.0

load lib/shnek
load lib/interop

setup_file() {
    if has_go && has_go_syslog; then
        GO111MODULE=off GOPATH=$go_path GOCACHE=$BATS_FILE_TMPDIR/cache go build \
            -o "$BATS_FILE_TMPDIR/strict" "$SHNEK_TOP/tests/lib/go-syslog.go"
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

# The parser drops no BOM and has no empty MSG; a VERSION up to 999 will do for it.
as_strict='
    def place($names): . as $name | $names | index($name);
    .severity |= place(["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"])
    | .facility |= place(["kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp",
        "cron", "authpriv", "ftp", "ntp", "audit", "alert", "clockd"] + [range(8) | "local\(.)"])
    | .timestamp |= (if . then sub("[+]00:00$"; "Z") else . end)
    | .procid |= (if . == null then . else tostring end)
    | .msg |= (if . == "" then null else . end)'

# agrees COUNT OPTION...: it takes that many messages, and reads in all their fields what shnek-parse
# does.
agrees() {
    local count=$1
    shift
    echo "$*"
    spamlog -q -r max -n "$count" "$@" >raw
    strict <raw >theirs
    run -1 grep -m 3 -v '^{' theirs
    is "$output" ''
    jq -cS '.msg |= (if . == "\ufeff" then null elif . then ltrimstr("\ufeff") else . end)' theirs >fields
    shnek-parse raw | jq -cS "$as_strict" >ours
    is "$(wc -l <fields)" "$count"
    cmp fields ours
}

@test "plain messages, with STRUCTURED-DATA, sizes and checksums" {
    agrees 1000
    agrees 1000 --checksum --seed=1
    agrees 1000 -p local7.debug --sd='[a@1 b="\"\\\]ü" c=""][d]' -m 'grüße, "all"'
    agrees 1000 --hostname=- --appname=- --procid=- --msgid=- --timestamp=- -m ''
    agrees 3000 --sizes=200..4k --checksum --sd='[a b="c"]' --seed=2
    agrees 1000 --sizes=100..200 -m 'żółć 東京 🚀' --seed=3
    agrees 1000 --arrivals=poisson -r 1M --seed=4
}

@test "mixed messages of several seeds, and with checksums" {
    local seed
    for seed in 1 2 3 4 5; do
        agrees 10000 --profile=mixed --seed="$seed"
    done
    agrees 10000 --profile=mixed --checksum --seed=6
    agrees 10000 --profile=mixed --fresh=time,host,counter --seed=7
}

@test "a local time behind or ahead of UTC is valid too" {
    local zone
    for zone in NPT-5:45 NST3:30; do
        TZ=$zone spamlog -q -r max -n 10k --profile=mixed --seed=8 | strict >theirs
        run -1 grep -m 3 -v '^{' theirs
        [[ -z $output && $(wc -l <theirs) == 10000 ]]
    done
}

@test "that parser rejects what is not RFC 5424" {
    local kind good
    while read -r line; do
        is "$(printf '%s\n' "$line" '<13>1 - - - - - -' | strict | cut -c 1-2 | tr '\n' ' ')" '1: {" '
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
        spamlog -q -r max -n 100 --bad="1:$kind" | strict >theirs
        good=$(grep -c '^{' theirs) || true
        is "$kind $good of $(wc -l <theirs)" "$kind 0 of 100"
    done
}
