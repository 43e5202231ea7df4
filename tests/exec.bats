#!/usr/bin/env bats
# shnek-parse --exec: both programs as one service.
# shellcheck disable=SC2030,SC2031,SC2154 # `start`, `service` and bats set variables

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
    ulimit -c 0
}

teardown() {
    shnek_teardown
}

message() {
    echo "<34>1 - - - - - - $1"
}

# service [OPTION...]: starts shnek-parse on a free port with a command; sets url.
service() {
    start service shnek-parse -l tcp://127.0.0.1:0 "$@"
    url=$(listen_url service.err)
}

@test "--exec pipes the records to a command and exits with the worse status" {
    local ours theirs expected
    while read -r ours theirs expected; do
        run --separate-stderr shnek-parse --exec="cat; exit $theirs" \
            < <(message a && if ((ours)); then echo '<13>'; fi)
        is "$status" "$expected"
        is "$(jq -r .msg <<<"$output")" a
        if ((theirs > 1)); then
            is "${stderr_lines[-1]}" "shnek-parse: --exec: 'cat; exit $theirs' ended with status $theirs"
        fi
    done <<<$'0 0 0\n1 0 1\n0 1 1\n1 1 1\n0 2 2\n1 2 2\n0 3 2\n0 77 2'
}

@test "--exec reports a command that does not exist, or that a signal has ended" {
    run --separate-stderr shnek-parse --exec=no-such-command </dev/null
    is "$status" 2
    # It may end before the end of the input is known.
    [[ ${stderr_lines[-1]} == "shnek-parse: --exec: 'no-such-command' ended with status 127"* ]]
    # shellcheck disable=SC2016
    run --separate-stderr shnek-parse --exec='cat >/dev/null; kill -9 $$' </dev/null
    is "$status" 2
    is "$stderr" "shnek-parse: --exec: 'cat >/dev/null; kill -9 \$\$' was ended by signal 9 (Killed)"
}

@test "if the command ends early, nothing more is read and the status is 2" {
    local early="shnek-parse: --exec: 'head -n 1' ended with status 0 before its input ended; messages may be lost"
    start_fed parse shnek-parse --exec='head -n 1'
    message a >&"$feed"
    # Its input stays open and idle: the end of the command is noticed nevertheless.
    wait_exit parse
    is "$status" 2
    is "$(<parse.err)" "$early"
    is "$(jq -r .msg parse.out)" a
    end_of_input
    service --exec='head -n 1'
    message b >"/dev/tcp/127.0.0.1/$(port_of "$url")"
    wait_exit service
    is "$status" 2
    is "$(tail -n 1 service.err)" "$early"
    # A write fails before the end of the command is known.
    run --separate-stderr shnek-parse --exec='head -n 1' < <(yes "$(message c)")
    is "$status" 2
    is "$stderr" "$early"
}

@test "the command inherits neither the sockets of systemd nor its notification socket" {
    need systemd-socket-activate
    port=$(quiet_port)
    # shellcheck disable=SC2016
    start service systemd-socket-activate -l "127.0.0.1:$port" -E NOTIFY_SOCKET=/nowhere -E PATH="$PATH" \
        "$(command -v shnek-parse)" -l systemd \
        --exec='echo "${LISTEN_FDS-none} ${NOTIFY_SOCKET-none}"; ls -l /proc/self/fd/ | grep -c socket; cat'
    wait_until grep -q '^Listening on ' service.err
    message a >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are service.out 3
    is "$(head -n 2 service.out)" $'none none\n0'
}

# serve_load [COMMAND...]: a service for JetStream that is run by the command; SIGTERM under load ends
# it. All that it received must be stored.
serve_load() {
    local messages
    nats_start 'jetstream: enabled' "store_dir: \"$PWD/store\""
    start service "$@" shnek-parse -l tcp://127.0.0.1:0 --stats=1h --exec='shnek-pub -J --stream=logs --create-stream logs'
    url=$(listen_url service.err)
    start load spamlog -q -r max "$url"
    stored_at_least() { (($(nats_get 'jsz?streams=1' | jq '[.messages] | add') >= $1)); }
    wait_until stored_at_least 2000
    # The child of unshare is process 1.
    kill -TERM "$(pgrep -P "$service_pid" -x shnek-parse || echo "$service_pid")"
    wait_exit service
    is "$status" 0
    messages=$(sed -n 's/^shnek-parse: in \([0-9,]*\) .* out \([0-9,]*\) .*/\1 \2/p' service.err | tail -n 1 | tr -d ,)
    is "${messages% *}" "${messages#* }"
    is "$(nats_get 'jsz?streams=1' | jq .messages)" "${messages% *}"
}

@test "SIGTERM under load: all that was received is stored, and the status is 0" {
    serve_load
}

@test "the same as process 1 of a container" {
    need unshare pgrep
    unshare --fork --pid true 2>/dev/null || skip 'needs the right to create a PID namespace'
    serve_load unshare --fork --pid --kill-child
}

@test "process 1 reaps orphans" {
    need unshare
    unshare --fork --pid true 2>/dev/null || skip 'needs the right to create a PID namespace'
    # The orphan is a zombie, and can be signaled, until it is reaped.
    # shellcheck disable=SC2016
    start_fed service unshare --fork --pid --kill-child shnek-parse \
        --exec='sh -c ": & echo \$! >pid"; while kill -0 "$(cat pid)"; do :; done 2>kill.err; exec cat'
    message a >&"$feed"
    wait_until lines_are service.out 1
    end_of_input
    wait_exit service
    is "$status" 0
}

@test "a signal to the process group does not end the command before its input ends" {
    # timeout(1) and a terminal signal the whole group.
    start service setsid shnek-parse -l tcp://127.0.0.1:0 --exec='cat; echo end'
    url=$(listen_url service.err)
    message a >"/dev/tcp/127.0.0.1/$(port_of "$url")"
    wait_until lines_are service.out 1
    kill -INT -- "-$service_pid"
    wait_exit service
    is "$status" 0
    is "$(tail -n 1 service.out)" end
}

@test "a second signal terminates the command, and the status is 2" {
    # A FIFO without data: the command waits only for the signal.
    mkfifo never
    service --exec='trap "echo terminated; exit 0" TERM; exec 3<>never; while :; do read -r line <&3; done'
    kill "$service_pid"
    sleeping() { [[ $(ps -o stat= -p "$service_pid") == S* ]] && ! quietly listens_at "$(port_of "$url")"; }
    wait_until sleeping
    again() { kill "$service_pid" 2>/dev/null; ! running "$service_pid"; }
    wait_until again
    wait_exit service
    is "$status" 2
    is "$(<service.out)" terminated
    grep -q 'stopped by a second signal' service.err
}

@test "SIGHUP is passed on to shnek-pub only" {
    nats_start
    service --exec='shnek-pub --rejects=rejects'
    wait_until connections_are 1
    kill -HUP "$service_pid"
    wait_until grep -q '^shnek-pub: rejects: reopened$' service.err
    kill "$service_pid"
    wait_exit service
    is "$status" 0
    service --exec='cat'
    kill -HUP "$service_pid"
    message a >"/dev/tcp/127.0.0.1/$(port_of "$url")"
    wait_until lines_are service.out 1
    kill "$service_pid"
    wait_exit service
    is "$status" 0
}

@test "the counters of both programs are one line" {
    local i
    for i in {1..3}; do message "$i"; done >lines
    echo '<1' >>lines
    run --separate-stderr shnek-parse -q --stats=1h --exec='shnek-pub -n --stats=1h >records' lines
    is "$status" 1
    [[ $stderr =~ ^'shnek-parse: in 4 rejected 1 | shnek-pub: out 3 rate '[0-9,]+/s$ ]]
    nats_start
    service -q --exec='shnek-pub -q'
    cat lines >"/dev/tcp/127.0.0.1/$(port_of "$url")"
    wait_until taken_at_least 3
    printed() { kill -USR1 "$service_pid" && grep -q 'in 4 rejected 1 | shnek-pub: out 3 rate' service.err; }
    wait_until printed
}
