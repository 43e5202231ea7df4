#!/usr/bin/env bats
# spamlog into three receivers: the same loads into shnek-parse, rsyslog and syslog-ng.
# shellcheck disable=SC2154 # `start` and bats set variables

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/certificates
load lib/interop

setup() {
    shnek_setup
    peers_setup
    cd "$BATS_TEST_TMPDIR" || return
    export TZ=UTC0
}

teardown() {
    shnek_teardown
}

udp_is_open() {
    grep -q "^ *[0-9]*: [0-9A-F]*:$(printf %04X "$1") " /proc/net/udp
}

# four_ports: sets the ports octet, newline, udp and tls, on which each receiver listens in turn.
four_ports() {
    octet=$(quiet_port)
    newline=$(quiet_port)
    udp=$(quiet_port)
    tls=$(quiet_port)
}

# rsyslog_receives: starts rsyslogd on these ports with its output in rsyslog.got. It detects the
# framing automatically.
rsyslog_receives() {
    cat >rsyslog.conf <<END
global(workDirectory="$PWD" defaultNetstreamDriverCAFile="$PWD/ca.pem"
    defaultNetstreamDriverCertFile="$PWD/server.pem" defaultNetstreamDriverKeyFile="$PWD/server.key"
    parser.escapeControlCharactersOnReceive="off")
main_queue(queue.type="LinkedList" queue.size="50000")
module(load="imtcp")
module(load="imudp")
input(type="imudp" address="127.0.0.1" port="$udp")
input(type="imtcp" address="127.0.0.1" port="$octet")
input(type="imtcp" address="127.0.0.1" port="$newline")
input(type="imtcp" address="127.0.0.1" port="$tls" streamDriver.name="ossl" streamDriver.mode="1"
    streamDriver.authMode="anon")
action(type="omfile" file="$PWD/rsyslog.got" template="RSYSLOG_SyslogProtocol23Format")
END
    start_rsyslog "$tls"
    wait_until listens_at "$octet"
    wait_until listens_at "$newline"
    wait_until udp_is_open "$udp"
}

# syslog_ng_receives: starts syslog-ng on these ports with its output in syslog_ng.got.
syslog_ng_receives() {
    cat >syslog-ng.conf <<END
@version: 3.35
options { keep-hostname(yes); ts-format(iso); frac-digits(6); };
source sent {
    syslog(transport(udp) ip(127.0.0.1) port($udp));
    syslog(transport(tcp) ip(127.0.0.1) port($octet));
    network(transport(tcp) ip(127.0.0.1) port($newline) flags(syslog-protocol));
    syslog(transport(tls) ip(127.0.0.1) port($tls) tls(key-file("$PWD/server.key")
        cert-file("$PWD/server.pem") peer-verify(optional-untrusted)));
};
destination got { file("$PWD/syslog_ng.got" flags(syslog-protocol)); };
log { source(sent); destination(got); flags(flow-control); };
END
    start_syslog_ng "$tls"
    wait_until listens_at "$octet"
    wait_until listens_at "$newline"
    wait_until udp_is_open "$udp"
}

version_of() {
    case $1 in
    rsyslog) rsyslogd -v ;;
    syslog_ng) (with_syslog_ng syslog-ng --version) ;;
    esac | sed 's/ (aka.*//;q'
}

ends() {
    local pid=${1}_pid
    kill -TERM "${!pid}"
    wait_exit "$1"
    is "$status" "$2"
}

# --- Five loads ---

bad_kinds=(pri version date length sd cut msg-len drop)

# five_loads NAME: sends to the four ports; the counts of malformed messages are in NAME.bad. The 200
# datagrams fit into the receive buffer, so that none is dropped.
five_loads() {
    local kinds
    kinds=$(printf ',%s' "${bad_kinds[@]}")
    spamlog -q -r max -n 1000 -F octet --run=octet "tcp://127.0.0.1:$octet"
    spamlog -q -r max -n 1000 -F newline --run=newline "tcp://127.0.0.1:$newline"
    spamlog -q -r 1k -n 200 --run=udp "udp://127.0.0.1:$udp"
    spamlog -q -r max -n 1000 --run=tls --tls-ca=ca.pem "tls://localhost:$tls"
    spamlog -r max -n 2000 -F octet --run=mixed --profile=mixed --bad="0.1:${kinds#,}" --seed=7 \
        "tcp://127.0.0.1:$octet" 2>"$1.bad"
    grep -q ': bad [1-9]' "$1.bad"
}

# numbered RUN FILE: prints the messages of a run, each preceded by its number.
numbered() {
    awk -v run="run=\"$1\"" 'match($0, run " conn=\"0\" of=\"1\" n=\"[0-9]+\"") {
        n = substr($0, RSTART, RLENGTH)
        gsub(/.*n="|"/, "", n)
        print n, $0
    }' "$2"
}

# chosen RUN FILE NUMBERS: prints the messages of a run whose number is in the file NUMBERS.
chosen() {
    numbered "$1" "$2" | awk 'NR == FNR { chosen[$1]; next } $1 in chosen { sub(/^[0-9]* /, ""); print }' "$3" -
}

# all_good NAME: whether NAME.got contains every valid message of all runs.
all_good() {
    local run
    for run in octet newline tls udp; do
        [[ $(numbered "$run" "$1.got" | sort -u -k1,1 | wc -l) == "$([[ $run == udp ]] && echo 200 || echo 1000)" ]] || return
    done
    [[ $(chosen mixed "$1.got" good | wc -l) == "$(wc -l <good)" ]]
}

# whole FILE COUNT: --verify must find exactly this many undamaged messages in the file.
whole() {
    run -0 spamlog --verify --checksum --expect="$2" "$1"
    [[ ${lines[0]} == "received: $(grouped "$2")" ]]
}

# of_kind KIND: prints how many rejected messages are malformed in this way.
of_kind() {
    jq -r '.error' rejects | sed -E '
        s/^MSG-LEN: .*/msg-len/
        s/.*: stream ends within it$/drop/
        s/.*: message ends here$/cut/
        s/.*: longer than [0-9]* characters$/length/
        s/^PRI: .*/pri/
        s/^VERSION: .*/version/
        s/^TIMESTAMP: .*/date/
        s/^(SD-|PARAM-).*/sd/' | grep -cx "$1"
}

@test "of five loads, shnek-parse rejects all malformed messages, and all three receive the others unchanged" {
    need_peers rsyslog rsyslog_tls syslog_ng
    need openssl jq
    local kind sent all=0 name run
    tls_certificates

    start newline shnek-parse --tls-cert=server.pem --tls-key=server.key --rejects=none \
        -l tcp://127.0.0.1:0 -l udp://127.0.0.1:0 -l tls://127.0.0.1:0
    start octet shnek-parse --framing=octet --rejects=rejects -l tcp://127.0.0.1:0
    wait_until grep -q 'listening on tls:' newline.err
    newline=$(sed -n 's|.*listening on tcp://.*:||p' newline.err)
    udp=$(sed -n 's|.*listening on udp://.*:||p' newline.err)
    tls=$(sed -n 's|.*listening on tls://.*:||p' newline.err)
    octet=$(port_of "$(listen_url octet.err)")
    five_loads shnek
    wait_until lines_are newline.out 2200
    ends newline 0
    sent=$(sed -n 's/,//g; s/.*: bad \([0-9]*\).*/\1/p' shnek.bad)
    wait_until lines_are octet.out $((3000 - sent))
    ends octet 1
    [[ ! -s none ]]
    for kind in "${bad_kinds[@]}"; do
        sent=$(sed -n "s/,//g; s/.*: bad .* $kind \([0-9]*\).*/\1/p" shnek.bad)
        is "$kind $(of_kind "$kind")" "$kind $sent"
        ((all += sent, sent > 0))
    done
    is "$(wc -l <rejects)" "$all"
    run -1 spamlog --verify --checksum octet.out newline.out
    [[ ${lines[0]} == "received: $(grouped $((5200 - all)))" && ${lines[1]} == 'runs: 5' ]]
    [[ ${lines[5]} == 'duplicated: 0' && ${lines[7]} == 'damaged: 0' ]]

    # The others change messages without MSG, TIMESTAMP or HOSTNAME, and syslog-ng writes Z as an
    # offset. `passed` lists those that all receivers write unchanged.
    jq -r '.sd["spamlog@32473"] | select(.run == "mixed").n' octet.out >good
    jq -r 'select(.msg and .hostname and .timestamp and (.timestamp | endswith("+00:00"))).sd["spamlog@32473"]
        | select(.run == "mixed").n' \
        octet.out >passed
    four_ports
    for name in rsyslog syslog_ng; do
        "${name}_receives"
        five_loads "$name"
        is "$(tail -n 1 "$name.bad")" "$(tail -n 1 shnek.bad)"
        wait_until -t 60 all_good "$name"
        ends "$name" 0
        all_good "$name"
        for run in octet newline udp tls; do
            numbered "$run" "$name.got" | sed 's/^[0-9]* //' >"$run.run"
            whole "$run.run" "$([[ $run == udp ]] && echo 200 || echo 1000)"
        done
        chosen mixed "$name.got" passed >mixed.run
        spamlog --verify --checksum mixed.run >report || true
        is "$name $(head -n 1 report) $(grep damaged report)" "$name received: $(grouped "$(wc -l <passed)") damaged: 0"
    done
}

# --- Each kind of malformed message ---

same=(--checksum --run=kinds --hostname=sender --procid=7
    --timestamp=2026-11-22T10:00:00.000000+00:00)

# as_sent KIND: prints the sixteen messages in the form that a receiver writes if it changes nothing.
as_sent() {
    local bad=(--bad="1:$1" --seed=1)
    [[ $1 != @(msg-len|drop) ]] || bad=()
    spamlog -q -r max -n 16 "${bad[@]}" "${same[@]}" | tr '\0' '@'
}

# outcome SENT GOT: prints UNCHANGED/CHANGED/OTHER/REPORTED, the numbers of lines that are as sent,
# that are a sent message with changes, that are some other message, and that report an error.
outcome() {
    tr '\0' '@' <"$2" | awk '
        NR == FNR { sent[$0]; next }
        $3 ~ /^end-/ { next }
        $0 in sent { same++; next }
        $4 == "syslog-ng" && / Error processing log message: / { reported++; next }
        $3 == "sender" || $2 ~ /^2026-11-22T10:00:00.000000(Z|[+]00:00)$/ { changed++; next }
        { other++ }
        END { print (same + 0) "/" (changed + 0) "/" (other + 0) "/" (reported + 0) }' "$1" -
}

# got NAME LINE: writes the output of a receiver from this line on to `since`.
got() {
    tail -n "+$2" "$1.got" >since
}

end_has_come() {
    got "$1" "$2"
    grep -q " end-$3 " since
}

outcome_is() {
    got "$1" "$2"
    [[ $(outcome sent since) == "$3" ]]
}

# meets NAME KIND FRAMING EXPECTED: sends malformed messages and compares spamlog's exit status and the
# outcome with STATUS/UNCHANGED/CHANGED/OTHER/REPORTED.
meets() {
    local name=$1 kind=$2 framing=$3 expected=$4 first status=0
    local -n port=$framing
    as_sent "$kind" >sent
    first=$(($(wc -l <"$name.got") + 1))
    spamlog -q -r max -n 16 -F "$framing" --bad="1:$kind" --seed=1 "${same[@]}" "tcp://127.0.0.1:$port" \
        2>spam.err || status=$?
    spamlog -q -n 1 -F "$framing" --hostname="end-$kind" "tcp://127.0.0.1:$port"
    wait_until end_has_come "$name" "$first" "$kind"
    if poll 10 outcome_is "$name" "$first" "${expected#*/}" && [[ $status == "${expected%%/*}" ]]; then
        return
    fi
    echo "$(version_of "$name"): $kind, $framing: got $status/$(outcome sent since), the man page has $expected"
    return 1
}

@test "rsyslog and syslog-ng treat each kind of malformed message as the man page states" {
    need_peers rsyslog rsyslog_tls syslog_ng
    need openssl
    local kind framing by_rsyslog by_syslog_ng expected name wrong=0
    tls_certificates
    # spamlog's exit status / unchanged / changed / other messages / reported
    cat >facts <<'END'
pri      octet   0/0/8/8/0    0/5/8/3/0
pri      newline 0/0/8/14/0   0/5/8/3/0
version  octet   0/0/0/16/0   0/0/3/13/0
date     octet   0/5/0/11/0   0/0/16/0/0
length   octet   0/16/0/0/0   0/0/11/0/5
sd       octet   0/16/0/0/0   0/0/0/0/16
cut      octet   0/0/11/5/0   0/0/0/0/16
utf8     octet   0/16/0/0/0   0/16/0/0/0
nul      octet   0/0/16/0/0   0/16/0/0/0
nul      newline 0/0/16/0/0   0/0/16/16/0
control  octet   0/16/0/0/0   0/16/0/0/0
overlong octet   0/0/16/256/0 2/0/0/0/0
overlong newline 0/0/16/256/0 0/0/16/32/0
msg-len  octet   0/5/5/19/0   0/0/0/0/5
drop     octet   0/0/0/0/0    0/0/0/0/0
drop     newline 0/0/11/5/0   0/0/0/0/16
END
    for name in rsyslog syslog_ng; do
        four_ports
        "${name}_receives"
        touch "$name.got"
        while read -r kind framing by_rsyslog by_syslog_ng; do
            expected=$by_rsyslog
            [[ $name == rsyslog ]] || expected=$by_syslog_ng
            meets "$name" "$kind" "$framing" "$expected" || wrong=1
        done <facts
        ends "$name" 0
    done
    [[ $wrong == 0 ]]
}
