#!/usr/bin/env bats
# spamlog sends to shnek-parse over every transport that both support.
# shellcheck disable=SC2154 # `start` and bats set variables

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/certificates

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
    # Sanitizers make everything several times slower.
    all=200000
    [[ -z ${SANITIZE-} ]] || all=20000
}

teardown() {
    shnek_teardown
}

relay() {
    start relay shnek-parse --stats=1h "$@"
    url=$(listen_url relay.err)
}

ends() {
    kill "$relay_pid"
    wait_exit relay
    totals=$(tail -n 1 relay.err)
}

# arrived COUNT: asserts that the relay has written COUNT different messages, and nothing else.
arrived() {
    wait_until -t 60 lines_are relay.out "$1"
    ends
    [[ $status == 0 && $totals == *" in $(grouped "$1") out $(grouped "$1") "* && $totals != *dropped\ [1-9]* ]] || {
        cat relay.err
        return 1
    }
    [[ $(grep -o '"msgid":"[0-9]*"' relay.out | sort -u | wc -l) == "$1" ]]
}

@test "every message arrives once over TCP, in both framings" {
    local framing
    for framing in newline octet; do
        relay -l tcp://:0
        spamlog -q -r max -n "$all" -c 8 -F "$framing" "$url"
        arrived "$all"
    done
}

@test "every message arrives once over TLS, with certificates on both sides" {
    need openssl
    tls_certificates
    relay -l tls://:0 --tls-cert=server.pem --tls-key=server.key --tls-ca=ca.pem \
        --tls-peer=client.example
    spamlog -q -r max -n "$all" -c 8 --tls-ca=ca.pem --tls-cert=client.pem --tls-key=client.key "$url"
    arrived "$all"
}

@test "every message arrives once over Unix stream and datagram sockets" {
    relay -l unix:stream.sock
    spamlog -q -r max -n "$all" -c 8 unix:stream.sock
    arrived "$all"
    relay -l unixgram:gram.sock
    spamlog -q -r max -n "$all" -c 8 unixgram:gram.sock
    arrived "$all"
}

@test "every message arrives once over UDP at a sustainable rate" {
    local rate=1k many=$((all / 40)) address
    # Without CAP_NET_ADMIN the receive buffer is limited to some hundred datagrams.
    [[ $EUID != 0 ]] || { rate=40k && many=$all; }
    for address in udp://127.0.0.1:0 'udp://[::1]:0'; do
        relay -l "$address" --rcvbuf=64M
        spamlog -q -r "$rate" -n "$many" -c 4 "$url"
        arrived "$many"
    done
}

@test "received and dropped messages add up over UDP at full throttle" {
    relay -l udp://127.0.0.1:0 --rcvbuf=64k
    spamlog -q -r max -n "$((all * 2))" -c 2 "$url"
    ends
    echo "$totals"
    [[ ${totals//,/} =~ in\ ([0-9]+)\ out\ ([0-9]+)\ (dropped\ ([0-9]+)\ |bytes) ]]
    dropped=${BASH_REMATCH[4]:-0}
    ((BASH_REMATCH[1] + dropped == all * 2 && BASH_REMATCH[1] == BASH_REMATCH[2]))
    lines_are relay.out "${BASH_REMATCH[1]}"
    if ((dropped)); then
        [[ $status == 2 ]]
        grep -q ': the kernel dropped [0-9]* datagrams' relay.err
    else
        [[ $status == 0 ]]
    fi
}

@test "one process receives RFC 3164 from all transports simultaneously" {
    local each=$((all / 8)) transport
    need openssl
    tls_certificates
    start relay shnek-parse --stats=1h -f auto -l tcp://:0 -l tls://:0 -l unix:stream.sock \
        -l unixgram:gram.sock -l udp://:0 --rcvbuf=64M --tls-cert=server.pem --tls-key=server.key
    wait_until grep -q 'listening on udp' relay.err
    address() {
        sed -n "s|.*listening on \($1:.*\)|\1|p" relay.err
    }
    for transport in tcp tls unix unixgram udp; do
        local options=(-q -r 5k -n "$each" -f rfc3164 --appname="$transport")
        [[ $transport != tls ]] || options+=(--tls-ca=ca.pem)
        start "$transport" spamlog "${options[@]}" "$(address "$transport")"
    done
    for transport in tcp tls unix unixgram udp; do
        wait_exit "$transport"
        [[ $status == 0 ]] || { cat "$transport.err" && return 1; }
    done
    wait_until lines_are relay.out "$((each * 5))"
    ends
    [[ $status == 0 ]]
    for transport in tcp tls unix unixgram udp; do
        [[ $(grep -c "\"version\":null,.*\"appname\":\"$transport\"" relay.out) == "$each" ]]
    done
}

@test "several relays share a port" {
    relay -l tcp://127.0.0.1:0 --reuseport
    start other shnek-parse --reuseport -l "$url"
    listen_url other.err
    spamlog -q -r max -n "$all" -c 64 "$url"
    both() {
        [[ $(cat relay.out other.out | wc -l) == "$all" ]]
    }
    wait_until both
    [[ -s relay.out && -s other.out ]]
    ends
    [[ $status == 0 ]]
    kill "$other_pid"
    wait_exit other
    [[ $status == 0 ]]
}
