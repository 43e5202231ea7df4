#!/usr/bin/env bats
# shnek-parse -l tls://: access, ends of connections, certificate reload, drain.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.
# shellcheck disable=SC2059 # garbage is a printf format, because of its escapes.
# shellcheck disable=SC2030,SC2031 # tests look like subshells of each other.

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/relay
load lib/certificates

HEAD='<13>1 - - - - - - '

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
    need openssl
    refused=0
    served=0
    tls_certificates
}

teardown() {
    shnek_teardown
}

# relay [OPTION...]: starts shnek-parse on a free port with the server's certificate.
relay() {
    start relay shnek-parse -l tls://127.0.0.1:0 --tls-cert=server.pem --tls-key=server.key "$@"
    listening
}

listening() {
    url=$(listen_url relay.err)
    port=$(port_of "$url")
}

end_relay() {
    kill -TERM "$relay_pid"
    wait_exit relay
}

# client [OPTION...]: sends its stdin and then close_notify.
client() {
    timeout 60 openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$port" "$@" &>client.log
}

# fed_client NAME [OPTION...]: starts a client that sends what is written to descriptor $feed.
fed_client() {
    local name=$1
    shift
    mkfifo "$name.in"
    # shellcheck disable=SC2016 # expanded by the inner shell
    start "$name" bash -c 'exec openssl s_client -quiet -no_ign_eof -connect "$@" <"$0"' \
        "$name.in" "127.0.0.1:$port" "$@"
    exec {feed}<>"$name.in"
}

connect() {
    exec {connection}<>"/dev/tcp/127.0.0.1/$port"
}

hang_up() {
    local descriptor=$1
    exec {descriptor}>&-
}

# hung_up DESCRIPTOR: whether the relay closes the connection, perhaps after an alert.
hung_up() {
    timeout 30 cat <&"$1" >alert 2>reset || grep -q 'Connection reset' reset
}

texts() {
    sed 's/.*"msg":"\([^"]*\)".*/\1/' "$1"
}

# signed NAME SUBJECT [SAN]: creates a certificate signed by ca.
signed() {
    openssl req -x509 -CA ca.pem -CAkey ca.key "${certificate_key[@]}" -keyout "$1.key" -out "$1.pem" \
        -days 2 -subj "$2" ${3:+-addext "subjectAltName=$3"} 2>/dev/null
}

self_signed() {
    openssl req -x509 "${certificate_key[@]}" -keyout "$1.key" -out "$1.pem" -days 2 -subj "/CN=$1" 2>/dev/null
}

# good_peer CERTIFICATE: starts a client that stays connected, which served_on checks.
good_peer() {
    fed_client good -cert "$1.pem" -key "$1.key"
    served_on
}

served_on() {
    echo "$HEAD$((++served))" >&"$feed"
    wait_until lines_are relay.out $served
}

refusals() {
    sed -n 's/^shnek-parse: 127\.0\.0\.1:[0-9]*: refused: //p' relay.err
}

refusals_are() {
    [[ $(refusals | wc -l) == "$1" ]]
}

# was_refused REASON: one more peer was refused in one line and counted, and the good peer is served.
was_refused() {
    wait_until refusals_are $((++refused))
    is "$(refusals | tail -n 1)" "$1"
    wait_until counts relay "refused $refused"
    served_on
    is "$(grep -Evc ': refused: |: listening on | in [0-9,]+ out ' relay.err)" 0
}

# refuses REASON [OPTION...]: a client with these options is refused and gets an alert.
refuses() {
    local reason=$1
    shift
    # Without -no_ign_eof it stays until the relay closes the connection.
    timeout 60 openssl s_client -quiet -connect "127.0.0.1:$port" "$@" </dev/null &>client.log || true
    was_refused "$reason"
    grep -q ' alert ' client.log
}

# lets_in [OPTION...]: a client with these options is accepted.
lets_in() {
    served=$((served + 1))
    echo "$HEAD$served" | client "$@"
    wait_until lines_are relay.out $served
    is "$(texts relay.out)" "$(seq $served)"
}

# Messages

@test "accepts TLS 1.2 and 1.3, with the key in a separate file or in that of the certificate" {
    local version
    cat server.pem server.key >both.pem
    relay
    for version in -tls1_2 -tls1_3; do
        lets_in $version -CAfile ca.pem -verify_return_error -verify_hostname localhost
    done
    end_relay
    is "$status" 0
    is "$(<relay.err)" "shnek-parse: listening on $url"
    served=0
    start relay shnek-parse -l tls://127.0.0.1:0 --tls-cert=both.pem
    listening
    lets_in -CAfile ca.pem -verify_return_error
}

@test "accepts both framings over TLS, from openssl and socat" {
    need socat
    relay
    printf '%sone\n%stwo\n' "$HEAD" "$HEAD" | client
    wait_until lines_are relay.out 2
    printf '23 %sthree22 %sfour' "$HEAD" "$HEAD" | client
    wait_until lines_are relay.out 4
    printf '%sfive\n' "$HEAD" | socat -u - "OPENSSL:127.0.0.1:$port,cafile=ca.pem"
    wait_until lines_are relay.out 5
    is "$(texts relay.out)" $'one\ntwo\nthree\nfour\nfive'
    is "$(<relay.err)" "shnek-parse: listening on $url"
}

@test "--meta adds the subject of the peer's certificate and the transport tls" {
    relay --meta --tls-ca=ca.pem
    signed odd '/O=Fünf, "GmbH"/CN=odd.example'
    lets_in -cert client.pem -key client.key
    lets_in -cert odd.pem -key odd.key
    is "$(grep -c '"transport":"tls"' relay.out)" 2
    [[ $(sed -n 1p relay.out) =~ '"peer":"127.0.0.1:'[0-9]+' CN=client.example","transport"' ]]
    sed -n 2p relay.out | grep -Eq '"peer":"127\.0\.0\.1:[0-9]+ CN=odd\.example,O=[^"]*F[^,]*nf\\+, [^ ]*GmbH'
    end_relay
    served=0
    relay --meta
    lets_in
    [[ $(peers relay.out) =~ ^127\.0\.0\.1:[0-9]+$ ]]
}

@test "200,000 lines arrive once each from openssl and from socat" {
    local n=200000
    need spamlog socat
    [[ -z ${SANITIZE-} ]] || n=20000
    relay
    spamlog -q -r max -n $n >sent
    client <sent
    wait_until lines_are relay.out $n
    socat -u - "OPENSSL:127.0.0.1:$port,cafile=ca.pem" <sent
    wait_until lines_are relay.out $((2 * n))
    cut -d '"' -f 28 relay.out | cmp - <(seq 0 $((n - 1)) && seq 0 $((n - 1)))
    end_relay
    is "$status" 0
}

# Access

@test "--tls-ca refuses peers without a valid certificate, and others are served" {
    relay --tls-ca=ca.pem
    good_peer client
    refuses 'TLS: the peer has no certificate'
    refuses 'TLS: the peer has no certificate' -tls1_2
    refuses 'TLS: the certificate is not signed by a trusted CA' -cert stranger.pem -key stranger.key
    refuses 'TLS: the certificate has expired' -cert expired.pem -key expired.key
    refuses 'TLS: the certificate has expired' -cert expired.pem -key expired.key -tls1_2
    self_signed own
    refuses 'TLS: the certificate is not signed by a trusted CA' -cert own.pem -key own.key
    end_relay
    is "$status" 0
}

@test "--tls-peer refuses peers with another name, and others are served" {
    relay --tls-ca=ca.pem --tls-peer=client.example
    good_peer client
    refuses 'TLS: the certificate is for a different name' -cert server.pem -key server.key
    refuses 'TLS: the certificate is not signed by a trusted CA' -cert stranger.pem -key stranger.key
    # The CN is ignored if the SAN has DNS names, and a wildcard matches one whole label.
    signed cn /CN=client.example DNS:other.example
    refuses 'TLS: the certificate is for a different name' -cert cn.pem -key cn.key
    signed wild /CN=x 'DNS:*.client.example,DNS:*.example.com,DNS:cl*.example'
    refuses 'TLS: the certificate is for a different name' -cert wild.pem -key wild.key
}

@test "--tls-peer refuses peers with another fingerprint, and others are served" {
    self_signed own
    self_signed other
    relay --tls-peer="$(fingerprint own.pem)"
    good_peer own
    refuses 'TLS: the certificate has a different fingerprint' -cert other.pem -key other.key
    refuses 'TLS: the certificate has a different fingerprint' -cert client.pem -key client.key
    refuses 'TLS: the peer has no certificate'
}

@test "--tls-peer accepts DNS names, wildcards, common names and IP addresses" {
    relay --tls-ca=ca.pem --tls-peer=client.example --tls-peer=a.wild.example --tls-peer=192.0.2.7 \
        --tls-peer=2001:db8::7 --tls-peer=common.example
    lets_in -cert client.pem -key client.key
    signed wild /CN=x 'DNS:*.wild.example'
    lets_in -cert wild.pem -key wild.key
    signed common /CN=common.example
    lets_in -cert common.pem -key common.key
    signed ip /CN=x IP:192.0.2.7
    lets_in -cert ip.pem -key ip.key
    signed ipv6 /CN=x IP:2001:db8:0::7
    lets_in -cert ipv6.pem -key ipv6.key
    is "$(<relay.err)" "shnek-parse: listening on $url"
}

@test "--tls-peer accepts a fingerprint, with and without --tls-ca" {
    local print
    self_signed own
    print=$(fingerprint own.pem)
    relay --tls-peer="$print"
    lets_in -cert own.pem -key own.key
    end_relay
    served=0
    # In lower case and without colons.
    print=${print,,}
    relay --tls-ca=ca.pem --tls-peer="sha256:$(tr -d : <<<"${print#*:}")" --tls-peer=client.example
    lets_in -cert own.pem -key own.key
    lets_in -cert client.pem -key client.key
    is "$(<relay.err)" "shnek-parse: listening on $url"
}

# Failed handshakes

@test "TLS 1.1 is refused" {
    relay
    good_peer client
    refuses 'TLS: the peer does not support TLS 1.2 or later' -tls1_1 -cipher DEFAULT:@SECLEVEL=0
}

@test "garbage instead of a handshake is refused in one line, and others are served" {
    local text
    relay
    good_peer client
    for text in 'GET / HTTP/1.1\r\n\r\n=the peer does not speak TLS' "$HEAD"'text\n=the peer does not speak TLS' \
        '\0\0\0\0\0\0\0\0=the peer does not speak TLS' '\x16\x03\x01\xff\xff\xff\xff=the peer does not speak TLS' \
        '\x15\x03\x01\0\x02\x01\0=unexpected message' '\x16\x03\x01\0\x04\x01\0\0\0=length too short'; do
        connect
        printf "${text%=*}" >&"$connection"
        hung_up "$connection"
        was_refused "TLS: ${text#*=}"
        hang_up "$connection"
    done
    connect
    head -c 100000 /dev/urandom >&"$connection" || true
    wait_until refusals_are $((++refused))
    served_on
}

@test "--handshake-timeout ends a stalled handshake, with one line" {
    local idle_one half
    relay --handshake-timeout=2s
    good_peer client
    connect
    idle_one=$connection
    connect
    half=$connection
    printf '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03' >&"$half"
    hung_up "$idle_one"
    hung_up "$half"
    wait_until refusals_are 2
    is "$(grep ': refused: ' relay.err | sort)" "$(for i in "$idle_one" "$half"; do
        echo "shnek-parse: $(name_of "$i"): refused: TLS: handshake timed out (--handshake-timeout)"
    done | sort)"
    wait_until counts relay 'refused 2'
    served_on
}

@test "a peer that disconnects during the handshake is refused, except before its first byte" {
    need socat
    relay
    good_peer client
    connect
    printf '\x16\x03\x01\x02\0\x01' >&"$connection"
    hang_up "$connection"
    was_refused 'TLS: disconnected during the handshake'
    connect
    hang_up "$connection"
    mkfifo reset
    start peer socat -u OPEN:reset "TCP:127.0.0.1:$port,linger=0"
    exec {connection}<>reset
    printf '\x16\x03\x01\x02\0\x01' >&"$connection"
    wait_until connected
    kill -KILL "$peer_pid"
    was_refused 'Connection reset by peer'
}

# connected: whether socat has connected (three sockets) and has emptied its FIFO.
connected() {
    [[ $(find "/proc/$relay_pid/fd" -lname 'socket:*' | wc -l) == 3 ]] && ! read -rt 0 <&"$connection"
}

# Ends of connections

@test "a last line without LF is a message only after close_notify" {
    relay --stats=1h
    printf '%sone\n%stwo' "$HEAD" "$HEAD" | client
    wait_until lines_are relay.out 2
    fed_client cut
    printf '%sthree\n%scut' "$HEAD" "$HEAD" >&"$feed"
    wait_until lines_are relay.out 3
    wait_until counts relay 'bytes 88'
    kill -KILL "$cut_pid"
    wait_until grep -Eqx 'shnek-parse: 127\.0\.0\.1:[0-9]+:2: SYSLOG-MSG: stream ends within it \(at byte 21\)' relay.err
    is "$(texts relay.out)" $'one\ntwo\nthree'
    end_relay
    is "$status" 1
    grep -q ' in 4 out 3 rejected 1 ' relay.err
}

# stopped_client BYTES: starts a client that sends the file `sent` in records of 8 KiB. Only BYTES
# bytes reach the relay until a line is written to the FIFO `go`.
stopped_client() {
    need socat
    mkfifo go
    cat >middle <<END
#!/bin/bash
{ dd bs=1 count=$1 status=none; read -r <go; cat; } | socat - TCP:127.0.0.1:$port
END
    chmod +x middle
    start middle socat UNIX-LISTEN:front EXEC:./middle
    wait_until test -S front
    before=$(bytes_read)
    start stopped bash -c 'exec openssl s_client -quiet -unix front <sent'
}

make_sent() {
    local i
    for i in {1..250}; do
        echo "$HEAD$i"
    done >sent
}

bytes_read() {
    awk '/^rchar/ { print $2 }' "/proc/$relay_pid/io"
}

# taken_in BYTES: whether the relay has read so many bytes from its only connection.
taken_in() {
    (($(bytes_read) >= before + $1))
}

@test "a TLS record that is incomplete at SIGTERM is read if its rest arrives soon" {
    make_sent
    relay
    stopped_client 3000
    wait_until taken_in 3000
    kill -TERM "$relay_pid"
    wait_until signals_taken "$relay_pid"
    echo >go
    wait_exit relay
    is "$status" 0
    is "$(texts relay.out)" "$(seq 250)"
}

@test "a TLS record that is incomplete at SIGTERM is rejected if its rest does not arrive" {
    make_sent
    relay
    stopped_client 3000
    wait_until taken_in 3000
    end_relay
    is "$status" 1
    is "$(<relay.out)" ''
    is "$(sed 1d relay.err | sed 's/:[0-9]*:/:N:/')" 'shnek-parse: 127.0.0.1:N: TLS: stream ends within a record'
    echo >go
}

@test "after SIGTERM under load the records are complete, without a gap, and the status is 0" {
    local i unfinished=0
    need spamlog jq
    relay
    for i in 1 2 3; do
        start "load$i" bash -c 'spamlog -q -r 20k --hostname="$1" |
            exec openssl s_client -quiet -connect "127.0.0.1:$2"' bash "h$i" "$port"
    done
    # At the maximum rate the file grows by gigabytes before grep reaches its end.
    many() { for i in 1 2 3; do (($(grep -cm 5000 "\"h$i\"" relay.out) == 5000)) || return; done; }
    wait_until many
    end_relay
    # On a busy machine the rest of a message may need more than the time that it has.
    unfinished=$(grep -cE ': (TLS: )?stream ends within (it|a record)' relay.err) || true
    is "$status" $((unfinished > 0))
    is "$(wc -l <relay.err)" $((unfinished + 1))
    is "$(tail -c 1 relay.out)" ''
    for i in 1 2 3; do
        grep "\"hostname\":\"h$i\"" relay.out | cut -d '"' -f 28 >ids
        cmp ids <(seq 0 $(($(wc -l <ids) - 1)))
    done
    record='\{"severity":"crit","facility":"auth","version":1,"timestamp":"[-0-9T:.+Z]+","hostname":"h[123]",'
    record+='"appname":"spamlog","procid":[0-9]+,"msgid":"[0-9]+","sd":\{\},"msg":"hello from C!"\}'
    is "$(grep -Evxc "$record" relay.out)" 0
}

# Loss

@test "a record that was changed on the way is reported, and the status is 2" {
    local proxy
    need socat
    relay
    # The peer speaks to socat, which passes everything on by descriptor $connection.
    connect
    start way socat -d -d TCP-LISTEN:0,bind=127.0.0.1 "FD:$connection"
    proxied() { grep -q ' listening on ' way.err; }
    wait_until proxied
    proxy=$(sed -n 's/.* listening on .*:\([0-9]*\)$/\1/p' way.err)
    port=$proxy fed_client peer
    served_on
    # Application data of TLS that nothing has encrypted.
    printf '\27\3\3\0\40%032d' 0 >&"$connection"
    wait_until grep -q '^shnek-parse: 127.0.0.1:[0-9]*: TLS: ' relay.err
    lets_in
    end_relay
    is "$status" 2
}

# Certificate reload

@test "SIGHUP reloads the certificate for new connections, and open ones continue" {
    local first
    relay --tls-ca=ca.pem
    good_peer client
    first=$(shown)
    is "$first" "$(fingerprint server.pem)"
    certificate server ca localhost DNS:localhost -days 2
    is "$(shown)" "$first"
    kill -HUP "$relay_pid"
    wait_until grep -Fxq 'shnek-parse: certificates reloaded' relay.err
    is "$(shown)" "$(fingerprint server.pem)"
    served_on
    # The CA is reloaded, too.
    mv other-ca.pem ca.pem
    kill -HUP "$relay_pid"
    reloaded_twice() { [[ $(grep -c 'certificates reloaded' relay.err) == 2 ]]; }
    wait_until reloaded_twice
    lets_in -cert stranger.pem -key stranger.key
    served_on
}

# shown: prints the fingerprint of the certificate that a new connection gets.
shown() {
    timeout 60 openssl s_client -connect "127.0.0.1:$port" -cert client.pem -key client.key </dev/null 2>/dev/null >shown.pem
    fingerprint shown.pem
}

@test "if the reload at SIGHUP fails, that is reported and the old certificate is kept" {
    local first
    relay
    first=$(shown)
    : >server.pem
    kill -HUP "$relay_pid"
    wait_until lines_are relay.err 3
    mv client.pem server.pem
    kill -HUP "$relay_pid"
    wait_until lines_are relay.err 5
    rm server.key
    kill -HUP "$relay_pid"
    wait_until lines_are relay.err 7
    is "$(sed 1d relay.err)" 'shnek-parse: --tls-cert: server.pem: no certificate found
shnek-parse: reload failed, keeping the old certificates
shnek-parse: --tls-key: server.key: the key does not match the certificate
shnek-parse: reload failed, keeping the old certificates
shnek-parse: --tls-key: server.key: No such file or directory
shnek-parse: reload failed, keeping the old certificates'
    is "$(timeout 60 openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | fingerprint /dev/stdin)" "$first"
    lets_in
}

# Usage

# wrong EXPECTED OPTION...: the options are refused with status 2 and this line, without a prompt.
wrong() {
    local expected=$1
    shift
    run --separate-stderr timeout 20 shnek-parse -l tls://127.0.0.1:0 "$@" </dev/null
    is "$status" 2
    is "$output" ''
    is "${stderr_lines[0]}" "shnek-parse: $expected"
}

@test "invalid combinations of TLS options are usage errors" {
    wrong '--listen: tls:// requires --tls-cert'
    for option in --tls-key=ca.pem --tls-ca=ca.pem --tls-peer=x; do
        run --separate-stderr timeout 20 shnek-parse -l tcp://:0 "$option"
        is "$status" 2
        is "${stderr_lines[0]}" "shnek-parse: ${option%=*}: requires --tls-cert"
    done
    run --separate-stderr timeout 20 shnek-parse -l tcp://:0 --tls-cert=server.pem
    is "$status" 2
    is "${stderr_lines[0]}" 'shnek-parse: --tls-cert: requires --listen with tls:// or systemd'
    wrong '--tls-peer: a name requires --tls-ca' --tls-cert=server.pem --tls-key=server.key --tls-peer=x
    wrong "--tls-peer: 'sha256:12' is not a fingerprint: expected sha256: and 64 hexadecimal digits" --tls-peer=sha256:12
    wrong "--tls-peer: '' is not a peer: expected a name or sha256:FINGERPRINT" --tls-peer=
}

@test "unusable files are reported with their option" {
    openssl genrsa -out rsa.key 2048 2>/dev/null
    openssl ec -in server.key -aes128 -passout pass:secret -out locked.key 2>/dev/null
    cat server.pem locked.key >locked.pem
    echo garbage >garbage
    wrong '--tls-cert: none: No such file or directory' --tls-cert=none
    wrong '--tls-cert: garbage: no certificate found' --tls-cert=garbage
    wrong '--tls-cert: server.key: no certificate found' --tls-cert=server.key
    wrong '--tls-cert: server.pem: no private key found' --tls-cert=server.pem
    wrong '--tls-cert: locked.pem: the key is encrypted; remove its passphrase' --tls-cert=locked.pem
    wrong '--tls-key: none: No such file or directory' --tls-cert=server.pem --tls-key=none
    wrong '--tls-key: garbage: no private key found' --tls-cert=server.pem --tls-key=garbage
    wrong '--tls-key: client.key: the key does not match the certificate' --tls-cert=server.pem --tls-key=client.key
    wrong '--tls-key: rsa.key: the key does not match the certificate' --tls-cert=server.pem --tls-key=rsa.key
    wrong '--tls-key: locked.key: the key is encrypted; remove its passphrase' --tls-cert=server.pem --tls-key=locked.key
    wrong '--tls-ca: none: No such file or directory' --tls-cert=server.pem --tls-key=server.key --tls-ca=none
    wrong '--tls-ca: garbage: no certificate found' --tls-cert=server.pem --tls-key=server.key --tls-ca=garbage
}

@test "a server certificate that has expired is reported at startup" {
    start relay shnek-parse -l tls://127.0.0.1:0 --tls-cert=expired.pem --tls-key=expired.key
    listening
    is "$(head -n 1 relay.err)" 'shnek-parse: --tls-cert: expired.pem: the certificate has expired'
}
