#!/usr/bin/env bats
# shnek-parse on files and stdin: records, framing, rejected messages, exit statuses, signals.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/relay

HEAD='<13>1 - - - - - - ' # 18 bytes
COUNTERS='in [0-9]+ out [0-9]+ rejected [0-9]+ dropped 0 bytes [0-9]+ rate [0-9,]+/s'

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    # Closing the FIFO ends its reader.
    [[ ! ${feed-} ]] || exec {feed}>&-
    shnek_teardown
}

# given INPUT [OPTION...]: runs it on INPUT with printf(1) escapes, such as \n and \x00.
given() {
    local input=$1
    shift
    run --separate-stderr timeout 20 shnek-parse "$@" < <(printf %b "$input")
}

# to_files COMMAND...: redirects it to the files out and err; its exit status is in $status.
to_files() {
    status=0
    "$@" >out 2>err || status=$?
}

# last_counters [FILE]: the last counters of --stats in FILE or $stderr, without bytes, rate and separators, and
# with those that are omitted.
last_counters() {
    sed -nE 's/,//g; /^shnek-parse: (in .*) rate .*/!d; s//\1/; s/ bytes .*//
        /rejected/! s/$/ rejected 0/; /dropped/! s/$/ dropped 0/; p' "${1:-/dev/stdin}" <<<"$stderr" | tail -n 1
}

# repeat CHARACTERS TIMES
repeat() {
    printf '%*s' "$2" '' | sed "s/ /$1/g"
}

counted() {
    local LC_ALL=C
    printf '%d %s' "${#1}" "$1"
}

# feed NAME: opens the FIFO for writing as descriptor $feed; waits for its reader.
feed() {
    exec {feed}>"$1"
}

# hold NAME: opens the FIFO as descriptor $feed without waiting for a reader.
hold() {
    exec {feed}<>"$1"
}

# The record

@test "a message becomes one line of JSON, byte for byte" {
    echo '<34>1 2024-12-15T21:08:09.484+09:00 mantoshkin-pc spamlog 18895 0 - hello from rust!' >in
    cat >expected <<'END'
{"severity":"crit","facility":"auth","version":1,"timestamp":"2024-12-15T21:08:09.484+09:00","hostname":"mantoshkin-pc","appname":"spamlog","procid":18895,"msgid":"0","sd":{},"msg":"hello from rust!"}
END
    shnek-parse <in >out 2>err
    cmp out expected
    is "$(<err)" ''
}

@test "NILVALUE and a missing MSG become null, an empty MSG becomes an empty string" {
    given '<0>1 - - - - - -\n<0>1 - - - - - - \n<0>1 - - - 007 - - \xef\xbb\xbfbom\n'
    is "$status" 0
    is "${lines[0]}" '{"severity":"emerg","facility":"kern","version":1,"timestamp":null,"hostname":null,"appname":null,"procid":null,"msgid":null,"sd":{},"msg":null}'
    is "${lines[1]}" '{"severity":"emerg","facility":"kern","version":1,"timestamp":null,"hostname":null,"appname":null,"procid":null,"msgid":null,"sd":{},"msg":""}'
    is "${lines[2]}" '{"severity":"emerg","facility":"kern","version":1,"timestamp":null,"hostname":null,"appname":null,"procid":"007","msgid":null,"sd":{},"msg":"bom"}'
}

@test "PROCID is a number up to 2^63 - 1, and a string above" {
    given '<0>1 - - - 0 - -\n<0>1 - - - 9223372036854775807 - -\n<0>1 - - - 9223372036854775808 - -\n<0>1 - - - -1 - -\n'
    is "$status" 0
    [[ ${lines[0]} == *'"procid":0,'* ]]
    [[ ${lines[1]} == *'"procid":9223372036854775807,'* ]]
    [[ ${lines[2]} == *'"procid":"9223372036854775808",'* ]]
    [[ ${lines[3]} == *'"procid":"-1",'* ]]
}

@test "the values of a repeated PARAM-NAME become an array, and repeated SD-IDs are merged" {
    cat >in <<'END'
<0>1 - - - - - [a.b x="1" y="\"\\\]\n" x="2"][c][a.b x="3" z=""] m
END
    run --separate-stderr shnek-parse in
    is "$status" 0
    [[ $output == *'"sd":{"a.b":{"x":["1","2","3"],"y":"\"\\]\\n","z":""},"c":{}},"msg":"m"}' ]]
}

@test "every byte value in MSG and PARAM-VALUE results in valid JSON in valid UTF-8" {
    need jq iconv
    local number byte plain
    for number in {0..255}; do
        printf -v byte '\\x%02x' "$number"
        case $number in
            34 | 92 | 93) plain=! ;; # not without a backslash before it
            *) plain=$byte ;;
        esac
        printf '32 %b%b%b%b%b' '<13>1 - - - - - [x y="A' "$plain" 'B"] A' "$byte" BC
    done >in
    shnek-parse in >out
    iconv -f UTF-8 -t UTF-8 out >/dev/null
    lines_are out 256
    jq -en '[inputs.msg | explode] == [range(256) | [65, if . < 128 then . else 65533 end, 66, 67]]' out
    jq -en '[inputs.sd.x.y | explode] == [range(256) |
        [65, if . >= 128 then 65533 elif IN(34, 92, 93) then 33 else . end, 66]]' out
}

@test "random bytes never crash it, and its output is valid" {
    need jq iconv
    local framing file
    head -c 1M /dev/urandom >random
    LC_ALL=C sed "s/^/$HEAD/" random >headed
    for file in random headed; do
        for framing in auto newline octet; do
            to_files shnek-parse -F $framing --stats=1h --rejects=rejects $file
            ((status < 2))
            iconv -f UTF-8 -t UTF-8 out rejects >/dev/null
            jq -es length out rejects
            is "$(last_counters err)" \
                "in $(cat out rejects | wc -l) out $(wc -l <out) rejected $(wc -l <rejects) dropped 0"
            [[ $framing == octet || $(cat out rejects | wc -l) -gt 1000 ]]
            rm rejects
        done
    done
}

@test "the sizes of reads do not change the output" {
    local framing
    printf '\n%sone\r\nbad\n\n%s\xe2\x82\xac two\x00\n%slast' "$HEAD" "$HEAD" "$HEAD" >newline
    printf '21 %sone22 %s\xe2\x82\xac\n\r\n\n20 %s\n\n\n7 <13>1 -25 %shello\r\n30 %scut' \
        "$HEAD" "$HEAD" "$HEAD" "$HEAD" "$HEAD" >octet
    for framing in newline octet; do
        run --separate-stderr shnek-parse --raw - <"$framing"
        is "$status" 1
        printf '%s\n' "$output" "$stderr" >whole
        # shellcheck disable=SC2094
        run --separate-stderr shnek-parse --raw - < <(dd bs=1 if="$framing" status=none)
        is "$status" 1
        is "$(printf '%s\n' "$output" "$stderr")" "$(<whole)"
    done
    grep -q 'stdin:6: SYSLOG-MSG: stream ends within it (at byte 21)' whole || {
        cat whole
        return 1
    }
}

# Input

@test "stdin is read without FILE, and if FILE is '-'" {
    given "${HEAD}text\n"
    is "$status" 0
    is "$output" "$(json text)"
    given "${HEAD}text\n" -
    is "$status" 0
    is "$output" "$(json text)"
}

@test "several FILEs are read in order, each numbered from 1" {
    printf '%sone\nbad\n' "$HEAD" >first
    printf 'bad\n%sthree\n' "$HEAD" >third
    given "\n${HEAD}two\nbad\n" first - third
    is "$status" 1
    is "$output" "$(json one && json two && json three)"
    is "$stderr" "\
shnek-parse: first:2: PRI: expected '<' (at byte 0)
shnek-parse: stdin:3: PRI: expected '<' (at byte 0)
shnek-parse: third:1: PRI: expected '<' (at byte 0)"
}

@test "a last line without LF is not joined to the next FILE" {
    printf '%sone' "$HEAD" >first
    printf '%stwo' "$HEAD" >second
    run --separate-stderr shnek-parse first second
    is "$status" 0
    is "$output" "$(json one && json two)"
}

@test "the framing of each FILE is detected separately" {
    printf '%sone\n' "$HEAD" >first
    counted "${HEAD}two" >second
    run --separate-stderr shnek-parse first second first
    is "$status" 0
    is "$output" "$(json one && json two && json one)"
}

@test "after -- a FILE may begin with a dash" {
    printf '%stext\n' "$HEAD" >-q
    run --separate-stderr shnek-parse -- -q
    is "$status" 0
    is "$output" "$(json text)"
}

@test "a missing FILE is reported, the others are read, and the status is 2" {
    printf '%sone\nbad\n' "$HEAD" >first
    printf '%stwo\n' "$HEAD" >second
    run --separate-stderr shnek-parse first absent second
    is "$status" 2
    is "$output" "$(json one && json two)"
    is "$stderr" "\
shnek-parse: first:2: PRI: expected '<' (at byte 0)
shnek-parse: absent: No such file or directory"
}

@test "a directory is reported, the other FILEs are read, and the status is 2" {
    mkdir directory
    printf '%sone\n' "$HEAD" >first
    run --separate-stderr shnek-parse directory first
    is "$status" 2
    is "$output" "$(json one)"
    is "$stderr" 'shnek-parse: directory: Is a directory'
}

@test "an unreadable FILE is reported, the others are read, and the status is 2" {
    local may=()
    printf '%sone\n' "$HEAD" >first
    : >secret
    chmod 000 secret
    if [[ -r secret ]]; then
        need setpriv
        may=(setpriv '--bounding-set=-dac_override,-dac_read_search')
        "${may[@]}" true || skip 'may read every file'
    fi
    run --separate-stderr "${may[@]}" shnek-parse secret first
    is "$status" 2
    is "$output" "$(json one)"
    is "$stderr" 'shnek-parse: secret: Permission denied'
}

@test "a FILE with a read error is reported, the others are read, and the status is 2" {
    [[ -e /proc/self/mem ]] || skip 'needs /proc'
    printf '%sone\n' "$HEAD" >first
    run --separate-stderr shnek-parse /proc/self/mem first
    is "$status" 2
    is "$output" "$(json one)"
    is "$stderr" 'shnek-parse: /proc/self/mem: Input/output error'
}

@test "a FIFO is read once a writer opens it" {
    mkfifo in
    start parse shnek-parse in
    printf '%stext\n' "$HEAD" >in
    wait_exit parse
    is "$status" 0
    is "$(<parse.out)" "$(json text)"
}

@test "a closed stdin is reported with status 2" {
    closed() { timeout 20 shnek-parse <&-; }
    run --separate-stderr closed
    is "$status" 2
    is "$output" ''
    is "$stderr" 'shnek-parse: stdin: Bad file descriptor'
}

@test "a closed stdout is reported with status 2, and its descriptor is not reused for output" {
    printf 'bad\n%stext\n' "$HEAD" >in
    closed() { timeout 20 shnek-parse --rejects=rejects in >&-; }
    run --separate-stderr closed
    is "$status" 2
    is "${stderr_lines[-1]}" 'shnek-parse: stdout: Bad file descriptor'
    is "$(without_peer rejects)" '{"source":"in","number":1,"error":"PRI: expected '"'<'"'","offset":0,"raw":"bad"}'
}

@test "with a closed stderr, its descriptor is not reused for messages" {
    printf 'bad\n%stext\n' "$HEAD" >in
    closed() { timeout 20 shnek-parse --rejects=rejects in 2>&-; }
    run --separate-stderr closed
    is "$output" "$(json text)"
    is "$status" 1
    is "$(without_peer rejects)" '{"source":"in","number":1,"error":"PRI: expected '"'<'"'","offset":0,"raw":"bad"}'
}

# Lines

@test "empty input has no output and status 0" {
    local framing
    for framing in auto newline octet; do
        given '' -F $framing
        is "$status" 0
        is "$output$stderr" ''
    done
}

@test "empty lines are skipped silently, but counted" {
    given "\n\r\n\x00\n\x00\r\n${HEAD}text\n\n\nbad\n\n" --stats=1h
    is "$status" 1
    is "$output" "$(json text)"
    is "${stderr_lines[0]}" "shnek-parse: stdin:8: PRI: expected '<' (at byte 0)"
    is "$(last_counters)" 'in 2 out 1 rejected 1 dropped 0'
}

@test "CR LF ends a line, and any other CR is data" {
    given "${HEAD}one\r\n${HEAD}a\rb\n${HEAD}two\r\r\n"
    is "$status" 0
    is "$output" "$(json one && json 'a\rb' && json 'two\r')"
}

@test "a trailing NUL is removed, and any other NUL is data" {
    given "${HEAD}one\x00\n${HEAD}two\x00\r\n${HEAD}a\x00b\n${HEAD}c\x00\x00\n${HEAD}last\x00"
    is "$status" 0
    is "$output" "$(json one && json two && json 'a\u0000b' && json 'c\u0000' && json last)"
}

@test "a last line without LF is a message" {
    given "${HEAD}one\n${HEAD}two"
    is "$status" 0
    is "$output" "$(json one && json two)"
}

# Rejected messages

@test "a rejected message is reported with its line and reason, and the status is 1" {
    given "${HEAD}one\n<192>1 - - - - - - m\n<13>1 - - - - -\n<13>1 2023-02-29T00:00:00Z - - - - - m\n<13>1 - - - - - [a b=\"c]\"] m\n${HEAD}two\n"
    is "$status" 1
    is "$output" "$(json one && json two)"
    is "$stderr" "\
shnek-parse: stdin:2: PRI: over 191 (at byte 3)
shnek-parse: stdin:3: STRUCTURED-DATA: message ends here (at byte 15)
shnek-parse: stdin:4: TIMESTAMP: no such day (at byte 15)
shnek-parse: stdin:5: PARAM-VALUE: ']' is not escaped (at byte 23)"
}

@test "ten rejected messages per second are reported, then the number of others" {
    local printed held
    run --separate-stderr shnek-parse < <(yes bad | head -n 10000)
    is "$status" 1
    is "${stderr_lines[0]}" "shnek-parse: stdin:1: PRI: expected '<' (at byte 0)"
    is "${stderr_lines[9]}" "shnek-parse: stdin:10: PRI: expected '<' (at byte 0)"
    [[ ${stderr_lines[-1]} =~ ^'shnek-parse: '[0-9]+' similar '(line|lines)' suppressed'$ ]]
    printed=$(grep -c 'expected' <<<"$stderr")
    held=$(sed -n 's/.*: \([0-9]*\) similar lines\? suppressed$/\1/p' <<<"$stderr" | paste -sd+)
    is "$((printed + held))" 10000
    is "$((printed % 10))" 0
    ((printed <= 100))
}

@test "the number of unreported messages is printed while the input is idle" {
    mkfifo in
    start parse shnek-parse in
    feed in
    yes bad | head -n 30 >&"$feed"
    wait_until grep -q ' similar lines\? suppressed$' parse.err
    exec {feed}>&-
    wait_exit parse
    is "$status" 1
}

@test "the number of unreported messages is printed while valid messages arrive" {
    go_on() {
        printf '%stext\n' "$HEAD" >&"$feed"
        grep -q ' similar lines\? suppressed$' parse.err
    }
    mkfifo in
    start parse shnek-parse in
    feed in
    yes bad | head -n 30 >&"$feed"
    wait_until -t 4 go_on
}

@test "--quiet does not report rejected messages, but the status is 1" {
    local option
    for option in -q --quiet; do
        given "bad\n${HEAD}one\n" $option
        is "$status" 1
        is "$output" "$(json one)"
        is "$stderr" ''
    done
}

@test "--quiet still prints errors with status 2" {
    run --separate-stderr shnek-parse -q absent
    is "$status" 2
    is "$stderr" 'shnek-parse: absent: No such file or directory'
}

@test "--rejects appends rejected messages as JSON lines" {
    cat >expected <<'END'
already there
{"source":"stdin","number":2,"error":"PRI: expected '<'","offset":0,"raw":"bad \"\\\u0001\t€"}
{"source":"stdin","number":3,"error":"PRI: over 191","offset":3,"raw_base64":"PDk5OT7/"}
{"source":"stdin","number":4,"error":"PRI: expected '<'","offset":0,"raw_base64":"4oI="}
{"source":"stdin","number":5,"error":"PRI: expected '<'","offset":0,"raw_base64":"/w=="}
{"source":"stdin","number":6,"error":"SYSLOG-MSG: longer than --max-size","offset":64,"raw":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
{"source":"stdin","number":7,"error":"VERSION: message ends here","offset":3,"raw":"<1>"}
END
    echo 'already there' >rejects
    given "${HEAD}one\nbad \"\\\\\x01\t€\n<999>\xff\n\xe2\x82\n\xff\n$(repeat x 70)\n<1>" \
        --max-size=64 --rejects=rejects
    is "$status" 1
    is "$output" "$(json one)"
    diff <(without_peer rejects) expected
}

@test "--rejects contains the number of a truncated or broken frame of octet counting" {
    cat >expected <<'END'
{"source":"stdin","number":2,"error":"MSG-LEN: begins with 0","offset":23,"raw":""}
{"source":"stdin","number":2,"error":"SYSLOG-MSG: stream ends within it","offset":8,"raw":"<13>1 - "}
END
    given "20 ${HEAD}ok0 " --rejects=rejects
    is "$status" 1
    given "20 ${HEAD}ok20 <13>1 - " --rejects=rejects
    is "$status" 1
    diff <(without_peer rejects) expected
}

@test "--rejects writes to a process substitution" {
    echo '{"source":"stdin","number":1,"error":"PRI: expected '"'<'"'","offset":0,"raw":"bad"}' >expected
    shnek-parse --rejects=>(cat >got) < <(printf 'bad\n%sone\n' "$HEAD") >out 2>err || status=$?
    is "$status" 1
    is "$(<out)" "$(json one)"
    wait_until test -s got
    is "$(without_peer got)" "$(<expected)"
}

@test "--rejects is flushed while the input is idle" {
    mkfifo in
    start parse shnek-parse --rejects=rejects in
    feed in
    echo bad >&"$feed"
    wait_until grep -q '"raw":"bad",' rejects
}

@test "--rejects=- is a usage error" {
    given "${HEAD}one\nbad\n" --rejects=-
    is "$status" 2
    is "$output" ''
    [[ ${stderr_lines[0]} == 'shnek-parse: --rejects: '* ]]
    is "${stderr_lines[1]}" "shnek-parse: try 'shnek-parse --help'"
}

@test "--rejects to a path that cannot be opened is reported before input is read" {
    mkdir directory
    given "${HEAD}one\n" --rejects=absent/rejects
    is "$status" 2
    is "$output" ''
    is "$stderr" 'shnek-parse: --rejects: absent/rejects: No such file or directory'
    given "${HEAD}one\n" --rejects=directory
    is "$status" 2
    is "$output" ''
    is "$stderr" 'shnek-parse: --rejects: directory: Is a directory'
}

@test "--rejects to a full device is reported with status 2" {
    given "bad\n" --rejects=/dev/full -q
    is "$status" 2
    is "$stderr" 'shnek-parse: /dev/full: No space left on device; retrying every second
shnek-parse: /dev/full: 1 rejected message not written'
}

# Formats

# record TIMESTAMP: the record of "<38>TIME web1 sshd[22]: hi"
record() {
    printf '{"severity":"info","facility":"auth","version":null,"timestamp":"%s",' "$1"
    printf '"hostname":"web1","appname":"sshd","procid":22,"msgid":null,"sd":{},"msg":"hi"}\n'
}

@test "by default, and with --format=rfc5424, only valid RFC 5424 is accepted" {
    local option
    for option in --raw --format=rfc5424 '-f rfc5424'; do
        # shellcheck disable=SC2086
        given "<38>Nov 22 17:00:00 web1 sshd[22]: hi\n<13>1 2026-11-22t17:00:00Z - - - - -\ntext\n" $option
        is "$status" 1
        is "$output" ''
        is "$stderr" "\
shnek-parse: stdin:1: VERSION: must be 1 (at byte 4) (this looks like RFC 3164; -f auto reads it)
shnek-parse: stdin:2: TIMESTAMP: expected 'T' (at byte 16)
shnek-parse: stdin:3: PRI: expected '<' (at byte 0)"
    done
}

@test "-f auto accepts RFC 5424 with common defects, RFC 3164, and any other line" {
    given "${HEAD}one\n<13>1 2026-11-22t17:00:00.1234567Z - - - - two\n<38>2026-11-22 17:00:00 web1 sshd[22]: hi\ntext\n" \
        -f auto --tz=+09:00
    is "$status" 0
    is "$stderr" ''
    is "${lines[0]}" "$(json one)"
    is "${lines[1]}" '{"severity":"notice","facility":"user","version":1,"timestamp":"2026-11-22T17:00:00.1234567Z","hostname":null,"appname":null,"procid":null,"msgid":null,"sd":{},"msg":"two"}'
    is "${lines[2]}" "$(record 2026-11-22T17:00:00+09:00)"
    is "${lines[3]}" '{"severity":"notice","facility":"user","version":null,"timestamp":null,"hostname":null,"appname":null,"procid":null,"msgid":null,"sd":{},"msg":"text"}'
}

@test "-f rfc3164 does not detect RFC 5424" {
    given "${HEAD}one\n<38>2026-11-22T17:00:00Z web1 sshd[22]: hi\n" --format=rfc3164
    is "$status" 0
    is "${lines[0]}" '{"severity":"notice","facility":"user","version":null,"timestamp":null,"hostname":null,"appname":null,"procid":null,"msgid":null,"sd":{},"msg":"1 - - - - - - one"}'
    is "${lines[1]}" "$(record 2026-11-22T17:00:00Z)"
}

@test "-f auto and -f rfc3164 reject only empty and too long messages" {
    local format
    for format in auto rfc3164; do
        given "<13>\n<13> \n \t\n<999>\n$(repeat x 70)\n<13>1\n" -f $format --max-size=64
        is "$status" 1
        is "${#lines[@]}" 2
        is "$stderr" "\
shnek-parse: stdin:1: MSG: is empty (at byte 4)
shnek-parse: stdin:2: MSG: is empty (at byte 5)
shnek-parse: stdin:3: MSG: is empty (at byte 2)
shnek-parse: stdin:5: SYSLOG-MSG: longer than --max-size (at byte 64)"
    done
}

@test "a time without a year is in the nearest year, in the time zone of --tz" {
    local day
    for day in '-1 day' '+1 day' '-150 days' '+150 days'; do
        day=$(TZ=UTC date -d "$day" '+%Y-%m-%d')
        given "<38>$(LC_ALL=C date -d "$day" '+%b %e') 12:34:56 web1 sshd[22]: hi\n" -f auto --tz=utc
        [[ $day == *-02-29 ]] || is "$output" "$(record "${day}T12:34:56Z")"
    done
}

@test "--tz is the time zone of times without one, local by default" {
    local input='<38>2026-07-22 17:00:00 web1 sshd[22]: hi\n' zone
    for zone in utc UTC +00:00; do
        given "$input" -f auto --tz=$zone
        is "$output" "$(record 2026-07-22T17:00:00Z)"
    done
    given "$input" -f auto --tz=-03:30
    is "$output" "$(record 2026-07-22T17:00:00-03:30)"
    given "$input" -f auto --tz=local
    is "$output" "$(record "$(date -d '2026-07-22 17:00:00' +%FT%T%:z | sed 's/+00:00$/Z/')")"
    TZ=CET-1CEST,M3.5.0,M10.5.0/3 given "$input" -f auto
    is "$output" "$(record 2026-07-22T17:00:00+02:00)"
    given '<38>2026-07-22 17:00:00 UTC web1 sshd[22]: hi\n' -f auto --tz=+09:00
    is "$output" "$(record 2026-07-22T17:00:00Z)"
}

@test "--tz accepts a name of the time zone database" {
    [[ -f /usr/share/zoneinfo/America/St_Johns ]] || skip 'needs /usr/share/zoneinfo'
    TZ=UTC given '<38>2026-07-22 17:00:00 web1 sshd[22]: hi\n<38>2026-01-22 17:00:00 web1 sshd[22]: hi\n' \
        -f auto --tz=America/St_Johns
    is "$output" "$(record 2026-07-22T17:00:00-02:30 && record 2026-01-22T17:00:00-03:30)"
}

@test "--host sets whether a word after the time is the host name" {
    local time='<38>2026-11-22T17:00:00Z' field='"hostname"'
    given "$time web1 is up\n$time web is up\n$time web INFO: up\n$time sshd[22]: hi\n" -f auto
    is "$(grep -o "$field:[^,]*" <<<"$output" | xargs)" 'hostname:web1 hostname:null hostname:null hostname:null'
    given "$time web1 is up\n$time web is up\n$time web INFO: up\n$time sshd[22]: hi\n" -f auto --host=always
    is "$(grep -o "$field:[^,]*" <<<"$output" | xargs)" 'hostname:web1 hostname:web hostname:web hostname:null'
    [[ ${lines[1]} == *'"msg":"is up"}' && ${lines[3]} == *'"appname":"sshd","procid":22,'* ]]
    given "$time web1 is up\n$time web su: no\n$time sshd[22]: hi\n" -f rfc3164 --host=never
    is "$(grep -o "$field:[^,]*" <<<"$output" | xargs)" 'hostname:null hostname:null hostname:null'
    [[ ${lines[1]} == *'"msg":"web su: no"}' && ${lines[2]} == *'"appname":"sshd","procid":22,'* ]]
    given "$time web is up\n$time web su: no\n" -f auto --host=rule
    is "$(grep -o "$field:[^,]*" <<<"$output" | xargs)" 'hostname:null hostname:web'
}

@test "a length before the PRI of a line is removed if it is right" {
    given '<38>su: one\n11 <38>su: two\n12 <38>su: two\n13 <38>su: two\n' -f auto -F newline
    is "$status" 0
    is "$(grep -o '"msg":.*' <<<"$output" | tr -d '"}' | xargs)" 'msg:one msg:two msg:two msg:13 <38>su: two'
    given '11 <38>su: two\n' -F newline
    is "$status" 1
    is "$stderr" "shnek-parse: stdin:1: PRI: expected '<' (at byte 0)"
}

@test "-f auto converts each line of random bytes to a valid record" {
    need jq iconv
    head -c 1M /dev/urandom | LC_ALL=C tr -d '\0\r' | LC_ALL=C sed -E '
        1~5s/^/<13>/; 2~5s/^/<13>Nov 22 17:00:00 /; 3~5s/^/<13>Nov 22 17:00:00 host app[1]: /
        4~5s/^/<13>1 2026-11-22T17:00:00Z /; 5~5s/^/<13>1 2026-11-22T17:00:00Z host app 1 id [a b="/' >in
    shnek-parse -F newline -f auto --max-size=1M in >out 2>err || is "$?" 1
    iconv -f UTF-8 -t UTF-8 out >/dev/null
    jq -es length out
    is "$(($(wc -l <out) + $(grep -c 'MSG: is empty' err || true)))" "$(grep -ac . in)"
}

@test "--raw adds the original RFC 3164 message" {
    given '<38>2026-11-22T17:00:00Z web1 sshd[22]: hi\n' -f auto --raw
    [[ $output == *'"msg":"hi","raw":"<38>2026-11-22T17:00:00Z web1 sshd[22]: hi"}' ]]
}

# Multi-line messages

@test "--multiline joins lines without a PRI to the message before them" {
    given "${HEAD}one\n  at x\n\n  at y\r\n\n${HEAD}two\n${HEAD}six\nlast" --multiline
    is "$status" 0
    is "$output" "$(json 'one\n  at x\n\n  at y' && json two && json 'six\nlast')"
    given "first\n${HEAD}one\n" --multiline
    is "$status" 1
    is "$output" "$(json one)"
    is "$stderr" "shnek-parse: stdin:1: PRI: expected '<' (at byte 0)"
    given "${HEAD}one\n x\nbad" --multiline -f auto --raw
    [[ $output == *'"msg":"one\n x\nbad","raw":"<13>1 - - - - - - one\n x\nbad"}' ]]
}

@test "--multiline begins a message at a TIMESTAMP if none begins with a PRI" {
    local time='Nov 22 17:00:00'
    given "$time h a: one\n  at x\n2026-11-22T17:00:00Z h a: two\n" --multiline -f auto
    is "$(jq -c .msg <<<"$output")" $'"one\\n  at x"\n"two"'
    given "$time h a: one\n<13>a: two\n$time x\n<13>a: six\n" --multiline -f rfc3164
    is "$(jq -c .msg <<<"$output")" $'"one"\n"two\\n'"$time"$' x"\n"six"'
    given "$time h a: one\nNov 31 17:00:00 no\n $time no\n" --multiline -f auto
    is "${#lines[@]}" 1
    given "$time one\n$time two\n" --multiline
    is "$status" 1
    is "$(grep -c PRI <<<"$stderr")" 1
}

@test "--multiline writes a message immediately if a NUL before a PRI ends it" {
    mkfifo in
    start parse shnek-parse --multiline in
    feed in
    printf '%sone\n x\0%stwo\0' "$HEAD" "$HEAD" >&"$feed"
    wait_until lines_are parse.out 2
    exec {feed}>&-
    wait_exit parse
    is "$(<parse.out)" "$(json 'one\n x' && json two)"
}

@test "--multiline has no effect with octet counting" {
    given "21 ${HEAD}one4 text21 ${HEAD}two" --multiline
    is "$status" 1
    is "$output" "$(json one && json two)"
}

@test "--multiline passes on a held message when the input is idle" {
    mkfifo in
    start parse shnek-parse --multiline --meta in
    feed in
    printf '%sone\n' "$HEAD" >&"$feed"
    printf ' x\n' >&"$feed"
    wait_until -t 5 lines_are parse.out 1
    [[ $(<parse.out) == *'"msg":"one\n x","peer":"in","transport":"file","received":"2'* ]]
    printf '%stwo\n%ssix\n' "$HEAD" "$HEAD" >&"$feed"
    wait_until -t 5 lines_are parse.out 3
    exec {feed}>&-
    wait_exit parse
    is "$status" 0
}

# slow_lines: sends a message in lines over half a second, each after the one before it was read.
# Fails if a line was so late that shnek-parse may have passed on the message (after 200 ms).
slow_lines() {
    local start=${EPOCHREALTIME/[.,]/} last=${EPOCHREALTIME/[.,]/} now number=0
    sent=${HEAD}one$'\n' expected=one
    start parse shnek-parse --multiline in
    feed in
    printf %s "$sent" >&"$feed"
    while ((${EPOCHREALTIME/[.,]/} - start < 500000)); do
        wait_until counts parse "bytes ${#sent}"
        now=${EPOCHREALTIME/[.,]/}
        ((now - last < 150000)) || return 1
        last=$now
        echo "$((++number))" >&"$feed"
        sent+=$number$'\n'
        expected+="\\n$number"
    done
}

@test "--multiline waits again after each line that arrives slowly" {
    local sent expected
    mkfifo in
    until slow_lines; do
        # A busy machine: try again.
        exec {feed}>&-
        wait_exit parse
    done
    exec {feed}>&-
    wait_exit parse
    is "$status" 0
    is "$(<parse.out)" "$(json "$expected")"
}

@test "--multiline passes on a held message on SIGTERM" {
    mkfifo in
    start parse shnek-parse --multiline in
    feed in
    printf '%sone\n x\n' "$HEAD" >&"$feed"
    kill -TERM "$parse_pid"
    wait_exit parse
    is "$status" 0
    is "$(<parse.out)" "$(json 'one\n x')"
}

@test "--multiline rejects or truncates a joined message over --max-size" {
    given "${HEAD}$(repeat x 40)\n$(repeat y 30)\nz\n${HEAD}two\n" --multiline --max-size=64
    is "$status" 1
    is "$output" "$(json two)"
    is "$stderr" 'shnek-parse: stdin:1: SYSLOG-MSG: longer than --max-size (at byte 64)'
    given "${HEAD}$(repeat x 40)\n$(repeat y 30)\nz\n${HEAD}two\n" --multiline --max-size=64 --oversize=truncate
    is "$status" 0
    is "$output" "$(json "$(repeat x 40)\\nyyyyy" && json two)"
}

# Additional keys

@test "--meta adds the peer and the time, and --raw the original message, after msg" {
    local before after stamp='"received":"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)"'
    before=$(date -u +%FT%T.%6NZ)
    given "${HEAD}one\r\n" --raw --meta
    after=$(date -u +%FT%T.%6NZ)
    is "$status" 0
    [[ $output =~ '"msg":"one","peer":"stdin","transport":"stdin",'$stamp',"raw":"'"$HEAD"'one"}'$ ]]
    [[ ! $before > ${BASH_REMATCH[1]} && ! ${BASH_REMATCH[1]} > $after ]]
    printf '%s\xef\xbb\xbf\xff"\n' "$HEAD" >in
    run --separate-stderr shnek-parse --meta in
    [[ $output =~ '"msg":"�\"","peer":"in","transport":"file",'$stamp}$ ]]
    run --separate-stderr shnek-parse --raw in
    is "$(jq -r .raw_base64 <<<"$output" | base64 -d | od -c)" "$(head -c -1 in | od -c)"
    is "$(jq -c '[.msg, .raw]' <<<"$output")" '["�\"",null]'
}

@test "the first rejected message of a source that looks like RFC 3164 is reported with a hint" {
    local hint=' (this looks like RFC 3164; -f auto reads it)'
    printf '%s\n' bad '<13>1 bad - - - - - x' '{"a":1}' '<13>Nov 22 17:00:00 web su: hi' \
        '<13>Nov 22 17:00:01 web su: hi' >one
    printf '%s\n' 'Nov 22 17:00:00 web su: hi' '<13>su: hi' >two
    run --separate-stderr shnek-parse --rejects=rejects one two
    is "$status" 1
    is "$stderr" "\
shnek-parse: one:1: PRI: expected '<' (at byte 0)
shnek-parse: one:2: TIMESTAMP: expected a digit (at byte 6)
shnek-parse: one:3: PRI: expected '<' (at byte 0)
shnek-parse: one:4: VERSION: must be 1 (at byte 4)$hint
shnek-parse: one:5: VERSION: must be 1 (at byte 4)
shnek-parse: two:1: PRI: expected '<' (at byte 0)$hint
shnek-parse: two:2: VERSION: must be 1 (at byte 4)"
    [[ $(<rejects) != *'looks like'* ]]
    run --separate-stderr shnek-parse --jobs=2 one two one
    is "$(grep -c 'looks like RFC 3164' <<<"$stderr")" 2
    given '<13>\n<999>a: b\n' -f rfc3164
    [[ $stderr != *'looks like'* ]]
    given '<13>\n<13> \n<1'
    [[ $stderr != *'looks like'* ]]
}

# Character sets

@test "--charset converts messages that are not UTF-8, and --raw keeps their bytes" {
    given "${HEAD}gr\\xf6\\xdfe \\x80\\n${HEAD}größe\\n${HEAD}plain\\n" --charset=windows-1252
    is "$status" 0
    is "$output" "$(json 'größe €' && json größe && json plain)"
    given "<13>b\\xfcro: gr\\xfc\\xdfe\\n" --charset=ISO-8859-15 -f auto --raw
    is "$(jq -c '[.appname, .msg, .raw, (.raw_base64 | @base64d | length)]' <<<"$output")" '["büro","grüße",null,15]'
    given "${HEAD}\\xc4\\xe3\\xba\\xc3\\n" --charset=gb18030 --jobs=2
    is "$output" "$(json 你好)"
    # The last character may combine with the next one.
    given "${HEAD}\\x88\\x66\\n" --charset=big5-hkscs
    is "$output" "$(json Ê)"
    given "$HEAD$(repeat '\xe9' 5000)\\n" --charset=latin1
    is "$output" "$(json "$(repeat é 5000)")"
}

@test "a message that --charset cannot convert stays as it is" {
    given "${HEAD}a\\x81b\\n${HEAD}c\\n" --charset=windows-1252
    is "$status" 0
    is "$output" "$(json a�b && json c)"
    given "${HEAD}\\xc4\\n" --charset=gb18030
    is "$output" "$(json �)"
    given "${HEAD}\\xc4\\n" --charset=utf-8
    is "$output" "$(json �)"
}

@test "--charset does not change the offset and the bytes of a rejected message" {
    given '<13>1 - - a\xe9\xe9b - - - x\n' --charset=latin1 --rejects=rejects
    is "$status" 1
    is "$(jq -c '[.number, .offset, .raw_base64]' rejects)" \
        "[1,11,\"$(printf '<13>1 - - a\xe9\xe9b - - - x' | base64 -w0)\"]"
    given '<13>1 - h a - - [a b="\xe9\xe9" x\n' --charset=latin1 --rejects=rejects
    is "$(jq .offset rejects | tail -n 1)" 27
}

@test "--charset refuses what is not a superset of US-ASCII" {
    local name
    for name in klingon '' utf-16 ebcdic-us; do
        given '' --charset="$name"
        is "$status" 2
        [[ ${stderr_lines[0]} == "shnek-parse: --charset: '$name' "*windows-1252* ]]
    done
    given '' --charset=shift_jis
    is "$status" 0
}

# --max-size

@test "--max-size accepts a message of that size and rejects a longer one, in any framing" {
    local i x end size ends=('\n' '\r\n' '\x00\n' '\x00\r\n') tails=('' '\n' '\r\n' '\x00')
    x=$(repeat x 47)
    for i in 0 1 2 3; do
        end=${ends[i]}
        given "$HEAD${x:2}$end$HEAD${x:1}$end$HEAD$x$end${HEAD}next$end" --max-size=64
        is "$status" 1
        is "$output" "$(json "${x:2}" && json "${x:1}" && json next)"
        is "$stderr" 'shnek-parse: stdin:3: SYSLOG-MSG: longer than --max-size (at byte 64)'
        end=${tails[i]}
        size=$(printf %b "$end" | wc -c)
        given "$((63 + size)) $HEAD${x:2}$end$((64 + size)) $HEAD${x:1}$end$((65 + size)) $HEAD$x${end}22 ${HEAD}next" --max-size=64
        is "$status" 1
        is "$output" "$(json "${x:2}" && json "${x:1}" && json next)"
        is "$stderr" 'shnek-parse: stdin:3: SYSLOG-MSG: longer than --max-size (at byte 64)'
    done
}

@test "--max-size counts all bytes of a message that arrives in many reads" {
    local max=150000 size
    for size in -1 +0 +1; do
        printf '%s%s\r\n' "$HEAD" "$(repeat x $((max - 18 + size)))" >>newline
        printf '%d %s%s\r\n' $((max + size + 2)) "$HEAD" "$(repeat x $((max - 18 + size)))" >>octet
    done
    { json "$(repeat x $((max - 19)))" && json "$(repeat x $((max - 18)))" && json next; } >expected
    echo "${HEAD}next" >>newline
    counted "${HEAD}next" >>octet
    for file in newline octet; do
        to_files shnek-parse --max-size=$max $file
        is "$status" 1
        cmp out expected
        is "$(<err)" "shnek-parse: $file:3: SYSLOG-MSG: longer than --max-size (at byte $max)"
    done
}

@test "--oversize=truncate truncates only longer messages" {
    local x
    x=$(repeat x 47)
    given "$HEAD${x:2}\n$HEAD${x:1}\n$HEAD$x\n$HEAD$x$x$x$x\r\n${HEAD}next\n" --max-size=64 --oversize=truncate
    is "$status" 0
    is "$output" "$(json "${x:2}" && json "${x:1}" && json "${x:1}" && json "${x:1}" && json next)"
    is "$stderr" ''
    given "63 $HEAD${x:2}64 $HEAD${x:1}65 $HEAD${x}206 $HEAD$x$x$x${x}22 ${HEAD}next" --max-size=64 --oversize=truncate
    is "$status" 0
    is "$output" "$(json "${x:2}" && json "${x:1}" && json "${x:1}" && json "${x:1}" && json next)"
    is "$stderr" ''
}

@test "--oversize=truncate does not split a character" {
    local max c bytes space
    for max in 64 150000; do
        rm -f newline octet expected
        for c in é € 😀; do
            bytes=$(printf %s "$c" | wc -c)
            # The limit is after, in, and before the last character.
            for space in 5 4 3 2 1 0; do
                x=$(repeat x $((max - 18 - space)))
                printf '%s%s%szzzzzz\n' "$HEAD" "$x" "$c" >>newline
                printf '%d %s%s%szzzzzz' $((max - space + bytes + 6)) "$HEAD" "$x" "$c" >>octet
                if ((bytes > space)); then
                    json "$x"
                else
                    json "$x$c$(repeat z $((space - bytes)))"
                fi >>expected
            done
        done
        for file in newline octet; do
            to_files shnek-parse --max-size=$max --oversize=truncate $file
            is "$status" 0
            cmp out expected
            shnek-parse --max-size=$max --oversize=truncate < <(cat $file) | cmp - expected
        done
    done
}

@test "--oversize=truncate rejects a message that is invalid after truncation" {
    given "<13>1 - - - - - [a b=\"$(repeat x 100)\"] m\n${HEAD}next\n" --max-size=64 --oversize=truncate
    is "$status" 1
    is "$output" "$(json next)"
    is "$stderr" 'shnek-parse: stdin:1: PARAM-VALUE: message ends here (at byte 64)'
}

@test "the rest of a message that is too long never becomes a message" {
    { repeat "${HEAD}tail " 20000 && echo && echo "${HEAD}next"; } >newline
    { printf '480018 %s' "$HEAD" && yes "20 ${HEAD}ok" | head -c 480000 && counted "${HEAD}next"; } >octet
    for file in newline octet; do
        run --separate-stderr shnek-parse --stats=1h $file
        is "$status" 1
        is "$output" "$(json next)"
        is "${stderr_lines[0]}" "shnek-parse: $file:1: SYSLOG-MSG: longer than --max-size (at byte 65536)"
        is "$(last_counters)" 'in 2 out 1 rejected 1 dropped 0'
        run --separate-stderr shnek-parse --stats=1h --oversize=truncate $file
        is "$status" 0
        is "${#lines[@]}" 2
        is "${lines[1]}" "$(json next)"
        is "$(last_counters)" 'in 2 out 2 rejected 0 dropped 0'
    done
}

@test "a message of 100 MB is skipped in constant memory" {
    local bytes=100000000 framing
    mkfifo in
    for framing in newline octet; do
        start parse shnek-parse -F $framing in
        feed in
        [[ $framing == newline ]] || printf '%d ' $bytes >&"$feed"
        head -c $bytes /dev/zero | tr '\0' x >&"$feed"
        if [[ $framing == newline ]]; then
            printf '\n%snext\n' "$HEAD" >&"$feed"
        else
            counted "${HEAD}next" >&"$feed"
        fi
        wait_until lines_are parse.out 1
        [[ ${SANITIZE-} ]] || (($(rss_peak_kib "$parse_pid") < 8192))
        exec {feed}>&-
        wait_exit parse
        is "$status" 1
        is "$(<parse.out)" "$(json next)"
        is "$(<parse.err)" 'shnek-parse: in:1: SYSLOG-MSG: longer than --max-size (at byte 65536)'
    done
}

# Framing

@test "digits, SP and '<' at the start of a stream select octet counting" {
    given "21 ${HEAD}one21 ${HEAD}two"
    is "$status" 0
    is "$output" "$(json one && json two)"
    given "9999999999 ${HEAD}one"
    is "$status" 1
    is "$stderr" 'shnek-parse: stdin:1: SYSLOG-MSG: stream ends within it (at byte 21)'
}

@test "any other start selects newline framing" {
    local first
    for first in 12345 '12 x' '12 ' '12' '021 <13>' '0 <13>' '12345678901 <13>' '21  <13>' '21<13>' ' 21 <13>' x; do
        given "$first\n${HEAD}text\n"
        is "$status" 1
        is "$output" "$(json text)"
        is "$stderr" "shnek-parse: stdin:1: PRI: expected '<' (at byte 0)"
    done
    given "\n21 ${HEAD}one\n${HEAD}text\n"
    is "$status" 1
    is "$output" "$(json text)"
    given '123'
    is "$status" 1
    is "$stderr" "shnek-parse: stdin:1: PRI: expected '<' (at byte 0)"
}

@test "the detected framing is used for the whole stream" {
    given "${HEAD}one\n21 ${HEAD}two\n${HEAD}six\n"
    is "$status" 1
    is "$output" "$(json one && json six)"
    is "$stderr" "shnek-parse: stdin:2: PRI: expected '<' (at byte 0)"
    given "21 ${HEAD}one\n${HEAD}two\n"
    is "$status" 1
    is "$output" "$(json one)"
    is "$stderr" 'shnek-parse: stdin:2: MSG-LEN: expected a digit (at byte 25)'
}

@test "--framing disables detection" {
    given "21 ${HEAD}one\n${HEAD}two\n" --framing=newline
    is "$status" 1
    is "$output" "$(json two)"
    given "${HEAD}one\n" -F octet
    is "$status" 1
    is "$output" ''
    is "$stderr" 'shnek-parse: stdin:1: MSG-LEN: expected a digit (at byte 0)'
}

@test "LF and NUL inside a counted message are data" {
    given "24 ${HEAD}a\nb\x00c\r23 ${HEAD}\n${HEAD::4}"
    is "$status" 0
    is "$output" "$(json 'a\nb\u0000c\r' && json '\n<13>')"
}

@test "LF and CR LF between frames are skipped" {
    given "21 ${HEAD}one\n\n21 ${HEAD}two\r\n\n\r\n21 ${HEAD}six\r\n" --stats=1h
    is "$status" 0
    is "$output" "$(json one && json two && json six)"
    is "$(last_counters)" 'in 3 out 3 rejected 0 dropped 0'
}

@test "one LF, CR LF or NUL at the end of a counted message is removed" {
    given "20 ${HEAD}a\n21 ${HEAD}b\r\n20 ${HEAD}c\x0021 ${HEAD}d\n\n21 ${HEAD}e\x00\x0020 ${HEAD}f\r"
    is "$status" 0
    is "$output" "$(json a && json b && json c && json 'd\n' && json 'e\u0000' && json 'f\r')"
}

@test "a malformed MSG-LEN is reported once, with its byte offset, and ends the stream" {
    local ok="20 ${HEAD}ok" broken reason offset
    while IFS='|' read -r broken reason offset; do
        given "$ok$broken$ok" -F octet --stats=1h
        is "$status" 1
        is "$output" "$(json ok)"
        is "${stderr_lines[0]}" "shnek-parse: stdin:2: MSG-LEN: $reason (at byte $offset)"
        is "$(last_counters)" 'in 2 out 1 rejected 1 dropped 0'
        is "${#stderr_lines[@]}" 2
    done <<'END'
0 |begins with 0|23
020 |begins with 0|23
x|expected a digit|23
 |expected a digit|23
-1 |expected a digit|23
\r|expected LF|24
2x|expected a digit or SP|24
2\n|expected a digit or SP|24
12345678901 |more than 10 digits|33
END
}

@test "the next FILE is read after a malformed MSG-LEN" {
    printf '20 %sok7' "$HEAD" >first
    printf '20 %sok5<' "$HEAD" >second
    counted "${HEAD}ok" >third
    run --separate-stderr shnek-parse first second third
    is "$status" 1
    is "$output" "$(json ok && json ok && json ok)"
    is "$stderr" "\
shnek-parse: first:2: MSG-LEN: stream ends within it (at byte 24)
shnek-parse: second:2: MSG-LEN: expected a digit or SP (at byte 24)"
}

@test "a truncated counted frame is reported and not passed on" {
    local ok="20 ${HEAD}ok"
    given "$ok${ok%k}"
    is "$status" 1
    is "$output" "$(json ok)"
    is "$stderr" 'shnek-parse: stdin:2: SYSLOG-MSG: stream ends within it (at byte 19)'
    given "${ok}20 "
    is "$status" 1
    is "$output" "$(json ok)"
    is "$stderr" 'shnek-parse: stdin:2: SYSLOG-MSG: stream ends within it (at byte 0)'
    given '20' -F octet
    is "$status" 1
    is "$stderr" 'shnek-parse: stdin:1: MSG-LEN: stream ends within it (at byte 2)'
}

@test "octet counting is only detected by MSG-LEN, SP and a PRI" {
    given '404 <html>\n<13>a: two\n' -f auto --raw
    is "$status" 0
    is "$(jq -r .raw <<<"$output")" $'404 <html>\n<13>a: two'
    given '8 <13 no\n22 <1234>x\n' -f auto --raw
    is "$(jq -r .raw <<<"$output")" $'8 <13 no\n22 <1234>x'
    given '12 <191' -f auto --raw
    is "$(jq -r .raw <<<"$output")" '12 <191'
    given "21 ${HEAD}one21 ${HEAD}two"
    is "$output" "$(json one && json two)"
}

@test "nothing is written while it is not known whether a stream is counted" {
    mkfifo in
    start parse shnek-parse -f auto --raw in
    feed in
    printf '6 <13' >&"$feed"
    wait_until counts parse 'bytes 5'
    is "$(<parse.out)" ''
    printf '>ab6 <13>cd' >&"$feed"
    wait_until lines_are parse.out 2
    is "$(jq -r .raw parse.out)" $'<13>ab\n<13>cd'
}

@test "NUL between counted frames is skipped" {
    given "21 ${HEAD}one\\x00\\x0021 ${HEAD}two\\x00\\n21 ${HEAD}six\\x00" --stats=1h
    is "$status" 0
    is "$output" "$(json one && json two && json six)"
    is "$(last_counters)" 'in 3 out 3 rejected 0 dropped 0'
}

# Messages that end with NUL

@test "a NUL before a PRI ends a message in the newline framing of auto" {
    local framing
    given "${HEAD}one\\x00${HEAD}two\\n${HEAD}six\\x00bad\\x00${HEAD}ten\\x00"
    is "$status" 0
    is "$output" "$(json one && json two && json 'six\u0000bad' && json ten)"
    given "bad\\x00${HEAD}two\\x00<1>bad\\x00" --rejects=rejects
    is "$status" 1
    is "$(jq -c '[.number, .raw, .offset]' rejects)" $'[1,"bad",0]\n[3,"<1>bad",3]'
    for framing in newline octet; do
        given "${HEAD}one\\x00${HEAD}two\\n" -F $framing
        [[ $output != *'"one"'* ]]
    done
}

@test "a NUL-terminated message is written when the PRI of the next one has arrived" {
    mkfifo in
    start parse shnek-parse in
    feed in
    printf '%sone\0<13' "$HEAD" >&"$feed"
    wait_until counts parse 'bytes 25'
    is "$(<parse.out)" ''
    printf '>' >&"$feed"
    wait_until lines_are parse.out 1
    is "$(<parse.out)" "$(json one)"
    printf '1 - - - - - - two\0' >&"$feed"
    wait_until lines_are parse.out 2
    exec {feed}>&-
    wait_exit parse
    is "$status" 0
    is "$(<parse.out)" "$(json one && json two)"
}

@test "a NUL-terminated message without a successor is complete on SIGTERM" {
    mkfifo in
    start parse shnek-parse in
    feed in
    printf '%sone\0' "$HEAD" >&"$feed"
    kill -TERM "$parse_pid"
    wait_exit parse
    is "$status" 0
    is "$(<parse.out)" "$(json one)"
}

@test "-F nul splits at NUL only" {
    given "${HEAD}a\\nb\\x00${HEAD}c\\r\\n\\x00\\x00${HEAD}d<13>\\x00bad\\x00${HEAD}last" -F nul
    is "$status" 1
    is "$output" "$(json 'a\nb' && json c && json 'd<13>' && json last)"
    is "$stderr" "shnek-parse: stdin:5: PRI: expected '<' (at byte 0)"
    given "${HEAD}a\\n b\\x00 c\\x00" -F nul --multiline -f auto
    is "$(jq -c .msg <<<"$output")" $'"a\\n b"\n" c"'
}

@test "a MSG-LEN that is the length of its line is removed from it" {
    given "<13>first\\n9 <13>a: bc\\n10 <13>a: de\\n8 <13>a: fg\\n11 <13>a: hi\\n09 <13>a: jk\\n" -f auto
    is "$status" 0
    is "$(jq -c '[.appname, .msg]' <<<"$output")" '[null,"first"]
["a","bc"]
["a","de"]
[null,"8 <13>a: fg"]
[null,"11 <13>a: hi"]
[null,"09 <13>a: jk"]'
    given "<13>first\\n21 ${HEAD}one\\n" -f auto --raw
    is "$(jq -c '[.version, .msg, .raw]' <<<"${lines[1]}")" "[1,\"one\",\"21 ${HEAD}one\"]"
    given "<13>first\\n5 <13> \\n" -f rfc3164 --rejects=rejects
    is "$status" 1
    is "$(jq -c '[.number, .raw, .offset]' rejects)" '[2,"5 <13> ",7]'
    given "${HEAD}one\\n21 ${HEAD}two\\n"
    is "$status" 1
    is "$output" "$(json one)"
}

# Output

@test "a record is written as soon as the input is idle" {
    mkfifo in
    start parse sh -c 'exec shnek-parse <in'
    feed in
    printf '%sone\n%st' "$HEAD" "$HEAD" >&"$feed"
    wait_until lines_are parse.out 1
    is "$(<parse.out)" "$(json one)"
    printf 'wo\n' >&"$feed"
    wait_until lines_are parse.out 2
    exec {feed}>&-
    wait_exit parse
    is "$status" 0
    is "$(<parse.out)" "$(json one && json two)"
}

@test "many records are written completely and in order" {
    local n=50000
    seq $n | sed "s/^/$HEAD/" >in
    shnek-parse in | sed 's/.*"msg":"\(.*\)"}$/\1/' >out
    seq $n | cmp - out
}

@test "a full device at stdout is reported with status 2" {
    full() { shnek-parse in >/dev/full; }
    printf '%sone\n' "$HEAD" >in
    run --separate-stderr full
    is "$status" 2
    is "$stderr" 'shnek-parse: stdout: No space left on device'
}

@test "a full device at stdout ends it before the end of its input" {
    full() { yes "${HEAD}one" | timeout 20 shnek-parse >/dev/full; }
    run --separate-stderr full
    is "$status" 2
    is "$stderr" 'shnek-parse: stdout: No space left on device'
}

@test "a closed pipe at stdout ends it silently with status 2" {
    gone() {
        yes "${HEAD}one" | timeout 20 shnek-parse | head -n 1
        return "${PIPESTATUS[1]}"
    }
    run --separate-stderr gone
    is "$status" 2
    is "$output" "$(json one)"
    is "$stderr" ''
}

@test "it waits for a full stdout that is non-blocking" {
    local n=50000
    seq $n | sed "s/^/$HEAD/" >in
    shnek-parse in >expected
    mkfifo out
    start parse sh -c '(dd oflag=nonblock count=0 && exec shnek-parse in) </dev/null >out'
    (read -r line && echo "$line" && cat) <out >got
    wait_exit parse
    is "$status" 0
    cmp got expected
}

# Counters

@test "SIGUSR1 prints the counters and does not stop it" {
    mkfifo in
    start parse shnek-parse -q in
    feed in
    printf '%sone\n\nbad\n%stwo\n' "$HEAD" "$HEAD" >&"$feed"
    wait_until lines_are parse.out 2
    kill -USR1 "$parse_pid"
    wait_until grep -Exq 'shnek-parse: in 3 out 2 rejected 1 dropped 0 bytes 49 rate [0-9,]+/s' parse.err
    printf '%ssix\n' "$HEAD" >&"$feed"
    wait_until lines_are parse.out 3
    kill -USR1 "$parse_pid"
    wait_until grep -Exq 'shnek-parse: in 4 out 3 rejected 1 dropped 0 bytes 71 rate [0-9,]+/s' parse.err
    exec {feed}>&-
    wait_exit parse
    is "$status" 1
    lines_are parse.err 2
}

@test "--stats prints counters at its interval, and the totals at the end" {
    mkfifo in
    start parse shnek-parse --stats=10ms in
    feed in
    printf '%sone\n' "$HEAD" >&"$feed"
    some() { (($(wc -l <parse.err) > 3)); }
    wait_until some
    printf '%stwo\n' "$HEAD" >&"$feed"
    exec {feed}>&-
    wait_exit parse
    is "$status" 0
    [[ $(tail -n 1 parse.err) =~ ^'shnek-parse: in 2 out 2 rejected 0 dropped 0 bytes 44 rate '[0-9,]+/s$ ]]
    is "$(grep -Evxc "shnek-parse: $COUNTERS" parse.err)" 0
}

@test "--stats without an interval prints the totals of a short run once" {
    given "${HEAD}one\nbad\n" --stats -q
    is "$status" 1
    [[ $stderr =~ ^'shnek-parse: in 2 out 1 rejected 1 dropped 0 bytes 26 rate '[0-9,]+/s$ ]]
}

@test "without --stats nothing is printed at the end" {
    given "${HEAD}one\n"
    is "$status" 0
    is "$stderr" ''
}

@test "--stats does not print missed intervals after it was stopped" {
    mkfifo in
    hold in
    start clock shnek-parse --stats=10ms in
    start parse shnek-parse --stats=10ms in
    ticked() { (($(wc -l <clock.err) >= ticks)); }
    wait_until grep -q rate parse.err
    kill -STOP "$parse_pid"
    ticks=$(($(wc -l <clock.err) + 60))
    wait_until ticked
    printed=$(wc -l <parse.err)
    kill -CONT "$parse_pid"
    ticks=$((ticks + 5))
    wait_until ticked
    (($(wc -l <parse.err) - printed < 30))
}

@test "--stats updates one line on a terminal" {
    need script
    mkfifo in
    start parse script -qefc 'exec shnek-parse -q --stats=10ms in' /dev/null
    feed in
    updated() { [[ $(tr -cd '\r' <parse.out | wc -c) -gt 3 ]]; }
    wait_until updated
    lines_are parse.out 0
    exec {feed}>&-
    wait_exit parse
    lines_are parse.out 2
    # Each update but the first overwrites the last one; the last two lines end with LF.
    sed -e 's/\r$//' -e 's/\r\x1b\[K/\n/g' parse.out >printed
    is "$(grep -Evxc "shnek-parse: $COUNTERS" printed)" 0
}

# Signals

@test "SIGTERM and SIGINT end it after the input that has arrived, with status 0" {
    local term int
    mkfifo in.term in.int
    start term sh -c 'exec shnek-parse <in.term'
    start int sh -c 'exec shnek-parse <in.int'
    exec {term}>in.term
    exec {int}>in.int
    printf '%sone\n' "$HEAD" | tee -a "/dev/fd/$int" >&"$term"
    wait_until lines_are term.out 1
    wait_until lines_are int.out 1
    printf '%stwo\n' "$HEAD" | tee -a "/dev/fd/$int" >&"$term"
    kill -TERM "$term_pid"
    kill -INT "$int_pid"
    for name in term int; do
        wait_exit $name
        is "$status" 0
        is "$(<$name.out)" "$(json one && json two)"
        is "$(<$name.err)" ''
    done
}

@test "timeout(1), which signals twice, has the effect of one signal" {
    mkfifo in
    hold in
    printf '%sone\n' "$HEAD" >&"$feed"
    run --separate-stderr timeout --preserve-status 1 shnek-parse in
    is "$status" 0
    is "$output" "$(json one)"
    is "$stderr" ''
}

@test "a line that is truncated by SIGTERM is reported and not passed on" {
    mkfifo in
    start parse shnek-parse in
    feed in
    printf '%sone\n%scu' "$HEAD" "$HEAD" >&"$feed"
    wait_until lines_are parse.out 1
    kill -TERM "$parse_pid"
    wait_exit parse
    is "$status" 1
    is "$(<parse.out)" "$(json one)"
    is "$(<parse.err)" 'shnek-parse: in:2: SYSLOG-MSG: stream ends within it (at byte 20)'
}

@test "the status is not 0 if SIGTERM leaves a FILE unread" {
    local n=20000
    seq $n | sed "s/^/$HEAD/" >in
    echo "${HEAD}last" >last
    mkfifo out
    start parse sh -c 'exec shnek-parse in last >out'
    exec {reader}<out
    read -rt 30 <&"$reader"
    kill -TERM "$parse_pid"
    wait_until signals_taken "$parse_pid"
    cat <&"$reader" >got
    exec {reader}<&-
    wait_exit parse
    [[ $status != 0 ]] || lines_are got $n
}

@test "a second SIGTERM ends it immediately if stdout is blocked" {
    yes "${HEAD}one" | head -n 100000 >in
    mkfifo out
    start parse sh -c 'exec shnek-parse in >out'
    exec {reader}<out
    read -rt 30 <&"$reader"
    kill -TERM "$parse_pid"
    wait_until signals_taken "$parse_pid"
    running "$parse_pid"
    wait_until ended_when_told "$parse_pid"
    wait_exit parse
    is "$status" 2
    grep -q '^shnek-parse: stopped by a second signal$' parse.err
}

@test "a second SIGTERM ends it immediately if stderr is blocked" {
    mkfifo in err
    # A FIFO that is open, full, and not read.
    # shellcheck disable=SC2034
    exec {blocked}<>err
    dd if=/dev/zero of=err oflag=nonblock bs=4096 count=1024 2>/dev/null || true
    start parse sh -c 'exec shnek-parse in 2>err'
    feed in
    printf '%sone\n' "$HEAD" >&"$feed"
    wait_until lines_are parse.out 1
    echo bad >&"$feed"
    wait_until -t 10 ended_when_told "$parse_pid" || {
        kill -KILL "$parse_pid"
        return 1
    }
    wait_exit parse
    is "$status" 2
}

# The command line

@test "a report is one line, even if a name contains control characters" {
    run --separate-stderr shnek-parse $'a\nb\e[31m'
    is "$status" 2
    is "${#stderr_lines[@]}" 1
    [[ $stderr != *$'\e'* ]]
}

@test "a usage error is one line that names the option, and a hint, with status 2" {
    local arguments option
    while IFS='|' read -r arguments option; do
        # shellcheck disable=SC2086
        run --separate-stderr timeout 20 shnek-parse $arguments </dev/null
        is "$status" 2
        is "$output" ''
        is "${#stderr_lines[@]}" 2
        [[ ${stderr_lines[0]} == 'shnek-parse: '*"$option"* ]] || is "${stderr_lines[0]}" "$option"
        is "${stderr_lines[1]}" "shnek-parse: try 'shnek-parse --help'"
    done <<'END'
--bogus|'--bogus'
-x|'x'
--max-size|'--max-size'
--max-size=|--max-size: ''
--max-size=many|--max-size: 'many'
--max-size=1kx|--max-size: '1kx'
--max-size=-1|--max-size: '-1'
--max-size=1.5k|--max-size: '1.5k'
--max-size=0|--max-size: '0'
--max-size=99999999999999999999|--max-size: '99999999999999999999'
--max-size=18446744073709551615G|--max-size: '18446744073709551615G'
--max-connections=0|--max-connections: '0'
--max-connections=1G|--max-connections: '1G'
--max-connections=x|--max-connections: 'x'
--stats=0|--stats: '0'
--stats=soon|--stats: 'soon'
--stats=1y|--stats: '1y'
--stats=-1s|--stats: '-1s'
-F lines|--framing: 'lines'
-f rfc9999|--format: 'rfc9999' is not one of rfc5424, auto, rfc3164
--format=|--format: ''
-f|'f'
--tz=|--tz: ''
--tz=+9|--tz: '+9'
--tz=+25:00|--tz: '+25:00'
--tz=Europe/Nowhere|--tz: 'Europe/Nowhere'
--tz=Europe|--tz: 'Europe'
--tz=../../../etc/passwd|--tz: '../../../etc/passwd'
--tz=/etc/passwd|--tz: '/etc/passwd'
--host=|--host: ''
--host=no|--host: 'no' is not one of rule, always, never
--multiline=x|'--multiline'
--framing=|--framing: ''
--oversize=drop|--oversize: 'drop'
-l tcp://127.0.0.1:0 file|--listen
-l tcp://127.0.0.1:0 --jobs=2|--jobs: cannot
--jobs=0|--jobs: '0'
--jobs=65|--jobs: '65'
--jobs=|--jobs: ''
--rejects=-|--rejects
--meta=x|'--meta'
--r|'--r'
END
}

@test "a usage error is reported even with --help and --version" {
    run --separate-stderr shnek-parse --max-size=x --help
    is "$status" 2
    is "$output" ''
}

@test "SIZE accepts k, M and G, DURATION accepts us, ms, s, m and h" {
    local value
    for value in 64 1k 4M 1G; do
        given "${HEAD}one\n" --max-size=$value
        is "$status" 0
    done
    given "$HEAD$(repeat x 1006)\n$HEAD$(repeat x 1007)\n" --max-size=1k
    is "${#lines[@]}" 1
    for value in 10000us 10ms 1s 1.5s 1m 1h 3; do
        given "${HEAD}one\n" --stats=$value
        is "$status" 0
    done
}

@test "--help is printed to stdout with status 0 and lists every option" {
    local option
    for option in --help -h; do
        run --separate-stderr shnek-parse $option
        is "$status" 0
        is "$stderr" ''
        [[ ${lines[0]} == 'usage: shnek-parse '* ]]
    done
    for option in listen framing max-size oversize max-connections meta raw rejects stats quiet help version \
        format tz host multiline; do
        [[ $output == *"--$option"* ]]
    done
    run --separate-stderr shnek-parse --help
    is "$(awk 'length > 80' <<<"$output")" ''
}

@test "--version is printed to stdout with status 0" {
    local option
    for option in --version -V; do
        run --separate-stderr shnek-parse $option
        is "$status" 0
        is "$stderr" ''
        [[ $output =~ ^'shnek-parse '[0-9]+\.[0-9]+\.[0-9]+$ ]]
    done
}

@test "--help and --version to a full device have status 2" {
    full() { shnek-parse "$1" >/dev/full; }
    run --separate-stderr full --help
    is "$status" 2
    is "$stderr" 'shnek-parse: stdout: No space left on device'
    run --separate-stderr full --version
    is "$status" 2
}

# Cost

@test "10,000 SD-PARAMs and SD-IDs in a message keep their values and their order" {
    need jq
    {
        printf '<13>1 - - - - - [x'
        printf ' n="%d"' {1..10000}
        printf '] one\n<13>1 - - - - - [x'
        seq 10000 | sed 's/.*/ n&="&"/' | tr -d '\n'
        printf '] two\n<13>1 - - - - - '
        seq 10000 | sed 's/.*/[i& a="&"]/' | tr -d '\n'
        printf ' three\n<13>1 - - - - - '
        printf '[i a="%d"]' {1..10000}
        printf ' four\n'
    } >in
    shnek-parse --max-size=4M in >out
    lines_are out 4
    sed -n 1p out | jq -e '.msg == "one" and .sd.x.n == [range(1; 10001) | tostring]'
    sed -n 2p out | jq -e '.msg == "two" and [.sd.x | to_entries[] | .key, .value] == [range(1; 10001) | "n\(.)", tostring]'
    sed -n 3p out | jq -e '.msg == "three" and [.sd | to_entries[] | .key, .value.a] == [range(1; 10001) | "i\(.)", tostring]'
    sed -n 4p out | jq -e '.msg == "four" and .sd == {i: {a: [range(1; 10001) | tostring]}}'
}

@test "the CPU time for names in a message is linear in its length" {
    local n=300000
    {
        printf '<13>1 - - - - - [x'
        seq $n | sed 's/.*/ n&=""/' | tr -d '\n'
        printf ']\n<13>1 - - - - - '
        seq $n | sed 's/.*/[i&]/' | tr -d '\n'
        printf '\n<13>1 - - - - - [x'
        yes ' n=""' | head -n $n | tr -d '\n'
        printf ']\n<13>1 - - - - - '
        yes '[i a=""]' | head -n $n | tr -d '\n'
        printf '\n'
    } >in
    run --separate-stderr bash -c 'ulimit -t 10 && exec shnek-parse --max-size=4M in >out'
    is "$status" 0
    lines_are out 4
}

@test "the CPU time for any other message is linear in its length" {
    local word
    {
        for word in a 1 . : '1: ' 'a: ' '[' 'a[1' '=' '%' 'a ' ' ' '<1>' '2026 ' 'Nov ' '[a b="' '[a b="c"]'; do
            yes "$word" | head -n 1000000 | tr -d '\n' | sed 's/^/<13>/; s/$/\n/'
            yes "$word" | head -n 1000000 | tr -d '\n' | sed 's/^/<13>Nov 22 17:00:00 /; s/$/\n/'
            yes "$word" | head -n 1000000 | tr -d '\n' | sed 's/^/<13>1 2026-11-22T17:00:00Z h a /; s/$/\n/'
        done
    } >in
    run --separate-stderr bash -c 'ulimit -t 30 && exec shnek-parse -f auto -F newline --max-size=16M in | wc -l'
    is "$status" 0
    is "$output" 50
}
