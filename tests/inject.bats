#!/usr/bin/env bats
# Calls of libc that fail, return short or are interrupted: tests/lib/inject.c and a sample of
# tests/inject, which runs all of them.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    shnek_setup
    [[ -z ${SANITIZE-} ]] || skip 'sanitizers must be loaded before the fault injection'
    library=${SHNEK_TOOLS:-$SHNEK_TOP/build/tests}/inject.so
    cd "$BATS_TEST_TMPDIR" || return
    spamlog -q -r max -n 100 >syslog
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

@test "random faults end in correct output, or in an error and status 2" {
    need nats-server
    run "$SHNEK_TOP/tests/inject" --sample=1 --runs=60
    echo "$output"
    is "$status" 0
}
