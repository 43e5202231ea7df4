#!/usr/bin/env bats
# shnek-pub with servers and streams that do what a real nats-server cannot be made to do.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    pub_setup
}

teardown() {
    shnek_teardown
}

# fake [OPTION...] [ACTION...]: starts a fake server, and sets NATS_URL.
fake() {
    start fake fake-nats "$@"
    NATS_URL=$(listen_url fake.err)
    export NATS_URL
}

# publish INPUT [OPTION...]: runs shnek-pub on INPUT, in which escapes such as \n are expanded.
publish() {
    local input=$1
    shift
    run --separate-stderr timeout -k 5 40 shnek-pub "$@" < <(printf %b "$input")
}

# published PAYLOAD: how often the fake server received it on the subject foo.
published() {
    grep -cFx "PUB foo $1" fake.out || true
}

# messages: how many messages the fake server received on the subject foo.
messages() {
    grep -c '^PUB foo ' fake.out || true
}

connections() {
    grep -c '^CONNECT' fake.out || true
}

no_stream='STREAM.NAMES={"total":0,"offset":0,"limit":1024,"streams":null}'
one_stream='STREAM.NAMES={"total":1,"offset":0,"limit":1024,"streams":["logs"]}'

# info MEMBERS: STREAM.INFO with these members of the configuration.
info() {
    printf 'STREAM.INFO={"config":{"name":"logs",%s}}' "$1"
}

# Acknowledgements

@test "a reply that is not an acknowledgement of a stream confirms nothing, and is reported once" {
    local reply
    for reply in hello '' '{}' '[]' '{"stream":"logs"}' '{"seq":1}' '{"stream":1,"seq":1}' \
        '{"stream":"","seq":1}' '{"stream":"logs","seq":"1"}' '{"stream":"logs","seq":-1}' \
        '{"stream":"logs","seq":1' '{"stream":"logs","seq":1}x'; do
        fake -A "$no_stream" "text:$reply"
        publish '{"a":1}\n{"a":2}\n' -J --timeout=300ms --stats=1h
        is "$status" 1
        like "$stderr" "*shnek-pub: reply \"*\" is not an acknowledgement of stream (any); ignoring such replies
shnek-pub: stdin:1: STREAM: no stream has this subject (at byte 0)
shnek-pub: stdin:2: STREAM: no stream has this subject (at byte 0)
shnek-pub: in 2 out 0 rejected 2 *"
        kill "$fake_pid"
        wait_exit fake
    done
}

@test "a status header other than 503 confirms nothing" {
    fake -A "$no_stream" status:408
    publish '{"a":1}\n' -J --timeout=300ms
    is "$status" 1
    like "$stderr" '*stdin:1: STREAM: no stream has this subject (at byte 0)'
}

@test "an acknowledgement follows a reply of a subscriber" {
    fake 'text:hello' ack
    publish '{"a":1}\n' -J --timeout=300ms --stats=1h
    is "$status" 0
    like "$stderr" 'shnek-pub: reply "hello" is not an acknowledgement*'
    like "$stderr" '*in 1 out 1 rejected 0 *'
}

@test "an acknowledgement of another stream than --stream confirms nothing" {
    fake -A "$(info '"x":1')" 'text:{"stream":"other","seq":1}'
    publish '{"a":1}\n' -J --stream=logs --timeout=300ms --connect-timeout=2s
    is "$status" 2
    is "$output" '{"a":1}'
    like "$stderr" '*reply "{*other*}" is not an acknowledgement of stream logs;*'
    like "$stderr" '*stream logs unavailable: no responders (JetStream may be disabled); --connect-timeout has expired*'
}

@test "acknowledgements to other inboxes and of unknown messages confirm nothing" {
    fake stray ack
    publish '{"a":1}\n' -J --timeout=300ms --stats=1h
    is "$status" 0
    is "$(published '{"a":1}')" 2
}

@test "a stream, subject or text that is named error is not an error" {
    local stream
    for stream in error 10059 '"total":0' 'a&b'; do
        fake -A 'STREAM.INFO={"config":{"name":"x","subjects":["error"],"description":"\"error\""}}' \
            "text:{\"stream\":\"$(sed 's/"/\\"/g; s/&/\\u0026/' <<<"$stream")\",\"domain\":\"error\",\"seq\":1}"
        publish '{"a":1}\n' -J --stream="$stream" error
        is "$status" 0
        is "$stderr" ''
        is "$(grep -c '^PUB error ' fake.out)" 1
        kill "$fake_pid"
        wait_exit fake
    done
}

@test "the reason of a permanent error is that of its description, and only of that message" {
    fake 'text:{"error":{"code":400,"err_code":10054,"description":"too \"big\""},"stream":"logs","seq":0}' ack
    publish '{"a":1}\n{"a":2}\n' -J --rejects=rejects --stats=1h
    is "$status" 1
    like "$stderr" 'shnek-pub: stdin:1: STREAM: too "big" (at byte 0)
shnek-pub: in 2 out 1 rejected 1 *'
    is "$(wc -l <rejects)" 1
}

@test "a line that the stream refused is not sent or rejected again after a kill and a restart" {
    local refused='text:{"error":{"code":400,"err_code":10054,"description":"too big"},"stream":"logs","seq":0}'
    # The first line is never acknowledged, so that the others stay in the spool.
    fake none "$refused" duplicate none
    start_fed pub shnek-pub -J --spool=spool --window=1M --timeout=1h '--msg-id={a}' --rejects=rejects
    printf '{"a":1}\n{"a":2}\n{"a":3}\n{"a":4}\n' >&"$feed"
    wait_until counts pub 'rejected 2'
    is "$(jq -r .number rejects)" $'2\n3'
    kill -KILL "$pub_pid"
    wait_exit pub
    end_of_input
    kill "$fake_pid"
    wait_exit fake
    fake ack
    publish '' -J --spool=spool '--msg-id={a}' --rejects=rejects --stats=1h
    is "$status" 0
    like "$stderr" 'shnek-pub: in 2 out 2 rejected 0 *'
    is "$(grep '^PUB foo' fake.out)" $'PUB foo {"a":1}\nPUB foo {"a":4}'
    lines_are rejects 2
}

# Duplicates

@test "a duplicate on the first transmission is rejected and counted" {
    fake ack duplicate ack
    publish '{"id":1}\n{"id":1}\n{"id":2}\n' -J '--msg-id={id}' --rejects=rejects --stats=1h
    is "$status" 1
    like "$stderr" 'shnek-pub: stdin:2: MSG-ID: the stream already has this id (at byte 0)
shnek-pub: in 3 out 2 rejected 1 dropped 0 * duplicates 1'
    is "$(<rejects)" '{"source":"stdin","number":2,"error":"MSG-ID: the stream already has this id","offset":0,"raw":"{\"id\":1}"}'
}

@test "a duplicate after a retransmission is counted only" {
    fake none duplicate
    publish '{"id":1}\n' -J '--msg-id={id}' --timeout=300ms --stats=1h
    is "$status" 0
    like "$stderr" 'shnek-pub: in 1 out 1 rejected 0 dropped 0 * duplicates 1'
    is "$(messages)" 2
}

# Timeouts

@test "a message whose acknowledgement is missing is resent when later ones were acknowledged" {
    fake ack none ack
    seq -f '{"n":%.0f}' 100 >in
    start pub from in shnek-pub -J --timeout=100ms
    wait_exit pub
    is "$status" 0
    is "$(messages)" 101
    is "$(published '{"n":2}')" 2
}

@test "a stream that acknowledges late receives each message once" {
    fake -d 3
    seq -f '{"n":%.0f}' 1000 >in
    start pub from in shnek-pub -J --timeout=500ms
    wait_exit pub
    is "$status" 0
    is "$(<pub.err)" ''
    is "$(messages)" 1000
}

@test "acknowledgements in another order confirm every message" {
    fake late late ack
    publish '{"a":1}\n{"a":2}\n{"a":3}\n' -J --timeout=300ms --stats=1h
    is "$status" 0
    like "$stderr" '*in 3 out 3 *'
}

# Unavailable streams

@test "a stream without acknowledgements (no_ack) ends it with status 2 after one message" {
    local option
    for option in --stream=logs ''; do
        fake -A "$one_stream" -A "$(info '"no_ack":true')" none
        publish '{"a":1}\n{"a":2}\n' -J ${option:+"$option"} --timeout=300ms
        is "$status" 2
        like "$stderr" 'shnek-pub: stream *: stream logs acknowledges nothing (no_ack)*'
        (($(messages) <= 2))
        kill "$fake_pid"
        wait_exit fake
    done
}

@test "an unavailable stream is queried once for all messages, and is probed with one" {
    local error='text:{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"stream":"logs","seq":0}'
    local -a actions=()
    while ((${#actions[@]} < 102)); do
        actions+=("$error")
    done
    fake -A "$one_stream" -A "$(info '"x":1')" "${actions[@]}" ack
    seq -f '{"n":%.0f}' 100 >in
    start pub from in shnek-pub -J
    wait_exit pub
    cat pub.err
    is "$status" 0
    is "$(<pub.err)" ''
    # 100 messages, two probes that fail, one that does not, and the 99 others.
    is "$(messages)" 202
    is "$(grep -c 'STREAM.NAMES' fake.out)" 3
}

@test "an unavailable stream is reported after some time, and when that ends" {
    local error='text:{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},"stream":"logs","seq":0}'
    fake -A "$one_stream" -A "$(info '"x":1')" "$error" "$error" "$error" "$error" "$error" "$error" ack
    publish '{"a":1}\n' -J
    is "$status" 0
    like "$stderr" 'shnek-pub: stream foo unavailable: maximum messages exceeded; retrying
shnek-pub: stream foo available again after * s'
}

@test "one SIGTERM ends it while a stream that never confirmed anything is unavailable" {
    fake 'text:{"error":{"code":503,"err_code":10077,"description":"full"},"stream":"logs","seq":0}'
    start_fed pub shnek-pub -J
    printf '{"a":1}\n' >&"$feed"
    wait_until grep -q 'STREAM.NAMES' fake.out
    kill -TERM "$pub_pid"
    wait_exit pub
    end_of_input
    is "$status" 2
    is "$(<pub.out)" '{"a":1}'
    like "$(<pub.err)" 'shnek-pub: stopped before the first confirmation*'
}

@test "--connect-timeout ends it if the stream is unavailable from the start" {
    fake
    publish '{"a":1}\n' -J --stream=logs --connect-timeout=300ms
    is "$status" 2
    is "$output" '{"a":1}'
    like "$stderr" 'shnek-pub: stream logs unavailable: no responders (JetStream may be disabled); --connect-timeout has expired*'
}

@test "an error of the API that does not pass ends it with the text of the server" {
    local code
    for code in 10074 10065 10052 10047; do
        fake -A 'STREAM.INFO={"error":{"code":404,"err_code":10059,"description":"stream not found"}}' \
            -A "STREAM.CREATE={\"error\":{\"code\":500,\"err_code\":$code,\"description\":\"reason $code\"}}"
        publish '{"a":1}\n' -J --stream=logs --create-stream
        is "$status" 2
        is "$output" '{"a":1}'
        like "$stderr" "shnek-pub: stream logs: reason $code*"
        kill "$fake_pid"
        wait_exit fake
    done
}

# Connections

@test "a server that closes each connection after a message gets increasing delays" {
    fake cut
    publish '{"a":1}\n' --connect-timeout=2s
    is "$status" 2
    is "$output" '{"a":1}'
    # Without delays there are thousands.
    (($(connections) < 100))
}

@test "each disconnect is either reported or counted as suppressed" {
    fake last
    seq -f '{"n":%.0f}' 50 >in
    start pub from in shnek-pub -J
    wait_exit pub
    is "$status" 0
    printed=$(grep -c '^shnek-pub: disconnected from ' pub.err)
    suppressed=$(awk '/ similar lines? suppressed$/ { n += $2 } END { print n + 0 }' pub.err)
    # The last connection may end before its loss is noticed.
    ((printed + suppressed == $(connections) || printed + suppressed == $(connections) - 1))
}

@test "a message that the server's new max_payload does not allow is rejected, also after it was sent" {
    fake -i '"max_payload":1000' 'info:"max_payload":100' ack
    printf '{"a":"%0200d"}\n{"a":1}\n' 0 >in
    start pub from in shnek-pub -J --timeout=300ms --rejects=rejects
    wait_exit pub
    is "$status" 1
    like "$(<pub.err)" "shnek-pub: stdin:1: PAYLOAD: longer than the server's max_payload (at byte 100)"
    is "$(wc -l <rejects)" 1
    is "$(published '{"a":1}')" 1
    is "$(connections)" 1
}

@test "lines that the server closes the connection for are rejected, also if its INFO allows them" {
    local options
    for options in '' '-J' '-J --msg-id=auto' '-J --msg-id={a}'; do
        fake -m 220
        # With the identifier {a}, line 2 is a longer message than line 3, whose identifier is a hash.
        printf '{"n":1}\n{"a":"%0100d"}\n{"x":"%0105d"}\n{"n":2}\n{"x":"%0400d"}\n{"n":3}\n' 0 0 0 >in
        # shellcheck disable=SC2086
        start pub from in shnek-pub $options --rejects=rejects --stats=1h
        wait_exit pub
        cat pub.err
        is "$status" 1
        grep -q '^shnek-pub: disconnected from .* (Maximum Payload Violation); ' pub.err
        [[ $options ]] || grep -q '^shnek-pub: resending 5 messages$' pub.err
        rejected=5
        [[ $options != *'{a}' ]] || rejected=$'5\n2'
        is "$(jq -r .number rejects)" "$rejected"
        is "$(jq -r .error rejects | sort -u)" "PAYLOAD: longer than the server's max_payload; it closed the connection"
        is "$(connections)" $(($(wc -l <rejects) + 1))
        (($(published '{"n":1}') >= 1 && $(published '{"n":3}') >= 1))
        rm rejects
        kill "$fake_pid"
        wait_exit fake
    done
}

@test "a server without headers is refused if options require them" {
    fake -i '"max_payload":1000,"headers":false'
    publish '{"a":1}\n' -J --msg-id=auto
    is "$status" 2
    like "$stderr" 'shnek-pub: stream foo: the server accepts no headers, which --stream, --msg-id, --header and --batch require*'
    is "$(connections)" 1
    publish '{"a":1}\n' -H 'X: y'
    is "$status" 2
    like "$stderr" 'shnek-pub: nats://*: the server accepts no headers, which --header requires*'
}

@test "addresses in INFO that are not URLs are ignored" {
    fake -i '"max_payload":1000,"connect_urls":["not a url","127.0.0.1:99999"]' cut ack
    publish '{"a":1}\n'
    is "$status" 0
    like "$stderr" '*reconnected to nats://127.0.0.1:*'
}
