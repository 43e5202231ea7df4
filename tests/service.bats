#!/usr/bin/env bats
# Shutdown, reload and notifications of shnek-pub and spamlog as services.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    pub_setup
}

teardown() {
    shnek_teardown
}

counted() {
    counts pub "$1"
}

taken_in() {
    [[ $(nats_varz in_msgs) == "$1" ]]
}

# hanging [OPTION...]: starts shnek-pub, whose server confirms {"a":1} and is suspended before
# {"a":2} and {"a":3}.
hanging() {
    nats_start
    start_fed pub shnek-pub "$@"
    printf '{"a":1}\n' >&"$feed"
    wait_until counted 'out 1'
    suspend "$nats_pid"
    printf '{"a":2}\n{"a":3}\n' >&"$feed"
    wait_until counted 'in 3'
}

# Shutdown

@test "SIGTERM logs what is pending; at --shutdown-timeout it is written to stdout, with status 2" {
    hanging --shutdown-timeout=1500ms
    kill -TERM "$pub_pid"
    wait_until grep -q draining pub.err
    running "$pub_pid"
    wait_exit pub
    is "$status" 2
    is "$(<pub.out)" $'{"a":2}\n{"a":3}'
    grep -Eqx 'shnek-pub: draining for at most 1.5 s \(--shutdown-timeout\); 2 messages are unconfirmed \(16 bytes, the oldest for [0-9.]+ s\)' pub.err
    grep -Fxq 'shnek-pub: not drained within 1.5 s (--shutdown-timeout), stopped' pub.err
    grep -Fxq 'shnek-pub: 2 messages are unconfirmed; written to stdout' pub.err
}

@test "at --shutdown-timeout unconfirmed lines are appended to --spill" {
    hanging --shutdown-timeout=200ms --spill=spill
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 2
    is "$(<spill)" $'{"a":2}\n{"a":3}'
    is "$(<pub.out)" ''
}

@test "at --shutdown-timeout unconfirmed lines stay in the spool for the next process" {
    hanging --shutdown-timeout=200ms --spool=spool --window=1M
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 2
    grep -Fxq 'shnek-pub: 2 messages are unconfirmed; kept in spool' pub.err
    kill -CONT "$nats_pid"
    run --separate-stderr shnek-pub --spool=spool --stats=1h </dev/null
    is "$status" 0
    like "$stderr" '*in 2 out 2 *'
}

@test "--shutdown-timeout also ends a publish that is blocked, and counts lines that are not sent yet" {
    nats_start
    start_fed pub shnek-pub --shutdown-timeout=1s --spill=spill
    printf '{"a":1}\n' >&"$feed"
    wait_until counted 'out 1'
    suspend "$nats_pid"
    seq -f '{"number":"%015.0f"}' 500000 >lines # more than the buffers of the sockets
    start writer into pub.in cat lines
    wait_until at_rest "$writer_pid" "$pub_pid"
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 2
    spilled=$(wc -l <spill)
    ((spilled < 500000))
    cmp -n $(($(wc -c <spill) - 1)) lines spill # the last line may be incomplete
    grep -q 'draining for at most 1 s .*; [0-9,]* messages are unconfirmed ([1-9][0-9.]* MB' pub.err
    grep -Fxq "shnek-pub: $(grouped "$spilled") messages are unconfirmed; written to spill" pub.err
}

@test "--shutdown-timeout writes the rejected lines to --rejects" {
    hanging --shutdown-timeout=200ms --rejects=rejects
    echo bad >&"$feed"
    wait_until counted 'in 4'
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 2
    lines_are rejects 1
}

@test "SIGTERM logs nothing about pending messages if there are none" {
    nats_start
    start_fed pub shnek-pub
    printf '{"a":1}\n' >&"$feed"
    wait_until counted 'out 1'
    : >pub.err
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 0
    is "$(<pub.err)" ''
}

@test "--shutdown-timeout=0 waits without a limit" {
    hanging --shutdown-timeout=0
    kill -TERM "$pub_pid"
    wait_until grep -q '^shnek-pub: draining; 2 messages are unconfirmed ' pub.err
    kill -CONT "$nats_pid"
    wait_exit pub
    is "$status" 0
}

# Notifications

# managed COMMAND...: starts it as `pub` with the socket of a service manager, whose messages are
# in manager.out.
managed() {
    need socat
    start manager socat -u UNIX-RECV:notify -
    wait_until test -S notify
    export NOTIFY_SOCKET=$PWD/notify
    start_fed pub "$@"
    unset NOTIFY_SOCKET
}

notified() {
    grep -aqxF -e "$1" <(tr '\0' '\n' <manager.out | sed 's/\(READY\|RELOADING\|STOPPING\|EXTEND\)/\n&/g')
}

@test "the service manager is notified of readiness, reload, and how long a stop may last" {
    nats_start
    managed shnek-pub --shutdown-timeout=7s
    wait_until notified READY=1
    wait_until notified "STATUS=connected to $NATS_URL"
    kill -HUP "$pub_pid"
    wait_until notified RELOADING=1
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 0
    wait_until notified STOPPING=1
    wait_until notified EXTEND_TIMEOUT_USEC=17000000
}

@test "the service manager is asked for more time while no server can be reached" {
    managed shnek-pub -s nats://127.0.0.1:1 --rejects=rejects
    wait_until notified EXTEND_TIMEOUT_USEC=120000000
    wait_until notified 'STATUS=waiting for a server'
    # A reload in the meantime does not make it ready.
    kill -HUP "$pub_pid"
    wait_until grep -Fxq 'shnek-pub: rejects: reopened' pub.err
    kill -TERM "$pub_pid"
    wait_exit pub
    kill "$manager_pid"
    wait_exit manager
    run ! notified READY=1
}

# SIGHUP

@test "SIGHUP reopens --rejects and --spill, and does not end shnek-pub" {
    hanging --rejects=rejects --spill=spill --shutdown-timeout=200ms
    echo bad 1 >&"$feed"
    wait_until lines_are rejects 1
    mv rejects rejects.1
    mv spill spill.1
    kill -HUP "$pub_pid"
    wait_until grep -Fxq 'shnek-pub: rejects: reopened' pub.err
    wait_until grep -Fxq 'shnek-pub: spill: reopened' pub.err
    echo bad 2 >&"$feed"
    wait_until lines_are rejects 1
    grep -q 'bad 2' rejects
    lines_are rejects.1 1
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 2
    is "$(<spill)" $'{"a":2}\n{"a":3}'
    is "$(<spill.1)" ''
}

@test "SIGHUP does not end shnek-pub while it waits for a server or for the last confirmation" {
    start pub shnek-pub -s nats://127.0.0.1:1 --rejects=rejects
    wait_until grep -q 'waiting for a server' pub.err
    kill -HUP "$pub_pid"
    wait_until grep -Fxq 'shnek-pub: rejects: reopened' pub.err
    kill "$pub_pid"
    wait_exit pub
    hanging --rejects=rejects
    end_of_input
    kill -HUP "$pub_pid"
    wait_until grep -Fxq 'shnek-pub: rejects: reopened' pub.err
    kill -CONT "$nats_pid"
    wait_exit pub
    is "$status" 0
}

# certificate NAME EXTENSION: creates NAME.pem and NAME.key, signed by ca.pem.
certificate() {
    local options=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    if [[ ! -e ca.pem ]]; then
        openssl req -x509 "${options[@]}" -keyout ca.key -out ca.pem -days 2 -subj /CN=ca
    fi
    openssl req "${options[@]}" -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
    openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
        -out "$1.pem" -extfile <(echo "$2")
}

@test "SIGHUP reloads certificates for the next connection, and reports those that are unusable" {
    need openssl
    certificate server subjectAltName=DNS:localhost
    certificate one extendedKeyUsage=clientAuth
    certificate two extendedKeyUsage=clientAuth
    nats_start "tls { cert_file: \"$PWD/server.pem\", key_file: \"$PWD/server.key\", ca_file: \"$PWD/ca.pem\", verify_and_map: true, timeout: 10 }" \
        'authorization { users: [ { user: "CN=one", permissions: { publish: { allow: ["foo"] } } }, { user: "CN=two" } ] }'
    cp one.pem client.pem && cp one.key client.key
    start_fed pub shnek-pub -s "tls://localhost:$(port_of "$NATS_URL")" --tlsca=ca.pem \
        --tlscert=client.pem --tlskey=client.key
    printf '{"a":1}\n' >&"$feed"
    wait_until taken_in 1
    echo broken >client.pem
    kill -HUP "$pub_pid"
    wait_until grep -q '^shnek-pub: reload failed, keeping the connection: ' pub.err
    rm client.pem
    kill -HUP "$pub_pid"
    wait_until grep -Fxq 'shnek-pub: reload failed, keeping the connection: client.pem: No such file or directory' pub.err
    printf '{"a":2}\n' >&"$feed"
    wait_until taken_in 2
    cp two.pem client.pem && cp two.key client.key
    kill -HUP "$pub_pid"
    wait_until grep -Fxq 'shnek-pub: certificates and credentials reloaded; the next connection uses them' pub.err
    kill "$nats_pid"
    wait_exit nats
    nats_restart
    printf '{"a":3}\n' >&"$feed"
    wait_until taken_in 1
    [[ $(nats_get 'connz?auth=1') == *'"authorized_user": "CN=two"'* ]]
    kill -TERM "$pub_pid"
    end_of_input
    wait_exit pub
    is "$status" 0
}

@test "SIGHUP does not end spamlog" {
    start spam spamlog -r 1000 -n 1000
    wait_until takes_signals "$spam_pid"
    kill -HUP "$spam_pid"
    wait_exit spam
    is "$status" 0
    lines_are spam.out 1000
    grep -Fxq 'spamlog: SIGHUP ignored; there is nothing to reload' spam.err
    mkfifo in
    exec {feed}<>in
    start verify spamlog --verify in
    wait_until takes_signals "$verify_pid"
    kill -HUP "$verify_pid"
    wait_until grep -Fxq 'spamlog: SIGHUP ignored; there is nothing to reload' verify.err
    kill -TERM "$verify_pid"
    wait_exit verify
    exec {feed}>&-
}
