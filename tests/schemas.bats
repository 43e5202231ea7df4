#!/usr/bin/env bats
# shnek-parse --schema, --fields, --severity-number, --host-from-peer and the members of --meta.
# shellcheck disable=SC2154 # bats and `start` set variables

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/relay
load lib/certificates

FULL='<34>1 2024-12-15T21:08:09.484+09:00 web1 sshd 18895 ID47 [a@1 k="v\"w" k="z"][b][a@1 l="m"] größe "x"'

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    shnek_teardown
}

# samples: prints messages with all severities and facilities, absent and unusual values.
samples() {
    local pri
    for pri in {0..191}; do
        echo "<$pri>1 2026-11-22T17:04:$((10 + pri % 50)).$((pri + 100))Z host-$pri app $pri - - text $pri"
    done
    echo "$FULL"
    printf '%s\n' '<13>1 - - - - - -' '<13>1 - - - - - - ' '<13>1 - h"\ a"\ p"\ m"\ - m' \
        '<13>1 2003-10-11T22:14:15Z a-host-name-that-is-longer-than-a-block.and-has-a-domain.example b 0123 - [x]' \
        '<13>1 2003-10-11T22:14:15.123456-03:30 h a-name-of-twenty-one 99999999999999999999 - - m' \
        '<13>1 - - - 123456789 - - m' '<13>Nov 22 17:00:00 web su[77]: hi' 'just text'
    printf '<13>1 - - - - - - b\xffd\n'
}

record() {
    echo "${*: -1}" | shnek-parse "${@:1:$#-1}"
}

# --schema=ecs

# of_ecs: reads records; prints each name that is not a field of ECS, or whose value has another type.
of_ecs() {
    jq -r --rawfile fields "$SHNEK_TOP/tests/data/ecs.fields" '
        ($fields | split("\n") | map(select(test("^[^#]")) | split(" ") | {(.[0]): .[1]}) | add) as $types
        | to_entries[] | $types[.key] as $type | .value
        | if $type == "keyword" or $type == "match_only_text" then type == "string"
          elif $type == "long" then type == "number" and . == floor
          elif $type == "date" then type == "string" and
              test("^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})$")
          elif $type == "ip" then type == "string" and test("^[0-9a-f.:]+$")
          elif $type == "flattened" then type == "object"
          else false end
        | select(not) | "wrong type or name"'
}

@test "--schema=ecs writes fields of the Elastic Common Schema with their types" {
    samples >in
    shnek-parse -f auto --tz=utc --schema=ecs --meta --raw --severity-number in >records
    lines_are records "$(wc -l <in)"
    is "$(of_ecs <records)" ''
    is "$(jq -r 'has("@timestamp") and has("log.level") and ."ecs.version" == "9.5.0"' records | sort -u)" true
    echo '{"unknown":1}' | of_ecs | grep -q wrong
    echo '{"process.pid":"1"}' | of_ecs | grep -q wrong
}

@test "--schema=ecs maps each part of a message" {
    is "$(record --schema=ecs "$FULL")" '{"@timestamp":"2024-12-15T21:08:09.484+09:00","log.level":"crit","log.syslog.severity.code":2,"log.syslog.severity.name":"crit","log.syslog.facility.code":4,"log.syslog.facility.name":"auth","log.syslog.priority":34,"log.syslog.version":"1","log.syslog.hostname":"web1","host.hostname":"web1","log.syslog.appname":"sshd","process.name":"sshd","log.syslog.procid":"18895","process.pid":18895,"log.syslog.msgid":"ID47","log.syslog.structured_data":{"a@1":{"k":["v\"w","z"],"l":"m"},"b":{}},"message":"größe \"x\"","ecs.version":"9.5.0"}'
    is "$(record --schema=ecs --severity-number --raw '<13>1 2003-10-11T22:14:15Z - - x - -')" '{"@timestamp":"2003-10-11T22:14:15Z","log.level":"notice","log.syslog.severity.code":5,"log.syslog.severity.name":"notice","log.syslog.facility.code":1,"log.syslog.facility.name":"user","log.syslog.priority":13,"log.syslog.version":"1","log.syslog.procid":"x","ecs.version":"9.5.0","event.severity":5,"event.original":"<13>1 2003-10-11T22:14:15Z - - x - -"}'
}

@test "--schema=ecs uses the time of arrival for a message without a TIMESTAMP" {
    local before after
    before=$(date -u +%FT%T.%6NZ)
    got=$(record --schema=ecs '<13>1 - - - - - -' | jq -r '."@timestamp"')
    after=$(date -u +%FT%T.%6NZ)
    [[ ! $before > $got && ! $got > $after ]]
}

@test "the same values are in all schemas" {
    samples >in
    shnek-parse -f auto --tz=utc in | jq -c '[.severity, .facility, .hostname, .appname, .procid, .msgid, .msg, .sd]' >shnek
    shnek-parse -f auto --tz=utc --schema=ecs in |
        jq -c '[."log.level", ."log.syslog.facility.name", ."host.hostname", ."process.name", ."process.pid" // ."log.syslog.procid", ."log.syslog.msgid", .message, ."log.syslog.structured_data" // {}]' >ecs
    cmp shnek ecs
    shnek-parse -f auto --tz=utc --schema=otlp in | jq -c '
        def value: if has("kvlistValue") then .kvlistValue.values | map({(.key): (.value | value)}) | add // {}
            elif has("arrayValue") then .arrayValue.values | map(value) else .stringValue end;
        def attributes: map({(.key): (.value | value)}) | add // {};
        .resourceLogs[0] | (.resource.attributes | attributes) as $r | .scopeLogs[0].logRecords[0]
        | (.attributes | attributes) as $a
        | [.severityText, $a."syslog.facility", $r."host.name", $r."service.name", $a."syslog.procid",
           $a."syslog.msgid", .body.stringValue, $a."syslog.structured_data" // {}]' >otlp
    jq -c '.[4] |= if type == "number" then tostring else . end' shnek >shnek.texts
    cmp shnek.texts otlp
}

# --schema=otlp

@test "--schema=otlp writes one LogsData object for each message" {
    local before after record
    before=$(date +%s%N)
    record=$(record --schema=otlp "$FULL")
    after=$(date +%s%N)
    [[ $record =~ '"observedTimeUnixNano":"'([0-9]{19})'"' ]]
    [[ ! $before > ${BASH_REMATCH[1]} && ! ${BASH_REMATCH[1]} > $after ]]
    is "${record/${BASH_REMATCH[1]}/N}" '{"resourceLogs":[{"resource":{"attributes":[{"key":"host.name","value":{"stringValue":"web1"}},{"key":"service.name","value":{"stringValue":"sshd"}}]},"scopeLogs":[{"scope":{"name":"shnek-parse"},"logRecords":[{"timeUnixNano":"1734264489484000000","observedTimeUnixNano":"N","severityNumber":18,"severityText":"crit","body":{"stringValue":"größe \"x\""},"attributes":[{"key":"syslog.facility","value":{"stringValue":"auth"}},{"key":"syslog.version","value":{"intValue":"1"}},{"key":"syslog.procid","value":{"stringValue":"18895"}},{"key":"syslog.msgid","value":{"stringValue":"ID47"}},{"key":"syslog.structured_data","value":{"kvlistValue":{"values":[{"key":"a@1","value":{"kvlistValue":{"values":[{"key":"k","value":{"arrayValue":{"values":[{"stringValue":"v\"w"},{"stringValue":"z"}]}}},{"key":"l","value":{"stringValue":"m"}}]}}},{"key":"b","value":{"kvlistValue":{"values":[]}}}]}}}]}]}]}]}'
}

@test "SeverityNumber is that of the Logs Data Model" {
    for pri in {0..7}; do
        echo "<$pri>1 - - - - - -"
    done | shnek-parse --schema=otlp >records
    is "$(jq -r '.resourceLogs[].scopeLogs[].logRecords[] | "\(.severityText) \(.severityNumber)"' records)" \
        $'emerg 21\nalert 19\ncrit 18\nerr 17\nwarning 13\nnotice 10\ninfo 9\ndebug 5'
}

@test "timeUnixNano is TIMESTAMP in nanoseconds" {
    local time
    local times=(2026-11-22T17:04:05Z 2026-11-22T17:04:05.1Z 2026-11-22T17:04:05.123456Z 2026-11-22T17:04:05.12+00:00
        2026-11-22T17:04:05.12+05:30 2026-11-22T17:04:05.12-05:30 2026-11-22T17:04:06.999999-05:30
        1970-01-01T00:00:00Z 1970-01-01T00:00:00.5Z 1970-01-01T00:00:00.6Z 1970-01-01T00:00:01.6Z 2001-09-09T01:46:39.999Z 2001-09-09T01:46:40Z 2400-02-29T23:59:59.5Z)
    times+=("${times[@]:0:4}")
    printf '<13>1 %s host app - - - text\n' "${times[@]}" | shnek-parse --schema=otlp |
        jq -r '.resourceLogs[].scopeLogs[].logRecords[].timeUnixNano' >got
    for time in "${times[@]}"; do
        date -d "$time" +%s%N
    done | sed 's/^0*\(.\)/\1/' >expected
    cmp expected got
    for time in 1969-12-31T23:59:59Z 2554-08-01T00:00:00Z 9999-12-31T23:59:59Z; do # not in 64 bits
        [[ $(record --schema=otlp "<13>1 $time - - - - -") != *'"timeUnixNano"'* ]]
    done
}

@test "OTLP records are accepted by the JSON parser of protobuf" {
    need protoc python3
    PATH=/usr/bin:$PATH # the package is for the Python of the distribution
    python3 -c 'import google.protobuf.json_format' 2>/dev/null || need_packages python3-protobuf
    samples >in
    protoc -I "$SHNEK_TOP/tests/data" --python_out=. otlp-logs.proto
    shnek-parse -f auto --tz=utc --schema=otlp --meta --raw in >records
    run python3 - records <<'END'
import sys
from google.protobuf import json_format
from otlp_logs_pb2 import LogsData
count = raw = 0
for line in open(sys.argv[1]):
    record = json_format.Parse(line, LogsData()).resource_logs[0].scope_logs[0].log_records[0]
    assert record.severity_number and record.observed_time_unix_nano, line
    assert len({a.key for a in record.attributes}) == len(record.attributes), line
    raw += sum(a.value.bytes_value == b'<13>1 - - - - - - b\xffd' for a in record.attributes)
    count += 1
print(count, raw)
END
    is "$output" "$(wc -l <in) 1"
    is "$status" 0
}

# --fields and --severity-number

@test "--fields selects members of the schema, in its order" {
    is "$(record --fields=msg,severity,procid "$FULL")" '{"severity":"crit","procid":18895,"msg":"größe \"x\""}'
    is "$(record --fields=facility,version,timestamp,hostname,appname,msgid,sd "$FULL")" '{"facility":"auth","version":1,"timestamp":"2024-12-15T21:08:09.484+09:00","hostname":"web1","appname":"sshd","msgid":"ID47","sd":{"a@1":{"k":["v\"w","z"],"l":"m"},"b":{}}}'
    is "$(record --fields=hostname,version -f rfc3164 x)" '{"version":null,"hostname":null}'
    is "$(record --fields=message,log.level,process.pid --schema=ecs "$FULL")" '{"log.level":"crit","process.pid":18895,"message":"größe \"x\""}'
    is "$(record --fields=message --schema=ecs '<13>1 - - - - - -')" '{}'
    is "$(record --fields=body,severityNumber --schema=otlp "$FULL")" '{"resourceLogs":[{"scopeLogs":[{"scope":{"name":"shnek-parse"},"logRecords":[{"severityNumber":18,"body":{"stringValue":"größe \"x\""}}]}]}]}'
    is "$(record --fields=msg --raw '<13>1 - - - - - - m')" '{"msg":"m","raw":"<13>1 - - - - - - m"}'
}

@test "all members of --fields together are the record without it" {
    local schema
    samples >in
    for schema in shnek ecs otlp; do
        run --separate-stderr shnek-parse --schema=$schema --fields=
        is "$status" 2
        [[ $stderr =~ "--fields: '' is not a member of the schema: expected "([^$'\n']+) ]]
        all=${BASH_REMATCH[1]//, /,}
        shnek-parse -f auto --tz=utc --schema=$schema in | sed 's/"2026-[^"]*"\|"observed[^,]*//g' >one
        shnek-parse -f auto --tz=utc --schema=$schema --fields="$all" in | sed 's/"2026-[^"]*"\|"observed[^,]*//g' >two
        cmp one two
    done
}

@test "an unknown member of --fields is a usage error that lists the valid ones" {
    run --separate-stderr shnek-parse --fields=msg,nope
    is "$status" 2
    is "${stderr%%$'\n'*}" "shnek-parse: --fields: 'nope' is not a member of the schema: expected severity, facility, version, timestamp, hostname, appname, procid, msgid, sd, msg"
    run --separate-stderr shnek-parse --fields=msg --schema=otlp
    is "$status" 2
    [[ $stderr == *"'msg' is not a member of the schema: expected resource, timeUnixNano, "* ]]
    run --separate-stderr shnek-parse --schema=xml
    is "$status" 2
}

@test "--severity-number adds the severity as a number" {
    is "$(record --severity-number '<13>1 - - - - - - m')" '{"severity":"notice","facility":"user","version":1,"timestamp":null,"hostname":null,"appname":null,"procid":null,"msgid":null,"sd":{},"msg":"m","severity_number":5}'
    run --separate-stderr shnek-parse --severity-number --schema=otlp
    is "$status" 2
    [[ $stderr == 'shnek-parse: --severity-number: has no effect with --schema=otlp, '* ]]
}

# Peers

relay() {
    start relay shnek-parse "$@"
    url=$(listen_url relay.err)
    port=$(port_of "$url")
}

@test "--meta adds the address and the port of IP peers" {
    relay -l tcp://127.0.0.1:0 --meta
    echo '<13>1 - - - - - -' >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 1
    [[ $(<relay.out) =~ '"peer":"127.0.0.1:'([0-9]+)'","transport":"tcp","received":"'[^\"]+'","peer_ip":"127.0.0.1","peer_port":'([0-9]+)'}'$ ]]
    is "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

@test "--meta adds the address and the port of peers over UDP and IPv6" {
    need_ipv6
    relay -l 'udp://[::1]:0' --meta
    echo '<13>1 - - - - - -' >"/dev/udp/::1/$port"
    wait_until lines_are relay.out 1
    [[ $(<relay.out) =~ '"peer":"[::1]:'([0-9]+)'","transport":"udp",'.*'"peer_ip":"::1","peer_port":'([0-9]+)'}'$ ]]
    is "${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}"
}

@test "IPv4 peers of a socket for both families are written as IPv4" {
    need_ipv6
    relay -l 'tcp://*:0' --meta
    printf '%s\n' '<13>1 - - - - - -' bad >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 1
    [[ $(<relay.out) == *'"peer":"127.0.0.1:'*'"peer_ip":"127.0.0.1"'* ]]
    wait_until grep -q '^shnek-parse: 127.0.0.1:[0-9]*:2: PRI' relay.err
}

@test "--meta adds the user and the process of peers on Unix sockets" {
    need socat
    relay -l unix:stream -l unixgram:datagram --meta
    wait_until test -S datagram
    echo '<13>1 - - - - - -' | socat -u - UNIX-CONNECT:stream
    wait_until lines_are relay.out 1
    echo '<13>1 - - - - - -' | socat -u - UNIX-SENDTO:datagram
    wait_until lines_are relay.out 2
    is "$(jq -r '"\(.uid) \(.pid > 1) \(.peer == "uid=\(.uid),pid=\(.pid)") \(has("peer_ip"))"' relay.out)" \
        "$(id -u) true true false"$'\n'"$(id -u) true true false"
}

@test "--meta adds the subject of a client certificate" {
    need openssl
    tls_certificates
    relay -l tls://127.0.0.1:0 --tls-cert=server.pem --tls-key=server.key --tls-ca=ca.pem --meta
    echo '<13>1 - - - - - -' | timeout 60 openssl s_client -quiet -no_ign_eof -connect "127.0.0.1:$port" \
        -cert client.pem -key client.key &>client.log
    wait_until lines_are relay.out 1
    is "$(jq -r '"\(.peer_ip) \(.peer_subject)"' relay.out)" '127.0.0.1 CN=client.example'
}

@test "--schema=ecs and otlp have the peer in their own fields" {
    relay -l tcp://127.0.0.1:0 --schema=ecs --meta
    echo '<13>1 - - - - - -' >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 1
    is "$(of_ecs <relay.out)" ''
    is "$(jq -r '"\(."source.ip") \(."source.port" > 0) \(."network.transport")"' relay.out)" '127.0.0.1 true tcp'
    kill -TERM "$relay_pid"
    wait_exit relay
    relay -l tcp://127.0.0.1:0 --schema=otlp --meta
    echo '<13>1 - - - - - -' >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 1
    is "$(jq -r '.resourceLogs[].scopeLogs[].logRecords[].attributes[] | select(.key | startswith("network")) | .key, (.value.stringValue // (.value.intValue | tonumber > 0))' relay.out)" \
        $'network.transport\ntcp\nnetwork.peer.address\n127.0.0.1\nnetwork.peer.port\ntrue'
}

@test "--host-from-peer sets an absent hostname to the address of the peer" {
    relay -l tcp://127.0.0.1:0 --host-from-peer -f auto --select-host='127.*' --select-host=web
    printf '%s\n' '<13>1 - - - - - - one' '<13>1 - web - - - - two' 'three' '<13>1 - db - - - - four' >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are relay.out 3
    is "$(jq -r '"\(.hostname) \(.msg)"' relay.out)" $'127.0.0.1 one\nweb two\n127.0.0.1 three'
    run --separate-stderr shnek-parse --host-from-peer
    is "$status" 2
    [[ $stderr == 'shnek-parse: --host-from-peer: has no effect without --listen with tcp://, tls:// or udp://'* ]]
}

@test "lines of --rejects contain time, peer and transport" {
    relay -l tcp://127.0.0.1:0 --rejects=rejects
    echo bad >"/dev/tcp/127.0.0.1/$port"
    wait_until lines_are rejects 1
    is "$(jq -r '"\(.transport) \(.peer == .source) \(.peer_ip) \(.received | test("^20[0-9-]+T[0-9:.]+Z$"))"' rejects)" \
        'tcp true 127.0.0.1 true'
    echo bad >in
    run shnek-parse --rejects=more --schema=ecs in
    is "$(jq -r '"\(.transport) \(.peer)"' more)" 'file in'
}
