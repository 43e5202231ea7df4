#!/usr/bin/env bats
# shnek-parse --jobs: several threads, and nothing else changes.
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
    # Some are on several lines, and some of these are empty.
    awk 'NR % 3 == 2 { print "  at " NR "\n\n  at the end" } { print }' mixed >joined
    # Short lines and long ones, and some that are longer than what is read at once.
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
    # The end of a FIFO ends its reader at once.
    [[ ! ${feed-} ]] || exec {feed}>&-
    shnek_teardown
}

# feed NAME: a FIFO of that name, open for writing at descriptor $feed, after its reader came.
feed() {
    exec {feed}>"$1"
}

# blocked PROCESS: whether none of its threads wants to run, each time that it is looked at.
blocked() {
    for _ in {1..10}; do
        if grep -qv '^[0-9]* ([^)]*) S ' /proc/"$1"/task/*/stat; then
            return 1
        fi
        pause
    done
}

# parse NAME [ARGUMENT...]: into NAME.out, .err and .rejects, and the status into NAME.status.
parse() {
    local name=$1 status=0
    shift
    rm -f "$name.rejects"
    shnek-parse --rejects="$name.rejects" --stats=1h "$@" >"$name.out" 2>"$name.err" || status=$?
    echo "$status" >"$name.status"
    sed -i 's/ rate .*//' "$name.err"
}

# same_as_one STATUS [ARGUMENT...]: whether the number of threads changes nothing.
same_as_one() {
    local jobs
    parse one -q "${@:2}"
    is "$(<one.status)" "$1"
    for jobs in 2 3 8; do
        parse many -q --jobs=$jobs "${@:2}"
        cmp one.out many.out
        cmp one.rejects many.rejects
        cmp one.err many.err
        is "$(<many.status)" "$1"
    done
}

@test "lines: the records, what is rejected, the counters and the status are those of one thread" {
    same_as_one 1 --raw "$BATS_FILE_TMPDIR/mixed"
    [[ -s one.rejects ]]
}

@test "octet counting: the same, to the frame that is cut" {
    head -c -10 "$BATS_FILE_TMPDIR/frames" >part
    same_as_one 1 part
    tail -n 1 one.rejects | grep -q 'stream ends within it'
}

@test "octet counting: the same, where a frame is broken and nothing behind it is read" {
    { yes "20 ${HEAD}hi" | head -n 3000 && echo 7x; } >broken
    cat "$BATS_FILE_TMPDIR/mixed" >>broken
    echo 7x >nothing-else
    same_as_one 1 -F octet broken nothing-else
    lines_are one.out 3000
    lines_are one.rejects 2
}

@test "--multiline: the same, however the bytes come" {
    same_as_one 1 --multiline "$BATS_FILE_TMPDIR/joined"
    grep -qF '\n\n  at the end' one.out
    mv one.out whole.out
    dd if="$BATS_FILE_TMPDIR/joined" bs=777 status=none | parse one -q --multiline --jobs=3
    cmp whole.out one.out
}

@test "-f auto: the same" {
    spamlog -q -r max -n 5000 -f rfc3164 --hostname=web1 --timestamp='Feb 29 17:00:00' >old
    same_as_one 1 -f auto --tz=utc old "$BATS_FILE_TMPDIR/joined"
}

@test "--max-size: the same, rejected and cut" {
    same_as_one 0 --max-size=1M "$BATS_FILE_TMPDIR/long"
    same_as_one 1 "$BATS_FILE_TMPDIR/long"
    lines_are one.rejects 30
    same_as_one 0 --max-size=100 --oversize=truncate "$BATS_FILE_TMPDIR/long"
}

@test "--meta tells the source, and times that do not go back" {
    parse one --meta "$BATS_FILE_TMPDIR/long" - <"$BATS_FILE_TMPDIR/mixed"
    parse many --meta --jobs=3 "$BATS_FILE_TMPDIR/long" - <"$BATS_FILE_TMPDIR/mixed"
    sed -i 's/"received":"[^"]*"}$/&\n&/; s/"received":"[^"]*"}\n//' many.out
    grep -o '"received":"[^"]*"}$' many.out | LC_ALL=C sort -c
    sed -i 's/"received":"[^"]*"}$//' one.out many.out
    cmp one.out many.out
    is "$(peers many.out | uniq | paste -sd ' ')" "$BATS_FILE_TMPDIR/long stdin"
}

@test "what is reported about several FILEs comes in their order" {
    local name
    for name in a b c; do
        { seq 3000 | sed "s/^/$HEAD/" && echo bad && seq 3000 | sed "s/^/$HEAD/"; } >$name
    done
    parse one a missing b . c
    parse many --jobs=4 a missing b . c
    is "$(<many.status)" 2
    cmp one.err many.err
    cmp one.out many.out
    cmp one.rejects many.rejects
    is "$(sed -n 's/^shnek-parse: \([^:]*\):.*/\1/p' many.err | paste -sd ' ')" 'a missing b . c'
}

@test "ten reports a second are printed, in the order of the input, and all others counted" {
    local printed held
    parse many --jobs=3 "$BATS_FILE_TMPDIR/mixed"
    sed -n "s|^shnek-parse: $BATS_FILE_TMPDIR/mixed:\([0-9]*\): .*|\1|p" many.err >numbers
    sort -nuc numbers
    printed=$(wc -l <numbers)
    ((printed >= 10))
    held=$(sed -n 's/.*: \([0-9]*\) similar lines\? suppressed$/\1/p' many.err | paste -sd+)
    is "$((printed + held))" "$(wc -l <many.rejects)"
}

@test "how many were held back is said while the input is idle" {
    mkfifo in
    start parse shnek-parse --jobs=2 in
    feed in
    yes bad | head -n 30 >&"$feed"
    wait_until grep -q ' similar lines\? suppressed$' parse.err
}

@test "as many threads as were asked for, and a record of each line as soon as it is there" {
    local threads
    mkfifo in
    start parse sh -c 'exec shnek-parse --jobs=3 <in'
    feed in
    printf '%sone\n%st' "$HEAD" "$HEAD" >&"$feed"
    wait_until lines_are parse.out 1
    is "$(<parse.out)" "$(json one)"
    threads=(/proc/"$parse_pid"/task/*)
    # One more reads, one takes the signals, and the thread sanitizer has one of its own.
    [[ ${SANITIZE-} == thread ]] || is "${#threads[@]}" 5
    printf 'wo\nbad\n' >&"$feed"
    wait_until lines_are parse.out 2
    wait_until lines_are parse.err 1
    exec {feed}>&-
    wait_exit parse
    is "$status" 1
    is "$(<parse.out)" "$(json one && json two)"
}

@test "--multiline gives what is held when nothing has come for a while" {
    mkfifo in
    start parse shnek-parse --jobs=2 --multiline in
    feed in
    printf '%sone\n  more\n' "$HEAD" >&"$feed"
    wait_until lines_are parse.out 1
    is "$(<parse.out)" "$(json 'one\n  more')"
}

@test "while it waits for input it takes next to no CPU time" {
    mkfifo in
    start parse shnek-parse --jobs=4 in
    feed in
    printf '%sone\n' "$HEAD" >&"$feed"
    wait_until lines_are parse.out 1
    idle "$parse_pid"
}

@test "a reader that goes away ends it quietly with status 2" {
    gone() {
        yes "${HEAD}one" | timeout 20 shnek-parse --jobs=2 | head -n 1
        return "${PIPESTATUS[1]}"
    }
    run --separate-stderr gone
    is "$status" 2
    is "$output" "$(json one)"
    is "$stderr" ''
}

@test "a reader that has gone is found out with one line, though no other comes" {
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

@test "a full device at stdout or --rejects is reported with status 2" {
    full() { yes "${HEAD}one" | timeout 20 shnek-parse --jobs=2 >/dev/full; }
    run --separate-stderr full
    is "$status" 2
    is "$stderr" 'shnek-parse: stdout: No space left on device'
    full() { yes bad | timeout 20 shnek-parse -q --jobs=2 --rejects=/dev/full; }
    run --separate-stderr full
    is "$status" 2
    is "$stderr" 'shnek-parse: /dev/full: No space left on device'
}

@test "SIGUSR1 and --stats count as with one thread" {
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

@test "SIGTERM ends it after what has arrived" {
    local n=2500
    mkfifo in out
    start parse into out shnek-parse --jobs=4 in
    exec {reader}<out
    feed in
    seq $n | sed "s/^/$HEAD/" >&"$feed" # a pipe holds it, but not its records
    kill -TERM "$parse_pid"
    wait_until signals_taken "$parse_pid"
    exec {feed}>&-
    sed 's/.*"msg":"\(.*\)"}$/\1/' <&"$reader" >got
    exec {reader}<&-
    wait_exit parse
    is "$status" 0
    seq $n | cmp - got
    is "$(<parse.err)" ''
}

@test "where SIGTERM leaves a FILE unread, whole records are written, and the status is not 0" {
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
    is "$(sed 's/.*: //' parse.err)" $'stopped before its end\nstopped before it was read'
}

@test "a second SIGTERM stops it at once, where stdout is blocked" {
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

@test "where the reader is slow it stops reading, and memory is bounded" {
    local taken
    mkfifo out
    yes "${HEAD}one" | head -n 200000 >in
    start parse into out shnek-parse --jobs=2 in
    exec {reader}<out
    wait_until takes_signals "$parse_pid"
    wait_until blocked "$parse_pid"
    wait_until counts parse 'in [0-9]*'
    taken=$(sed -n 's/.*: in \([0-9]*\) .*/\1/p' parse.err | tail -n 1)
    ((taken < 20000)) # of six batches, the block that is read, and the pipe
    [[ ${SANITIZE-} ]] || (($(rss_peak_kib "$parse_pid") < 12288))
    wc -l <&"$reader" >got
    exec {reader}<&-
    wait_exit parse
    is "$status" 0
    is "$(<got)" 200000
}
