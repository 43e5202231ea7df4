#!/usr/bin/env bats
# shnek-pub --spool, --spill and --rejects: what a process leaves to the next one and to people.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154,SC2317 # bats and `start` set variables, `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    pub_setup
}

teardown() {
    shnek_teardown
}

# counted TEXT: whether shnek-pub counts this.
counted() {
    counts pub "$1"
}

# leave_lines TEXT COUNTERS [OPTION...]: starts shnek-pub with the file spool and kills it when it has
# read the text (for printf), which the server has not confirmed. COUNTERS include a line before it.
leave_lines() {
    local text=$1 counters=$2
    shift 2
    nats_start 'jetstream: enabled'
    start_fed pub shnek-pub --spool=spool --window=1M "$@"
    wait_until connections_are 1
    # The first line shows that it reads.
    echo '{"n":0}' >&"$feed"
    wait_until counted 'out 1'
    suspend "$nats_pid"
    # shellcheck disable=SC2059
    printf "$text" >&"$feed"
    wait_until counted "$counters"
    kill -KILL "$pub_pid"
    wait_exit pub
    kill -CONT "$nats_pid"
}

published() {
    shnek-pub -n --spool=spool "$@" </dev/null 2>pub.err | cut -f 2-
}

@test "a line that starts with NUL is published after a restart with --no-check" {
    leave_lines '\0one\ntwo\n' 'in 3 out 1 rejected 0' --no-check
    published --no-check >got
    printf '\0one\ntwo\n' | cmp - got
}

@test "a rejected line is not rejected again by the next process" {
    leave_lines '{"a":1}\nbad\n{"a":2}\n' 'in 4 out 1 rejected 1' --rejects=rejects
    lines_are rejects 1
    run published
    is "$output" '{"a":1}'$'\n''{"a":2}'
    is "$(<pub.err)" ''
}

@test "an unfinished line that a killed process left is rejected and not continued with another input" {
    leave_lines '{"a":1}\n{"unfinished' 'in 2 out 1 rejected 0 dropped 0 bytes 28'
    run --separate-stderr shnek-pub --spool=spool --rejects=rejects --stats=1h <<<'{"b":1}'
    is "$status" 1
    [[ $stderr == *'PAYLOAD: truncated: the process that read it was stopped'* ]]
    [[ $stderr == *'in 3 out 2 rejected 1 '* ]]
    grep -qF '"raw":"{\"unfinished"' rejects
}

@test "an unfinished line that a stopped process left is rejected and not continued with another input" {
    nats_start
    start_fed pub shnek-pub --spool=spool
    printf '{"n":0}\n{"unfinished' >&"$feed"
    wait_until counted 'out 1 rejected 0 dropped 0 bytes 20'
    kill -TERM "$pub_pid"
    wait_exit pub
    run --separate-stderr shnek-pub --spool=spool --stats=1h <<<'{"b":1}'
    is "$status" 1
    [[ $stderr == *'in 2 out 1 rejected 1 '* ]]
}

@test "an unfinished line is continued by the next process with the same FIFO" {
    nats_start
    start_fed pub shnek-pub --spool=spool
    printf '{"n":0}\n{"a":"b' >&"$feed"
    wait_until counted 'out 1 rejected 0 dropped 0 bytes 15'
    kill -KILL "$pub_pid"
    wait_exit pub
    printf 'c"}\n' >&"$feed"
    start pub from pub.in shnek-pub --spool=spool --stats=1h
    wait_until counted 'out 1'
    end_of_input
    wait_exit pub
    is "$status" 0
    grep -q 'in 1 out 1 rejected 0' pub.err
}

@test "an unfinished line is not continued by the next process if the FIFO was closed meanwhile" {
    nats_start
    start_fed pub shnek-pub --spool=spool
    printf '{"n":0}\n{"a":"b' >&"$feed"
    wait_until counted 'out 1 rejected 0 dropped 0 bytes 15'
    kill -KILL "$pub_pid"
    wait_exit pub
    end_of_input
    exec {feed}<>pub.in
    printf 'c"}\n{"b":1}\n' >&"$feed"
    start pub from pub.in shnek-pub --spool=spool --stats=1h
    wait_until counted 'out 1'
    end_of_input
    wait_exit pub
    is "$status" 1
    grep -q 'in 3 out 1 rejected 2' pub.err
}

@test "the first line is not skipped if the previous process was killed within a line that was too long" {
    nats_start
    start_fed pub shnek-pub --spool=spool --window=1M
    head -c 1000000 /dev/zero | tr '\0' x >&"$feed"
    wait_until counted 'rejected 1'
    kill -KILL "$pub_pid"
    wait_exit pub
    run --separate-stderr shnek-pub --spool=spool --stats=1h <<<'{"b":1}'
    [[ $stderr == *' out 1 '* ]]
}

@test "--dry-run and --spool-list print the lines of a spool and do not change it" {
    leave_lines '{"a":1}\n{"a":2}\n{"unfinished' 'in 3 out 1 rejected 0 dropped 0 bytes 36'
    cp --sparse=never spool copy
    run --separate-stderr shnek-pub --dry-run --spool=spool logs <<<'{"b":1}'
    is "$status" 1
    is "$output" $'logs\t{"a":1}\nlogs\t{"a":2}\nlogs\t{"b":1}'
    cmp spool copy
    run --separate-stderr shnek-pub --spool-list --spool=spool
    is "$status" 0
    is "$output" $'{"a":1}\n{"a":2}'
    is "$stderr" 'shnek-pub: spool: 2 messages unconfirmed, 12 bytes of an unfinished line'
    cmp spool copy
    run shnek-pub --dry-run --spool=missing <<<'{"b":1}'
    is "$output" $'foo\t{"b":1}'
    [[ ! -e missing ]]
    run shnek-pub --spool-list --spool=missing
    is "$status" 2
}

@test "the messages of a copied spool get other identifiers" {
    leave_lines '{"a":1}\n' 'in 2 out 1' -J --stream=logs --create-stream --msg-id=auto
    cp spool copy
    # The original and the copy are published; only the former was in flight before.
    for name in spool spool copy; do
        run timeout 60 shnek-pub -J --stream=logs --msg-id=auto --spool="$name" </dev/null
        is "$status" 0
    done
    nats_get jsz | grep -q '^  "messages": 3'
}

@test "damaged blocks are reported, and the other lines are published" {
    local offset
    seq -f '{"n":%.0f}' 10000 10999 >lines
    nats_start
    start_fed pub shnek-pub --spool=spool --window=1M
    wait_until connections_are 1
    echo '{"n":0}' >&"$feed"
    wait_until counted 'out 1'
    suspend "$nats_pid"
    cat lines lines lines lines >&"$feed"
    wait_until counted "bytes $(grouped "$((8 + 4 * $(wc -c <lines)))")"
    kill -KILL "$pub_pid"
    wait_exit pub
    kill -CONT "$nats_pid"
    # Within the second block, whose lines are different ones.
    offset=$(grep -obaF '{"n":10500}' spool | sed -n '2{s/:.*//p;q}')
    printf 'X' | dd of=spool bs=1 seek="$offset" conv=notrunc status=none
    run --separate-stderr shnek-pub --spool=spool --stats=1h </dev/null
    is "$status" 2
    [[ $stderr =~ 'shnek-pub: --spool: spool: up to '([0-9]+)' lines are missing ('([0-9]+)' to '([0-9]+)', bytes ' ]]
    ((BASH_REMATCH[1] == BASH_REMATCH[3] - BASH_REMATCH[2] + 1))
    rest=$(grouped $((4000 - BASH_REMATCH[1])))
    [[ $stderr == *"in $rest out $rest bytes "* ]]
}

@test "a spool that is truncated while it is used ends the program with status 2 and one message" {
    nats_start
    start_fed pub shnek-pub --spool=spool
    echo '{"n":0}' >&"$feed"
    wait_until counted 'out 1'
    truncate -s 0 spool
    echo '{"n":1}' >&"$feed"
    wait_exit pub
    is "$status" 2
    grep -v ' rate ' pub.err >errors
    is "$(<errors)" 'shnek-pub: --spool: spool: cannot be accessed (truncated, or an I/O error)'
}

@test "a file that exceeds the limit of its size ends the program with status 2 and one message" {
    run bash -c 'ulimit -f 100 && shnek-pub --spool=spool </dev/null'
    is "$status" 2
    is "$output" 'shnek-pub: --spool: spool: File too large'
    seq -f '{"n":%.0f}' 300000 >lines
    run bash -c 'ulimit -f 2000 && shnek-pub -n --window=1M <lines >out'
    is "$status" 2
    is "$output" 'shnek-pub: stdout: File too large'
}

@test "a spool that is in use, foreign, truncated, damaged, of another size or version is refused and left unchanged" {
    local name
    nats_start
    start_fed pub shnek-pub --spool=spool --window=1M
    wait_until connections_are 1
    run timeout 10 shnek-pub --spool=spool </dev/null
    is "$status" 2
    is "$output" 'shnek-pub: --spool: spool: in use by another process'
    end_of_input
    wait_exit pub
    is "$status" 0

    seq 1000 >foreign
    head -c 300000 spool >short
    cp spool flipped
    # The header exists twice.
    printf '\xff' | dd of=flipped bs=1 seek=20 conv=notrunc status=none
    printf '\xff' | dd of=flipped bs=1 seek=4116 conv=notrunc status=none
    cp spool version1
    printf '\x01' | dd of=version1 bs=1 seek=8 conv=notrunc status=none
    printf '\x01' | dd of=version1 bs=1 seek=4104 conv=notrunc status=none
    for name in foreign short flipped version1; do
        cp "$name" copy
        run timeout 10 shnek-pub --spool="$name" <foreign
        is "$status" 2
        [[ $output == "shnek-pub: --spool: $name: "*"; leaving it unchanged" ]]
        cmp "$name" copy
    done
    [[ $output == *'a spool of shnek-pub 0.1.0'* ]]
    cp spool copy
    run timeout 10 shnek-pub --spool=spool --window=2M <foreign
    is "$status" 2
    [[ $output == 'shnek-pub: --window: spool spool was created with 1048576 bytes;'* ]]
    cmp spool copy
}

# --spill

# strand LINES OPTION...: runs shnek-pub with lines that no server confirms.
strand() {
    seq -f '{"n":%.0f}' "$1" >lines
    shift
    nats_start
    start_fed pub "${program:-shnek-pub}" --max-reconnect-time=50ms "$@"
    wait_until connections_are 1
    suspend "$nats_pid"
    cat lines >&"$feed"
    wait_until counted "bytes $(grouped "$(wc -c <lines)")"
    end_of_input
    kill -KILL "$nats_pid"
    wait_exit pub
    is "$status" 2
    wait_exit nats
}

@test "a spool whose creation was interrupted is created again" {
    nats_start
    truncate -s 3M spool
    run --separate-stderr shnek-pub --spool=spool --stats=1h <<<'{}'
    is "$status" 0
    [[ $stderr == *' in 1 out 1 '* ]]
}

@test "--spill is opened at startup" {
    nats_start
    run --separate-stderr shnek-pub --spill=missing/spilled <<<'{"n":1}'
    is "$status" 2
    is "$stderr" 'shnek-pub: --spill: missing/spilled: No such file or directory'
    is "$(nats_varz in_msgs)" 0
}

@test "unconfirmed lines are written to stdout if --spill fails, or is -" {
    for file in /dev/full -; do
        strand 20000 --spill="$file"
        cmp pub.out lines
        grep -q '20,000 messages are unconfirmed; written to stdout' pub.err
        rm pub.in
    done
}

@test "no line is written to both --spill and stdout if the former fails within a line" {
    # 98,000 bytes are left to the limit, which is larger than the window.
    head -c 1950000 /dev/zero >spilled
    printf '#!/bin/bash\nulimit -f 2000 && exec shnek-pub "$@"\n' >limited
    chmod +x limited
    program=./limited
    strand 20000 --window=1M --spill=spilled
    tail -c +1950001 spilled >written
    cat written pub.out | cmp - lines
    [[ -s written && -s pub.out ]]
}

@test "--spill and --rejects are readable by the owner only" {
    umask 022
    nats_start
    shnek-pub --spill=spilled --rejects=rejected </dev/null
    is "$(stat -c %a spilled rejected)" $'600\n600'
    shnek-parse --rejects=parsed </dev/null
    is "$(stat -c %a parsed)" 600
}

@test "a spool whose lines are all confirmed up to the end of a block is listed" {
    nats_start
    seq -f '{"n":"%07.0f"}' 1024 >lines # 16 KiB
    shnek-pub --spool=full <lines
    run -0 --separate-stderr shnek-pub --spool=full --spool-list
    is "$output" ''
    run -0 --separate-stderr shnek-pub --spool=full -n <<<'{"n":1}'
    is "$output" $'foo\t{"n":1}'
}
