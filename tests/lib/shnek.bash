# shellcheck shell=bash
# What every bats file loads: programs in the background, conditions to wait for, a nats-server.

bats_require_minimum_version 1.5.0

SHNEK_TOP=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
declare -gA started=()

shnek_setup() {
    local programs tools
    programs=$(cd "${SHNEK_BIN:-$SHNEK_TOP}" && pwd) || return
    tools=$(cd "${SHNEK_TOOLS:-$SHNEK_TOP/build/tests}" && pwd) || return
    # Debian keeps nats-server in /usr/sbin, which is not in everyone's PATH.
    PATH=$programs:$tools:$PATH:/usr/sbin:/sbin
    unset NATS_URL NO_COLOR
    export TERM=xterm
}

# Ends what `start` started. A process that TERM does not end in 10 s is killed and reported.
shnek_teardown() {
    local pid
    for pid in "${!started[@]}"; do
        if running "$pid" && kill -CONT "$pid"; then
            kill -TERM "$pid" || true
        fi
    done 2>/dev/null
    for pid in "${!started[@]}"; do
        if ! poll 10 ended "$pid"; then
            kill -KILL "$pid" || true
            echo "# $BATS_TEST_NAME: TERM did not end ${started[$pid]}, killed" >&3
        fi
    done
    started=()
}

pause() {
    read -rt 0.02 <> <(:) || true
}

# poll SECONDS COMMAND...: tries until it succeeds; fails when the time is over.
poll() {
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
        pause
    done
}

quietly() {
    "$@" &>/dev/null
}

# wait_until [-t SECONDS] COMMAND...: whole seconds, 30 unless told.
wait_until() {
    local seconds=30 file
    if [[ $1 == -t ]]; then
        seconds=$2
        shift 2
    fi
    poll "$seconds" quietly "$@" && return
    echo "not within $seconds s: $*" >&2
    for file in "$BATS_TEST_TMPDIR"/*.err; do
        if [[ -s $file ]]; then
            echo "--- ${file##*/}"
            # What a nats-server tells of its start would hide the rest.
            grep -v ' \[INF\] ' "$file" | tail -n 20
        fi
    done >&2
    return 1
}

# start NAME COMMAND...: in the background, into NAME.out and NAME.err, its process id in NAME_pid.
start() {
    local name=$1
    shift
    # What an earlier one of that name wrote must not be taken for this one's.
    : >"$BATS_TEST_TMPDIR/$name.out"
    : >"$BATS_TEST_TMPDIR/$name.err"
    "$@" </dev/null >"$BATS_TEST_TMPDIR/$name.out" 2>"$BATS_TEST_TMPDIR/$name.err" 3>&- &
    printf -v "${name}_pid" %s "$!"
    started[$!]=$name
}

# The shell's own children only: a process id that was used again is not taken for ours.
running() {
    [[ $'\n'$(jobs -pr)$'\n' == *$'\n'"$1"$'\n'* ]]
}

ended() {
    ! running "$1"
}

# takes_signals PROCESS: for wait_until, before the first signal to one of our programs. Until it has
# blocked SIGINT, SIGUSR1 and SIGTERM, to take them by itself, each of them ends it, or the shell that
# is about to become it.
takes_signals() {
    local blocked
    blocked=$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$1/status") || return
    ((("0x$blocked" & 0x4202) == 0x4202))
}

# suspend PROCESS: until each of its threads stands still.
suspend() {
    kill -STOP "$1"
    wait_until suspended "$1"
}

suspended() {
    ! grep -qv '^[0-9]* ([^)]*) T ' /proc/"$1"/task/*/stat
}

# counts NAME TEXT: whether the counters of NAME, which is asked for them, have come to hold TEXT.
counts() {
    local pid=${1}_pid
    takes_signals "${!pid}" && kill -USR1 "${!pid}" && grep -q -e " $2\( \|\$\)" "$1.err"
}

# For wait_until: a second TERM counts only some time after the first one.
ended_when_told() {
    kill -TERM "$1" || true
    ended "$1"
}

# wait_exit NAME: waits for its end; its exit status is in $status.
# shellcheck disable=SC2034
wait_exit() {
    local pid=${1}_pid
    pid=${!pid}
    wait_until -t 60 ended "$pid" || return
    status=0
    wait "$pid" || status=$?
    unset "started[$pid]"
}

# listen_url FILE: the first URL of the line `NAME: listening on URL`.
listen_url() {
    wait_until grep -q ': listening on ' "$1" || return
    sed -n '/: listening on /{s/.*: listening on \([^ ,]*\).*/\1/p;q;}' "$1"
}

# quiet_port: one that nobody listens at, and that is given to nobody who asks for any: the kernel
# takes those from 32768 on. Servers have to know those of the others before they start. Jobs that
# tests/run runs in parallel have a range each.
quiet_port() {
    local port
    until port=$((10240 + ${SHNEK_SLOT:-0} % 20 * 1024 + RANDOM % 1024)) && ! quietly listens_at "$port"; do :; done
    echo "$port"
}

listens_at() {
    true <>"/dev/tcp/127.0.0.1/$1"
}

port_of() {
    local port=${1##*:}
    echo "${port%%[!0-9]*}"
}

# nats_start [CONFIGURATION LINE...]: a line given here overrides the one below.
nats_start() {
    # The big limits keep the server from cutting off a slow subscriber of a test.
    cat >"$BATS_TEST_TMPDIR/nats.conf" <<END
host: 127.0.0.1
port: -1
http: "127.0.0.1:-1"
ports_file_dir: "$BATS_TEST_TMPDIR"
store_dir: "$BATS_TEST_TMPDIR/nats"
max_pending: 1GB
write_deadline: "60s"
END
    [[ $# == 0 ]] || printf '%s\n' "$@" >>"$BATS_TEST_TMPDIR/nats.conf"
    nats_launch
}

# Starts it again on the same port, after it was ended.
nats_restart() {
    nats_launch --port "$(port_of "$NATS_URL")"
}

nats_launch() {
    local ports
    start nats nats-server --config "$BATS_TEST_TMPDIR/nats.conf" "$@"
    # shellcheck disable=SC2154
    ports=$BATS_TEST_TMPDIR/nats-server_$nats_pid.ports
    wait_until grep -q '}$' "$ports" || return
    [[ $(<"$ports") =~ \"nats\":\[\"([^\"]*)\".*\"monitoring\":\[\"([^\"]*)\" ]]
    export NATS_URL=${BASH_REMATCH[1]}
    NATS_MON=$(port_of "${BASH_REMATCH[2]}")
}

# nats_get PATH: what the monitoring port says, as JSON.
nats_get() {
    local connection line
    exec {connection}<>"/dev/tcp/127.0.0.1/$NATS_MON" || return
    printf 'GET /%s HTTP/1.0\r\n\r\n' "$1" >&"$connection"
    while read -r line <&"$connection" && [[ $line != $'\r' ]]; do :; done
    cat <&"$connection"
    exec {connection}>&-
}

# nats_varz KEY: a number from the top level of /varz.
nats_varz() {
    nats_get varz | sed -n "s/^  \"$1\": \([0-9]*\).*/\1/p"
}

rss_kib() {
    memory_kib VmRSS "$1"
}

rss_peak_kib() {
    memory_kib VmHWM "$1"
}

memory_kib() {
    sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$2/status"
}

# need COMMAND...: skips the test where one is missing.
need() {
    local command
    for command in "$@"; do
        command -v "$command" >/dev/null || skip "needs $command"
    done
}

# is GOT EXPECTED
is() {
    [[ $1 == "$2" ]] || {
        printf 'got:      %s\nexpected: %s\n' "$1" "$2"
        return 1
    }
}

# lines_are FILE COUNT
lines_are() {
    [[ $(wc -l <"$1") == "$2" ]]
}

lines_are_at_least() {
    (($(wc -l <"$1") >= $2))
}

# signals_taken PROCESS: whether none waits for it.
signals_taken() {
    grep -q '^ShdPnd:[[:space:]]*0*$' "/proc/$1/status"
}

# start_fed NAME COMMAND...: as start, with the FIFO NAME.in as its input, open at $feed.
start_fed() {
    rm -f "$1.in"
    mkfifo "$1.in"
    exec {feed}<>"$1.in"
    start "$1" from "$1.in" "${@:2}"
}

end_of_input() {
    exec {feed}>&-
    feed=
}

# from FILE COMMAND... and into FILE COMMAND...: for `start`, which gives neither.
from() {
    local file=$1
    shift
    if [[ -n ${feed-} ]]; then
        end_of_input
    fi
    exec "$@" <"$file"
}

into() {
    local file=$1
    shift
    if [[ -n ${feed-} ]]; then
        end_of_input
    fi
    exec "$@" >"$file"
}

# Of the nats-server.
connections_are() {
    [[ $(nats_varz connections) == "$1" ]]
}

taken_at_least() {
    (($(nats_varz in_msgs) >= $1))
}

# misused PATTERN ARGUMENT...: of spamlog: status 2, nothing on stdout, one line like this and a hint.
misused() {
    local pattern=$1
    shift
    run --separate-stderr timeout 10 spamlog "$@"
    [[ $status == 2 && -z $output && ${#stderr_lines[@]} == 2 ]]
    # shellcheck disable=SC2053
    [[ ${stderr_lines[0]} == "spamlog: "$pattern ]] || { echo "$stderr" && return 1; }
    [[ ${stderr_lines[1]} == "spamlog: try 'spamlog --help'" ]]
}
