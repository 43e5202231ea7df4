#!/usr/bin/env bats
# shnek-parse --jobs: several threads must not change the results.
# shellcheck disable=SC2154,SC2317 # bats and `start` set variables, and `run` calls functions.

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/relay

HEAD='<13>1 - - - - - - ' # 18 bytes

setup_file() {
    shnek_setup
    cd "$BATS_FILE_TMPDIR" || return
    local n=100000
    [[ -z ${SANITIZE-} ]] || n=20000
    spamlog -q -r max -n $n --profile=mixed --bad=0.05 --seed=1 >mixed
    spamlog -q -r max -n $n --profile=mixed --bad=0.05 --seed=2 -F octet >frames
    # Some messages have continuation lines, some of which are empty.
    awk 'NR % 3 == 2 { print "  at " NR "\n\n  at the end" } { print }' mixed >joined
    # Lines of all lengths, some longer than a read.
    awk -v head="$HEAD" 'BEGIN {
        long = sprintf("%2000s", "")
        gsub(" ", "x", long)
        for (i = 0; i < 3000; i++) {
            line = head i
            for (j = i % 100 ? i % 7 : 120; j > 0; j--)
                line = line long
            print i % 5 == 1 ? "" : line
        }
    }' >long
}

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
    # The reader of a FIFO ends with its last writer.
    [[ ! ${feed-} ]] || exec {feed}>&-
    shnek_teardown
}

# feed NAME: opens the FIFO NAME for writing as descriptor $feed, once it has a reader.
feed() {
    exec {feed}>"$1"
}

# blocked PID: whether all threads of a process sleep, in ten samples.
blocked() {
    for _ in {1..10}; do
        if grep -qv '^[0-9]* ([^)]*) S ' /proc/"$1"/task/*/stat; then
            return 1
        fi
        pause
    done
}

# parse NAME [ARGUMENT...]: runs shnek-parse with output in NAME.out, NAME.err and NAME.rejects, and
# its exit status in NAME.status.
parse() {
    local name=$1 status=0
    shift
    rm -f "$name.rejects"
    shnek-parse --rejects="$name.rejects" --stats=1h "$@" >"$name.out" 2>"$name.err" || status=$?
    echo "$status" >"$name.status"
    sed -i 's/ rate .*//' "$name.err"
}

# same_as_one STATUS [ARGUMENT...]: all results must be the same with 1, 2, 3 and 8 threads.
same_as_one() {
    local jobs
    parse one -q "${@:2}"
    is "$(<one.status)" "$1"
    for jobs in 2 3 8; do
        parse many -q --jobs=$jobs "${@:2}"
        cmp one.out many.out
        cmp <(without_peer one.rejects) <(without_peer many.rejects)
        cmp one.err many.err
        is "$(<many.status)" "$1"
    done
}

@test "newline framing: records, rejects, counters and status do not depend on --jobs" {
    same_as_one 1 --raw "$BATS_FILE_TMPDIR/mixed"
    [[ -s one.rejects ]]
}

@test "octet counting: the results do not depend on --jobs, with a truncated frame at the end" {
    head -c -10 "$BATS_FILE_TMPDIR/frames" >part
    same_as_one 1 part
    tail -n 1 one.rejects | grep -q 'stream ends within it'
}

@test "octet counting: the results do not depend on --jobs, with an invalid MSG-LEN" {
    { yes "20 ${HEAD}hi" | head -n 3000 && echo 7x; } >broken
    cat "$BATS_FILE_TMPDIR/mixed" >>broken
    echo 7x >nothing-else
    same_as_one 1 -F octet broken nothing-else
    lines_are one.out 3000
    lines_are one.rejects 2
}

@test "--multiline: the results do not depend on --jobs or on the size of reads" {
    same_as_one 1 --multiline "$BATS_FILE_TMPDIR/joined"
    grep -qF '\n\n  at the end' one.out
    mv one.out whole.out
    dd if="$BATS_FILE_TMPDIR/joined" bs=777 status=none | parse one -q --multiline --jobs=3
    cmp whole.out one.out
}

@test "-f auto: the results do not depend on --jobs" {
    spamlog -q -r max -n 5000 -f rfc3164 --hostname=web1 --timestamp='Feb 29 17:00:00' >old
    same_as_one 1 -f auto --tz=utc old "$BATS_FILE_TMPDIR/joined"
}

@test "--max-size: the results do not depend on --jobs, with messages rejected or truncated" {
    same_as_one 0 --max-size=1M "$BATS_FILE_TMPDIR/long"
    same_as_one 1 "$BATS_FILE_TMPDIR/long"
    lines_are one.rejects 30
    same_as_one 0 --max-size=100 --oversize=truncate "$BATS_FILE_TMPDIR/long"
}

@test "--meta adds the source, and times that do not decrease" {
    parse one --meta "$BATS_FILE_TMPDIR/long" - <"$BATS_FILE_TMPDIR/mixed"
    parse many --meta --jobs=3 "$BATS_FILE_TMPDIR/long" - <"$BATS_FILE_TMPDIR/mixed"
    sed -i 's/"received":"[^"]*"}$/&\n&/; s/"received":"[^"]*"}\n//' many.out
    grep -o '"received":"[^"]*"}$' many.out | LC_ALL=C sort -c
    sed -i 's/"received":"[^"]*"}$//' one.out many.out
    cmp one.out many.out
    is "$(peers many.out | uniq | paste -sd ' ')" "$BATS_FILE_TMPDIR/long stdin"
}

@test "log lines about several files are in the order of the files" {
    local name
    for name in a b c; do
        { seq 3000 | sed "s/^/$HEAD/" && echo bad && seq 3000 | sed "s/^/$HEAD/"; } >$name
    done
    parse one a missing b . c
    parse many --jobs=4 a missing b . c
    is "$(<many.status)" 2
    cmp one.err many.err
    cmp one.out many.out
    cmp <(without_peer one.rejects) <(without_peer many.rejects)
    is "$(sed -n 's/^shnek-parse: \([^:]*\):.*/\1/p' many.err | paste -sd ' ')" 'a missing b . c'
}

@test "ten rejected lines per second are logged in input order, and the others are counted" {
    local printed suppressed
    parse many --jobs=3 "$BATS_FILE_TMPDIR/mixed"
    sed -n "s|^shnek-parse: $BATS_FILE_TMPDIR/mixed:\([0-9]*\): .*|\1|p" many.err >numbers
    sort -nuc numbers
    printed=$(wc -l <numbers)
    ((printed >= 10))
    suppressed=$(sed -n 's/.*: \([0-9]*\) similar lines\? suppressed$/\1/p' many.err | paste -sd+)
    is "$((printed + suppressed))" "$(wc -l <many.rejects)"
}

@test "the number of suppressed lines is logged while the input is idle" {
    mkfifo in
    start parse shnek-parse --jobs=2 in
    feed in
    yes bad | head -n 30 >&"$feed"
    wait_until grep -q ' similar lines\? suppressed$' parse.err
}

@test "starts the requested number of threads, and writes each record immediately" {
    local threads
    mkfifo in
    start parse sh -c 'exec shnek-parse --jobs=3 <in'
    feed in
    printf '%sone\n%st' "$HEAD" "$HEAD" >&"$feed"
    wait_until lines_are parse.out 1
    is "$(<parse.out)" "$(json one)"
    threads=(/proc/"$parse_pid"/task/*)
    # Plus one that reads and one for signals. The thread sanitizer has a thread of its own.
    [[ ${SANITIZE-} == thread ]] || is "${#threads[@]}" 5
    printf 'wo\nbad\n' >&"$feed"
    wait_until lines_are parse.out 2
    wait_until lines_are parse.err 1
    exec {feed}>&-
    wait_exit parse
    is "$status" 1
    is "$(<parse.out)" "$(json one && json two)"
}

@test "--multiline writes a message when no line continues it for a while" {
    mkfifo in
    start parse shnek-parse --jobs=2 --multiline in
    feed in
    printf '%sone\n  more\n' "$HEAD" >&"$feed"
    wait_until lines_are parse.out 1
    is "$(<parse.out)" "$(json 'one\n  more')"
}

@test "while it waits for input it uses almost no CPU time" {
    mkfifo in
    start parse shnek-parse --jobs=4 in
    feed in
    printf '%sone\n' "$HEAD" >&"$feed"
    wait_until lines_are parse.out 1
    idle "$parse_pid"
}

@test "if the reader of stdout exits, it ends silently with status 2" {
    gone() {
        yes "${HEAD}one" | timeout 20 shnek-parse --jobs=2 | head -n 1
        return "${PIPESTATUS[1]}"
    }
    run --separate-stderr gone
    is "$status" 2
    is "$output" "$(json one)"
    is "$stderr" ''
}

@test "if the reader of stdout has exited, the next record ends it" {
    mkfifo in out
    start parse into out shnek-parse --jobs=2 in
    exec {reader}<out
    feed in
    exec {reader}<&-
    printf '%sone\n' "$HEAD" >&"$feed"
    wait_exit parse
    is "$status" 2
    is "$(<parse.err)" ''
}

@test "if stdout or --rejects is full, that is reported, with status 2" {
    full() { yes "${HEAD}one" | timeout 20 shnek-parse --jobs=2 >/dev/full; }
    run --separate-stderr full
    is "$status" 2
    is "$stderr" 'shnek-parse: stdout: No space left on device'
    full() { yes bad | head -n 100000 | timeout 60 shnek-parse -q --jobs=2 --rejects=/dev/full; }
    run --separate-stderr full
    is "$status" 2
    is "$stderr" 'shnek-parse: /dev/full: No space left on device; retrying every second
shnek-parse: /dev/full: 100000 rejected messages not written'
}

@test "SIGUSR1 and --stats print the same counters as with one thread" {
    mkfifo in
    start parse shnek-parse -q --jobs=2 --stats=1h in
    feed in
    printf '%sone\n\nbad\n%stwo\n' "$HEAD" "$HEAD" >&"$feed"
    wait_until counts parse 'in 3 out 2 rejected 1 dropped 0 bytes 49'
    printf '%ssix\n' "$HEAD" >&"$feed"
    exec {feed}>&-
    wait_exit parse
    is "$status" 1
    tail -n 1 parse.err | grep -q '^shnek-parse: in 4 out 3 rejected 1 dropped 0 bytes 71 rate '
}

@test "after SIGTERM it processes the input that has arrived" {
    local n=2500
    mkfifo in out
    start parse into out shnek-parse --jobs=4 in
    exec {reader}<out
    feed in
    seq $n | sed "s/^/$HEAD/" >&"$feed" # fits in a pipe, but its records do not
    kill -TERM "$parse_pid"
    wait_until signals_taken "$parse_pid"
    exec {feed}>&-
    sed 's/.*"msg":"\(.*\)"}$/\1/' <&"$reader" >got
    exec {reader}<&-
    wait_exit parse
    is "$status" 0
    seq $n | cmp - got
    is "$(grep -v '^shnek-parse: draining ' parse.err)" ''
}

@test "if SIGTERM leaves a file unread, complete records are written, and the status is 2" {
    local n
    mkfifo out
    start parse into out shnek-parse --jobs=2 "$BATS_FILE_TMPDIR/joined" "$BATS_FILE_TMPDIR/mixed" -q
    exec {reader}<out
    read -rt 30 line <&"$reader"
    kill -TERM "$parse_pid"
    wait_until signals_taken "$parse_pid"
    { echo "$line" && cat <&"$reader"; } >got
    exec {reader}<&-
    wait_exit parse
    is "$status" 2
    shnek-parse -q "$BATS_FILE_TMPDIR/joined" >all || true
    n=$(wc -l <got)
    head -n "$n" all | cmp - got
    is "$(sed '/: draining /d; s/.*: //' parse.err)" $'stopped before its end\nstopped before it was read'
}

@test "a second SIGTERM ends it immediately, even if stdout is blocked" {
    mkfifo out
    start parse into out shnek-parse -q --jobs=2 "$BATS_FILE_TMPDIR/mixed"
    exec {reader}<out
    wait_until takes_signals "$parse_pid"
    wait_until blocked "$parse_pid"
    kill -TERM "$parse_pid"
    wait_until signals_taken "$parse_pid"
    running "$parse_pid"
    wait_until ended_when_told "$parse_pid"
    wait_exit parse
    is "$status" 2
    grep -q '^shnek-parse: stopped by a second signal$' parse.err
}

@test "with a slow reader it stops reading, and memory is bounded" {
    local taken
    mkfifo out
    yes "${HEAD}one" | head -n 200000 >in
    start parse into out shnek-parse --jobs=2 in
    exec {reader}<out
    wait_until takes_signals "$parse_pid"
    wait_until blocked "$parse_pid"
    wait_until counts parse 'in [0-9,]*'
    taken=$(sed -n 's/.*: in \([0-9]*\) .*/\1/p' parse.err | tail -n 1)
    ((taken < 20000)) # six batches, one block of input, and the pipe
    [[ ${SANITIZE-} ]] || (($(rss_peak_kib "$parse_pid") < 12288))
    wc -l <&"$reader" >got
    exec {reader}<&-
    wait_exit parse
    is "$status" 0
    is "$(<got)" 200000
}
