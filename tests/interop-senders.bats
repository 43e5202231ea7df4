#!/usr/bin/env bats
# Other senders into shnek-parse: logger, loggen, rsyslog and syslog-ng.
# shellcheck disable=SC2154 # `start` and bats set variables

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/certificates
load lib/interop

setup() {
    shnek_setup
    peers_setup
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    shnek_teardown
}

# relay NAME OPTION...: starts shnek-parse and sets url to its first address.
relay() {
    start "$1" shnek-parse "${@:2}"
    url=$(listen_url "$1.err")
}

# ends NAME: stops the relay, which must exit with status 0 and have logged only its addresses.
ends() {
    local pid=${1}_pid
    kill -TERM "${!pid}"
    wait_exit "$1"
    [[ $status == 0 ]] || { cat "$1.err" && return 1; }
    ! grep -v ': listening on ' "$1.err"
}

# made COUNT: writes messages of spamlog to `sent` and their records to `expected`.
made() {
    spamlog -q -r max -n "$1" --sd '[x@1 k="v \" ü"]' -m 'grüße, "all"' >sent
    shnek-parse <sent | sort >expected
    lines_are expected "$1"
}

# arrived NAME: the relay must have written the expected records, in any order.
arrived() {
    wait_until -t 60 lines_are "$1.out" "$(wc -l <expected)"
    ends "$1"
    sort "$1.out" | cmp - expected
}

# feed PORT: sends the messages of `sent` over TCP.
feed() {
    socat -u OPEN:sent "TCP:127.0.0.1:$1"
}

@test "logger delivers over UDP, over TCP in both framings, and over both kinds of Unix sockets" {
    local transport i
    need logger jq
    relay udp -l udp://127.0.0.1:0
    logger -d -n 127.0.0.1 -P "$(port_of "$url")" --rfc5424 -t me 'by UDP'
    relay tcp -l tcp://:0
    logger -T -n 127.0.0.1 -P "$(port_of "$url")" --rfc5424 -t me 'by TCP'
    logger -T -n 127.0.0.1 -P "$(port_of "$url")" --rfc5424 --octet-count -t me 'by TCP, counted'
    relay gram -l unixgram:gram.sock
    logger -u gram.sock --rfc5424 --socket-errors=on -t me 'by datagram'
    relay unix -l unix:stream.sock
    logger -u stream.sock --rfc5424 --socket-errors=on --octet-count -t me 'by stream'
    wait_until lines_are tcp.out 2
    for transport in udp gram unix; do
        wait_until lines_are "$transport.out" 1
    done
    for i in udp tcp gram unix; do
        ends "$i"
    done
    cat udp.out tcp.out gram.out unix.out >all
    [[ $(jq -r .msg all | LC_ALL=C sort) == $'by TCP\nby TCP, counted\nby UDP\nby datagram\nby stream' ]]
    [[ $(jq -r .appname all | sort -u) == me ]]
}

@test "logger delivers 10,000 lines over TCP and over a Unix socket" {
    local i
    need logger jq
    for ((i = 0; i < 10000; i++)); do
        echo "line $i"
    done >lines
    relay tcp -l tcp://:0
    logger -T -n 127.0.0.1 -P "$(port_of "$url")" --rfc5424 --octet-count -f lines
    relay gram -l unixgram:gram.sock
    logger -u gram.sock --rfc5424 --socket-errors=on -f lines
    for i in tcp gram; do
        wait_until lines_are "$i.out" 10000
        ends "$i"
        jq -r .msg "$i.out" | cmp - lines
    done
}

@test "rsyslog forwards over TCP in both framings and over TLS: nothing is lost or changed" {
    need_peers rsyslog rsyslog_tls
    need openssl socat
    local format='template="RSYSLOG_SyslogProtocol23Format"' port i
    made 10000
    tls_certificates
    relay octet -l tcp://:0
    local octet=${url##*:}
    relay line -l tcp://:0
    local line=${url##*:}
    relay tls -l tls://:0 --tls-cert=server.pem --tls-key=server.key --tls-ca=ca.pem \
        --tls-peer=client.example
    local tls=${url##*:}
    port=$(quiet_port)
    cat >rsyslog.conf <<END
global(workDirectory="$PWD" defaultNetstreamDriverCAFile="$PWD/ca.pem"
    defaultNetstreamDriverCertFile="$PWD/client.pem" defaultNetstreamDriverKeyFile="$PWD/client.key")
main_queue(queue.type="LinkedList" queue.size="50000")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="$port")
action(type="omfwd" target="127.0.0.1" port="$octet" protocol="tcp" tcp_framing="octet-counted" $format)
action(type="omfwd" target="127.0.0.1" port="$line" protocol="tcp" tcp_framing="traditional" $format)
action(type="omfwd" target="127.0.0.1" port="$tls" protocol="tcp" tcp_framing="octet-counted" $format
    streamDriver="ossl" streamDriverMode="1" streamDriverAuthMode="x509/name"
    streamDriverPermittedPeers="localhost")
END
    start_rsyslog "$port"
    feed "$port"
    for i in octet line tls; do
        arrived "$i"
    done
}

@test "syslog-ng forwards with syslog() over TCP and TLS and with network(): nothing is lost or changed" {
    need_peers syslog_ng
    need openssl socat
    local port i
    made 10000
    tls_certificates
    relay tcp -l tcp://:0
    local tcp=${url##*:}
    relay network -l tcp://:0
    local network=${url##*:}
    relay tls -l tls://:0 --tls-cert=server.pem --tls-key=server.key --tls-ca=ca.pem \
        --tls-peer=client.example
    local tls=${url##*:}
    port=$(quiet_port)
    cat >syslog-ng.conf <<END
@version: 3.35
options { keep-hostname(yes); ts-format(iso); frac-digits(6); };
source sent {
    network(transport(tcp) ip(127.0.0.1) port($port) flags(syslog-protocol));
};
destination all {
    syslog("127.0.0.1" port($tcp) transport(tcp));
    network("127.0.0.1" port($network) transport(tcp) flags(syslog-protocol));
    syslog("127.0.0.1" port($tls) transport(tls) tls(ca-file("$PWD/ca.pem")
        cert-file("$PWD/client.pem") key-file("$PWD/client.key") peer-verify(required-trusted)));
};
log { source(sent); destination(all); flags(flow-control); };
END
    start_syslog_ng "$port"
    feed "$port"
    for i in tcp network tls; do
        arrived "$i"
    done
}

@test "RFC 3164 messages of rsyslog and syslog-ng arrive without loss, with -f auto" {
    need_peers rsyslog syslog_ng
    need socat jq
    local rsyslog ng name
    made 10000
    relay rsyslog_out -f auto --tz=utc -l tcp://:0
    local to_rsyslog=${url##*:}
    relay ng_out -f auto --tz=utc -l tcp://:0
    local to_ng=${url##*:}
    rsyslog=$(quiet_port)
    cat >rsyslog.conf <<END
global(workDirectory="$PWD")
main_queue(queue.type="LinkedList" queue.size="50000")
module(load="imtcp")
input(type="imtcp" address="127.0.0.1" port="$rsyslog")
action(type="omfwd" target="127.0.0.1" port="$to_rsyslog" protocol="tcp"
    template="RSYSLOG_TraditionalForwardFormat")
END
    start_rsyslog "$rsyslog"
    feed "$rsyslog"
    ng=$(quiet_port)
    cat >syslog-ng.conf <<END
@version: 3.35
options { keep-hostname(yes); };
source sent { network(transport(tcp) ip(127.0.0.1) port($ng) flags(syslog-protocol)); };
destination far { network("127.0.0.1" port($to_ng) transport(tcp)); };
log { source(sent); destination(far); flags(flow-control); };
END
    start_syslog_ng "$ng"
    feed "$ng"
    for name in rsyslog_out ng_out; do
        wait_until -t 60 lines_are "$name.out" 10000
        ends "$name"
        # RFC 3164 has no year, no fraction of a second and no MSGID.
        jq -c '[.version, .severity, .facility, .hostname, .appname, .procid, .msg, (.timestamp | length)]' \
            "$name.out" | sort -u >got
        jq -c '[null, .severity, .facility, .hostname, .appname, .procid, .msg, 20]' expected | sort -u |
            cmp - got
    done
}

@test "loggen delivers over TCP in both framings, UDP, TLS and Unix sockets" {
    need_peers loggen
    need openssl jq
    tls_certificates
    relay all -l tcp://:0 -l udp://:0 -l unix:stream.sock -l unixgram:gram.sock -l tls://:0 \
        --tls-cert=server.pem --tls-key=server.key
    port() {
        sed -n "s|.*listening on $1://.*:||p" all.err
    }
    wait_until port tls
    # With --syslog-proto, loggen uses octet counting unless -F is given.
    load() {
        (with_syslog_ng loggen -Q -P -s 200 -n 2000 -r 20000 -I 60 "$@")
    }
    load -iS 127.0.0.1 "$(port tcp)"
    load -iS -F 127.0.0.1 "$(port tcp)"
    load -iD -F 127.0.0.1 "$(port udp)"
    load -U 127.0.0.1 "$(port tls)"
    load -xS stream.sock
    load -xD -F gram.sock
    wait_until lines_are all.out 12000
    ends all
    [[ $(jq -r .appname all.out | sort -u) == prg00000 ]]
}
