#!/usr/bin/env bats
# The layers: programs -> relay, publish, verify -> load -> report -> json -> syslog, tls -> base.

bats_require_minimum_version 1.5.0

setup() {
    cd "$BATS_TEST_DIRNAME/../src"
}

# uses FROM TO...: the files below FROM include ours only from these folders.
uses() {
    local from=$1 allowed found
    shift
    allowed=$(IFS='|' && echo "$*")
    found=$(grep -rnE '#include "' "$from" | grep -vE "#include \"($allowed)/") || true
    [[ -z $found ]] || {
        echo "points where it must not:"
        echo "$found"
        return 1
    }
}

@test "base uses nothing else of the house" {
    uses base base
}

@test "syslog uses base" {
    uses syslog syslog base
}

@test "json uses syslog and base" {
    uses json json syslog base
}

@test "tls uses base" {
    uses tls tls base
}

@test "relay, publish, load, verify and report use the folders below them only" {
    uses relay relay syslog json tls base
    uses publish publish syslog json base
    uses verify verify load report syslog json tls base
    uses load load report syslog json tls base
    uses report report json base
}

@test "the languages touch no descriptor" {
    run grep -rnE '#include <(unistd|fcntl|sys/socket|sys/epoll|poll|netdb)\.h>' syslog json
    [ "$status" -eq 1 ]
}

@test "one file each includes nats.h, jsmn.h and what OpenSSL has of TLS" {
    run grep -rlE '#include <nats(/nats)?\.h>' .
    [ "$output" = ./publish/nats-conn.c ]
    run grep -rlE '#include <jsmn\.h>' .
    [ "$output" = ./json/locate-error.c ]
    run grep -rlE '#include <openssl/ssl\.h>' .
    [ "$output" = ./tls/tls.c ]
}

@test "no two files include each other in a circle" {
    grep -rE '#include "' --include='*.[ch]' . |
        sed -E 's|^\./([^:]+):#include "([^"]+)".*|\1 \2|' >"$BATS_TEST_TMPDIR/edges"
    run tsort "$BATS_TEST_TMPDIR/edges"
    [ "$status" -eq 0 ]
}
