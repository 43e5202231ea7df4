#!/usr/bin/env bats
# shnek-parse -l: access lists, connection limits, timeouts, the PROXY protocol, and the files of
# Unix sockets.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.
# shellcheck disable=SC2030,SC2031 # tests look like subshells of each other.
# shellcheck disable=SC2059 # PROXY headers are printf formats, because of their escapes.

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/relay
load lib/certificates

HEAD='<13>1 - - - - - - '
V2='\r\n\r\n\0\r\nQUIT\n'

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    shnek_teardown
}

# relay OPTION...: starts shnek-parse. Sets url and port to those of the first listener.
relay() {
    start relay shnek-parse "$@"
    url=$(listen_url relay.err)
    port=$(port_of "$url")
}

# connect [HOST]: opens a connection to the relay as descriptor $connection.
connect() {
    exec {connection}<>"/dev/tcp/${1:-127.0.0.1}/$port"
}

hang_up() {
    local descriptor=$1
    exec {descriptor}>&-
}

# from_address ADDRESS TEXT: sends a message from this local address.
from_address() {
    printf '%s%s\n' "$HEAD" "$2" | socat -u - "TCP4:127.0.0.1:$port,bind=$1"
}

# hung_up DESCRIPTOR: whether the relay closes the connection without sending anything.
hung_up() {
    local text='' status=0
    read -rt 30 text <&"$1" || status=$?
    is "$text $status" ' 1'
}

# texts FILE: prints the "msg" of each record.
texts() {
    sed 's/.*"msg":"\([^"]*\)".*/\1/' "$1"
}

refusals() {
    grep ': refused: ' relay.err
}

# as_nobody COMMAND...: runs it as the user 65534.
as_nobody() {
    setpriv --reuid=65534 --clear-groups "$@"
}

need_another_user() {
    [[ $(id -u) == 0 ]] || skip 'needs root'
    need setpriv socat
    # The other user must be able to enter the directory of the socket.
    chmod 755 .
}

# --allow

@test "--allow accepts listed TCP peers, and refuses others before anything is read" {
    local name
    need socat
    relay -l tcp://127.0.0.1:0 --allow=127.0.0.2 --allow=127.0.1.0/24
    connect
    name=$(name_of "$connection")
    echo "${HEAD}no" >&"$connection" || true
    wait_until lines_are relay.err 2
    is "$(refusals)" "shnek-parse: $name: refused: not in --allow"
    wait_until counts relay 'bytes 0 rate 0/s refused 1'
    from_address 127.0.0.2 yes
    wait_until lines_are relay.out 1
    from_address 127.0.1.77 again
    wait_until lines_are relay.out 2
    from_address 127.0.2.1 no
    wait_until counts relay 'refused 2'
    is "$(texts relay.out)" $'yes\nagain'
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
}

@test "--allow refuses and counts datagrams of other senders" {
    need socat
    relay -l udp://127.0.0.1:0 --allow=127.0.0.2/31
    echo "${HEAD}no" >"/dev/udp/127.0.0.1/$port"
    wait_until lines_are relay.err 2
    grep -Eqx 'shnek-parse: 127\.0\.0\.1:[0-9]+: refused: not in --allow' relay.err
    wait_until counts relay 'bytes 0 rate 0/s refused 1'
    echo "${HEAD}yes" | socat -u - "UDP4-SENDTO:127.0.0.1:$port,bind=127.0.0.3"
    wait_until lines_are relay.out 1
    is "$(texts relay.out)" yes
}

@test "--allow refuses a peer before the TLS handshake" {
    need openssl socat
    tls_certificates
    relay -l tls://127.0.0.1:0 --tls-cert=server.pem --tls-key=server.key --allow=127.0.0.2
    connect
    wait_until lines_are relay.err 2
    is "$(refusals)" "shnek-parse: $(name_of "$connection"): refused: not in --allow"
    hung_up "$connection"
    echo "${HEAD}yes" | socat -u - "OPENSSL:127.0.0.1:$port,bind=127.0.0.2,verify=0"
    wait_until lines_are relay.out 1
}

@test "--allow accepts IPv6 networks" {
    need_ipv6
    relay -l 'tcp://[::1]:0' -l 'udp://[::1]:0' --allow=::/64
    connect ::1
    echo "${HEAD}yes" >&"$connection"
    wait_until lines_are relay.out 1
    kill -TERM "$relay_pid"
    wait_exit relay
    relay -l 'tcp://[::1]:0' --allow=::2/127 --allow=0.0.0.0/0
    connect ::1
    hung_up "$connection"
    wait_until grep -Eqx 'shnek-parse: \[::1\]:[0-9]+: refused: not in --allow' relay.err
}

@test "--allow matches IPv4 peers of an IPv6 socket by their IPv4 network" {
    need_ipv6
    need systemd-socket-activate
    # Sockets of systemd accept IPv4 on [::], too.
    port=$(quiet_port)
    start relay systemd-socket-activate -l "[::]:$port" "$(command -v shnek-parse)" -l systemd --allow=127.0.0.0/8
    wait_until grep -q '^Listening on ' relay.err
    connect 127.0.0.1
    echo "${HEAD}tcp" >&"$connection"
    wait_until lines_are relay.out 1
    connect ::1
    hung_up "$connection"
    wait_until counts relay 'refused 1'
}

@test "an invalid network is a usage error that quotes it" {
    local network
    for network in '' x localhost 127.0.0 127.0.0.256 /8 127.0.0.1:514 '[::1]' ::g 1.2.3.4,5.6.7.8; do
        run --separate-stderr timeout 20 shnek-parse -l tcp://:0 --allow="$network"
        is "$status" 2
        is "$stderr" "shnek-parse: --allow: '$network' is not an address or a network: expected 192.0.2.7 or 2001:db8::/32
shnek-parse: try 'shnek-parse --help'"
    done
    for network in 127.0.0.0/33 ::/129 127.0.0.0/ 127.0.0.0/x 127.0.0.0/-1 127.0.0.0/8/8; do
        run --separate-stderr timeout 20 shnek-parse -l tcp://:0 --allow="$network"
        is "$status" 2
        is "${#stderr_lines[@]}" 2
        [[ ${stderr_lines[0]} == "shnek-parse: --allow: '${network#*/}' "* ]]
    done
}

# --allow-uid

@test "--allow-uid accepts listed users on Unix sockets, by number and by name" {
    local user
    for user in "$(id -u)" "$(id -un)"; do
        relay -l unix:stream -l unixgram:datagram --allow-uid="$user" --meta
        wait_until test -S datagram
        need socat
        echo "${HEAD}stream" | socat -u - UNIX-CONNECT:stream
        wait_until lines_are relay.out 1
        echo "${HEAD}datagram" | socat -u - UNIX-SENDTO:datagram
        wait_until lines_are relay.out 2
        is "$(texts relay.out)" $'stream\ndatagram'
        is "$(peers relay.out | sed 's/pid=[1-9][0-9]*$/pid=N/' | uniq)" "uid=$(id -u),pid=N"
        kill -TERM "$relay_pid"
        wait_exit relay
        is "$status" 0
    done
}

@test "--allow-uid refuses other users on Unix sockets" {
    need_another_user
    relay -l unix:stream -l unixgram:datagram --allow-uid=root --socket-mode=666
    wait_until grep -q unixgram relay.err
    echo "${HEAD}no" | as_nobody socat -u - UNIX-CONNECT:stream || true
    wait_until lines_are relay.err 3
    echo "${HEAD}no" | as_nobody socat -u - UNIX-SENDTO:datagram
    wait_until lines_are relay.err 4
    is "$(refusals | sed 's/pid=[1-9][0-9]*:/pid=N:/' | uniq -c | sed 's/^ *//')" \
        '2 shnek-parse: uid=65534,pid=N: refused: not in --allow-uid'
    wait_until counts relay 'bytes 0 rate 0/s refused 2'
    echo "${HEAD}yes" | socat -u - UNIX-CONNECT:stream
    wait_until lines_are relay.out 1
}

@test "--allow-uid can accept another user but not root" {
    need_another_user
    relay -l unix:stream --allow-uid=65534 --socket-mode=666
    echo "${HEAD}yes" | as_nobody socat -u - UNIX-CONNECT:stream
    wait_until lines_are relay.out 1
    echo "${HEAD}no" | socat -u - UNIX-CONNECT:stream || true
    wait_until grep -q 'uid=0,pid=[0-9]*: refused: not in --allow-uid' relay.err
    is "$(texts relay.out)" yes
}

@test "an unknown user is a usage error that quotes it" {
    local user
    for user in '' no-such-user -1; do
        run --separate-stderr timeout 20 shnek-parse -l unix:s --allow-uid="$user"
        is "$status" 2
        is "${stderr_lines[0]}" "shnek-parse: --allow-uid: unknown user '$user'"
    done
    run --separate-stderr timeout 20 shnek-parse -l unix:s --allow-uid=99999999999
    is "$status" 2
    [[ ! -e s ]]
}

# --max-connections-per-peer

@test "--max-connections-per-peer refuses one more until another one is closed" {
    local first second
    relay -l tcp://127.0.0.1:0 --max-connections-per-peer=2
    connect
    first=$connection
    connect
    second=$connection
    connect
    hung_up "$connection"
    is "$(refusals)" "shnek-parse: $(name_of "$connection"): refused: limit of 2 connections (--max-connections-per-peer)"
    hang_up "$connection"
    echo "${HEAD}one" >&"$first"
    wait_until lines_are relay.out 1
    # The last line without LF is written once the relay has seen the end.
    printf '%stwo' "$HEAD" >&"$second"
    hang_up "$second"
    wait_until lines_are relay.out 2
    connect
    echo "${HEAD}three" >&"$connection"
    wait_until lines_are relay.out 3
    is "$(texts relay.out)" $'one\ntwo\nthree'
    wait_until counts relay 'refused 1'
}

@test "--max-connections-per-peer counts each address and each user separately" {
    need socat
    relay -l tcp://127.0.0.1:0 -l unix:stream --max-connections-per-peer=1
    wait_until test -S stream
    connect
    echo "${HEAD}one" >&"$connection"
    wait_until lines_are relay.out 1
    from_address 127.0.0.2 two
    wait_until lines_are relay.out 2
    mkfifo in
    start user socat -u OPEN:in UNIX-CONNECT:stream
    exec {feed}>in
    echo "${HEAD}three" >&"$feed"
    wait_until lines_are relay.out 3
    echo "${HEAD}no" | socat -u - UNIX-CONNECT:stream || true
    wait_until grep -Eq 'uid=[0-9]+,pid=[0-9]+: refused: limit of 1 connection \(--max-connections-per-peer\)$' relay.err
    hang_up "$feed"
    wait_exit user
    lines_are relay.out 3
}

@test "--max-connections-per-peer limits a flood while another peer is served" {
    local i first
    need socat
    relay -l tcp://127.0.0.1:0 --max-connections-per-peer=3
    mkfifo in
    start good socat -u OPEN:in "TCP4:127.0.0.1:$port,bind=127.0.0.2"
    exec {feed}>in
    connect
    first=$connection
    connect
    connect
    for i in {1..300}; do
        : >"/dev/tcp/127.0.0.1/$port"
        echo "$HEAD$i" >&"$feed"
    done
    wait_until lines_are relay.out 300
    wait_until counts relay 'refused 300'
    is "$(texts relay.out)" "$(seq 300)"
    is "$(find "/proc/$relay_pid/fd" -lname 'socket:*' | wc -l)" 5
    echo "${HEAD}last" >&"$first"
    wait_until grep -q last relay.out
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    # Log lines beyond the limit per second are only counted.
    (($(refusals | wc -l) < 300))
    grep -Eqx 'shnek-parse: [0-9]+ similar lines? suppressed' relay.err
}

# --proxy-protocol

proxied() {
    relay -l tcp://127.0.0.1:0 --proxy-protocol --allow=127.0.0.1 --meta "$@"
}

@test "--proxy-protocol reads the peer from a header of version 1" {
    proxied
    printf 'PROXY TCP4 192.0.2.7 198.51.100.1 41022 514\r\n%sone\nbad\n' "$HEAD" >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 1
    printf 'PROXY TCP6 2001:db8::7 2001:db8::1 41022 514\r\n%stwo\nbad\n' "$HEAD" >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 2
    is "$(peers relay.out)" $'192.0.2.7:41022\n[2001:db8::7]:41022'
    wait_until lines_are relay.err 3
    is "$(sed 1d relay.err)" "shnek-parse: 192.0.2.7:41022:2: PRI: expected '<' (at byte 0)
shnek-parse: [2001:db8::7]:41022:2: PRI: expected '<' (at byte 0)"
}

@test "--proxy-protocol reads the peer from a header of version 2" {
    proxied
    printf "$V2"'\x21\x11\0\x0c\xc0\0\x02\x07\xc6\x33\x64\x01\xa0\x3e\x19\x72%s\n' "${HEAD}IPv4" >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 1
    printf "$V2"'\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x07\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\xa0\x3e\x19\x72%s\n' "${HEAD}IPv6" >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 2
    printf "$V2"'\x21\x11\0\x13\xc0\0\x02\x08\xc6\x33\x64\x01\xa0\x3e\x19\x72\x02\0\x04abcd%s\n' "${HEAD}TLV" >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 3
    is "$(peers relay.out)" $'192.0.2.7:41022\n[2001:db8::7]:41022\n192.0.2.8:41022'
    is "$(texts relay.out)" $'IPv4\nIPv6\nTLV'
    lines_are relay.err 1
}

@test "if a PROXY header names no client, the proxy is the peer" {
    local header
    proxied
    for header in 'PROXY UNKNOWN\r\n' "$V2"'\x20\0\0\0' "$V2"'\x21\0\0\x03abc'; do
        connect
        printf "$header"'%s\n' "$(name_of "$connection")" | sed "\$s/127/${HEAD}127/" >&"$connection"
        wait_until grep -q "\"msg\":\"$(name_of "$connection")\"" relay.out
    done
    is "$(peers relay.out)" "$(texts relay.out)"
    lines_are relay.out 3
    lines_are relay.err 1
}

@test "a PROXY header may arrive in single bytes" {
    local header byte
    proxied
    connect
    header=$'PROXY TCP4 192.0.2.7 198.51.100.1 41022 514\r\n'
    for ((byte = 0; byte < ${#header}; byte++)); do
        printf %s "${header:byte:1}" >&"$connection"
    done
    echo "${HEAD}one" >&"$connection"
    wait_until lines_are relay.out 1
    connect
    for byte in '\r' '\n' '\r' '\n' '\0' '\r' '\n' Q U I T '\n' '\x21' '\x11' '\0' '\x0f' '\xc0' '\0' \
        '\x02' '\x08' '\xc6' 3 d '\x01' '\xa0' '\x3e' '\x19' '\x72' '\x04' '\0' "\0${HEAD}two"; do
        printf "$byte" >&"$connection"
    done
    echo >&"$connection"
    wait_until lines_are relay.out 2
    is "$(peers relay.out)" $'192.0.2.7:41022\n192.0.2.8:41022'
    is "$(texts relay.out)" $'one\ntwo'
}

@test "an invalid PROXY header is refused, and other connections continue" {
    local good text count=0
    proxied
    connect
    good=$connection
    printf 'PROXY UNKNOWN\r\n' >&"$good"
    for text in "$HEAD"'no\n' 'PROXY TCP4 x\r\n' "$V2"'\x31\x11\0\0' 'GET / HTTP/1.1\r\n' '\x16\x03\x01\x02\0\x01' '\r\n\r\nx'; do
        connect
        printf "$text" >&"$connection"
        wait_until lines_are relay.err $((++count + 1))
        is "$(tail -n 1 relay.err)" "shnek-parse: $(name_of "$connection"): refused: no PROXY protocol header"
        hang_up "$connection"
        echo "$HEAD$count" >&"$good"
        wait_until lines_are relay.out $count
    done
    # A peer that closes within the header is refused; one that sends nothing (a port check) is not.
    connect
    printf 'PROXY TCP4 192.0.2.7' >&"$connection"
    text=$(name_of "$connection")
    hang_up "$connection"
    wait_until lines_are relay.err $((++count + 1))
    is "$(tail -n 1 relay.err)" "shnek-parse: $text: refused: disconnected during the PROXY header"
    : >"/dev/tcp/127.0.0.1/$port"
    wait_until counts relay "refused $count"
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    is "$(refusals | wc -l)" $count
}

@test "a PROXY header from a peer that is not allowed is refused" {
    need socat
    proxied
    printf 'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n%sno\n' "$HEAD" |
        socat -u - "TCP4:127.0.0.1:$port,bind=127.0.0.2" || true
    wait_until grep -Eq '127\.0\.0\.2:[0-9]+: refused: not in --allow$' relay.err
    # --allow does not apply to the client in the header.
    printf 'PROXY TCP4 127.0.0.2 127.0.0.1 1 2\r\n%syes\n' "$HEAD" >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 1
    is "$(peers relay.out)" 127.0.0.2:1
}

@test "--proxy-protocol without --allow is a usage error" {
    run --separate-stderr timeout 20 shnek-parse -l tcp://:0 --proxy-protocol
    is "$status" 2
    is "${stderr_lines[0]}" 'shnek-parse: --proxy-protocol: requires --allow with the proxies'\'' addresses'
}

@test "a PROXY header precedes the TLS handshake" {
    need openssl socat
    tls_certificates
    relay -l tls://127.0.0.1:0 --tls-cert=server.pem --tls-key=server.key --tls-ca=ca.pem \
        --proxy-protocol --allow=127.0.0.1 --meta
    # Acts as the proxy.
    start proxy socat UNIX-LISTEN:front \
        "SYSTEM:{ printf 'PROXY TCP4 192.0.2.7 198.51.100.1 41022 6514\\r\\n'; cat; } | socat - TCP\:127.0.0.1\:$port"
    wait_until test -S front
    printf '%sone\nbad\n' "$HEAD" |
        timeout 60 openssl s_client -quiet -no_ign_eof -unix front -cert client.pem -key client.key &>client.log
    wait_until lines_are relay.out 1
    is "$(peers relay.out)" '192.0.2.7:41022 CN=client.example'
    wait_until grep -q "^shnek-parse: 192.0.2.7:41022:2: PRI" relay.err
    connect
    printf '\x16\x03\x01' >&"$connection"
    wait_until grep -Fxq "shnek-parse: $(name_of "$connection"): refused: no PROXY protocol header" relay.err
}

@test "--max-connections-per-peer counts the clients in PROXY headers" {
    local i open=()
    proxied --max-connections-per-peer=1
    for i in 1 2 3; do
        connect
        open+=("$connection")
        printf 'PROXY TCP4 192.0.2.%d 198.51.100.1 41022 514\r\n%s%d\n' "$i" "$HEAD" "$i" >&"$connection"
        wait_until lines_are relay.out "$i"
    done
    connect
    printf 'PROXY TCP4 192.0.2.2 198.51.100.1 41023 514\r\n%sno\n' "$HEAD" >&"$connection"
    wait_until grep -Fxq 'shnek-parse: 192.0.2.2:41023: refused: limit of 1 connection (--max-connections-per-peer)' relay.err
    printf '%slast' "$HEAD" >&"${open[1]}"
    hang_up "${open[1]}"
    wait_until lines_are relay.out 4
    printf 'PROXY TCP4 192.0.2.2 198.51.100.1 41024 514\r\n%syes\n' "$HEAD" >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 5
    is "$(texts relay.out | tail -n 1)" yes
}

@test "a PROXY header must arrive within --handshake-timeout" {
    local silent slow good
    proxied --handshake-timeout=2s
    connect
    good=$connection
    printf 'PROXY UNKNOWN\r\n' >&"$good"
    connect
    silent=$connection
    connect
    slow=$connection
    printf 'PROXY ' >&"$slow"
    hung_up "$silent"
    hung_up "$slow"
    is "$(refusals | sort)" "$(for i in "$silent" "$slow"; do
        echo "shnek-parse: $(name_of "$i"): refused: PROXY header timed out (--handshake-timeout)"
    done | sort)"
    echo "${HEAD}one" >&"$good"
    wait_until lines_are relay.out 1
    wait_until counts relay 'refused 2'
}

# --idle-timeout

@test "--idle-timeout closes idle connections only" {
    local idle_one busy count=0
    relay -l tcp://127.0.0.1:0 --idle-timeout=3s
    connect
    idle_one=$connection
    connect
    busy=$connection
    printf '%scut' "$HEAD" >&"$idle_one"
    busy_until_one_is_closed() {
        echo "$HEAD$((++count))" >&"$busy"
        wait_until lines_are relay.out $count
        grep -q 'idle for too long' relay.err
    }
    wait_until busy_until_one_is_closed
    wait_until lines_are relay.err 3
    hung_up "$idle_one"
    echo "$HEAD$((++count))" >&"$busy"
    wait_until lines_are relay.out $count
    is "$(sed 1d relay.err)" "shnek-parse: $(name_of "$idle_one"): closed, idle for too long (--idle-timeout)
shnek-parse: $(name_of "$idle_one"):1: SYSLOG-MSG: stream ends within it (at byte 21)"
}

@test "--idle-timeout ignores the time for which stdout blocks the relay" {
    local other
    need spamlog
    mkfifo out
    start relay bash -c 'exec shnek-parse -l tcp://127.0.0.1:0 --idle-timeout=1s --stats=50ms >out'
    exec {reader}<out
    port=$(port_of "$(listen_url relay.err)")
    connect
    other=$connection
    start spam spamlog -r max -n 100000 "tcp://127.0.0.1:$port"
    # Its output stops for twice the timeout, during which the other connection sends.
    blocked() {
        tail -n 41 relay.err | sed -n 's/.* out \([1-9][0-9,]*\) .*/\1/p' >counts
        [[ $(wc -l <counts) == 41 && $(sort -u counts | wc -l) == 1 ]]
    }
    wait_until grep -q ' out [1-9]' relay.err
    echo "${HEAD}early" >&"$other"
    wait_until blocked
    cat <&"$reader" >got 3>&- &
    wait_until grep -q early got
    echo "${HEAD}again" >&"$other"
    wait_until grep -q again got
    wait_exit spam
    is "$status" 0
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    wait $!
    lines_are got 100002
}

# The files of Unix sockets

@test "--socket-mode sets the permissions of Unix sockets" {
    local mode
    for mode in 600 666 0; do
        relay -l unix:stream -l unixgram:datagram --socket-mode=$mode
        wait_until test -S datagram
        is "$(stat -c %a stream datagram)" $mode$'\n'$mode
        kill -TERM "$relay_pid"
        wait_exit relay
    done
    umask 077
    relay -l unix:stream
    is "$(stat -c %a stream)" 700
    run --separate-stderr timeout 20 shnek-parse -l unix:s --socket-mode=888
    is "$status" 2
    is "${stderr_lines[0]}" "shnek-parse: --socket-mode: '888' is not a file mode: expected an octal number up to 777"
}

@test "the file of a Unix socket is removed on exit" {
    relay -l unix:stream -l unixgram:datagram
    wait_until test -S datagram
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$status" 0
    [[ ! -e stream && ! -e datagram ]]
}

@test "a file that has replaced the socket is not removed" {
    relay -l unix:stream
    rm stream
    echo mine >stream
    kill -TERM "$relay_pid"
    wait_exit relay
    is "$(<stream)" mine
}

@test "a stale Unix socket is replaced" {
    need socat
    relay -l unix:stream -l unixgram:datagram
    wait_until test -S datagram
    kill -KILL "$relay_pid"
    wait_exit relay
    [[ -S stream && -S datagram ]]
    relay -l unix:stream -l unixgram:datagram
    wait_until grep -q unixgram relay.err
    echo "${HEAD}one" | socat -u - UNIX-CONNECT:stream
    wait_until lines_are relay.out 1
    echo "${HEAD}two" | socat -u - UNIX-SENDTO:datagram
    wait_until lines_are relay.out 2
}

@test "a Unix socket in use is reported with status 2, and is not removed" {
    local address
    need socat
    relay -l unix:stream -l unixgram:datagram
    wait_until test -S datagram
    for address in unix:stream unixgram:datagram unixgram:stream unix:datagram; do
        run --separate-stderr timeout 20 shnek-parse -l $address
        is "$status" 2
        is "$stderr" "shnek-parse: $address: Address already in use"
    done
    echo "${HEAD}one" | socat -u - UNIX-CONNECT:stream
    wait_until lines_are relay.out 1
    echo "${HEAD}two" | socat -u - UNIX-SENDTO:datagram
    wait_until lines_are relay.out 2
}

@test "a file that is not a socket is never removed" {
    local address
    echo mine >file
    mkdir folder
    ln -s nowhere link
    mkfifo fifo
    for address in {unix,unixgram}:{file,folder,link,fifo}; do
        run --separate-stderr timeout 20 shnek-parse -l "$address"
        is "$status" 2
        is "$stderr" "shnek-parse: $address: Address already in use"
    done
    is "$(<file)" mine
    [[ -d folder && -L link && -p fifo ]]
    run --separate-stderr timeout 20 shnek-parse -l unix:none/socket
    is "$status" 2
    is "$stderr" 'shnek-parse: unix:none/socket: No such file or directory'
}

@test "a relay that starts while another one creates its Unix socket does not remove it" {
    need socat strace
    # A socket that is bound but does not listen yet refuses connections, like a stale one.
    start relay env ASAN_OPTIONS=detect_leaks=0 strace -D -f -o trace -e trace=listen \
        -e inject=listen:delay_enter=1000000 shnek-parse -l unix:socket
    wait_until test -S socket
    run --separate-stderr timeout 20 shnek-parse -l unix:socket
    is "$status" 2
    is "$stderr" 'shnek-parse: unix:socket: Address already in use'
    wait_until grep -q 'listening on unix:socket' relay.err
    echo "${HEAD}one" | socat -u - UNIX-CONNECT:socket
    wait_until lines_are relay.out 1
}
