#!/usr/bin/env bats
# Malformed messages of spamlog (--bad), and that shnek-parse rejects as many.

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

must_reject=(pri version date length sd cut)
must_accept=(utf8 nul control)

# bad_of KIND FILE: the number of messages of KIND in the last report in FILE.
bad_of() {
    sed -n "s/,//g; s/.*: bad .* $1 \([0-9]*\).*/\1/p" "$2" | tail -n 1
}

# totals FILE NAME: a counter of the last line of counters of shnek-parse; one that is omitted is 0.
totals() {
    tail -n 1 "$1" | sed "s/,//g; / $2 /! s/.*/ $2 0/; s/.* $2 \([0-9]*\).*/\1/"
}

# through FRAMING KIND RATIO: pipes 400 messages into shnek-parse; stderr is in spam.err and parse.err.
through() {
    spamlog -r max -n 400 -F "$1" --bad="$3:$2" --seed=1 2>spam.err |
        shnek-parse --framing="$1" --stats=1h >out 2>parse.err || true
    [[ $(totals parse.err in) == 400 ]]
}

@test "each invalid kind is rejected by shnek-parse, and the counts agree" {
    local framing kind
    for framing in newline octet; do
        for kind in "${must_reject[@]}" overlong; do
            echo "$framing $kind"
            through "$framing" "$kind" 0.5
            [[ $(bad_of "$kind" spam.err) -gt 150 && $(bad_of "$kind" spam.err) -lt 250 ]]
            [[ $(totals parse.err rejected) == "$(bad_of "$kind" spam.err)" ]]
            through "$framing" "$kind" 1
            [[ $(totals parse.err rejected) == 400 && $(bad_of "$kind" spam.err) == 400 ]]
        done
    done
}

@test "kinds that RFC 5424 allows in MSG are accepted" {
    local framing kind
    for framing in newline octet; do
        for kind in "${must_accept[@]}"; do
            echo "$framing $kind"
            through "$framing" "$kind" 100%
            [[ $(bad_of "$kind" spam.err) == 400 && $(totals parse.err rejected) == 0 ]]
        done
    done
    through octet nul 1
    [[ $(head -n 1 out) == *'\u0000'* ]]
    through octet utf8 1
    [[ $(head -n 1 out) == *$'\xef\xbf\xbd'* ]]
}

@test "with all kinds, the report counts each, and exactly the invalid ones are rejected" {
    local kind sum=0 all=0
    spamlog -r max -n 5000 --bad=0.3 --seed=9 2>spam.err | shnek-parse -q --stats=1h 2>parse.err >out || true
    for kind in "${must_reject[@]}" overlong; do
        ((sum += $(bad_of "$kind" spam.err)))
    done
    for kind in "${must_accept[@]}"; do
        ((all += $(bad_of "$kind" spam.err)))
    done
    [[ $(totals parse.err in) == 5000 && $(totals parse.err rejected) == "$sum" ]]
    grep -q ": bad $(grouped $((all + sum))) pri " spam.err
    ((all + sum > 1350 && all + sum < 1650))
}

@test "a seed repeats the malformed messages, another seed changes them" {
    local -r fixed=(-q -r max -n 1000 --hostname=h --procid=1 --timestamp=-)
    spamlog "${fixed[@]}" --bad=0.5 --seed=4 >one
    spamlog "${fixed[@]}" --bad=0.5 --seed=4 >two
    spamlog "${fixed[@]}" --bad=0.5 --seed=5 >three
    spamlog "${fixed[@]}" --bad=0 >none
    spamlog "${fixed[@]}" >good
    cmp one two
    run -1 cmp -s one three
    cmp none good
}

@test "a wrong MSG-LEN and a dropped connection cost one message each" {
    local kind framing address
    for address in tcp://:0 "unix:$BATS_TEST_TMPDIR/socket"; do
        for kind in 'octet msg-len' 'octet drop' 'newline drop' 'octet msg-len,drop'; do
            read -r framing kind <<<"$kind"
            echo "$address $framing $kind"
            start parse shnek-parse --stats=1h -l "$address"
            spamlog -r max -n 300 -c 3 -F "$framing" --bad="20%:$kind" --seed=2 "$(listen_url parse.err)" 2>spam.err
            bad=$(sed -n 's/.*: bad \([0-9]*\).*/\1/p' spam.err)
            ((bad > 30 && bad < 90))
            all_taken() { [[ $(wc -l <parse.out) == $((300 - bad)) ]]; }
            wait_until all_taken
            kill "$parse_pid"
            wait_exit parse
            [[ $(totals parse.err rejected) == "$bad" ]]
        done
    done
}

@test "over TLS a wrong MSG-LEN and a dropped connection end the session, and cost one message each" {
    local kinds bad
    tls_certificates
    for kinds in 1:msg-len 1:drop 20%:msg-len,drop; do
        echo "$kinds"
        start parse shnek-parse --stats=1h --framing=octet --rejects=rejects -l tls://:0 \
            --tls-cert=server.pem --tls-key=server.key
        spamlog -r max -n 100 -c 3 --bad="$kinds" --seed=2 --tls-ca=ca.pem "$(listen_url parse.err)" 2>spam.err
        bad=$(sed -n 's/.*: bad \([0-9]*\).*/\1/p' spam.err)
        [[ $kinds != 1:* || $bad == 100 ]]
        wait_until lines_are parse.out $((100 - bad))
        kill "$parse_pid"
        wait_exit parse
        [[ $(totals parse.err rejected) == "$bad" && $(wc -l <rejects) == "$bad" ]]
        [[ $kinds != 1:msg-len || $(grep -c '"error":"MSG-LEN: ' rejects) == 100 ]]
        [[ $kinds != 1:drop || $(grep -c ': stream ends within it"' rejects) == 100 ]]
        rm rejects
    done
}

@test "datagrams can be malformed" {
    start parse shnek-parse --stats=1h -l "unixgram:$BATS_TEST_TMPDIR/socket"
    spamlog -r max -n 300 --bad=1:pri,cut,length "$(listen_url parse.err)" 2>spam.err
    kill "$parse_pid"
    wait_exit parse
    [[ $(totals parse.err rejected) == 300 && ! -s parse.out ]]
}

@test "malformed messages are reported as missing and damaged by --verify" {
    spamlog -r max -n 1000 --checksum --bad=0.1:pri,utf8 2>spam.err >raw
    run -1 spamlog --verify -q --checksum --expect=1k raw
    bad=$(sed -n 's/.*: bad \([0-9]*\).*/\1/p' spam.err)
    [[ $(sed -n 's/^missing: //p' <<<"$output") == "$bad" && $(sed -n 's/^damaged: //p' <<<"$output") == "$bad" ]]
}

@test "invalid values of --bad are reported in one line with a hint" {
    misused "--bad: '2' is not a ratio*" --bad=2
    misused "--bad: 'x' is not a ratio*" --bad=x
    misused "--bad: '101%' is not a ratio*" --bad=101%
    misused "--bad: 'y' is not one of pri, version, date, *" --bad=1:pri,y
    misused "--bad: '' is not one of *" --bad=1:
    misused '--bad: drop: requires a connection (tcp, tls or unix)' --bad=1:drop
    misused '--bad: msg-len: requires --framing=octet' --bad=1:msg-len tcp://127.0.0.1:1
    misused '--bad: overlong: the message is too long for a datagram' --bad=1:overlong udp://127.0.0.1:1
    misused '--bad: requires --format=rfc5424' --bad=1 -f rfc3164
}
