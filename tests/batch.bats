#!/usr/bin/env bats
# shnek-pub --batch: several records in one message.
# shellcheck disable=SC2030,SC2031,SC2034,SC2154,SC2317 # bats and `start` set variables, `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    pub_setup
}

teardown() {
    shnek_teardown
}

# subscribe COUNT [OPTION...]: prints that many records and the headers of their messages to sub.out.
subscribe() {
    start sub subscriber -H -n "$@" foo
    wait_until grep -q '^ready' sub.err
}

# received: waits for the records.
received() {
    wait_exit sub
    is "$status" 0
}

# records_of: prints the records in sub.out.
records_of() {
    grep '^{' sub.out
}

# counts_of: prints the Shnek-Records of the messages in sub.out in one line.
counts_of() {
    sed -n 's/^Shnek-Records: //p' sub.out | paste -sd ' '
}

# feed TEXT...: writes the text (for printf) to shnek-pub in one piece.
feed() {
    # shellcheck disable=SC2059
    printf "$@" >fed
    cat fed >&"$feed"
}

# make_lines COUNT: writes JSON lines with the msgids 0 to COUNT - 1 to the file lines.
make_lines() {
    spamlog -q -r max -n "$1" | shnek-parse >lines
}

# counted TEXT: whether shnek-pub counts this.
counted() {
    counts pub "$1"
}

stored() {
    nats_get jsz | sed -n 's/^  "messages": \([0-9]*\).*/\1/p'
}

stored_are() {
    [[ $(stored) == "$1" ]]
}

# request SUBJECT JSON: sends a request to the server and prints the response.
request() {
    local connection line=
    exec {connection}<>"/dev/tcp/127.0.0.1/$(port_of "$NATS_URL")" || return
    printf 'CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB %s answer %d\r\n%s\r\n' \
        "$1" "${#2}" "$2" >&"$connection"
    while read -rt 3 line <&"$connection" && [[ $line != *'"type"'* ]]; do :; done
    exec {connection}>&-
    echo "$line"
    [[ $line == *'"type"'* && $line != *'"error"'* ]]
}

# make_stream [CONFIGURATION]: creates the stream logs for the subject foo.
make_stream() {
    # shellcheck disable=SC2016 # a subject
    wait_until request '$JS.API.STREAM.CREATE.logs' \
        "{\"name\":\"logs\",\"subjects\":[\"foo\"],\"storage\":\"memory\"${1:+,$1}}"
}

# replay COUNT [OPTION...]: reads COUNT records of the stream logs to replay.out.
replay() {
    start replay subscriber -n "$@" -i 20 replay
    wait_until grep -q '^ready' replay.err
    # shellcheck disable=SC2016 # a subject
    wait_until request '$JS.API.CONSUMER.DURABLE.CREATE.logs.replay' \
        '{"stream_name":"logs","config":{"durable_name":"replay","ack_policy":"none","deliver_subject":"replay"}}'
    wait_exit replay
}

# server_has_unread BYTES: whether at least this many bytes of a client wait for the suspended server.
server_has_unread() {
    local port queue
    printf -v port '%04X' "$(port_of "$NATS_URL")"
    while read -r queue; do
        ((16#$queue < $1)) || return 0
    done < <(sed -n "s/^ *[0-9]*: [0-9A-F]*:$port [0-9A-F:]* 01 [0-9A-F]*:\([0-9A-F]*\) .*/\1/p" /proc/net/tcp)
    return 1
}

# Batches

@test "consecutive lines are one message in NDJSON with the number of its records" {
    nats_start
    subscribe 3
    printf '{"a":1}\n{"b":2}\n{"c":3}\n' >lines
    shnek-pub --batch=32k <lines
    received
    is "$(sort sub.out)" "$(sort - lines <<<$'Content-Type: application/x-ndjson\nShnek-Records: 3')"
    is "$(records_of)" "$(<lines)"
}

@test "a single record in a batch has the same headers" {
    nats_start
    subscribe 1
    shnek-pub --batch=32k <<<'{"a":1}'
    received
    is "$(sort sub.out)" $'Content-Type: application/x-ndjson\nShnek-Records: 1\n{"a":1}'
}

@test "without --batch there are no such headers" {
    nats_start
    subscribe 2
    printf '{"a":1}\n{"b":2}\n' | shnek-pub
    received
    is "$(<sub.out)" $'{"a":1}\n{"b":2}'
}

@test "a batch has at most SIZE bytes, and a record that is longer is alone" {
    nats_start
    subscribe 7
    # Two lines of 8 bytes and the LF between them are 17 bytes.
    printf '{"a":11}\n{"b":22}\n{"c":33}\n{"long":"12345678901"}\n{"d":44}\n{"e":5}\n{"f":66}\n' >lines
    shnek-pub --batch=17 <lines
    received
    is "$(records_of)" "$(<lines)"
    is "$(counts_of)" '2 1 1 2 1'
}

@test "a batch and its headers fit into the server's max_payload" {
    local options
    nats_start 'jetstream: enabled' 'max_payload: 1000'
    make_lines 1000
    make_stream
    for options in '' '-J' '-J --stream=logs --msg-id=auto' '-J --stream=logs --msg-id=hash'; do
        subscribe 1000
        # shellcheck disable=SC2086 # words
        shnek-pub --batch=64k $options <lines 2>pub.err
        is "$(<pub.err)" ''
        received
        cmp <(records_of) lines
        [[ $(counts_of) == *' 4 4 4 '* ]]
    done
}

@test "an open batch is divided if the server reduces its max_payload" {
    local long
    printf -v long '{"n":6,"x":"%0900d"}' 0
    nats_start 'max_payload: 4096'
    subscribe 5
    start_fed pub shnek-pub --batch=3k --batch-wait=1h --stats=1h
    seq -f '{"n":%.0f,"x":"                                                                                "}' 5 >lines
    feed '%s\n' "$(<lines)" "$long"
    wait_until counted 'in 6 out 0'
    sed -i 's/max_payload: 4096/max_payload: 600/' nats.conf
    kill -HUP "$nats_pid"
    wait_until grep -q 'Reloaded: max_payload' nats.err
    end_of_input
    wait_exit pub
    is "$status" 1
    grep -q "^shnek-pub: stdin:6: PAYLOAD: longer than the server's max_payload" pub.err
    grep -q 'in 6 out 5 rejected 1' pub.err
    received
    is "$(records_of)" "$(<lines)"
}

@test "rejected and empty lines, and CR, are not part of a batch" {
    nats_start
    subscribe 4
    printf '{"a":1}\nbad\n{"b":2}\r\n\n{"c":3}\n{"d":4}\r\n' >lines
    run --separate-stderr shnek-pub --batch=32k --stats=1h <lines
    is "$status" 1
    [[ ${stderr_lines[0]} == 'shnek-pub: stdin:2: '* ]]
    [[ $stderr == *'in 5 out 4 rejected 1 '* ]]
    received
    is "$(records_of)" $'{"a":1}\n{"b":2}\n{"c":3}\n{"d":4}'
    is "$(counts_of)" 4
}

@test "every record of a million arrives in order and is confirmed" {
    local all=${SANITIZE:+100000}
    all=${all:-1000000}
    nats_start
    make_lines "$all"
    start sub subscriber -u -n "$all" -i 20 foo
    wait_until grep -q '^ready' sub.err
    run --separate-stderr shnek-pub --batch=32k --stats=1h <lines
    is "$status" 0
    [[ $stderr == *"in $(grouped "$all") out $(grouped "$all") "* ]]
    wait_exit sub
    is "$(<sub.out)" "received: $all unique: $all duplicates: 0 missing: 0 out-of-order: 0"
}

@test "a batch is larger than a window of unproven confirmations, or than the window" {
    nats_start 'max_payload: 8MB'
    make_lines 20000
    start sub subscriber -u -n 20000 -i 20 foo
    wait_until grep -q '^ready' sub.err
    shnek-pub --batch=8M --window=1M --batch-wait=1h <lines
    wait_exit sub
    [[ $(<sub.out) == 'received: 20000 unique: 20000 '* ]]
}

# Time

@test "an incomplete batch is sent after --batch-wait" {
    nats_start
    subscribe 2
    start_fed pub shnek-pub --batch=32k
    feed '{"a":1}\n{"b":2}\n'
    received
    is "$(records_of)" $'{"a":1}\n{"b":2}'
    end_of_input
    wait_exit pub
    is "$status" 0
}

@test "an incomplete batch is not sent before --batch-wait, but at the end of the input" {
    nats_start
    subscribe 3
    start_fed pub shnek-pub --batch=32k --batch-wait=1h
    feed '{"a":1}\n'
    wait_until counted 'in 1 out 0'
    feed '{"b":2}\n'
    wait_until counted 'in 2 out 0'
    feed '{"c":3}\n'
    end_of_input
    wait_exit pub
    is "$status" 0
    received
    is "$(counts_of)" 3
}

@test "an incomplete batch is sent on SIGTERM" {
    nats_start
    subscribe 2
    start_fed pub shnek-pub --batch=32k --batch-wait=1h --stats=1h
    feed '{"a":1}\n{"b":2}\n'
    wait_until counted 'in 2 out 0'
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 0
    grep -q 'in 2 out 2' pub.err
    received
    is "$(counts_of)" 2
}

@test "--batch-wait=0 sends what has been read" {
    nats_start
    subscribe 2
    start_fed pub shnek-pub --batch=32k --batch-wait=0
    feed '{"a":1}\n{"b":2}\n'
    received
    end_of_input
    wait_exit pub
    is "$status" 0
}

@test "shnek-pub with an incomplete batch sleeps" {
    local before
    nats_start
    start_fed pub shnek-pub --batch=32k --batch-wait=1h
    feed '{"a":1}\n'
    wait_until counted 'in 1 out 0'
    before=$(sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$pub_pid/status")
    for _ in {1..10}; do pause; done
    (($(sed -n 's/^voluntary_ctxt_switches:\t//p' "/proc/$pub_pid/status") - before < 50))
    end_of_input
    wait_exit pub
    is "$status" 0
}

# Confirmation

@test "a batch that was not confirmed is resent after a reconnection" {
    nats_start
    start_fed pub shnek-pub --batch=32k --stats=1h
    feed '{"a":0}\n'
    wait_until counted 'in 1 out 1'
    suspend "$nats_pid"
    feed '{"a":1}\n{"b":2}\n'
    wait_until server_has_unread 100
    kill -KILL "$nats_pid"
    wait_exit nats
    end_of_input
    nats_restart
    wait_exit pub
    is "$status" 0
    grep -q '^shnek-pub: resending 2 messages' pub.err
    grep -q 'in 3 out 3 ' pub.err
    is "$(nats_varz in_msgs)" 1
}

@test "unconfirmed records of batches are written out line by line" {
    nats_start
    start_fed pub shnek-pub --batch=32k --max-reconnect-time=10ms --spill=spilled
    feed '{"a":0}\n'
    wait_until counted 'in 1 out 1'
    suspend "$nats_pid"
    feed '{"a":1}\n{"b":2}\n'
    wait_until counted 'in 3 out 1'
    kill -KILL "$nats_pid"
    wait_exit nats
    end_of_input
    wait_exit pub
    is "$status" 2
    is "$(<spilled)" $'{"a":1}\n{"b":2}'
    grep -q '2 messages are unconfirmed; written to spilled' pub.err
}

# JetStream

@test "a stream acknowledges a batch for all of its records" {
    nats_start 'jetstream: enabled'
    make_stream
    printf '{"a":1}\n{"b":2}\n{"c":3}\n' >lines
    run --separate-stderr shnek-pub -J --batch=32k --msg-id=auto --stats=1h <lines
    is "$status" 0
    [[ $stderr == *'in 3 out 3 '* ]]
    is "$(stored)" 1
    replay 3
    is "$(<replay.out)" "$(<lines)"
}

@test "one record that is too large for the stream is rejected, and its batch is published" {
    local long
    printf -v long '{"long":"%0300d"}' 0
    nats_start 'jetstream: enabled'
    make_stream '"max_msg_size":300'
    seq -f '{"n":%.0f}' 200 | sed "77s/.*/$long/" >lines
    run --separate-stderr shnek-pub -J --batch=32k --msg-id=auto --rejects=rejects --stats=1h <lines
    is "$status" 1
    [[ $stderr == *'shnek-pub: stdin:77: STREAM: '* ]]
    [[ $stderr == *'in 200 out 199 rejected 1 '* ]]
    is "$(wc -l <rejects)" 1
    grep -qF '"number":77,' rejects
    replay 199
    cmp <(sort replay.out) <(grep -v long lines | sort)
}

@test "batches that are too large for the stream become smaller" {
    nats_start 'jetstream: enabled'
    make_stream '"max_msg_size":2000'
    make_lines 2000
    run --separate-stderr shnek-pub -J --batch=32k --msg-id=auto --stats=1h <lines
    is "$status" 0
    [[ $stderr == *'in 2,000 out 2,000 '* ]]
    replay 2000
    cmp <(sort replay.out) <(sort lines)
}

@test "a batch whose identifier the stream has already is rejected record by record" {
    nats_start 'jetstream: enabled'
    make_stream
    printf '{"a":1}\n{"b":2}\n' >lines
    shnek-pub -J --batch=32k --msg-id=hash <lines
    run --separate-stderr shnek-pub -J --batch=32k --msg-id=hash --stats=1h <lines
    is "$status" 1
    [[ $stderr == *'stdin:1: MSG-ID: the stream already has this id'* ]]
    [[ $stderr == *'stdin:2: MSG-ID: the stream already has this id'* ]]
    [[ $stderr == *'in 2 out 0 rejected 2 '*'duplicates 2'* ]]
    is "$(stored)" 1
}

@test "records of a batch without a stream are rejected one by one" {
    nats_start 'jetstream: enabled'
    printf '{"a":1}\n{"b":2}\n{"c":3}\n' >lines
    run --separate-stderr shnek-pub -J --batch=32k --stats=1h <lines
    is "$status" 1
    is "$(grep -c 'STREAM: no stream has this subject' <<<"$stderr")" 3
    [[ $stderr == *'in 3 out 0 rejected 3 '* ]]
}

# Spool

# kill_before_ack COUNT: kills shnek-pub when the suspended server has stored that many messages, which
# the process does not learn.
kill_before_ack() {
    suspend "$pub_pid"
    kill -CONT "$nats_pid"
    wait_until stored_are "$1"
    kill -KILL "$pub_pid"
    wait_exit pub
    end_of_input
}

# leave_batches [OPTION...]: kills shnek-pub with a spool after it has sent {"n":0}, and then two
# batches that the server stores later: lines 1 to 3, and 4 to 5.
leave_batches() {
    nats_start 'jetstream: enabled'
    make_stream
    start_fed pub shnek-pub -J --stream=logs --msg-id=auto --spool=spool --window=1M --batch-wait=0 "$@"
    feed '{"n":0}\n'
    wait_until counted 'in 1 out 1'
    suspend "$nats_pid"
    feed '{"n":1}\n{"n":2}\n{"n":3}\n'
    wait_until counted 'in 4 out 1'
    feed '{"n":4}\n{"n":5}\n'
    wait_until counted 'in 6 out 1'
    wait_until server_has_unread 400
    kill_before_ack 3
}

# next_process OPTION...: publishes one more line with the spool. Nothing is stored twice.
next_process() {
    run --separate-stderr shnek-pub -J --stream=logs --msg-id=auto --spool=spool --stats=1h "$@" <<<'{"n":6}'
    is "$status" 0
    [[ $stderr == *'in 6 out 6 '*'duplicates 5'* ]]
    is "$(stored)" 4
    replay 7
    is "$(<replay.out)" "$(seq -f '{"n":%.0f}' 0 6)"
}

@test "the next process resends the same batches, which the stream knows" {
    leave_batches --batch=32k
    next_process --batch=32k
}

@test "the next process resends the same batches with another --batch" {
    leave_batches --batch=32k
    next_process --batch=16
}

@test "the next process resends the same batches without --batch" {
    leave_batches --batch=32k
    next_process
}

@test "the next process with --batch resends single messages that were sent without it" {
    nats_start 'jetstream: enabled'
    make_stream
    start_fed pub shnek-pub -J --stream=logs --msg-id=auto --spool=spool
    feed '{"n":0}\n'
    wait_until counted 'in 1 out 1'
    suspend "$nats_pid"
    feed '{"n":1}\n{"n":2}\n'
    wait_until counted 'in 3 out 1'
    wait_until server_has_unread 200
    kill_before_ack 3
    run --separate-stderr shnek-pub -J --stream=logs --msg-id=auto --spool=spool --stats=1h --batch=32k <<<'{"n":3}'
    is "$status" 0
    [[ $stderr == *'in 3 out 3 '*'duplicates 2'* ]]
    is "$(stored)" 4
}

# Templates

@test "a batch contains the records of one subject, and of equal headers" {
    nats_start
    start sub subscriber -H -n 6 'logs.*'
    wait_until grep -q '^ready' sub.err
    printf '{"hostname":"%s","msgid":"%s","n":%s}\n' a x 1 b x 2 a x 3 b y 4 c x 5 a x 6 |
        shnek-pub --batch=32k -H 'Id: {msgid}' 'logs.{hostname}'
    received
    is "$(counts_of)" '3 1 1 1'
    is "$(sed -n 's/^Id: //p' sub.out | paste -sd ' ')" 'x x y x'
    is "$(records_of | sed 's/.*"n":\(.*\)}/\1/' | paste -sd ' ')" '1 3 6 2 4 5'
}

@test "records of more subjects than open batches are complete, in order, and on their subject" {
    local host
    nats_start
    start all subscriber -n 20000 -i 20 'logs.*'
    start one subscriber -i 20 logs.h399
    wait_until grep -q '^ready' all.err
    wait_until grep -q '^ready' one.err
    awk 'BEGIN { srand(7); for (n = 0; n < 20000; n++) printf "{\"hostname\":\"h%d\",\"n\":%d}\n", int(rand() * 400), n }' >lines
    shnek-pub --batch=1k 'logs.{hostname}' <lines
    wait_exit all
    is "$status" 0
    cmp <(sort all.out) <(sort lines)
    for host in h0 h7 h399; do
        cmp <(grep "\"$host\"" all.out) <(grep "\"$host\"" lines)
    done
    kill -TERM "$one_pid"
    wait_exit one
    cmp one.out <(grep '"h399"' lines)
}

@test "the next process resends the same batches of several subjects" {
    nats_start 'jetstream: enabled'
    # shellcheck disable=SC2016 # a subject
    wait_until request '$JS.API.STREAM.CREATE.logs' '{"name":"logs","subjects":["logs.*"],"storage":"memory"}'
    start_fed pub shnek-pub -J --stream=logs --msg-id=auto --spool=spool --batch=32k --batch-wait=0 'logs.{hostname}'
    feed '{"hostname":"a","n":0}\n'
    wait_until counted 'in 1 out 1'
    suspend "$nats_pid"
    feed '{"hostname":"a","n":1}\n{"hostname":"b","n":2}\n{"hostname":"a","n":3}\n{"hostname":"b","n":4}\n{"hostname":"c","n":5}\n'
    wait_until counted 'in 6 out 1'
    wait_until server_has_unread 700
    kill_before_ack 4
    run --separate-stderr shnek-pub -J --stream=logs --msg-id=auto --spool=spool --stats=1h 'logs.{hostname}' <<<'{"hostname":"a","n":6}'
    is "$status" 0
    [[ $stderr == *'in 6 out 6 '*'duplicates 5'* ]]
    is "$(stored)" 5
}

@test "one record of several subjects that is too large for the stream is rejected" {
    nats_start 'jetstream: enabled'
    # shellcheck disable=SC2016 # a subject
    wait_until request '$JS.API.STREAM.CREATE.logs' \
        '{"name":"logs","subjects":["logs.*"],"storage":"memory","max_msg_size":300}'
    awk 'BEGIN { for (n = 1; n <= 200; n++) { p = n == 77 ? sprintf("%300s", "") : ""; printf "{\"hostname\":\"%d\",\"n\":%d,\"p\":\"%s\"}\n", n % 3, n, p } }' >lines
    run --separate-stderr shnek-pub -J --batch=32k --msg-id=auto --stats=1h 'logs.{hostname}' <lines
    is "$status" 1
    [[ $stderr == *'shnek-pub: stdin:77: STREAM: '* ]]
    [[ $stderr == *'in 200 out 199 rejected 1 '* ]]
    replay 199
    cmp <(sort replay.out) <(sed 77d lines | sort)
}

# Reading back

@test "spamlog --verify reads batches" {
    nats_start
    start sub subscriber -n 10000 -i 20 foo
    wait_until grep -q '^ready' sub.err
    spamlog -q -r max -n 10000 --checksum | shnek-parse | shnek-pub --batch=32k
    wait_exit sub
    run spamlog --verify --checksum --expect=10000 sub.out
    is "$status" 0
    [[ $output == 'received: 10,000'*'missing: 0'* ]]
}

# Options

@test "a dry run prints each record of a batch" {
    run shnek-pub -n --batch=32k foo <<<$'{"a":1}\n{"b":2}'
    is "$status" 0
    is "$output" $'foo\t{"a":1}\nfoo\t{"b":2}'
}

@test "--batch and --batch-wait: invalid values are usage errors" {
    local option
    for option in --batch=0 --batch=x --batch=65M --batch-wait=2h --batch-wait=x; do
        run --separate-stderr shnek-pub "$option" </dev/null
        is "$status" 2
        [[ ${stderr_lines[0]} == "shnek-pub: ${option%=*}: "* ]]
    done
}

@test "--msg-id with a template cannot be combined with --batch" {
    run --separate-stderr shnek-pub -J --batch=32k --msg-id='{id}' </dev/null
    is "$status" 2
    is "${stderr_lines[0]}" 'shnek-pub: --msg-id: a template identifies one record; with --batch, use auto or hash'
}

@test "--header cannot set Content-Type with --batch" {
    run --separate-stderr shnek-pub --batch=32k -H 'Content-Type: text/plain' </dev/null
    is "$status" 2
    is "${stderr_lines[0]}" 'shnek-pub: --header: --batch sets Content-Type'
}

@test "a server that accepts no headers ends --batch with status 2 and the reason" {
    nats_start 'no_header_support: true'
    run --separate-stderr shnek-pub --batch=32k <<<'{}'
    is "$status" 2
    [[ ${stderr_lines[0]} == 'shnek-pub: '*'the server accepts no headers, which --batch requires' ]]
}
