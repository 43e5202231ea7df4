#!/usr/bin/env bats
# Subjects, headers and identifiers of shnek-pub that are made of fields of the line.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    pub_setup
}

teardown() {
    shnek_teardown
}

# publish INPUT [OPTION...]: runs shnek-pub on INPUT.
publish() {
    local input=$1
    shift
    run --separate-stderr timeout -k 5 40 shnek-pub "$@" <<<"$input"
}

# refuses REASON ARGUMENT...: asserts that these are a usage error.
refuses() {
    publish '{}' -n "${@:2}"
    is "$status" 2
    is "$output" ''
    is "$stderr" "shnek-pub: $1"$'\n'"shnek-pub: try 'shnek-pub --help'"
}

# listen SUBJECT: writes what the server sends for the subject to raw.out, in its protocol.
listen() {
    start raw bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"
        printf "CONNECT {\"verbose\":false,\"headers\":true}\r\nSUB %s 1\r\nPING\r\n" "$2" >&3
        exec cat <&3' bash "$(port_of "$NATS_URL")" "$1"
    wait_until grep -q '^PONG' raw.out
}

# received PATTERN COUNT: whether raw.out has that many lines with it.
received() {
    [[ $(grep -ac -e "$1" raw.out) == "$2" ]]
}

record='{"severity":"crit","facility":"auth","version":1,"timestamp":null,"hostname":"web1.example","appname":null,'
record+='"procid":18895,"msgid":"","sd":{"origin":{"ip":"192.0.2.1"},"a.b@1":{"x":"y"}},"msg":"a\r\nPUB evil 0\r\n"}'

# expands TEMPLATE SUBJECT
expands() {
    publish "$record" -n "$1"
    is "$status" 0
    is "$output" "$2"$'\t'"$record"
}

@test "fields of the line are tokens of the subject" {
    expands 'logs.{facility}.{severity}.{hostname}' logs.auth.crit.web1_example
    expands '{facility}-{severity}.{procid}.{version}' auth-crit.18895.1
    expands 'logs.{sd.origin.ip}.{sd["a.b@1"].x}' logs.192_0_2_1.y
    expands 'logs.{msg}' logs.a__PUB_evil_0__
}

@test "a null, empty or missing field is its default, or _" {
    expands 'logs.{appname}.{msgid}.{timestamp|never}.{msgid|none}' logs._._.never.none
    expands 'logs.{sd.origin.port|none}.{sd.none.ip}.{peer}.{["other"]}' logs.none._._._
}

@test "two braces are a literal one" {
    expands 'logs.{{hostname}}' 'logs.{hostname}'
    expands 'logs.{{{severity}}}' 'logs.{crit}'
}

@test "\$SHNEK_SUBJECT is a template, too" {
    SHNEK_SUBJECT='logs.{severity}' publish "$record" -n
    is "$output" "logs.crit"$'\t'"$record"
}

@test "an invalid template is a usage error" {
    refuses "SUBJECT 'logs.{hostnme}': unknown field 'hostnme'; a member that shnek-parse does not write is {[\"hostnme\"]}" \
        'logs.{hostnme}'
    refuses "SUBJECT 'logs.{hostname': a brace is not closed" 'logs.{hostname'
    refuses "SUBJECT 'logs.}': a brace is not opened; '}}' is a literal one" 'logs.}'
    refuses "SUBJECT 'logs.{}': the name of a field is missing" 'logs.{}'
    refuses "SUBJECT 'logs.*.{hostname}': it contains a wildcard" 'logs.*.{hostname}'
    refuses "SUBJECT '{hostname}.>': it contains a wildcard" '{hostname}.>'
    refuses "SUBJECT 'logs..{hostname}': it has an empty token" 'logs..{hostname}'
    refuses "SUBJECT 'logs.{sd}': sd is an object; a value in it is {sd.ID.NAME} or {sd[\"ID\"].NAME}" 'logs.{sd}'
    refuses "SUBJECT 'logs.{hostname|a.b}': the default 'a.b' is not a token" 'logs.{hostname|a.b}'
    refuses "SUBJECT '{#0:hostname}': the number of partitions must be from 1 to 2147483647, as in {#16:hostname}" \
        '{#0:hostname}'
    refuses "--header: 'X: {a': a brace is not closed" -H 'X: {a' foo
    refuses "--header: 'X: {a}': unknown field 'a'; a member that shnek-parse does not write is {[\"a\"]}" -H 'X: {a}' foo
    refuses "--msg-id: 'a{id': a brace is not closed" -J --msg-id='a{id' foo
}

@test "a header without a name, or one that NATS interprets, is a usage error" {
    refuses "--header: 'X': it is not NAME: VALUE" -H X foo
    refuses "--header: ': x': it has no name" -H ': x' foo
    refuses "--header: 'X Y: z': its name contains white space, or a byte that is not ASCII" -H 'X Y: z' foo
    refuses "--header: 'nats-msg-id: x': it is set by --msg-id" -H 'nats-msg-id: x' foo
    refuses "--header: 'Nats-Expected-Stream: x': the stream would refuse messages; use --stream" \
        -H 'Nats-Expected-Stream: x' foo
    refuses "--header: 'Nats-Rollup: all': it deletes the messages of the stream" -H 'Nats-Rollup: all' foo
    refuses "--header: 'X: a??b': it contains a control character" -H $'X: a\r\nb' foo
}

@test "hostile values arrive on exactly the documented subjects, and no connection is lost" {
    run "$SHNEK_TOP/tests/hostile" 30000
    echo "$output"
    is "$status" 0
    like "$output" '*received: 30000 of 30000 wrong: 0 repeated: 0'
}

@test "partitions are those of the subject mapping partition() of nats-server" {
    nats_start 'mappings = {' '  "in.*.*.*.*.*.*": "out.{{wildcard(4)}}.{{partition(16,1)}}.{{wildcard(5)}}.{{partition(7,1,2)}}.{{wildcard(6)}}.{{partition(1000,1,2,3)}}"' '}'
    listen 'out.>'
    hostile generate 1000 7 >in
    run -0 shnek-pub <in \
        'in.{hostname}.{appname|none}.{sd["a.b@1"].x}.{#16:hostname}.{#7:hostname,appname|none}.{#1000:hostname,appname|none,sd["a.b@1"].x}'
    is "$output" ''
    wait_until received '^MSG out\.' 1000
    sed -n 's/^MSG out\.\([^ ]*\) .*/\1/p' raw.out >subjects
    is "$(awk -F. '$1 != $2 || $3 != $4 || $5 != $6 || NF != 6' subjects)" ''
    (($(cut -d. -f1 subjects | sort -u | wc -l) == 16))
}

@test "headers are templates, and are sent in core NATS" {
    nats_start
    listen 'logs.>'
    publish "$record" -H 'X-Host: {hostname}' -H 'X-Msg:{msg}' -H 'X-Host: {appname|none}' -H 'Empty: {appname|}' \
        -H 'Fixed: a: b' 'logs.{severity}'
    is "$stderr" ''
    is "$status" 0
    wait_until grep -q '^{' raw.out
    tr -d '\r' <raw.out >lines
    like "$(grep -a HMSG lines)" 'HMSG logs.crit 1 [0-9]* [0-9]*'
    for header in 'X-Host: web1.example' 'X-Host: none' 'X-Msg: aPUB evil 0' 'Empty: ' 'Fixed: a: b'; do
        is "$(grep -acxF "$header" lines)" 1 || { echo "$header" && cat lines && return 1; }
    done
}

@test "headers count toward max_payload in core NATS, and only that line is rejected" {
    nats_start 'max_payload: 1024'
    # NATS/1.0 CR LF, the header and CR LF, and CR LF
    max=$((1024 - 10 - 14 - 2))
    for n in $((max - 1)) "$max" $((max + 1)); do
        printf '{"a":"%*s"}\n' $((n - 8)) ''
    done >in
    status=0
    timeout -k 5 20 shnek-pub -H 'X-Long: 1234' --stats=1h <in 2>err || status=$?
    is "$status" 1
    grep -v ' in ' err >lines || true
    is "$(<lines)" "shnek-pub: stdin:3: PAYLOAD: longer than the server's max_payload (at byte $max)"
    like "$(<err)" '*in 3 out 2 rejected 1 *'
}

# Starts a server with a stream that has the subjects of a JSON array.
with_stream() {
    nats_start 'jetstream: enabled'
    exec {api}<>"/dev/tcp/127.0.0.1/$(port_of "$NATS_URL")"
    api 'STREAM.CREATE.logs' "{\"name\":\"logs\",\"subjects\":$1,\"storage\":\"memory\"}"
}

# api VERB REQUEST: sends a request to the JetStream API, and sets $response.
api() {
    response=
    printf 'CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB $JS.API.%s answer %d\r\n%s\r\n' \
        "$1" "${#2}" "$2" >&"$api"
    while [[ $response != *'"type"'* ]]; do
        read -rt 10 response <&"$api"
    done
    [[ $response != *'"error"'* ]] || { echo "$response" && return 1; }
}

@test "with -J a subject without a stream is rejected, and the others are stored" {
    with_stream '["logs.web1","logs.web2"]'
    awk 'BEGIN { for (i = 0; i < 3000; i++) printf "{\"hostname\":\"web%d\",\"n\":%d}\n", i % 3, i }' >in
    status=0
    timeout -k 5 60 shnek-pub -J -q --rejects=rejects --stats=1h 'logs.{hostname}' <in 2>err || status=$?
    is "$status" 1
    like "$(<err)" 'shnek-pub: in 3,000 out 2,000 rejected 1,000 *'
    is "$(grep -c '"error":"STREAM: no stream has this subject","offset":0,"raw":"{\\"hostname\\":\\"web0\\"' rejects)" 1000
    api STREAM.INFO.logs ''
    like "$response" '*"messages":2000,*'
}

@test "with -J subjects without a stream, each another one, are rejected" {
    with_stream '["logs.web0"]'
    awk 'BEGIN { for (i = 0; i < 500; i++) printf "{\"hostname\":\"web%d\"}\n", i }' >in
    status=0
    timeout -k 5 60 shnek-pub -J -q --stats=1h 'logs.{hostname}' <in 2>err || status=$?
    is "$status" 1
    like "$(<err)" 'shnek-pub: in 500 out 1 rejected 499 *'
}

@test "--create-stream creates a stream for all subjects of the template" {
    nats_start 'jetstream: enabled'
    publish "$record" -J --stream=logs --create-stream 'logs.{facility}.x{severity}.all'
    is "$stderr" ''
    is "$status" 0
    exec {api}<>"/dev/tcp/127.0.0.1/$(port_of "$NATS_URL")"
    api STREAM.INFO.logs ''
    like "$response" '*"subjects":\["logs.\*.\*.all"\]*"messages":1,*'
}

@test "--msg-id is a template with defaults, nested members and partitions" {
    with_stream '["foo"]'
    listen foo
    publish "$record" -J --msg-id='{hostname}/{appname|none}/{sd.origin.ip}/{["procid"]}/{#1:hostname}'
    is "$stderr" ''
    wait_until grep -q '^{' raw.out
    is "$(tr -d '\r' <raw.out | grep -a '^Nats-Msg-Id')" 'Nats-Msg-Id: web1.example/none/192.0.2.1/18895/0'
    publish '{"hostname":"a\nb"}' -J --msg-id='{hostname}'
    wait_until received '^{' 2
    is "$(tr -d '\r' <raw.out | grep -a '^Nats-Msg-Id' | tail -n 1)" \
        "Nats-Msg-Id: $(printf %s '{"hostname":"a\nb"}' | sha256sum | cut -d' ' -f1)"
}

@test "--no-check: a line that is not JSON has no fields" {
    publish '{"hostname":"web1"} x' -n --no-check 'logs.{hostname|none}'
    is "$output" $'logs.none\t{"hostname":"web1"} x'
    publish '{"hostname":"web1"}' -n --no-check 'logs.{hostname|none}'
    is "$output" $'logs.web1\t{"hostname":"web1"}'
}

# store_some NUMBER...: publishes lines of the hosts web1 and web2 to two subjects. That of web2 has no
# stream, but a plain subscriber, which responds to nothing.
store_some() {
    with_stream '["logs.web1"]'
    listen '>'
    start_fed pub shnek-pub -J --timeout=300ms --rejects=rejects --stats=1h 'logs.{hostname}'
    printf '{"hostname":"web%d"}\n' "$@" >&"$feed"
}

@test "with -J a subject that has a subscriber but no stream is rejected, others are stored after it" {
    store_some 1 2 1 2 1
    wait_until lines_are rejects 2
    printf '{"hostname":"web%d"}\n' 1 2 >&"$feed"
    end_of_input
    wait_exit pub
    is "$status" 1
    like "$(<pub.err)" '*in 7 out 4 rejected 3 *'
    is "$(grep -c '"error":"STREAM: no stream has this subject"' rejects)" 3
}

@test "with -J a subject that has a subscriber but no stream is rejected if nothing else is sent" {
    store_some 1
    wait_until counts pub 'out 1'
    printf '{"hostname":"web%d"}\n' 2 2 >&"$feed"
    wait_until lines_are rejects 2
    end_of_input
    wait_exit pub
    is "$status" 1
    like "$(<pub.err)" '*in 3 out 1 rejected 2 *'
}
