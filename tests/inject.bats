#!/usr/bin/env bats
# Calls of libc that fail, return short or are interrupted: tests/lib/inject.c and a sample of
# tests/inject, which runs all of them.
# shellcheck disable=SC2030,SC2031 # tests look like subshells of each other.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    shnek_setup
    [[ -z ${SANITIZE-} ]] || skip 'sanitizers must be loaded before the fault injection'
    library=${SHNEK_TOOLS:-$SHNEK_TOP/build/tests}/inject.so
    cd "$BATS_TEST_TMPDIR" || return
    spamlog -q -r max -n 100 >syslog
}

teardown() {
    [[ ! ${feed-} ]] || end_of_input
    shnek_teardown
}

# inject FAULT COMMAND...: runs it with the fault. The library writes the file log.
inject() {
    rm -f log
    run --separate-stderr env LD_PRELOAD="$library" INJECT="$1" INJECT_LOG=log "${@:2}"
}

@test "the injected fault is that of the given call only" {
    inject '' shnek-parse syslog
    is "$status" 0
    reads=$(sed -n 's/^count read //p' log)
    inject "read:$reads:fail" shnek-parse syslog
    is "$status" 2
    is "$stderr" 'shnek-parse: syslog: Input/output error'
    grep -q '^hit read$' log
    inject "read:$((reads + 1)):fail" shnek-parse syslog
    is "$status" 0
    run ! grep -q '^hit' log
}

@test "short and interrupted calls change nothing" {
    shnek-parse syslog >expected
    for fault in read:1:intr read:1:short:always write:1:short:always write:1:intr; do
        inject "$fault" shnek-parse syslog
        is "$status" 0
        grep -q "^hit ${fault%%:*}$" log
        cmp expected <(echo "$output")
    done
}

@test "a fault that does not exist is refused" {
    inject read:1:wrong shnek-parse syslog
    is "$status" 99
    inject fork:1:fail shnek-parse syslog
    is "$status" 99
}

# lasting NAME CALL COMMAND...: starts a command in which all these calls fail.
lasting() {
    start "$1" env LD_PRELOAD="$library" INJECT="$2:1:fail:always" "${@:3}"
}

# ends_with NAME TEXT: the program must end with status 2 and this message.
ends_with() {
    wait_exit "$1"
    is "$status" 2
    is "$(sed '/listening on/d' "$1.err")" "$2"
}

@test "a call that fails for ten seconds ends the program with an error and status 2" {
    local none='Cannot allocate memory'
    need strace logger
    mkfifo in
    exec {feed}<>in
    lasting file poll shnek-parse in syslog
    lasting tcp epoll_wait shnek-parse -l tcp://127.0.0.1:0
    lasting gram recvmmsg shnek-parse -l "unixgram:$PWD/socket"
    lasting pub poll sh -c 'exec shnek-pub --dry-run s <in'
    # libc calls of the library fail for a lack of descriptors, which may end.
    start accept strace -f -o trace -e trace=accept4 -e inject=accept4:error=EIO:when=1+ shnek-parse -l tcp://127.0.0.1:0
    wait_until grep -q ': listening on ' gram.err
    logger --socket "$PWD/socket" --rfc5424 text
    true >"/dev/tcp/127.0.0.1/$(port_of "$(listen_url accept.err)")"
    ends_with file "shnek-parse: poll: $none; retrying
shnek-parse: in: $none
shnek-parse: syslog: stopped before it was read"
    ends_with tcp "shnek-parse: epoll: $none; retrying
shnek-parse: epoll: $none; stopped, connections were not read"
    ends_with gram "shnek-parse: unixgram:$PWD/socket: $none; retrying
shnek-parse: unixgram:$PWD/socket: $none for 10 seconds; stopping"
    ends_with pub "shnek-pub: poll: $none; retrying
shnek-pub: stdin: $none"
    wait_exit accept
    is "$status" 2
    grep -q 'tcp://127.0.0.1:[0-9]*: Input/output error for 10 seconds; stopping$' accept.err
}

@test "random faults end in correct output, or in an error and status 2" {
    need nats-server
    run "$SHNEK_TOP/tests/inject" --sample=1 --runs=60
    echo "$output"
    is "$status" 0
}
