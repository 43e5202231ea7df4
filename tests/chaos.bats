#!/usr/bin/env bats
# A minute of tests/chaos.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    shnek_setup
}

@test "no line is lost or stored twice in a minute of kills, stops, cuts and full streams" {
    need nats-server
    run "$SHNEK_TOP/tests/chaos" 60s 1
    echo "$output"
    is "$status" 0
    [[ ${lines[-1]} == 'seed 1: '*', 0 lost, 0 stored twice, 0 failures' ]]
}
