#!/usr/bin/env bats
# shnek-pub: connection settings from options, variables and contexts, domains, prefixes and streams.
# shellcheck disable=SC2030,SC2031 # Each test is a subshell.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/nkeys
load lib/certificates

data=$SHNEK_TOP/tests/data/contexts

setup() {
    pub_setup
    export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR/config
    mkdir -p config/nats/context
}

teardown() {
    shnek_teardown
}

# publish INPUT [OPTION...]: runs shnek-pub on INPUT, in which escapes such as \n are expanded.
publish() {
    local input=$1
    shift
    run --separate-stderr timeout -k 5 20 shnek-pub "$@" < <(printf %b "$input")
}

published() {
    is "$stderr" ''
    is "$status" 0
}

# refused PATTERN: asserts status 2, no stdout, and a matching first line on stderr.
refused() {
    is "$status" 2
    is "$output" ''
    like "${stderr_lines[0]}" "shnek-pub: $1"
    ((${#stderr_lines[@]} == 1)) || is "${stderr_lines[1]}" "shnek-pub: try 'shnek-pub --help'"
    ((${#stderr_lines[@]} <= 2))
}

# context NAME JSON: creates a context of the server, whose URL replaces SERVER.
context() {
    printf '%s\n' "${2//SERVER/$NATS}" >"config/nats/context/$1.json"
}

# Starts a server, and sets NATS to its URL, which shnek-pub does not see.
server() {
    nats_start "$@"
    NATS=$NATS_URL
    unset NATS_URL
}

# Contexts

@test "options override variables, which override the named or selected context" {
    local users='' name expected environment options
    for name in selected named file url variable option; do
        users+="{user: $name, password: pw, permissions: {publish: $name}},"
    done
    server "authorization { users: [$users] }"
    cp -r "$data"/* config/ && cp config/*.json .
    sed -i "s/PORT/$(port_of "$NATS")/" ./*.json config/nats/context/*.json
    export FILE_PASSWORD=pw
    while IFS='|' read -r expected environment options; do
        read -r expected <<<"$expected"
        options=${options//PORT/$(port_of "$NATS")}
        environment=${environment//PORT/$(port_of "$NATS")}
        # shellcheck disable=SC2086
        run --separate-stderr env $environment timeout -k 5 20 shnek-pub $options "$expected" <<<'{}'
        echo "$expected | $environment | $options"
        if [[ $expected == none ]]; then
            refused '*Authorization Violation'
        else
            published
        fi
    done < <(grep -v '^#' "$data/precedence.cases")
}

@test "a context that cannot be used is reported in one line with file, position and key" {
    local file message
    cd "$data/invalid"
    while IFS='|' read -r file message; do
        echo "$file"
        publish '{}' -n --context="${file% }"
        refused "${message# }"
    done < <(grep -v '^#' expected.cases)
    for file in *.json; do
        grep -q "^$file | " expected.cases
    done
}

@test "an unreadable context is reported, and an unreadable selection is not an error" {
    mkdir config/nats/context/dir.json
    publish '{}' -n --context=dir
    refused "context dir: $XDG_CONFIG_HOME/nats/context/dir.json: Is a directory"
    mkfifo big.json
    head -c 2000000 /dev/zero >big.json &
    publish '{}' -n --context=big.json
    refused 'context: big.json: File too large'
    wait || true
    echo absent >config/nats/context.txt
    publish '{}' -n
    refused "context absent: $XDG_CONFIG_HOME/nats/context/absent.json: No such file or directory"
    publish '{}' -n --no-context
    published
    : >config/nats/context.txt
    publish '{}' -n
    published
    ln -sf context.txt config/nats/context.txt
    publish '{}' -n
    is "$status" 0
    is "$stderr" "shnek-pub: $XDG_CONFIG_HOME/nats/context.txt: Too many levels of symbolic links; no context is used"
    rm config/nats/context.txt && mkdir config/nats/context.txt
    publish '{}' -n
    is "$status" 0
    is "$stderr" "shnek-pub: $XDG_CONFIG_HOME/nats/context.txt: Is a directory; no context is used"
    rm -r config/nats && echo >config/nats
    publish '{}' -n
    published
}

@test "an unknown key of a context is reported and ignored" {
    printf '{"url": "localhost",\n  "tls_frist": true, "later": "", "never": null}\n' >x.json
    publish '{}' -n --context=x.json
    is "$status" 0
    is "$stderr" 'shnek-pub: context: x.json:2:3: unknown key "tls_frist"; ignored'
    printf '{"bad\\u001b[1m": 1}\n' >x.json
    publish '{}' -n --context=x.json
    is "$status" 0
    is "$stderr" 'shnek-pub: context: x.json:1:2: unknown key "bad\u001b[1m"; ignored'
}

@test "without XDG_CONFIG_HOME contexts are read from ~/.config" {
    unset XDG_CONFIG_HOME
    mkdir -p .config/nats/context
    echo '{"user": 1}' >.config/nats/context/home.json
    HOME=$PWD publish '{}' -n --context=home
    refused "context home: $PWD/.config/nats/context/home.json:1:10: \"user\" is not a string"
}

@test "a context logs in with a token, an nkey, credentials or a JWT and a seed" {
    need openssl base32
    local limits='"subs":-1,"data":-1,"payload":-1'
    nkey user 20
    server 'authorization: { token: "t\\k" }'
    context token '{"url": "SERVER", "token": "t\\k"}'
    publish '{}' --context=token
    published

    server "authorization { users: [ { nkey: $(<user.public) } ] }"
    context nkey '{"url": "SERVER", "nkey": "~/user.seed"}'
    HOME=$PWD publish '{}' --context=nkey
    published
    context nkey '{"url": "SERVER", "nkey": "$DIR/${NAME}.seed"}'
    DIR=$PWD NAME=user publish '{}' --context=nkey
    published
    context nkey "{\"url\": \"SERVER\", \"nkey\": \"file://$PWD/user.seed\"}"
    publish '{}' --context=nkey
    published
    context nkey '{"url": "SERVER", "nkey": "/absent"}'
    publish '{}' --context=nkey
    refused '"nkey" of context nkey: /absent: No such file or directory'

    nkey operator 14
    nkey account 0
    jwt operator operator '"type":"operator"'
    jwt operator account "\"type\":\"account\",\"limits\":{$limits,\"imports\":-1,\"exports\":-1,\"wildcards\":true,\"conn\":-1,\"leaf\":-1}"
    jwt account user "\"type\":\"user\",\"pub\":{},\"sub\":{},$limits"
    printf -- '-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n' \
        "$(<user.jwt)" "$(<user.seed)" >user.creds
    server "operator: $PWD/operator.jwt" 'resolver: MEMORY' \
        "resolver_preload: { $(<account.public): $(<account.jwt) }"
    context creds '{"url": "SERVER", "creds": "~/user.creds"}'
    HOME=$PWD publish '{}' --context=creds
    published
    context jwt "{\"url\": \"SERVER\", \"user_jwt\": \"$(<user.jwt)\", \"user_seed\": \"env://SEED\"}"
    SEED=$(<user.seed) publish '{}' --context=jwt
    published
    NATS_JWT=$(<user.jwt) NATS_SEED=$(<user.seed) publish '{}' -s "$NATS"
    published
    # Without a seed only a bearer token is accepted.
    NATS_JWT=$(<user.jwt) publish '{}' -s "$NATS"
    refused '*Authorization Violation'
    jwt account user "\"type\":\"user\",\"bearer_token\":true,\"pub\":{},\"sub\":{},$limits"
    NATS_JWT=$(<user.jwt) publish '{}' -s "$NATS"
    published
    NATS_JWT=$(<user.jwt) NATS_SEED=$(<account.seed) publish '{}' -s "$NATS"
    refused 'NATS_SEED: the value is not a user seed (SU...)'
}

@test "a context has certificates, which --tls-cert, --tls-key and --tls-ca override" {
    need openssl
    tls_certificates
    server "tls { cert_file: $PWD/server.pem, key_file: $PWD/server.key, ca_file: $PWD/ca.pem, verify: true }"
    NATS=tls://localhost:$(port_of "$NATS")
    context tls '{"url": "SERVER", "cert": "~/client.pem", "key": "~/client.key", "ca": "~/ca.pem"}'
    HOME=$PWD publish '{}' --context=tls
    published
    context tls '{"url": "SERVER", "cert": "/absent", "key": "/absent", "ca": "/absent"}'
    publish '{}' --context=tls
    refused '"cert" of context tls: /absent: No such file or directory'
    publish '{}' --context=tls --tls-cert=client.pem --tls-key=client.key --tls-ca=ca.pem
    published
    NATS_CA=/absent publish '{}' --context=tls --tls-cert=client.pem --tls-key=client.key
    refused 'NATS_CA: /absent: No such file or directory'
}

# Logins

@test "a user without a password is a token" {
    server 'authorization: { token: secret }'
    publish '{}' -s "$NATS" --user=secret
    published
    NATS_USER=secret publish '{}' -s "$NATS"
    published
    context token '{"url": "SERVER", "token": "other"}'
    publish '{}' --context=token --user=secret
    published
}

@test "two ways to log in are a usage error that names both sources" {
    local context='--context=creds'
    NATS=nats://localhost
    context creds '{"url": "SERVER", "creds": "x"}'
    context user '{"url": "SERVER", "user": "u", "password": "p"}'
    NATS_CREDS=x publish '{}' -n --user=u --password=p
    refused '--user and NATS_CREDS are two ways to log in; remove one'
    publish '{}' -n --token=t --nkey=x
    refused '--token and --nkey are two ways to log in; remove one'
    NATS_JWT=j publish '{}' -n --token=t
    refused '--token and NATS_JWT are two ways to log in; remove one'
    publish '{}' -n -s nats://u:p@localhost --creds=x
    refused 'the URL in --server and --creds are two ways to log in; remove one'
    NATS_URL=nats://t@localhost NATS_USER=u NATS_PASSWORD=p publish '{}' -n
    refused 'the URL in NATS_URL and NATS_USER are two ways to log in; remove one'
    publish '{}' -n --token=t "$context"
    refused '--token and "creds" of context creds are two ways to log in; remove one'
    publish '{}' -n --user=u --token=t
    refused '--user and --token are two ways to log in; remove one'
    publish '{}' -n --user=t --context=user
    refused '"user" of context user and --user (a token, because there is no password) are two ways to log in; remove one'
    echo creds >config/nats/context.txt
    NATS_TOKEN=t publish '{}' -n
    refused 'NATS_TOKEN and "creds" of context creds are two ways to log in; remove one, or use --no-context'
    NATS_TOKEN=t publish '{}' -n --no-context
    published
}

@test "settings without effect, or that exclude each other, are usage errors" {
    local option
    publish '{}' -n --context=x --no-context
    refused '--context and --no-context exclude each other'
    for option in js-domain js-api-prefix inbox-prefix; do
        publish '{}' -n "--$option=x"
        refused "--$option: requires --jetstream"
        publish '{}' -n -J "--$option="
        refused "--$option: the value is empty"
        publish '{}' -n -J "--$option=a b"
        refused "--$option: 'a b': it contains white space or a control character"
        publish '{}' -n -J "--$option=$(printf %129s '' | tr ' ' x)"
        refused "--$option: 'xxx*': it is longer than 128 bytes"
    done
    publish '{}' -n -J --js-domain=a --js-api-prefix=b
    refused '--js-domain and --js-api-prefix exclude each other'
    NATS_SEED=x publish '{}' -n
    refused 'NATS_SEED requires NATS_JWT'
}

# Domains and prefixes

# stored STREAM COUNT: whether the stream of the server whose monitoring port is NATS_MON has so many
# messages.
stored() {
    [[ $(nats_get 'jsz?streams=1' | jq -r ".account_details[].stream_detail[] | select(.name == \"$1\").state.messages") == "$2" ]]
}

@test "--js-domain publishes to a stream of a leaf node, and creates it there" {
    need jq
    local hub_mon leaf_port
    leaf_port=$(quiet_port)
    nats_start 'server_name: leaf' "leafnodes { remotes: [{url: \"nats-leaf://127.0.0.1:$leaf_port\"}] }" \
        'jetstream { domain: leaf }' "store_dir: \"$PWD/leaf\""
    leaf_mon=$NATS_MON
    server 'server_name: hub' "leafnodes { host: 127.0.0.1, port: $leaf_port }" \
        'jetstream { domain: hub }' "store_dir: \"$PWD/hub\""
    hub_mon=$NATS_MON
    wait_until eval '[[ $(nats_varz leafnodes) == 1 ]]'
    publish '{"a":1}\n{"a":2}\n' -s "$NATS" -J --js-domain=leaf --stream=logs --create-stream logs
    published
    NATS_MON=$leaf_mon stored logs 2
    [[ $(NATS_MON=$hub_mon nats_get jsz | jq .streams) == 0 ]]
    context leaf '{"url": "SERVER", "jetstream_domain": "leaf"}'
    publish '{"a":3}\n' --context=leaf -J --stream=logs logs
    published
    NATS_MON=$leaf_mon stored logs 3
    publish '{"a":4}\n' --context=leaf --js-api-prefix='$JS.hub.API' -J --stream=logs logs
    is "$status" 2
    like "$stderr" 'shnek-pub: stream logs: stream not found; use --create-stream to create it*'
    publish '{"a":4}\n' --context=leaf --js-domain=hub -J --stream=logs logs
    is "$status" 2
    like "$stderr" 'shnek-pub: stream logs: stream not found; use --create-stream to create it*'
}

@test "--inbox-prefix is used for acknowledgements and for the API" {
    need jq
    server 'jetstream: enabled' 'authorization { users: [{user: relay, password: pw, permissions: {
        publish: ["logs", "$JS.API.>"], subscribe: "_INBOX_relay.>"}}] }'
    publish '{"a":1}\n{"a":2}\n' -s "$NATS" --user=relay --password=pw -J --inbox-prefix=_INBOX_relay \
        --stream=logs --create-stream logs
    published
    stored logs 2
    context relay '{"url": "SERVER", "user": "relay", "password": "pw", "inbox_prefix": "_INBOX_relay"}'
    publish '{"a":3}\n' --context=relay -J logs
    published
    stored logs 3
    publish '{"a":4}\n' -s "$NATS" --user=relay --password=pw -J --stream=logs logs
    is "$status" 2
    like "$stderr" 'shnek-pub: stream logs: Permissions Violation for Subscription to "_INBOX.*'
}

@test "--js-api-prefix reaches the JetStream of another account" {
    need jq
    server 'jetstream: enabled' 'accounts {
        JS: { jetstream: enabled, users: [{user: js, password: pw}],
            exports: [{service: "$JS.API.>"}, {service: "logs"}] },
        RELAY: { users: [{user: relay, password: pw}],
            imports: [{service: {account: JS, subject: "$JS.API.>"}, to: "their.js.>"},
                {service: {account: JS, subject: "logs"}}] } }'
    publish '{"a":1}\n' -s "$NATS" --user=relay --password=pw -J --js-api-prefix=their.js \
        --stream=logs --create-stream logs
    published
    context relay '{"url": "SERVER", "user": "relay", "password": "pw", "jetstream_api_prefix": "their.js."}'
    publish '{"a":2}\n' --context=relay -J --stream=logs logs
    published
    stored logs 2
}

# Streams

# settings STREAM FILTER: prints settings of the stream in the server.
settings() {
    nats_get 'jsz?streams=1&config=1' |
        jq -c ".account_details[].stream_detail[] | select(.name == \"$1\").config | $2"
}

on_stream() {
    local input=$1
    shift
    publish "$input" -s "$NATS" -J --stream=logs "$@"
}

@test "a stream is created with the settings of the options" {
    need jq
    server 'jetstream: enabled'
    on_stream '{"a":1}\n' --create-stream --subjects='logs.>,audit' --dupe-window=1d --retention=interest \
        --discard=new --max-msgs=5k --max-msg-size=64K --max-age=1w --max-bytes=64MiB --storage=memory logs.a
    published
    is "$(settings logs '[.subjects, .duplicate_window, .retention, .discard, .max_msgs, .max_msg_size, .max_age, .max_bytes, .storage]')" \
        '[["logs.>","audit"],86400000000000,"interest","new",5000,65536,604800000000000,67108864,"memory"]'
    # The same options describe it, in whatever order.
    on_stream '{"a":2}\n' --create-stream=audit,'logs.>' --dupe-window=24h --max-msgs=5000 audit
    published
}

@test "a stream is created for the subject with the defaults of the server" {
    need jq
    server 'jetstream: enabled'
    on_stream '{"a":1}\n' --create-stream 'a"b\c'
    published
    is "$(settings logs '[.subjects, .duplicate_window, .retention, .discard, .max_msgs, .max_msg_size, .max_age, .max_bytes, .storage, .num_replicas]')" \
        '[["a\"b\\c"],120000000000,"limits","old",-1,-1,0,-1,"file",1]'
    stored logs 1
}

@test "differences of a stream that exists are reported in one line, once" {
    need jq
    server 'jetstream: enabled'
    on_stream '{"a":0}\n' --create-stream=logs,audit --max-age=1h --storage=memory logs
    published
    on_stream '{"a":1}\n' --create-stream logs
    published
    on_stream '{"a":2}\n' --create-stream --subjects='logs,other' --max-age=1w --max-msgs=5 --storage=file \
        --discard=old --dupe-window=90s logs
    is "$status" 0
    is "$stderr" "shnek-pub: stream logs exists with other settings: subjects is logs,audit instead of logs,other, storage is memory instead of file, max_msgs is unlimited instead of 5, max_age is 1h instead of 7d, duplicate_window is 2m instead of 90s; continuing with it"
    stored logs 3
    start_fed pub shnek-pub -s "$NATS" -J --stream=logs --create-stream --max-msgs=5 logs
    echo '{"a":3}' >&"$feed"
    wait_until stored logs 4
    export NATS_URL=$NATS
    kill "$nats_pid"
    wait_exit nats
    nats_restart {feed}>&-
    wait_until grep -q reconnected pub.err
    echo '{"a":4}' >&"$feed"
    end_of_input
    wait_exit pub
    is "$status" 0
    is "$(grep -c 'exists with other settings' pub.err)" 1
}

@test "--stream-config creates a stream from the JSON of nats stream info" {
    need jq
    local file filter='[.name, .description, .subjects, .max_consumers, .max_msgs_per_subject, .max_msgs, .max_bytes,
        .max_age, .max_msg_size, .storage, .discard, .duplicate_window, .deny_delete, .deny_purge, .allow_direct]'
    cp "$SHNEK_TOP/tests/data/streams/info.json" .
    jq .config info.json >config.json
    for file in info.json config.json; do
        server 'jetstream: enabled' "store_dir: \"$PWD/$file.d\""
        publish '{"a":1}\n' -s "$NATS" -J --stream-config="$file" logs.a
        published
        is "$(settings logs "$filter")" "$(jq -c "$filter" config.json)"
        publish '{"a":2}\n' -s "$NATS" -J --stream=logs --stream-config="$file" logs.a
        published
        kill "$nats_pid"
        wait_exit nats
    done
}

@test "--stream-config reports what it cannot use with file, position and key" {
    while IFS='|' read -r json message; do
        printf %b "$json" >x.json
        publish '{}' -n -J --stream=logs --stream-config=x.json
        refused "--stream-config: x.json$message"
        is "${#stderr_lines[@]}" 1
    done <<'END'
|:1:1: unexpected end of the file
{"name":"logs",\n "max_msgs":"many"}|:2:13: "max_msgs": the value is invalid
{"name":"logs","max_age":1.5}|:1:26: "max_age": the value is invalid
{"name":"logs","retention":"ever"}|:1:28: "retention": the value is invalid
{"name":"logs","subjects":"a"}|:1:28: "subjects" is not an array
{"name":"logs","subjects":[1]}|:1:28: "subjects" is not a string
{"name":"logs","compression":"s2"}|:1:16: "compression" is not supported
{"name":"logs","mirror":{"name":"x"}}|:1:16: "mirror" is not supported
{"name":"logs","metadata":{"owner":"me"}}|:1:16: "metadata" is not supported
{"name":"logs","placement":{"preferred":"x"}}|:1:29: "preferred" is not supported
{"config":{"name":"other"}}|:1:1: "name" is 'other', but --stream is 'logs'
{"config":{}}|:1:1: "name" is missing
{"name":"a.b"}|:1:1: "name": 'a.b' is not a stream name
{"name":"logs","no_ack":true}|:1:1: "no_ack": such a stream cannot be published to
END
    publish '{}' -n -J --stream-config=absent.json
    refused '--stream-config: absent.json: No such file or directory'
}

@test "settings of a stream that have no effect are usage errors" {
    local option
    for option in --replicas=1 --storage=file --retention=limits --discard=old --max-age=1h --max-bytes=1M \
        --max-msgs=1 --max-msg-size=1k --dupe-window=1h --subjects=a; do
        publish '{}' -n -J --stream=logs "$option"
        refused "${option%%=*}: requires --create-stream"
        publish '{}' -n "$option" --create-stream --stream=logs
        refused '--stream: requires --jetstream'
        publish '{}' -n -J --stream=logs --create-stream "$option" --stream-config=x.json
        refused '--stream-config excludes --create-stream, --subjects and settings of the stream'
    done
    publish '{}' -n --stream-config=x.json
    refused '--stream-config: requires --jetstream'
    publish '{}' -n -J --create-stream
    refused '--create-stream: requires --stream'
    publish '{}' -n -J --stream=logs --create-stream=a --subjects=b
    refused '--subjects: the subjects are given twice, by --create-stream and --subjects'
    publish '{}' -n -J --stream=logs --create-stream --subjects='a b'
    refused "--subjects: 'a b' is not a subject"
    publish '{}' -n -J --stream=logs --create-stream --subjects=,
    refused "--subjects: '' is not a subject"
    publish '{}' -n -J --stream=logs --create-stream --retention=ever
    refused "--retention: 'ever' is not one of limits, interest, workqueue"
    publish '{}' -n -J --stream=logs --create-stream --discard=ever
    refused "--discard: 'ever' is not one of old, new"
}

@test "a duplicate window that is too short is reported" {
    local stream=(-n -J --stream=logs --create-stream --msg-id=auto)
    publish '{}' "${stream[@]}" --dupe-window=2m --max-reconnect-time=1h
    is "$status" 0
    is "$stderr" 'shnek-pub: --dupe-window is shorter than --max-reconnect-time; messages that are resent after a longer outage may be stored twice'
    publish '{}' "${stream[@]}" --dupe-window=2m --spool=spool
    is "$status" 0
    is "$stderr" 'shnek-pub: --dupe-window is short for --spool; messages that a later run resends may be stored twice'
    publish '{}' "${stream[@]}" --dupe-window=1d --max-reconnect-time=1h --spool=spool
    published
}

@test "a stream that another relay creates in the meantime is looked up again" {
    start fake fake-nats -A 'STREAM.INFO={"error":{"code":404,"err_code":10059,"description":"stream not found"}}' \
        -A 'STREAM.CREATE={"error":{"code":400,"err_code":10058,"description":"name in use"}}'
    publish '{"a":1}\n' -s "$(listen_url fake.err)" -J --stream=logs --create-stream --connect-timeout=1500ms
    is "$status" 2
    like "$stderr" '*stream logs unavailable: name in use; --connect-timeout has expired*'
    (($(grep -c 'STREAM.INFO' fake.out) > 1))
}

@test "a stream for which a cluster has no servers ends it with status 2" {
    route=$(quiet_port)
    server 'jetstream: enabled' 'server_name: n1' \
        "cluster { name: c, listen: 127.0.0.1:$route, routes: [\"nats://127.0.0.1:$route\"] }"
    start second nats-server --config <(printf '%s\n' 'server_name: n2' 'host: 127.0.0.1' 'port: -1' \
        'jetstream: enabled' "store_dir: \"$PWD/n2\"" \
        "cluster { name: c, listen: \"127.0.0.1:-1\", routes: [\"nats://127.0.0.1:$route\"] }")
    on_stream '{"a":1}\n' --timeout=500ms --create-stream --replicas=3 logs
    is "$status" 2
    is "$output" '{"a":1}'
    like "$stderr" '*shnek-pub: stream logs: *no suitable peers*'
}
