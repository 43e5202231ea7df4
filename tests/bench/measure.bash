# shellcheck shell=bash
# Rows that are run in turn, and the figures of each run.
#
# A row is a command that is run again and again, in this shell, so that whatever it starts can be
# ended. It leaves in $seconds and $cpu what its messages took; `run` and the functions of
# receive.bash do. Each run appends lines MEASURE<TAB>ROW<TAB>VALUE to $directory/samples.

rows=()
declare -A messages=() bytes=() commands=()

say() {
    echo "bench: $*" >&2
}

fail() {
    say "$@"
    exit 2
}

# Where the files are: in memory where there is room, so that no disk is measured.
bench_begin() {
    local room=0 parent=${TMPDIR:-/tmp}
    if [[ -w /dev/shm ]]; then
        room=$(df --output=avail -m /dev/shm | tail -n 1)
    fi
    if ((room >= 2048)); then
        parent=/dev/shm
    else
        say "/dev/shm has not 2 GiB free: the files are in $parent"
    fi
    directory=$(mktemp -d "$parent/shnek-bench.XXXXXX") || exit 2
    trap bench_end EXIT
    trap 'exit 130' INT
    trap 'fail "ended by a signal, or not done within $limit s"' TERM
    cd "$directory" || exit 2
    exec {never}<> <(:)
    # A run that hangs must not hang the bench.
    (
        trap 'kill $!; exit' TERM
        sleep "$limit" &
        wait $! && kill -TERM $$
    ) &
}

# A shnek-pub whose server is gone would wait for it.
bench_end() {
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

# await COMMAND...: until it succeeds, in 30 s.
await() {
    local deadline=$((EPOCHSECONDS + 30))
    until "$@" &>/dev/null; do
        ((EPOCHSECONDS < deadline)) || fail "$row: not within 30 s: $*"
        pause
    done
}

# Microseconds since 1970.
now() {
    echo "${EPOCHREALTIME/[.,]/}"
}

# In $children: the milliseconds of CPU time of those that were waited for.
count_children() {
    local line ms='m([0-9]+)[.,]([0-9]{3})s'
    times >children
    { read -r line && read -r line; } <children
    [[ $line =~ ([0-9]+)$ms\ ([0-9]+)$ms ]]
    children=$(((BASH_REMATCH[1] + BASH_REMATCH[4]) * 60000 +
        (10#${BASH_REMATCH[2]} + 10#${BASH_REMATCH[5]}) * 1000 +
        10#${BASH_REMATCH[3]} + 10#${BASH_REMATCH[6]}))
}

# run COMMAND...: takes all its messages, and says so with status 0.
run() {
    local start before
    count_children
    before=$children
    start=${EPOCHREALTIME/[.,]/}
    "$@" <&0 &
    wait $! || fail "$row: status $?: $*"
    seconds=$((${EPOCHREALTIME/[.,]/} - start))e-6
    count_children
    cpu=$((children - before))e-3
}

# row NAME MESSAGES BYTES COMMAND: to be run; what a message takes, and how it is run.
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

# measure TITLE RUNS: the rows so far, in turn, so that what disturbs one disturbs all.
measure() {
    local turn name
    printf 'title\t%s\t%d\n' "$1" "$2" >>samples
    for name in "${rows[@]}"; do
        printf 'row\t%s\t%s\n' "$name" "${bytes[$name]}" >>samples
    done
    for ((turn = 1; turn <= $2; turn++)); do
        [[ ! -t 2 ]] || printf '\r%-60s' "$1: $turn of $2" >&2
        for name in "${rows[@]}"; do
            sample "$name"
        done
    done
    [[ ! -t 2 ]] || printf '\r%-60s\r' '' >&2
    rows=()
}

# instructions ROW INPUT COMMAND...: see cost.
instructions() {
    figure instructions "$1" "$(cost "${@:2}")" || fail "$1: callgrind failed"
}

# median_of MEASURE ROW: as a whole number.
median_of() {
    awk -F'\t' -v measure="$1" -v row="$2" '$1 == measure && $2 == row { print $3 }' samples |
        sort -g | awk '{ v[NR] = $1 } END { printf "%.0f\n", v[int((NR + 1) / 2)] }'
}

# claim TEXT LIMIT UNIT KIND MEASURE ROW [ROW...]: a figure of a row, its ratio to the sum of the
# others, or what it takes more than they; >= or <= is what is wanted.
claim() {
    (IFS=$'\t' && echo "$*") >>claims
}
