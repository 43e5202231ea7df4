# shellcheck shell=bash
# Loaded by every bats file: background processes, waiting for conditions, a nats-server.

bats_require_minimum_version 1.5.0

SHNEK_TOP=$(cd "${BASH_SOURCE[0]%/*}/../.." && pwd)
declare -gA started=()
# A pipe without data, to pause without creating a process.
exec {never}<> <(:)

shnek_setup() {
    local programs tools
    programs=$(cd "${SHNEK_BIN:-$SHNEK_TOP}" && pwd) || return
    tools=$(cd "${SHNEK_TOOLS:-$SHNEK_TOP/build/tests}" && pwd) || return
    # Debian keeps nats-server in /usr/sbin, which is not in everyone's PATH.
    PATH=$programs:$tools:$PATH:/usr/sbin:/sbin
    unset NATS_URL NATS_CONTEXT NO_COLOR
    # The contexts of the user who runs the tests have no effect.
    export TERM=xterm XDG_CONFIG_HOME=/dev/null
}

# For tests of shnek-pub: no setting of the environment has an effect.
pub_setup() {
    shnek_setup
    unset "${!NATS_@}" SHNEK_SUBJECT
    cd "$BATS_TEST_TMPDIR" || return
}

# ended_or_continued PID: continues a process that is suspended. Others get no SIGCONT, because one that
# comes while the sanitizers look for leaks lets them wait forever.
ended_or_continued() {
    local state
    running "$1" || return 0
    if read -r state <"/proc/$1/stat" && [[ $state == *') T '* ]]; then
        kill -CONT "$1" || true
    fi
    return 1
} 2>/dev/null

# Terminates all processes of `start`. Kills and reports those that ignore TERM for 10 s.
shnek_teardown() {
    local pid
    for pid in "${!started[@]}"; do
        ! running "$pid" || kill -TERM "$pid" || true
    done 2>/dev/null
    for pid in "${!started[@]}"; do
        if ! poll 10 ended_or_continued "$pid"; then
            kill -KILL "$pid" || true
            echo "# $BATS_TEST_NAME: TERM did not end ${started[$pid]}, killed" >&3
        fi
    done
    started=()
}

pause() {
    read -rt 0.02 -u "$never" || true
}

# poll SECONDS COMMAND...: repeats the command until it succeeds. Fails after the timeout, which is four
# times as long for programs with sanitizers.
poll() {
    local factor=${SANITIZE:+4}
    local deadline=$((${EPOCHREALTIME/[.,]/} + $1 * ${factor:-1} * 1000000))
    shift
    until "$@"; do
        ((${EPOCHREALTIME/[.,]/} < deadline)) || return 1
        pause
    done
}

quietly() {
    "$@" &>/dev/null
}

# wait_until [-t SECONDS] COMMAND...: like poll, with a default of 30 s, but silences the command and
# prints the programs' errors on a timeout.
wait_until() {
    local seconds=30 file
    if [[ $1 == -t ]]; then
        seconds=$2
        shift 2
    fi
    poll "$seconds" quietly "$@" && return
    echo "timeout after $seconds s: $*" >&2
    for file in "$BATS_TEST_TMPDIR"/*.err; do
        if [[ -s $file ]]; then
            echo "--- ${file##*/}"
            # The startup messages of nats-server would hide the rest.
            grep -v ' \[INF\] ' "$file" | tail -n 20
        fi
    done >&2
    return 1
}

# start NAME COMMAND...: runs a command in the background with its output in NAME.out and NAME.err.
# Sets NAME_pid.
start() {
    local name=$1
    shift
    # Output of an earlier process of that name must not be mistaken for this one's.
    : >"$BATS_TEST_TMPDIR/$name.out"
    : >"$BATS_TEST_TMPDIR/$name.err"
    "$@" </dev/null >"$BATS_TEST_TMPDIR/$name.out" 2>"$BATS_TEST_TMPDIR/$name.err" 3>&- {never}>&- &
    printf -v "${name}_pid" %s "$!"
    started[$!]=$name
}

# running PID: for children of the shell only, so that a reused process ID is not mistaken for ours.
running() {
    local state
    read -r state <"/proc/$1/stat" && [[ ${state##*) } == [!ZX]" $$ "* ]]
} 2>/dev/null

ended() {
    ! running "$1"
}

# takes_signals PID: whether one of our programs has blocked SIGINT, SIGUSR1 and SIGTERM to handle
# them. Wait for it before the first signal, which would otherwise kill the process.
takes_signals() {
    local blocked
    blocked=$(sed -n 's/^SigBlk:[[:space:]]*//p' "/proc/$1/status") || return
    ((("0x$blocked" & 0x4202) == 0x4202))
}

# suspend PID: stops a process and waits until all of its threads have stopped.
suspend() {
    kill -STOP "$1"
    wait_until suspended "$1"
}

suspended() {
    ! grep -qv '^[0-9]* ([^)]*) T ' /proc/"$1"/task/*/stat
}

# grouped NUMBER: prints it with thousands separators.
grouped() {
    sed -E ':again; s/([0-9])([0-9]{3})($|,)/\1,\2\3/; t again' <<<"$1"
}

# counts NAME TEXT: requests the counters of NAME, and succeeds if they contain TEXT.
counts() {
    local pid=${1}_pid
    takes_signals "${!pid}" && kill -USR1 "${!pid}" && grep -q -e " $2\( \|\$\)" "$1.err"
}

# at_rest PROCESS...: succeeds if all of them sleep, and read and write nothing, between twenty looks. A
# process that waits for the processor does not sleep.
at_rest() {
    local i pid before now
    for ((i = 0; i < 20; i++)); do
        now=
        for pid; do
            [[ $(cut -d ' ' -f 3 "/proc/$pid/stat") == S ]] || return
            now+=$(grep char "/proc/$pid/io") || return
        done
        [[ $now == "${before:=$now}" ]] || return
        pause
    done
}

# ended_when_told PID: for wait_until; sends TERM again each time, because a program ignores a second
# one that follows too soon.
ended_when_told() {
    kill -TERM "$1" || true
    ended "$1"
}

# wait_exit NAME: waits for the end of a process of `start`. Sets status to its exit status.
# shellcheck disable=SC2034
wait_exit() {
    local pid=${1}_pid
    pid=${!pid}
    wait_until -t 60 ended "$pid" || return
    status=0
    wait "$pid" || status=$?
    unset "started[$pid]"
}

# listen_url FILE: waits for a line `NAME: listening on URL` and prints its first URL.
listen_url() {
    wait_until grep -q ': listening on ' "$1" || return
    sed -n '/: listening on /{s/.*: listening on \([^ ,]*\).*/\1/p;q;}' "$1"
}

# like GOT PATTERN: asserts that the text matches the pattern of [[ ]].
like() {
    # shellcheck disable=SC2053
    [[ $1 == $2 ]] || {
        printf 'got:      %s\nexpected: %s\n' "$1" "$2"
        return 1
    }
}

# quiet_port: prints a free port below the kernel's ephemeral range (32768 and up), for servers whose
# port must be known before they start. Each job of tests/run has a range of its own, and no port is
# printed twice in it.
quiet_port() {
    local port claims=$BATS_RUN_TMPDIR/ports
    mkdir -p "$claims"
    until port=$((10240 + ${SHNEK_SLOT:-0} % 20 * 1024 + RANDOM % 1024)) &&
        ! quietly listens_at "$port" && quietly mkdir "$claims/$port"; do :; done
    echo "$port"
}

# listens_at PORT: whether a TCP server accepts connections there.
listens_at() {
    true <>"/dev/tcp/127.0.0.1/$1"
}

# port_of URL: prints the port.
port_of() {
    local port=${1##*:}
    echo "${port%%[!0-9]*}"
}

# nats_start [CONFIGURATION LINE...]: starts a nats-server and sets NATS_URL and NATS_MON. Given lines
# override those below.
nats_start() {
    # With these limits the server does not disconnect a slow subscriber of a test.
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

# nats_restart: starts a stopped nats-server again on the same port.
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

# nats_get PATH: prints the JSON document of the monitoring port.
nats_get() {
    local connection line
    exec {connection}<>"/dev/tcp/127.0.0.1/$NATS_MON" || return
    printf 'GET /%s HTTP/1.0\r\n\r\n' "$1" >&"$connection"
    while read -r line <&"$connection" && [[ $line != $'\r' ]]; do :; done
    cat <&"$connection"
    exec {connection}>&-
}

# nats_varz KEY: prints a number from the top level of /varz.
nats_varz() {
    nats_get varz | sed -n "s/^  \"$1\": \([0-9]*\).*/\1/p"
}

# rss_kib PID and rss_peak_kib PID: print the resident memory, now and at its maximum, in KiB.
rss_kib() {
    memory_kib VmRSS "$1"
}

rss_peak_kib() {
    memory_kib VmHWM "$1"
}

memory_kib() {
    sed -n "s/^$1:[^0-9]*\([0-9]*\) kB/\1/p" "/proc/$2/status"
}

# Debian packages of commands, if the name differs.
declare -gA command_package=(
    [base32]=coreutils [gnuplot]=gnuplot-nox [iconv]=libc-bin [logger]=bsdutils
    [nc]=netcat-openbsd [script]=bsdutils [prlimit]=util-linux [setpriv]=util-linux
    [systemd-socket-activate]=systemd
)

# need COMMAND...: skips the test if a command is missing. The reason is "needs", followed by the
# missing Debian packages.
need() {
    local command packages=()
    for command in "$@"; do
        quietly has_command "$command" || packages+=("${command_package[$command]:-$command}")
    done
    need_packages "${packages[@]}"
}

# need_packages [PACKAGE...]: skips the test if a missing package is given.
need_packages() {
    [[ $# == 0 ]] || skip "needs $(printf '%s\n' "$@" | sort -u | paste -sd ' ')"
}

has_command() {
    case $1 in
    logger) logger --help | grep -q -- --octet-count ;; # that of util-linux
    *) command -v "$1" ;;
    esac
}

# is GOT EXPECTED: fails and prints both if they differ.
is() {
    [[ $1 == "$2" ]] || {
        printf 'got:      %s\nexpected: %s\n' "$1" "$2"
        return 1
    }
}

# lines_are FILE COUNT: whether the file has this many lines.
lines_are() {
    [[ $(wc -l <"$1") == "$2" ]]
}

lines_are_at_least() {
    (($(wc -l <"$1") >= $2))
}

# signals_taken PID: whether no signal is pending for the process, or it has ended.
signals_taken() {
    ended "$1" || grep -q '^ShdPnd:[[:space:]]*0*$' "/proc/$1/status"
}

# start_fed NAME COMMAND...: like start, with the FIFO NAME.in as input, which is open for writing as
# descriptor $feed.
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

# from FILE COMMAND... and into FILE COMMAND...: run a command of `start` with stdin or stdout
# redirected.
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

# connections_are COUNT: whether the nats-server has this many connections.
connections_are() {
    [[ $(nats_varz connections) == "$1" ]]
}

# taken_at_least COUNT: whether the nats-server has received this many messages.
taken_at_least() {
    (($(nats_varz in_msgs) >= $1))
}

# misused PATTERN ARGUMENT...: spamlog must exit with status 2, an empty stdout, one line that matches
# the pattern, and the usage hint.
misused() {
    local pattern=$1
    shift
    run --separate-stderr timeout 10 spamlog "$@"
    [[ $status == 2 && -z $output && ${#stderr_lines[@]} == 2 ]]
    # shellcheck disable=SC2053
    [[ ${stderr_lines[0]} == "spamlog: "$pattern ]] || { echo "$stderr" && return 1; }
    [[ ${stderr_lines[1]} == "spamlog: try 'spamlog --help'" ]]
}
