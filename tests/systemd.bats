#!/usr/bin/env bats
# shnek-parse as a systemd service: socket activation and notifications.
# shellcheck disable=SC2154 # `start` and bats set variables

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/certificates

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    shnek_teardown
}

# activated NAME OPTION... -- OPTION...: starts systemd-socket-activate with the first options, which
# starts shnek-parse with the others when something arrives.
activated() {
    local name=$1 own=()
    shift
    while [[ $1 != -- ]]; do
        own+=("$1")
        shift
    done
    start "$name" systemd-socket-activate "${own[@]}" "$(command -v shnek-parse)" -l systemd "${@:2}"
    wait_until grep -q '^Listening on ' "$name.err"
}

message() {
    echo "<34>1 - - - - - - $1"
}

@test "accepts connections on the sockets of systemd, one of them with TLS" {
    need systemd-socket-activate openssl
    local tcp tls
    tcp=$(quiet_port)
    tls=$(quiet_port)
    tls_certificates
    activated relay -l "127.0.0.1:$tcp" -l "127.0.0.1:$tls" -l "$PWD/log.sock" --fdname=one:tls:two -- \
        --tls-cert=server.pem --tls-key=server.key --meta
    message tcp >"/dev/tcp/127.0.0.1/$tcp"
    wait_until lines_are relay.out 1
    { message tls && cat; } < <(wait_until lines_are relay.out 2) |
        openssl s_client -quiet -connect "127.0.0.1:$tls" -CAfile ca.pem &>client &
    message unix | socat -u - "UNIX-CONNECT:log.sock"
    wait_until lines_are relay.out 3
    [[ $(jq -r '.transport + " " + .msg' relay.out | LC_ALL=C sort) == $'tcp tcp\ntls tls\nunix unix' ]]
    grep -q "listening on tls://127.0.0.1:$tls$" relay.err
    kill "$relay_pid"
    wait_exit relay
    [[ $status == 0 && -S log.sock ]]
}

@test "receives datagrams on the sockets of systemd" {
    need systemd-socket-activate
    port=$(quiet_port)
    activated relay -d -l "127.0.0.1:$port" -l "$PWD/log.sock" -- --meta
    message udp >"/dev/udp/127.0.0.1/$port"
    wait_until lines_are relay.out 1
    logger -u log.sock --rfc5424 --socket-errors=on unixgram
    wait_until lines_are relay.out 2
    [[ $(jq -r '.transport + " " + .msg' relay.out) == $'udp udp\nunixgram unixgram' ]]
    kill "$relay_pid"
    wait_exit relay
    [[ $status == 0 ]]
}

@test "-l systemd without sockets, or with those of another process, is an error" {
    run --separate-stderr timeout 20 shnek-parse -l systemd
    [[ $status == 2 && $stderr == 'shnek-parse: --listen: systemd passed no sockets' ]]
    LISTEN_PID=1 LISTEN_FDS=1 run --separate-stderr timeout 20 shnek-parse -l systemd
    [[ $status == 2 && $stderr == 'shnek-parse: --listen: systemd passed no sockets' ]]
}

@test "a descriptor that is not a socket is reported" {
    # shellcheck disable=SC2016 # expanded by the inner shell
    run --separate-stderr timeout 20 bash -c \
        'export LISTEN_PID=$BASHPID LISTEN_FDS=1; exec shnek-parse -l systemd 3</dev/null'
    [[ $status == 2 ]]
    [[ $stderr == 'shnek-parse: --listen: systemd socket 3: Socket operation on non-socket' ]]
}

@test "the service manager is notified of readiness, reload and stop" {
    start manager socat -u UNIX-RECV:notify -
    wait_until test -S notify
    tls_certificates
    NOTIFY_SOCKET=$PWD/notify start relay shnek-parse -l tcp://:0 -l tls://:0 --tls-cert=server.pem \
        --tls-key=server.key
    wait_until grep -q 'READY=1' manager.out
    grep -qx 'STATUS=listening on 2 sockets' <(tr -d '\0' <manager.out; echo)
    kill -HUP "$relay_pid"
    wait_until grep -q 'RELOADING=1' manager.out
    ready_again() { [[ $(grep -c 'READY=1' manager.out) == 2 ]]; }
    wait_until ready_again
    kill "$relay_pid"
    wait_exit relay
    [[ $status == 0 ]]
    wait_until grep -q 'STOPPING=1' manager.out
    # 20 s of --shutdown-timeout, and 10 s to exit.
    wait_until grep -qx 'EXTEND_TIMEOUT_USEC=30000000' manager.out
}

# journal COMMAND...: runs it with a file as stderr, which JOURNAL_STREAM names like the journal.
journal() {
    local stream
    : >journal.err
    stream=$(stat -c %d:%i journal.err)
    JOURNAL_STREAM=$stream "$@" 2>>journal.err
}

@test "lines for the journal begin with a priority" {
    journal shnek-parse --max-size=none || true
    grep -q '^<3>shnek-parse: --max-size: ' journal.err
    journal shnek-parse <<<'<13>' || true
    grep -q '^<4>shnek-parse: stdin:1: ' journal.err
    journal shnek-parse --stats=1h <<<'<13>1 - - - - - -'
    is "$(grep -o '^<.>shnek-parse: in 1' journal.err)" '<6>shnek-parse: in 1'
    # The command of --exec inherits both.
    journal shnek-parse --exec='shnek-pub -n a b' <<<'' || true
    is "$(cut -d : -f 1 journal.err)" $'<3>shnek-pub\n<3>shnek-pub\n<3>shnek-parse'
    # The variable was inherited, but stderr is something else.
    JOURNAL_STREAM=1:2 run --separate-stderr shnek-parse --max-size=none
    [[ $stderr == 'shnek-parse: '* ]]
}
