# shellcheck shell=bash
# Runs the rows of the benchmark in turn and records the figures of each run.
#
# A row is a command that is run repeatedly in this shell, so that all processes it starts can be
# terminated. It sets seconds and cpu to the wall-clock and CPU time that its messages took; `run` and
# the functions of receive.bash do so. Each run appends lines MEASURE<TAB>ROW<TAB>VALUE to
# $directory/samples.

rows=()
declare -A messages=() bytes=() commands=()

warn() {
    echo "bench: $*" >&2
}

fail() {
    warn "$@"
    exit 2
}

# bench_start: creates the working directory, in memory if possible, so that no disk is measured.
bench_start() {
    local free=0 parent=${TMPDIR:-/tmp}
    if [[ -w /dev/shm ]]; then
        free=$(df --output=avail -m /dev/shm | tail -n 1)
    fi
    if ((free >= 2048)); then
        parent=/dev/shm
    else
        warn "/dev/shm: less than 2 GiB free; using $parent, which may be a disk"
    fi
    directory=$(mktemp -d "$parent/shnek-bench.XXXXXX") || exit 2
    trap bench_stop EXIT
    trap 'exit 130' INT
    trap 'fail "terminated, or timeout after $limit s"' TERM
    cd "$directory" || exit 2
    exec {never}<> <(:)
    # The timeout of the whole benchmark.
    (
        trap 'kill $!; exit' TERM
        sleep "$limit" &
        wait $! && kill -TERM $$
    ) &
}

# KILL as well: a shnek-pub whose server is gone would wait for it.
bench_stop() {
    trap '' INT TERM
    signal_all TERM
    for _ in {1..50}; do
        [[ $(jobs -pr) ]] || break
        pause
    done
    signal_all KILL
    wait
    rm -rf "$directory"
} 2>/dev/null

signal_all() {
    local pid
    for pid in $(jobs -pr); do
        kill -"$1" "$pid"
    done
}

pause() {
    read -rt 0.01 -u "$never" || true
}

# await COMMAND...: repeats the command until it succeeds. Fails after 30 s.
await() {
    local deadline=$((EPOCHSECONDS + 30))
    until "$@" &>/dev/null; do
        ((EPOCHSECONDS < deadline)) || fail "$row: timeout after 30 s: $*"
        pause
    done
}

# Microseconds since 1970.
now() {
    echo "${EPOCHREALTIME/[.,]/}"
}

# read_children_cpu: sets children to the CPU time of all finished children, in ms.
read_children_cpu() {
    local line ms='m([0-9]+)[.,]([0-9]{3})s'
    times >children
    { read -r line && read -r line; } <children
    [[ $line =~ ([0-9]+)$ms\ ([0-9]+)$ms ]]
    children=$(((BASH_REMATCH[1] + BASH_REMATCH[4]) * 60000 +
        (10#${BASH_REMATCH[2]} + 10#${BASH_REMATCH[5]}) * 1000 +
        10#${BASH_REMATCH[3]} + 10#${BASH_REMATCH[6]}))
}

# run COMMAND...: measures a command that processes all messages of the row and exits with status 0.
run() {
    local start before
    read_children_cpu
    before=$children
    start=${EPOCHREALTIME/[.,]/}
    "$@" <&0 &
    wait $! || fail "$row: status $?: $*"
    seconds=$((${EPOCHREALTIME/[.,]/} - start))e-6
    read_children_cpu
    cpu=$((children - before))e-3
}

# row NAME MESSAGES BYTES COMMAND: defines a row of MESSAGES messages of BYTES bytes on average.
row() {
    rows+=("$1")
    messages[$1]=$2
    bytes[$1]=$3
    commands[$1]=$4
}

# figure MEASURE ROW VALUE
figure() {
    printf '%s\t%s\t%s\n' "$@" >>samples
}

sample() {
    row=$1
    seconds='' cpu=''
    eval "${commands[$row]}"
    figure rate "$row" "$(awk "BEGIN { print ${messages[$row]} / $seconds }")"
    figure MB/s "$row" "$(awk "BEGIN { print ${messages[$row]} * ${bytes[$row]} / $seconds / 1e6 }")"
    figure cpu "$row" "$(awk "BEGIN { print $cpu / ${messages[$row]} * 1e9 }")"
}

# measure TITLE RUNS: runs the rows defined since the last call, RUNS times. They take turns, so that
# a disturbance affects all of them.
measure() {
    local turn name
    printf 'title\t%s\t%d\n' "$1" "$2" >>samples
    for name in "${rows[@]}"; do
        printf 'row\t%s\t%s\n' "$name" "${bytes[$name]}" >>samples
    done
    for ((turn = 1; turn <= $2; turn++)); do
        [[ ! -t 2 ]] || printf '\r%-60s' "$1: run $turn of $2" >&2
        for name in "${rows[@]}"; do
            sample "$name"
        done
    done
    [[ ! -t 2 ]] || printf '\r%-60s\r' '' >&2
    rows=()
}

# instructions ROW INPUT COMMAND...: records the instructions per message, see cost.
instructions() {
    figure instructions "$1" "$(cost "${@:2}")" || fail "$1: callgrind failed"
}

# median_of MEASURE ROW: prints the median as a whole number.
median_of() {
    awk -F'\t' -v measure="$1" -v row="$2" '$1 == measure && $2 == row { print $3 }' samples |
        sort -g | awk '{ v[NR] = $1 } END { printf "%.0f\n", v[int((NR + 1) / 2)] }'
}

# claim TEXT LIMIT UNIT KIND MEASURE ROW [ROW...]: a figure and its limit, such as '<=2'. KIND `value`
# is the measure of the row, `ratio` divides it by the sum of those of the other rows, and `minus`
# subtracts that sum.
claim() {
    (IFS=$'\t' && echo "$*") >>claims
}
