#!/usr/bin/env bats
# shnek-pub: subjects, lines, servers, credentials, TLS, disconnects, signals and counters.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/nkeys

LINE='{"severity":"crit","facility":"auth","version":1,"timestamp":"2024-12-15T21:08:09.484+09:00","hostname":"mantoshkin-pc","appname":"spamlog","procid":18895,"msgid":"0","sd":{},"msg":"hello from rust!"}'
NOWHERE=nats://127.0.0.1:1
HINT="shnek-pub: try 'shnek-pub --help'"

setup() {
    pub_setup
}

teardown() {
    shnek_teardown
}

# publish INPUT [OPTION...]: runs shnek-pub on INPUT, in which escapes such as \n are expanded.
publish() {
    local input=$1
    shift
    run --separate-stderr timeout -k 5 20 shnek-pub "$@" < <(printf %b "$input")
}

# fails_with PATTERN: asserts status 2, no stdout, and one line on stderr that matches PATTERN.
fails_with() {
    is "$status" 2
    is "$output" ''
    is "${#stderr_lines[@]}" 1 || { printf '%s\n' "${stderr_lines[@]}" && return 1; }
    like "$stderr" "shnek-pub: $1"
}

# misused PATTERN: asserts status 2, no stdout, and on stderr a matching line and the usage hint.
misused() {
    is "$status" 2
    is "$output" ''
    like "$stderr" "shnek-pub: $1"$'\n'"$HINT"
    is "${#stderr_lines[@]}" 2
}

# subscribe NAME ARGUMENT...: starts a subscriber and waits until it is ready.
subscribe() {
    start "$1" subscriber "${@:2}"
    wait_until grep -q '^ready' "$1.err"
}

lines_reach() {
    (($(wc -l <"$1") >= $2))
}

taken_in() {
    [[ $(nats_varz in_msgs) == "$1" ]]
}

# counts_when_told PROCESS COUNTERS: requests the counters, for wait_until.
counts_when_told() {
    kill -USR1 "$1"
    grep -Eqx "shnek-pub: $2 rate [0-9,]+/s" pub.err
}

has_socket() {
    [[ -n $(find "/proc/$1/fd" -lname 'socket:*') ]]
}

# Sets $silent to a port that accepts connections and never answers.
silent_server() {
    start silence shnek-parse -l tcp://127.0.0.1:0
    silent=127.0.0.1:$(port_of "$(listen_url silence.err)")
}

# Sets $free_port to a port that nothing listens on.
find_free_port() {
    silent_server
    free_port=${silent##*:}
    kill "$silence_pid"
    wait_exit silence
}

# Starts a proxy to the server for one connection, at $free_port.
start_proxy() {
    start proxy from /dev/null socat "TCP-LISTEN:$free_port,bind=127.0.0.1,reuseaddr" "TCP:${NATS_URL#*://}"
}

# repeat CHARACTER TIMES
repeat() {
    local blanks
    printf -v blanks '%*s' "$2" ''
    printf %s "${blanks// /$1}"
}

# payload BYTES: prints a JSON object of that length, without LF.
payload() {
    printf '{"a":"%s"}' "$(repeat x $(($1 - 8)))"
}

# Certificates

# certificate NAME EXTENSION...: creates NAME.pem and NAME.key, signed by the authority ca.pem, which
# is created if it does not exist.
certificate() {
    local name=$1 options=(-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes)
    shift
    if [[ ! -e ca.pem ]]; then
        openssl req -x509 "${options[@]}" -keyout ca.key -out ca.pem -days 2 -subj /CN=ca
    fi
    openssl req "${options[@]}" -keyout "$name.key" -out "$name.csr" -subj "/CN=$name"
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
        -out "$name.pem" -extfile <(printf '%s\n' "$@")
}

# Subjects

@test "a JSON line is published to foo unchanged" {
    nats_start
    subscribe sub -n 3 foo
    printf '%s\n' "$LINE" '{"é€😀":"\ud800\u0000\"\\\/\b","n":[-0.1e+9,true,null,{}]}' \
        $' {\t"x" : "\x7f" } ' >in
    timeout -k 5 20 shnek-pub <in >out 2>err
    wait_exit sub
    cmp sub.out in
    [[ ! -s out && ! -s err ]]
}

@test "SUBJECT overrides \$SHNEK_SUBJECT, which overrides foo" {
    publish '{}' -n
    is "$output" $'foo\t{}'
    SHNEK_SUBJECT=a.b publish '{}' -n
    is "$output" $'a.b\t{}'
    SHNEK_SUBJECT=a.b publish '{}' -n c.d
    is "$output" $'c.d\t{}'
    SHNEK_SUBJECT='a b' publish '{}' -n c.d
    is "$output" $'c.d\t{}'
    SHNEK_SUBJECT='' publish '{}' -n
    is "$output" $'foo\t{}'
}

@test "a line is published to the given subject only" {
    subject='a.b.größe.-_/:;,=@'
    nats_start
    subscribe sub -n 1 "$subject"
    subscribe other foo
    publish '{}\n' "$subject"
    is "$status" 0
    wait_exit sub
    is "$(<sub.out)" '{}'
    kill "$other_pid"
    wait_exit other
    is "$(<other.out)" ''
}

@test "an invalid subject is refused before anything else" {
    for subject in '' ' ' 'a b' ' a' 'a ' $'a\tb' $'a\x7f' $'a\x01' . .a a. a..b '*' 'a.*' '*.a' 'a*' \
        '>' 'a.>' 'a>' "$(repeat a 1025)"; do
        publish '{}' -s "$NOWHERE" "$subject"
        misused "SUBJECT '*': it *" || { declare -p subject && return 1; }
        if [[ -n $subject ]]; then
            SHNEK_SUBJECT=$subject publish '{}' -n
            misused "*: it *" || { declare -p subject && return 1; }
        fi
    done
    publish '{}' -n "$(repeat a 1024)"
    is "$status" 0
}

@test "a subject that contains a protocol command is refused and printed on one line" {
    nats_start
    publish '{}' $'foo 2\r\n{}\r\nPUB bar 2'
    misused "SUBJECT '*': it contains white space or a control character"
    is "$(nats_varz in_msgs)" 0
}

@test "a second subject is refused" {
    publish '{}' -n foo bar
    misused "'bar': only one SUBJECT is accepted"
}

# Lines

@test "a dry run prints SUBJECT, a tab and PAYLOAD, and needs no server" {
    publish "$LINE"'\n{"b":2}\n' -n -s "$NOWHERE" logs.x
    is "$status" 0
    is "$output" "logs.x	$LINE
logs.x	{\"b\":2}"
    is "$stderr" ''
}

@test "a dry run rejects the same lines, with the same status" {
    publish '{}\nno\n{"b":2}\n' -n
    is "$status" 1
    is "$output" $'foo\t{}\nfoo\t{"b":2}'
    is "$stderr" "shnek-pub: stdin:2: JSON: expected '{' (at byte 0)"
}

@test "a dry run exits quietly with status 2 if its pipe has no reader" {
    yes '{}' | { shnek-pub -n 2>err || echo $? >status; } | head -n 1
    is "$(<status)" 2
    is "$(<err)" ''
}

@test "a dry run reports a full disk and exits with status 2" {
    status=0
    echo '{}' | shnek-pub -n >/dev/full 2>err || status=$?
    is "$status" 2
    is "$(<err)" 'shnek-pub: stdout: No space left on device'
}

@test "a dry run prints a line immediately while its input stays open" {
    start_fed pub shnek-pub -n
    printf '{"a":1}\n{"a"' >&"$feed"
    wait_until grep -q '{"a":1}' pub.out
    printf ':2}\n' >&"$feed"
    wait_until lines_are pub.out 2
    end_of_input
    wait_exit pub
    is "$status" 0
    is "$(<pub.out)" $'foo\t{"a":1}\nfoo\t{"a":2}'
}

@test "lines that are not JSON objects are reported with line, byte and reason; the others are published" {
    nats_start
    subscribe sub -n 2 foo
    printf '%b\n' '{"a":1}' 'hello' '[1]' '"s"' '{"a"}' '{"a":1,}' '{,}' '{}{}' '{"a":nul}' \
        '{"a":01}' '{"a":"\x01"}' '{"a":"\xff"}' '{"a":1' '{"a":"' '{}\x00x' '   ' '{"b":2}' >in
    run --separate-stderr timeout -k 5 20 shnek-pub -s "$NATS_URL" --rejects=rejects <in
    is "$status" 1
    is "$output" ''
    wait_exit sub
    is "$(<sub.out)" $'{"a":1}\n{"b":2}'
    is "${stderr_lines[0]}" "shnek-pub: stdin:2: JSON: expected '{' (at byte 0)"
    is "${stderr_lines[1]}" "shnek-pub: stdin:3: JSON: expected '{' (at byte 0)"
    is "${stderr_lines[3]}" "shnek-pub: stdin:5: JSON: expected ':' (at byte 4)"
    is "${stderr_lines[4]}" "shnek-pub: stdin:6: JSON: expected a name (at byte 7)"
    is "${stderr_lines[6]}" "shnek-pub: stdin:8: JSON: unexpected text after the object (at byte 2)"
    is "$(wc -l <rejects)" 15
}

@test "rejected lines are appended as JSON with source, number, error, offset and bytes" {
    echo '{"earlier":1}' >rejects
    publish '{"a":1,}\n{}\n{"a":"\xff"}\n"\\\\"\n' -n --rejects=rejects
    is "$status" 1
    is "$(<rejects)" '{"earlier":1}
{"source":"stdin","number":1,"error":"JSON: expected a name","offset":7,"raw":"{\"a\":1,}"}
{"source":"stdin","number":3,"error":"JSON: invalid UTF-8","offset":6,"raw_base64":"eyJhIjoi/yJ9"}
{"source":"stdin","number":4,"error":"JSON: expected '\''{'\''","offset":0,"raw":"\"\\\\\""}'
}

@test "the output of --rejects can be published by shnek-pub" {
    nats_start
    subscribe sub -n 1 dead.letters
    publish 'oops\n' -s "$NATS_URL" --rejects=>(shnek-pub dead.letters)
    is "$status" 1
    wait_exit sub
    is "$(<sub.out)" '{"source":"stdin","number":1,"error":"JSON: expected '\''{'\''","offset":0,"raw":"oops"}'
}

@test "the exit status is 2 if the file of --rejects cannot be opened or written" {
    publish '{}' -s "$NOWHERE" --rejects=no/such/directory
    fails_with '--rejects: no/such/directory: No such file or directory'
    publish 'x' -n --rejects=/dev/full
    is "$status" 2
    is "$stderr" "shnek-pub: stdin:1: JSON: expected '{' (at byte 0)
shnek-pub: /dev/full: No space left on device; retrying every second
shnek-pub: /dev/full: 1 rejected message not written"
}

@test "while --rejects cannot be written lines are published, and later it is completed" {
    need prlimit jq
    mkfifo out
    start cat cat out
    start_fed pub bash -c 'exec shnek-pub -q -n --rejects=rejects >out'
    for i in {1..40}; do
        printf 'bad %d\n{"n":%d}\n' "$i" "$i" >&"$feed"
        if [[ $i == 1 ]]; then
            wait_until lines_reach cat.out 1
            prlimit --pid "$pub_pid" --fsize=1024:
        fi
    done
    wait_until lines_reach cat.out 40
    wait_until grep -Fxq 'shnek-pub: rejects: File too large; retrying every second' pub.err
    is "$(wc -c <rejects)" 1024
    printf 'bad 41\n{"n":41}\n' >&"$feed"
    wait_until lines_reach cat.out 41
    prlimit --pid "$pub_pid" --fsize=unlimited:
    wait_until grep -Fxq 'shnek-pub: rejects: can be written again' pub.err
    end_of_input
    wait_exit pub
    is "$status" 1
    is "$(jq -r .raw rejects)" "$(seq -f 'bad %g' 41)"
}

@test "ten rejected lines per second are logged, and the number of suppressed ones" {
    yes no | head -n 1000 >in
    status=0
    timeout -k 5 20 shnek-pub -n <in >out 2>err || status=$?
    is "$status" 1
    printed=$(grep -c ': JSON: ' err)
    ((printed >= 10 && printed < 100))
    held=0
    while read -r number; do
        ((held += number))
    done < <(sed -n 's/^shnek-pub: \([0-9]*\) similar lines\? suppressed$/\1/p' err)
    is $((printed + held)) 1000
    is "$(head -n 1 err)" "shnek-pub: stdin:1: JSON: expected '{' (at byte 0)"
}

@test "--quiet logs no rejected lines, and the exit status is still 1" {
    publish 'no\n{}\n' -n --quiet
    is "$status" 1
    is "$output" $'foo\t{}'
    is "$stderr" ''
}

@test "--no-check publishes every line unchanged" {
    nats_start
    subscribe sub -n 4 foo
    printf 'hello\n{"a":\n\xff\xfe\x00\x01x\n[]\n' >in
    timeout -k 5 20 shnek-pub --no-check <in
    wait_exit sub
    cmp sub.out in
}

@test "empty lines are skipped but counted; CR LF and the end of input end a line" {
    publish '\n\r\n\n{"a":1}\r\n\n{"a":2}\nno\r\n\n{"a":3}' -n
    is "$status" 1
    is "$output" $'foo\t{"a":1}\nfoo\t{"a":2}\nfoo\t{"a":3}'
    is "$stderr" "shnek-pub: stdin:7: JSON: expected '{' (at byte 0)"
}

@test "empty input is not a failure" {
    publish '' -n
    is "$status" 0
    is "$output$stderr" ''
}

@test "the exit status is 2 if the input cannot be read" {
    run --separate-stderr timeout -k 5 20 shnek-pub -n </
    fails_with 'stdin: Is a directory'
    run --separate-stderr bash -c 'exec timeout -k 5 5 shnek-pub -n <&-'
    fails_with 'stdin: Bad file descriptor'
}

@test "a payload of max_payload is published; one byte more is rejected and the connection stays up" {
    nats_start 'max_payload: 2048'
    subscribe sub -n 3 foo
    { payload 2048 && echo && payload 2049 && printf '\n{"a":1}\n' && payload 2048 && printf '\r\n'; } >in
    status=0
    timeout -k 5 20 shnek-pub --rejects=rejects <in 2>err || status=$?
    is "$status" 1
    is "$(<err)" "shnek-pub: stdin:2: PAYLOAD: longer than the server's max_payload (at byte 2048)"
    wait_exit sub
    { payload 2048 && printf '\n{"a":1}\n' && payload 2048 && echo; } | cmp sub.out -
    is "$(wc -l <rejects)" 1
    like "$(<rejects)" '{"source":"stdin","number":2,"error":"PAYLOAD: *","offset":2048,"raw":"*"}'
    is "$(nats_varz in_msgs)" 3
}

@test "--no-check rejects a payload that is too long" {
    nats_start 'max_payload: 2048'
    { payload 2049 && printf '\nx\n'; } >in
    run --separate-stderr timeout -k 5 20 shnek-pub --no-check <in
    is "$status" 1
    wait_until taken_in 1
}

@test "an endless line uses no more memory than the longest payload" {
    nats_start 'max_payload: 2048'
    start_fed pub shnek-pub
    head -c 50000000 /dev/zero | tr '\0' x >&"$feed"
    printf '\n{}\n' >&"$feed"
    wait_until taken_in 1
    peak=$(rss_peak_kib "$pub_pid")
    end_of_input
    wait_exit pub
    is "$status" 1
    [[ -n ${SANITIZE-} ]] || ((peak < 16 * 1024))
}

@test "a typed line is published while the input stays open" {
    nats_start
    subscribe sub foo
    start_fed pub shnek-pub
    printf '{"a":1}\n' >&"$feed"
    wait_until taken_in 1
    printf '{"a"' >&"$feed"
    printf ':2}\n' >&"$feed"
    wait_until taken_in 2
    running "$pub_pid"
    end_of_input
    wait_exit pub
    is "$status" 0
    kill "$sub_pid"
    wait_exit sub
    is "$(<sub.out)" $'{"a":1}\n{"a":2}'
}

# Servers

@test "one reachable server of a list is enough" {
    nats_start
    publish '{}' -s "$NOWHERE" -s "$NATS_URL"
    is "$status" 0
    publish '{}' -s "$NOWHERE,nats://127.0.0.1:2,$NATS_URL"
    is "$status" 0
    publish '{}' -s "$NATS_URL,$NOWHERE"
    is "$status" 0
    NATS_URL=$NOWHERE,$NATS_URL publish '{}'
    is "$status" 0
    alive=$NATS_URL
    NATS_URL=$NOWHERE publish '{}' -s "$alive"
    is "$status" 0
    wait_until taken_in 5
}

@test "all servers of a long list are tried" {
    nats_start
    urls=()
    for port in {1..40}; do
        urls+=(-s "127.0.0.1:$port")
    done
    publish '{}' "${urls[@]}" -s "$NATS_URL"
    is "$status" 0
}

@test "the scheme of a URL may be left out, and the host may be a name or an IPv6 address" {
    nats_start
    port=$(port_of "$NATS_URL")
    for url in "127.0.0.1:$port" "nats://localhost:$port" "localhost:$port"; do
        publish '{}' -s "$url"
        is "$status" 0
    done
    wait_until taken_in 3
}

@test "an IPv6 address is written in brackets" {
    [[ -s /proc/net/if_inet6 ]] || skip 'needs IPv6'
    nats_start 'host: "::1"'
    publish '{}' -s "nats://[::1]:$(port_of "$NATS_URL")"
    is "$status" 0
    publish '{}' -s "[::1]:$(port_of "$NATS_URL")"
    is "$status" 0
}

@test "an invalid server URL is refused immediately" {
    for url in http://localhost:4222 localhost://x nats:// tls:// nats://:4222 :4222 nats://localhost:0 \
        localhost:0 localhost:abc nats://localhost:abc nats://localhost:99999 localhost:65536 \
        localhost:-1 'localhost:+1' 'localhost: 1' localhost: localhost:4222x 'local host:4222' \
        localhost:1:2 'nats://[::1' 'nats://user:@' 'localhost:4222,http://x' ',' 'localhost:4222,,' ''; do
        publish '{}' -s "$url"
        misused "--server: *" || { echo "$url" && return 1; }
    done
}

@test "an invalid URL in \$NATS_URL is not attributed to --server" {
    NATS_URL=http://localhost:4222 publish '{}'
    misused "*NATS_URL*http://localhost:4222*"
}

@test "USER:PASSWORD@ in a URL is used, and the password is never printed" {
    nats_start 'authorization { user: me, password: "s3cret" }'
    address=${NATS_URL#*://}
    publish '{}' -s "nats://me:s3cret@$address"
    is "$status" 0
    is "$stderr" ''
    for url in "nats://you:s3cret@$address" "me:s3cret2@$address" me:s3cret@localhost:abc \
        nats://me:s3cret@ http://me:s3cret@localhost me:s3cret@:4222 "nats://me:x@s3cret@$address"; do
        publish '{}' -s "$url"
        is "$status" 2
        [[ -n $stderr && $stderr != *s3cret* ]] || { echo "$url: $stderr" && return 1; }
    done
    publish '{}' -s me:s3cret@127.0.0.1:1 --connect-timeout=1ms
    is "$status" 2
    [[ -n $stderr && $stderr != *s3cret* ]]
}

@test "no part of a password that contains a comma is printed" {
    publish '{}' -s 'nats://me:s3cret,more@localhost:4222'
    is "$status" 2
    [[ -n $stderr && $stderr != *s3cret* && $stderr != *more@* ]] || { echo "$stderr" && return 1; }
}

@test "user and password are accepted from options and from the environment" {
    nats_start 'authorization { user: me, password: "s3cret" }'
    publish '{}' --user=me --password=s3cret
    is "$status" 0
    NATS_USER=me NATS_PASSWORD=s3cret publish '{}'
    is "$status" 0
    NATS_USER=you NATS_PASSWORD=wrong publish '{}' --user=me --password=s3cret
    is "$status" 0
    NATS_PASSWORD=s3cret publish '{}' --user=me
    is "$status" 0
    wait_until taken_in 4
}

@test "a wrong or missing user or password ends it immediately with the server's error" {
    nats_start 'authorization { user: me, password: "s3cret" }'
    publish '{}' --user=me --password=wrong
    fails_with "$NATS_URL: *Authorization Violation*"
    publish '{}' --user=you --password=s3cret
    fails_with "$NATS_URL: *Authorization Violation*"
    NATS_USER=me NATS_PASSWORD=wrong publish '{}'
    fails_with "$NATS_URL: *Authorization Violation*"
    publish '{}'
    fails_with "$NATS_URL: *Authorization Violation*"
    is "$(nats_varz in_msgs)" 0
}

@test "a wrong password ends it immediately even if other servers are down" {
    nats_start 'authorization { user: me, password: "s3cret" }'
    publish '{}' -s "$NATS_URL,$NOWHERE" --user=me --password=wrong
    is "$status" 2
    like "$stderr" "*$NATS_URL: *Authorization Violation*"
}

@test "errors contain no source positions of a library" {
    nats_start 'authorization { user: me, password: "s3cret" }'
    publish '{}' --user=me --password=wrong
    is "$status" 2
    [[ ! $stderr =~ \.c:[0-9] ]] || { echo "$stderr" && return 1; }
    publish '{}' -s "$NOWHERE" --connect-timeout=1ms
    is "$status" 2
    [[ ! $stderr =~ \.c:[0-9] ]] || { echo "$stderr" && return 1; }
}

@test "a correct token is accepted, a wrong one is not" {
    nats_start 'authorization { token: "t0ken" }'
    publish '{}' --token=t0ken
    is "$status" 0
    NATS_TOKEN=t0ken publish '{}'
    is "$status" 0
    publish '{}' --token=other
    fails_with "$NATS_URL: *Authorization Violation*"
    wait_until taken_in 2
}

@test "the login is retried if the server's authentication timeout expires" {
    local time
    nats_start 'authorization { user: me, password: secret, timeout: 0.0001 }'
    for ((time = 1; time <= 8; time++)); do
        publish '{}' --user=me --password=secret
        is "$status" 0 || { echo "$stderr" && return 1; }
    done
    wait_until taken_in 8
}

@test "the seed of an nkey is accepted, that of another key is not" {
    need openssl base32
    nkey user 20
    nkey stranger 20
    nats_start "authorization { users: [ { nkey: $(<user.public) } ] }"
    publish '{}' --nkey=user.seed
    is "$status" 0
    is "$stderr" ''
    NATS_NKEY=user.seed publish '{}'
    is "$status" 0
    printf -- '-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n' \
        "$(<user.seed)" >commented.seed
    publish '{}' --nkey=commented.seed
    is "$status" 0
    publish '{}' --nkey=stranger.seed
    fails_with "$NATS_URL: *Authorization Violation*"
    wait_until taken_in 3
}

@test "a file without a user seed is reported in one line that does not print its content" {
    need openssl base32
    nats_start
    publish '{}' --nkey=none
    fails_with '*--nkey: none: No such file or directory'
    nkey account 0
    publish '{}' --nkey=account.seed
    fails_with '*--nkey: account.seed: contains no user seed*'
    nkey user 20
    seed=$(<user.seed)
    for text in '' hello "${seed:0:57}" "${seed:0:20}A${seed:21}" "$(<user.public)"; do
        [[ $text != "$seed" ]] || continue
        echo "$text" >broken.seed
        publish '{}' --nkey=broken.seed
        fails_with '*--nkey: broken.seed: contains no user seed*'
    done
    is "$(nats_varz in_msgs)" 0
}

@test "a credentials file is accepted by a server with an operator, one of another key is not" {
    need openssl base32
    local limits='"subs":-1,"data":-1,"payload":-1' name
    nkey operator 14
    nkey account 0
    jwt operator operator '"type":"operator"'
    jwt operator account "\"type\":\"account\",\"limits\":{$limits,\"imports\":-1,\"exports\":-1,\"wildcards\":true,\"conn\":-1,\"leaf\":-1}"
    for name in user stranger; do
        nkey "$name" 20
        jwt account "$name" "\"type\":\"user\",\"pub\":{},\"sub\":{},$limits"
        printf -- '-----BEGIN NATS USER JWT-----\n%s\n------END NATS USER JWT------\n\n-----BEGIN USER NKEY SEED-----\n%s\n------END USER NKEY SEED------\n' \
            "$(<"$name.jwt")" "$(<"user.seed")" >"$name.creds"
    done
    nats_start "operator: $PWD/operator.jwt" 'resolver: MEMORY' \
        "resolver_preload: { $(<account.public): $(<account.jwt) }"
    publish '{}' --creds=user.creds
    is "$status" 0
    is "$stderr" ''
    NATS_CREDS=user.creds publish '{}'
    is "$status" 0
    publish '{}' --creds=stranger.creds
    fails_with "$NATS_URL: *Authorization Violation*"
    publish '{}'
    fails_with "$NATS_URL: *Authorization Violation*"
    publish '{}' --creds=none.creds
    fails_with '*none.creds*: No such file or directory*'
    echo hello >empty.creds
    publish '{}' --creds=empty.creds
    fails_with '*empty.creds*'
    wait_until taken_in 2
}

@test "a permissions violation is reported, with status 2 and the line on stdout, every time" {
    nats_start 'authorization { users: [ { user: me, password: pw, permissions: { publish: "ok.>" } } ] }'
    publish '{}' --user=me --password=pw ok.x
    is "$status" 0
    for turn in {1..30}; do
        publish '{"a":1}' --user=me --password=pw denied
        is "$status" 2
        like "$stderr" '*Permissions Violation for Publish to "denied"*'
        is "$output" '{"a":1}'
    done
    wait_until taken_in "$((turn + 1))"
}

@test "a server that refuses the login does not disturb the connection to another one" {
    nats_start 'authorization { user: other, password: other }'
    refusing=${NATS_URL##*@}
    start accepting nats-server --config <(
        printf '%s\n' 'host: 127.0.0.1' 'port: -1' "ports_file_dir: \"$PWD\"" \
            'authorization { user: me, password: pw }'
    )
    wait_until grep -q '}$' "nats-server_$accepting_pid.ports"
    [[ $(<"nats-server_$accepting_pid.ports") =~ \"nats\":\[\"([^\"]*)\" ]]
    accepting=${BASH_REMATCH[1]##*@}
    seq -f '{"msgid":"%.0f"}' 0 999 >in
    # The servers are tried in random order.
    for _ in {1..8}; do
        NATS_URL=nats://me:pw@${accepting#*://} subscribe sub -n 1000 foo
        run --separate-stderr timeout -k 5 20 shnek-pub -s "${refusing},${accepting}" \
            --user=me --password=pw <in
        is "$status" 0
        is "$stderr" ''
        wait_exit sub
        is "$(<sub.out)" "$(<in)"
    done
}

@test "servers that a cluster announces get the credentials of the URL" {
    route=$(quiet_port)
    cluster="cluster: {name: two, host: 127.0.0.1, port: $route}"
    nats_start 'authorization { user: me, password: pw }' "$cluster"
    first=$NATS_URL
    first_pid=$nats_pid
    start second nats-server --config <(
        printf '%s\n' 'host: 127.0.0.1' 'port: -1' "ports_file_dir: \"$PWD\"" \
            'authorization { user: me, password: pw }' \
            "cluster: {name: two, host: 127.0.0.1, port: -1, routes: [nats://127.0.0.1:$route]}"
    )
    wait_until eval 'nats_get routez | grep -q "\"num_routes\": [1-9]"'
    start_fed pub shnek-pub -s "nats://me:pw@${first#*://}"
    printf '{"a":1}\n' >&"$feed"
    wait_until taken_at_least 1
    wait_until counts_when_told "$pub_pid" 'in 1 out 1 .*'
    kill "$first_pid"
    wait_until grep -q '^shnek-pub: reconnected to' pub.err
    printf '{"a":2}\n' >&"$feed"
    end_of_input
    wait_exit pub
    is "$status" 0
    run ! grep 'Authorization' pub.err
    run ! grep 'me:pw' pub.err
}

@test "the server lists the connection under its name" {
    nats_start
    start_fed pub shnek-pub --connection-name='the relay in Osaka'
    wait_until connections_are 1
    like "$(nats_get connz)" '*"name": "the relay in Osaka"*'
    end_of_input
    wait_exit pub
    wait_until connections_are 0
    start_fed pub shnek-pub
    wait_until connections_are 1
    like "$(nats_get connz)" '*"name": "shnek-pub"*'
    end_of_input
    wait_exit pub
    wait_until connections_are 0
    NATS_CONNECTION_NAME=other start_fed pub shnek-pub
    wait_until connections_are 1
    like "$(nats_get connz)" '*"name": "other"*'
}

@test "quotes and backslashes in a name, a password or a token are escaped" {
    nats_start 'authorization { user: "a\"b\\c", password: "d\"e\\f" }'
    publish '{}' --user='a"b\c' --password='d"e\f'
    is "$status" 0 || { echo "$stderr" && return 1; }
    publish '{}' --user='a"b\c' --password='d"e\f' --connection-name='the "relay" \ in Osaka'
    is "$status" 0 || { echo "$stderr" && return 1; }
    publish '{}' --user='you","user":"a\"b\\c' --password='d"e\f'
    is "$status" 2
    kill "$nats_pid"
    wait_exit nats
    nats_start 'authorization { token: "d\"e\\f" }'
    publish '{}' --token='d"e\f'
    is "$status" 0 || { echo "$stderr" && return 1; }
}

# TLS

@test "a tls:// server is trusted only if both --tlsca and its host name match" {
    need openssl
    certificate server subjectAltName=DNS:localhost
    certificate elsewhere subjectAltName=DNS:elsewhere
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout other.key \
        -out other.pem -days 2 -subj /CN=other
    nats_start "tls { cert_file: \"$PWD/server.pem\", key_file: \"$PWD/server.key\", timeout: 10 }"
    url=tls://localhost:$(port_of "$NATS_URL")
    publish '{}' -s "$url" --tlsca=ca.pem
    is "$status" 0
    is "$stderr" ''
    NATS_CA=ca.pem publish '{}' -s "$url"
    is "$status" 0
    publish '{}' -s "nats://${url#tls://}" --tlsca=ca.pem
    is "$status" 0
    wait_until taken_in 3
    publish '{}' -s "$url" --tlsca=other.pem
    fails_with "$url: *certificate*"
    publish '{}' -s "$url"
    fails_with "$url: *certificate*"
    publish '{}' -s "${url/localhost/127.0.0.1}" --tlsca=ca.pem
    fails_with "${url/localhost/127.0.0.1}: *mismatch*"
    is "$(nats_varz in_msgs)" 3
}

@test "tls:// never falls back to an unencrypted connection" {
    nats_start
    publish '{}' -s "tls://${NATS_URL#*://}"
    is "$status" 2
    like "$stderr" '*ecure*'
    publish '{}' -s "tls://${NATS_URL#*://},$NATS_URL"
    is "$status" 2
    is "$(nats_varz in_msgs)" 0
}

@test "a server that requires a client certificate gets that of --tlscert and --tlskey" {
    need openssl
    certificate server subjectAltName=DNS:localhost
    certificate client extendedKeyUsage=clientAuth
    nats_start "tls { cert_file: \"$PWD/server.pem\", key_file: \"$PWD/server.key\", ca_file: \"$PWD/ca.pem\", verify: true, timeout: 10 }"
    url=tls://localhost:$(port_of "$NATS_URL")
    publish '{}' -s "$url" --tlsca=ca.pem --tlscert=client.pem --tlskey=client.key
    is "$status" 0
    NATS_CERT=client.pem NATS_KEY=client.key NATS_CA=ca.pem publish '{}' -s "$url"
    is "$status" 0
    wait_until taken_in 2
    publish '{}' -s "$url" --tlsca=ca.pem --tlscert=client.pem --tlskey=server.key
    fails_with '*server.key*mismatch*'
    publish '{}' -s "$url" --tlsca=ca.pem
    fails_with "$url: *"
    is "$(nats_varz in_msgs)" 2
}

@test "a missing client certificate is reported as a TLS error" {
    need openssl
    certificate server subjectAltName=DNS:localhost
    nats_start "tls { cert_file: \"$PWD/server.pem\", key_file: \"$PWD/server.key\", ca_file: \"$PWD/ca.pem\", verify: true, timeout: 10 }"
    publish '{}' -s "tls://localhost:$(port_of "$NATS_URL")" --tlsca=ca.pem
    is "$status" 2
    [[ ${stderr,,} == *certificate* || ${stderr#*tls://} == *TLS* ]] || { echo "$stderr" && return 1; }
}

@test "unreadable certificates and keys are reported in one line with the file and the reason" {
    nats_start
    publish '{}' --tlsca=none.pem
    fails_with '*none.pem*: No such file or directory*'
    publish '{}' --tlscert=none.pem --tlskey=none.key
    fails_with '*none.pem*: No such file or directory*'
    echo hello >text.pem
    publish '{}' --tlsca=text.pem
    fails_with '*text.pem*'
}

@test "--tlscert and --tlskey must be given together" {
    publish '{}' --tlscert=client.pem
    misused '--tlscert and --tlskey must be given together; --tlskey is missing'
    publish '{}' --tlskey=client.key
    misused '--tlscert and --tlskey must be given together; --tlscert is missing'
}

# Waiting for a server

@test "without a server it logs that, waits, reads no input, and later publishes everything" {
    nats_start
    kill "$nats_pid"
    wait_exit nats
    mkfifo in
    seq -f '{"msgid":"%.0f"}' 0 99999 >lines
    start pub from in shnek-pub
    start writer into in cat lines
    wait_until grep -q . pub.err
    like "$(<pub.err)" "shnek-pub: $NATS_URL: *waiting for a server"
    running "$writer_pid"
    nats_restart
    wait_exit writer
    is "$status" 0
    wait_exit pub
    is "$status" 0
    wait_until taken_in 100000
    lines_are pub.err 1
}

@test "--connect-timeout ends the wait for a server with status 2" {
    publish '{}' -s "$NOWHERE" --connect-timeout=150ms
    is "$status" 2
    like "${stderr_lines[-1]}" "shnek-pub: $NOWHERE: *"
    # On a busy machine the first attempt may need all of the time.
    [[ ${#stderr_lines[@]} == 1 ]] || like "${stderr_lines[0]}" "shnek-pub: $NOWHERE: *waiting for a server"
    ((${#stderr_lines[@]} <= 2))
}

@test "--connect-timeout applies to a server that accepts the connection and never answers" {
    silent_server
    start pub shnek-pub -s "$silent" --connect-timeout=100ms --timeout=1h
    wait_until -t 10 ended "$pub_pid"
    wait_exit pub
    is "$status" 2
}

@test "--timeout ends one attempt, and the next server is tried" {
    silent_server
    nats_start
    start pub shnek-pub -s "$silent,$NATS_URL" --timeout=50ms
    wait_exit pub
    is "$status" 0
}

@test "SIGTERM and SIGINT end the wait for a server with status 2" {
    for signal in TERM INT; do
        start pub shnek-pub -s "$NOWHERE"
        wait_until grep -q 'waiting for a server' pub.err
        kill "-$signal" "$pub_pid"
        wait_exit pub
        is "$status" 2
    done
}

@test "SIGTERM ends an attempt that hangs immediately" {
    silent_server
    start pub shnek-pub -s "$silent" --timeout=1h
    wait_until has_socket "$pub_pid"
    kill -TERM "$pub_pid"
    wait_until -t 10 ended "$pub_pid"
    wait_exit pub
    is "$status" 2
    is "$(<pub.err)" 'shnek-pub: stopped before connecting to a server'
}

# Disconnects

@test "the exit status is never 0 if the server dies in mid-stream and does not come back" {
    for signal in KILL TERM; do
        nats_start
        start_fed pub shnek-pub --max-reconnect-time=50ms --spill=spilled
        start writer into pub.in yes '{"a":"bbbbbbbbbbbbbbbbbbbbbbbb"}'
        wait_until taken_at_least 1000
        end_of_input
        kill "-$signal" "$nats_pid"
        wait_exit pub
        is "$status" 2
        is "$(grep -c '^shnek-pub: disconnected from' pub.err)" 1
        wait_exit writer
        wait_exit nats
    done
}

@test "each line is either published or written out if the connection breaks" {
    need socat
    nats_start
    subscribe sub foo
    find_free_port
    start_proxy
    start_fed pub shnek-pub -s "127.0.0.1:$free_port" --max-reconnect-time=50ms --stats=1h
    start writer into pub.in seq -f '{"msgid":"%.0f"}' 0 4000000000
    wait_until taken_at_least 1000
    end_of_input
    kill -KILL "$proxy_pid"
    wait_exit pub
    is "$status" 2
    [[ $(<pub.err) =~ in\ ([0-9,]+)\ out\ ([0-9,]+)\  ]]
    count=${BASH_REMATCH[1]//,/}
    ((${BASH_REMATCH[2]//,/} <= count))
    [[ $(<pub.err) != *'rejected '[1-9]* ]]
    kill "$sub_pid"
    wait_exit sub
    # The last line may be truncated: reading stops anywhere.
    cat sub.out pub.out | grep -Ex '\{"msgid":"[0-9]+"\}' | tr -dc '0-9\n' | sort -nu >all
    is "$(wc -l <all)" "$(($(tail -n 1 all) + 1))"
    (($(wc -l <all) >= count))
}

@test "everything is published if the connection breaks and can be re-established" {
    need socat
    local all=$((${SANITIZE:+5}0000 + 150000))
    nats_start
    subscribe sub -u -n "$all" foo
    find_free_port
    start_proxy
    start_fed pub shnek-pub -s "127.0.0.1:$free_port" --window=1M
    start writer into pub.in seq -f '{"msgid":"%.0f"}' 0 "$((all - 1))"
    wait_until taken_at_least 1000
    for _ in 1 2 3; do
        kill -KILL "$proxy_pid"
        wait_exit proxy
        start_proxy
    done
    # Not before: the proxy ends when all is published.
    end_of_input
    wait_exit pub
    is "$status" 0
    wait_exit sub
    is "$status" 0
    like "$(<sub.out)" "received: * unique: $all duplicates: * missing: 0 *"
}

@test "an unconfirmed last line is written out with status 2 if the server dies" {
    nats_start
    start_fed pub shnek-pub --max-reconnect-time=50ms
    printf '{"a":1}\n' >&"$feed"
    wait_until taken_in 1
    suspend "$nats_pid"
    printf '{"a":2}\n' >&"$feed"
    end_of_input
    kill -KILL "$nats_pid"
    wait_exit pub
    is "$status" 2
    is "$(tail -n 1 pub.out)" '{"a":2}'
    like "$(<pub.err)" 'shnek-pub: disconnected from * (*); * unconfirmed, reconnecting*'
}

@test "a lost connection is logged immediately and once, even while there is no input" {
    nats_start
    start_fed pub shnek-pub
    printf '{"a":1}\n' >&"$feed"
    wait_until taken_in 1
    kill -KILL "$nats_pid"
    wait_exit nats
    wait_until -t 10 grep -q '^shnek-pub: disconnected from' pub.err
    printf '{"a":2}\n{"a":3}\n' >&"$feed"
    nats_restart {feed}>&-
    wait_until taken_at_least 2
    end_of_input
    wait_exit pub
    is "$status" 0
    is "$(grep -c '^shnek-pub: disconnected from' pub.err)" 1
}

@test "a server that comes back and refuses the login is logged and retried" {
    nats_start
    start_fed pub shnek-pub --user=me --password=pw
    printf '{"a":1}\n' >&"$feed"
    wait_until taken_in 1
    kill -KILL "$nats_pid"
    wait_exit nats
    echo 'authorization { user: me, password: other }' >>nats.conf
    nats_restart {feed}>&-
    printf '{"a":2}\n' >&"$feed"
    wait_until -t 10 grep -q 'Authorization Violation' pub.err
    kill -KILL "$nats_pid"
    wait_exit nats
    echo 'authorization { user: me, password: pw }' >>nats.conf
    nats_restart {feed}>&-
    wait_until taken_in 1
    end_of_input
    wait_exit pub
    is "$status" 0
}

# JetStream

# with_stream CONFIGURATION [LINE...]: starts a server with a stream logs of the subject foo.
with_stream() {
    local config=$1
    shift
    nats_start 'jetstream: enabled' "$@"
    exec {api}<>"/dev/tcp/127.0.0.1/$(port_of "$NATS_URL")"
    api 'STREAM.CREATE.logs' "{\"name\":\"logs\",\"subjects\":[\"foo\"],\"storage\":\"memory\",$config}"
}

# api VERB REQUEST: sends a request to the JetStream API on the descriptor $api, and waits for the reply.
api() {
    local line=
    printf 'CONNECT {"verbose":false}\r\nSUB answer 1\r\nPUB $JS.API.%s answer %d\r\n%s\r\n' \
        "$1" "${#2}" "$2" >&"$api"
    while [[ $line != *'"type"'* ]]; do
        read -rt 10 line <&"$api"
    done
    [[ $line != *'"error"'* ]] || { echo "$line" && return 1; }
}

@test "the headers of a message count toward max_payload, and only that line is rejected" {
    with_stream '"max_msgs":-1' 'max_payload: 2048'
    # NATS/1.0 CR LF, two headers, and CR LF
    headers=$((12 + 28 + 79))
    { payload 2048 && echo && payload $((2048 - headers)) && echo && payload $((2049 - headers)) && echo; } >in
    status=0
    timeout -k 5 20 shnek-pub -J --stream=logs --msg-id=hash --rejects=rejects --stats=1h <in 2>err || status=$?
    is "$status" 1
    is "$(wc -l <rejects)" 2
    like "$(<err)" "shnek-pub: stdin:1: PAYLOAD: longer than the server's max_payload (at byte *)
shnek-pub: stdin:3: PAYLOAD: longer than the server's max_payload (at byte $((2048 - headers)))
shnek-pub: in 3 out 1 rejected 2 *"
}

@test "--msg-id: null, missing and long members are replaced by a hash of the line" {
    with_stream '"max_msgs":-1'
    long=$(repeat x 2000)
    {
        printf '{"id":null,"n":%d}\n' 1 2
        printf '{"n":%d}\n' 3 4
        printf '{"id":"%s","n":%d}\n' "$long" 5 "$long" 6
        printf '{"id":"null","n":%d}\n' 7
        printf '{"id":"null","n":%d}\n' 8
    } >in
    run --separate-stderr timeout -k 5 20 shnek-pub -J '--msg-id={id}' <in
    is "$status" 1
    is "$stderr" 'shnek-pub: stdin:8: MSG-ID: the stream already has this id (at byte 0)'
}

@test "--msg-id=hash: a line is stored once, also from another relay" {
    with_stream '"max_msgs":-1'
    publish '{"n":1}\n{"n":2}\n' -J --msg-id=hash
    is "$status" 0
    publish '{"n":2}\n{"n":3}\n' -J --msg-id=hash --stats=1h
    is "$status" 1
    like "$stderr" 'shnek-pub: stdin:1: MSG-ID: the stream already has this id (at byte 0)
*in 2 out 1 rejected 1 * duplicates 1'
}

@test "--msg-id requires a member in braces, auto or hash" {
    for id in fixed '' '}' 'a{b'; do
        publish '{}' -n -J --msg-id="$id"
        misused "--msg-id: '$id': *"
    done
}

@test "a full stream is probed until it accepts messages again" {
    with_stream '"max_msgs":2,"discard":"new"'
    start_fed pub shnek-pub -J --stream=logs
    printf '{"a":%d}\n' 1 2 3 4 >&"$feed"
    wait_until -t 60 grep -q '^shnek-pub: stream logs unavailable: maximum messages exceeded; retrying$' pub.err
    api STREAM.PURGE.logs ''
    end_of_input
    wait_exit pub
    is "$status" 0
    grep -q '^shnek-pub: stream logs available again after [0-9]* s$' pub.err
}

@test "a stream that is sealed ends it with status 2 and the reason" {
    with_stream '"max_msgs":-1'
    api STREAM.UPDATE.logs '{"name":"logs","subjects":["foo"],"storage":"memory","sealed":true}'
    publish '{"a":1}\n' -J --stream=logs
    is "$status" 2
    is "$output" '{"a":1}'
    like "$stderr" 'shnek-pub: stream logs: stream logs is sealed*'
    publish '{"a":1}\n' -J
    is "$status" 2
    like "$stderr" 'shnek-pub: stream foo: *sealed*'
}

@test "--create-stream: errors that do not pass end it with status 2 and the server's reason" {
    with_stream '"max_msgs":-1'
    publish '{"a":1}\n' -J --stream=other --create-stream
    is "$status" 2
    like "$stderr" 'shnek-pub: stream other: *overlap*'
    publish '{"a":1}\n' -J --stream=other --create-stream='a..b'
    is "$status" 2
    like "$stderr" 'shnek-pub: stream other: *'
    publish '{"a":1}\n' -J --stream=other --create-stream=bar --replicas=3
    is "$status" 2
    like "$stderr" 'shnek-pub: stream other: replicas > 1 not supported*'
    publish '{"a":1}\n' -J --stream=other --create-stream=bar --max-bytes=1000000G
    is "$status" 2
    like "$stderr" 'shnek-pub: stream other: insufficient storage*'
}

@test "missing permissions on the API or the inbox end it with status 2 and the server's reason" {
    for permissions in 'publish: {deny: "$JS.>"}' 'subscribe: {deny: "_INBOX.>"}'; do
        nats_start 'jetstream: enabled' \
            "authorization { users: [{user: me, password: pw, permissions: {$permissions}}] }"
        publish '{"a":1}\n' -J --stream=logs --user=me --password=pw
        is "$status" 2
        is "$output" '{"a":1}'
        like "$stderr" 'shnek-pub: stream logs: Permissions Violation for *'
        kill "$nats_pid"
        wait_exit nats
    done
}

@test "permissions that are revoked at run time end it with status 2 and the server's reason" {
    for options in '' '-J --stream=logs --create-stream'; do
        nats_start 'jetstream: enabled' \
            'authorization { users: [{user: me, password: pw, permissions: {publish: {allow: ["foo", "$JS.>"]}}}] }'
        # shellcheck disable=SC2086 # several options
        start_fed pub shnek-pub $options --user=me --password=pw
        printf '{"a":1}\n' >&"$feed"
        wait_until counts pub 'in 1 out 1'
        sed -i 's/"foo", //' nats.conf
        kill -HUP "$nats_pid"
        wait_until grep -q 'Reloaded' nats.err
        printf '{"a":2}\n' >&"$feed"
        wait_exit pub
        end_of_input
        is "$status" 2
        is "$(<pub.out)" '{"a":2}'
        grep -q 'Permissions Violation for Publish to "foo"' pub.err
        kill "$nats_pid"
        wait_exit nats
    done
}

# Signals and counters

@test "SIGTERM in mid-stream confirms everything that was read, with status 0" {
    for signal in TERM INT; do
        nats_start
        subscribe sub -u foo
        start_fed pub shnek-pub --stats=1h
        start writer into pub.in seq -f '{"msgid":"%.0f"}' 0 4000000000
        wait_until taken_at_least 1000
        end_of_input
        kill "-$signal" "$pub_pid"
        wait_exit pub
        is "$status" 0
        [[ $(<pub.err) =~ in\ ([0-9,]+)\ out\ ([0-9,]+)\  ]]
        is "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
        count=${BASH_REMATCH[2]//,/}
        [[ $(<pub.err) != *'rejected '[1-9]* ]]
        kill "$sub_pid"
        wait_exit sub
        is "$(<sub.out)" "received: $count unique: $count duplicates: 0 missing: 0 out-of-order: 0"
        kill "$nats_pid"
        wait_exit nats
        wait_exit writer
    done
}

@test "SIGTERM with an idle input ends it with status 0 after everything was published" {
    nats_start
    start_fed pub shnek-pub
    printf '{"a":1}\n' >&"$feed"
    wait_until taken_in 1
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 0
    is "$(<pub.err)" ''
}

@test "SIGTERM within a line waits for its end, and reports the line if that does not come" {
    start_fed pub shnek-pub -n
    printf '{"a":1}\n{"a":' >&"$feed"
    wait_until grep -q '{"a":1}' pub.out
    kill -TERM "$pub_pid"
    wait_exit pub
    is "$status" 1
    is "$(<pub.out)" $'foo\t{"a":1}'
    like "$(<pub.err)" 'shnek-pub: stdin:2: PAYLOAD: truncated: no LF before the end of the input (at byte 5)'
}

@test "a second signal ends it immediately with status 2 while the server hangs" {
    nats_start
    start_fed pub shnek-pub
    printf '{"a":1}\n' >&"$feed"
    wait_until taken_in 1
    suspend "$nats_pid"
    printf '{"a":2}\n' >&"$feed"
    end_of_input
    kill -TERM "$pub_pid"
    wait_until signals_taken "$pub_pid"
    wait_until ended_when_told "$pub_pid"
    wait_exit pub
    is "$status" 2
    like "$(<pub.err)" '*shnek-pub: stopped by a second signal*'
    is "$(tail -n 1 pub.out)" '{"a":2}'
}

@test "SIGUSR1 prints a line of counters and has no other effect" {
    nats_start
    start_fed pub shnek-pub
    printf '{"a":1}\nno\n{"a":2}\n' >&"$feed"
    wait_until taken_in 2
    wait_until counts_when_told "$pub_pid" 'in 3 out 2 rejected 1 dropped 0 bytes 19'
    printf '{"a":3}\n' >&"$feed"
    wait_until taken_in 3
    end_of_input
    wait_exit pub
    is "$status" 1
}

@test "SIGUSR1 prints counters while it waits for a server" {
    start pub shnek-pub -s "$NOWHERE"
    wait_until grep -q 'waiting for a server' pub.err
    kill -USR1 "$pub_pid"
    wait_until grep -q '^shnek-pub: in 0 out 0 rejected 0 dropped 0 bytes 0 rate 0/s$' pub.err
    running "$pub_pid"
}

@test "--stats prints counters at its interval, and totals at the end" {
    start_fed pub shnek-pub -n --stats=20ms
    printf '{"a":1}\nno\n' >&"$feed"
    wait_until lines_reach pub.err 4
    end_of_input
    wait_exit pub
    is "$status" 1
    [[ $(tail -n 1 pub.err) =~ ^shnek-pub:\ in\ 2\ out\ 1\ rejected\ 1\ dropped\ 0\ bytes\ 11\ rate\ [0-9,]+/s$ ]]
    is "$(<pub.out)" $'foo\t{"a":1}'
    publish '{}\n' -n --stats
    is "$status" 0
    [[ $stderr =~ ^shnek-pub:\ in\ 1\ out\ 1\ rejected\ 0\ dropped\ 0\ bytes\ 3\ rate\ [0-9,]+/s$ ]]
}

# Options

@test "each usage error is reported in one line with a hint, and no input is read" {
    publish '{}' --bogus
    misused "unrecognized option '--bogus'"
    publish '{}' -x
    misused "invalid option -- 'x'"
    publish '{}' --server
    misused "option '--server' requires an argument"
    publish '{}' -n=1
    misused "invalid option -- '='"
    publish '{}' --no-check=1
    misused "option '--no-check' doesn't allow an argument"
    publish '{}' --timeout=soon
    misused "--timeout: 'soon' is not a duration: *"
    publish '{}' --timeout=0
    misused "--timeout: '0' is out of range (1ms to 24h)"
    publish '{}' --connect-timeout=-1
    misused "--connect-timeout: '-1' is not a duration: *"
    publish '{}' --connect-timeout=
    misused "--connect-timeout: '' is not a duration: *"
    publish '{}' --stats=0
    misused "--stats: '0' is out of range (10ms to 24h)"
    publish '{}' --stats=1y
    misused "--stats: '1y' is not a duration: *"
    publish '{}' --rejects=-
    misused '--rejects: *'
    NATS_TIMEOUT=soon publish '{}'
    misused "NATS_TIMEOUT: 'soon' is not a duration: *"
}

@test "options without effect are usage errors, whatever their order" {
    local option
    for option in --stream=logs --msg-id=auto; do
        publish '{}' "$option"
        misused "${option%=*}: requires --jetstream"
    done
    publish '{}' --create-stream -J
    misused '--create-stream: requires --stream'
    for option in --replicas=3 --storage=memory --max-age=1h --max-bytes=1M; do
        publish '{}' "$option"
        misused "${option%=*}: requires --create-stream"
        publish '{}' "$option" -J --stream=logs
        misused "${option%=*}: requires --create-stream"
        publish '{}' -J --stream=logs "$option" --dry-run --create-stream
        is "$status" 0
    done
    publish '{}' --spool-sync=1s
    misused '--spool-sync: requires --spool'
    publish '{}' --spool-list
    misused '--spool-list: requires --spool'
}

@test "-- ends the options, and NATS_TIMEOUT may be empty" {
    NATS_TIMEOUT='' publish '{}' -n -- -x
    is "$status" 0
    is "$output" $'-x\t{}'
}

@test "--help prints every option to stdout, --version prints the program's name" {
    run --separate-stderr shnek-pub --help
    is "$status" 0
    is "$stderr" ''
    for option in -s --server --user --password --token --creds --nkey --tlscert --tlskey --tlsca \
        --connection-name --timeout --connect-timeout --no-check -n --dry-run --rejects --stats -q \
        --quiet -h --help -V --version; do
        grep -qwe "$option" <<<"$output"
    done
    help=$output
    run --separate-stderr shnek-pub -h
    is "$output" "$help"
    run --separate-stderr shnek-pub --version
    is "$status" 0
    [[ $output =~ ^shnek-pub\ [0-9]+\.[0-9]+\.[0-9]+$ ]]
    is "$stderr" ''
    status=0
    shnek-pub --help >/dev/full 2>err || status=$?
    is "$status" 2
    is "$(<err)" 'shnek-pub: stdout: No space left on device'
}
