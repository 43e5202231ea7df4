# shellcheck shell=bash
# Receivers: shnek-parse, the relay into a nats-server, and other daemons. A row runs one of these
# functions; it fails if a message of the row does not arrive.
# shellcheck disable=SC2034 # measure.bash reads seconds and cpu

server_options=()
pub_options=()
background=()

port_is_open() {
    true <>"/dev/tcp/127.0.0.1/$1"
}

# quiet_port: prints a free port below the kernel's ephemeral range.
quiet_port() {
    local port
    until port=$((10240 + RANDOM % 20480)) && ! port_is_open "$port" 2>/dev/null; do :; done
    echo "$port"
}

nats_start() {
    nats-server --addr 127.0.0.1 --port -1 --ports_file_dir "$PWD" -js -sd "$PWD/js" &>nats.log &
    row=nats-server
    await grep -q nats:// nats-server_$!.ports
    NATS_URL=$(grep -o 'nats://[0-9.:]*' nats-server_$!.ports | head -n 1)
    export NATS_URL
    shnek-pub -J --stream=bench --create-stream bench.js <<<'{}' || fail "no stream at $NATS_URL"
}

# parse_start ADDRESS FILE: starts shnek-parse with its output in a file. Sets parse to its process ID
# and url to its address.
parse_start() {
    local options=("${server_options[@]}")
    rm -f socket parse.err background.out
    [[ $1 == unixgram:* ]] || options+=(--max-connections=20k)
    shnek-parse --stats=1h "${options[@]}" -l "$1" >"$2" 2>parse.err &
    parse=$!
    await grep -q 'listening on' parse.err
    url=$(sed -n 's/.*listening on //p' parse.err)
}

# parse_finish: stops shnek-parse, which must have written all messages of the row.
parse_finish() {
    kill "$parse"
    wait "$parse" || fail "$row: $(tail -n 1 parse.err)"
    tail -n 1 parse.err | tr -d , | grep -Eq " out ${messages[$row]} (rejected 0 dropped 0 )?bytes " ||
        fail "$row: fewer than ${messages[$row]} messages: $(tail -n 1 parse.err)"
}

# send_all COMMAND...: runs a command that sends all messages of the row.
send_all() {
    "$@" &
    wait $! || fail "$row: status $?: $*"
}

send_spamlog() {
    send_all spamlog -q -r max -n "${messages[$row]}" "${line[@]}" "$@" "$url"
}

# receive ADDRESS COMMAND...: measures from the first message that the command sends to the last one
# that shnek-parse writes, to /dev/null. Sets cpu for shnek-parse and send_cpu for the command. The
# array background may name a mode of many-connections and a number of connections beside it.
receive() {
    local start before others
    parse_start "$1" /dev/null
    if [[ ${#background[@]} != 0 ]]; then
        many-connections "${background[@]}" "${url##*:}" >background.out &
        others=$!
        row=${background[*]} await grep -q open background.out
    fi
    read_children_cpu
    before=$children
    start=$(now)
    "${@:2}"
    if [[ ${#background[@]} != 0 ]]; then
        kill "$others"
        wait "$others" || true
    fi
    read_children_cpu
    send_cpu=$((children - before))e-3
    before=$children
    parse_finish
    seconds=$(($(now) - start))e-6
    read_children_cpu
    cpu=$((children - before))e-3
}

# measure_sender COMMAND...: like receive, but records the CPU time of the sender.
measure_sender() {
    receive tcp://127.0.0.1:0 "$@"
    cpu=$send_cpu
}

# relay_start [OPTION...] and relay_finish: shnek-parse into shnek-pub with these options, which exits
# after the server's last confirmation.
relay_start() {
    rm -f pipe
    mkfifo pipe
    shnek-pub "${pub_options[@]}" "$@" bench <pipe &
    pub=$!
    parse_start tcp://127.0.0.1:0 pipe
}

relay_finish() {
    parse_finish
    wait "$pub" || fail "$row: shnek-pub: status $?"
}

# relay_to_nats [OPTION...]: measures from the first message that spamlog sends to the last confirmation
# of the server. Sets cpu for shnek-parse and shnek-pub.
# shellcheck disable=SC2120 # measure_nats passes options
relay_to_nats() {
    local start before
    relay_start "$@"
    start=$(now)
    send_spamlog -c 8
    read_children_cpu
    before=$children
    relay_finish
    seconds=$(($(now) - start))e-6
    read_children_cpu
    cpu=$((children - before))e-3
}

relay_with_metrics() {
    server_options=(--metrics=127.0.0.1:0)
    pub_options=(--metrics=pub.prom)
    relay_to_nats
    server_options=()
    pub_options=()
}

# read_at RATE DESCRIPTOR START FINISH: measures from the first message that is due until spamlog has
# read the last one from the descriptor. Sets cpu for the programs between START and FINISH.
read_at() {
    local start verify far=$2
    rm -f verified
    spamlog --verify --idle=10s --expect="${messages[$row]}" --csv=verified <&"$far" &>/dev/null &
    verify=$!
    "$3"
    start=$(now)
    send_all spamlog -q -r "$1" -n "${messages[$row]}" -c 8 -m 'hello from rust!' "$url"
    wait "$verify" || true
    seconds=$(($(now) - start))e-6
    exec {far}>&-
    read_children_cpu
    cpu=$children
    "$4"
    read_children_cpu
    cpu=$((children - cpu))e-3
    latency_figures verified
}

# read_back RATE: reads back through the relay. spamlog reads the NATS protocol from the socket, in
# which only the payloads look like records. A NATS client would use more CPU time per message than
# the relay.
read_back() {
    local socket line
    exec {socket}<>"/dev/tcp/127.0.0.1/${NATS_URL##*:}"
    printf 'CONNECT {"verbose":false}\r\nSUB bench 1\r\nPING\r\n' >&"$socket"
    until read -ru "$socket" line && [[ $line == PONG* ]]; do :; done
    read_at "$1" "$socket" relay_start relay_finish
}

# read_back_directly RATE: reads from shnek-parse, without shnek-pub and nats-server.
read_back_directly() {
    local near
    rm -f pipe
    mkfifo pipe
    exec {near}<>pipe
    read_at "$1" "$near" parse_to_pipe parse_finish
}

parse_to_pipe() {
    parse_start tcp://127.0.0.1:0 pipe
}

# latency_figures FILE: records the latencies of a report. Fails if a message is missing or damaged;
# lines of the NATS protocol do not count.
latency_figures() {
    awk -F, -v n="${messages[$row]}" '
        NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
        $1 == "total" {
            if ($column["received"] != n || $column["missing"] + $column["duplicated"])
                exit
            print $column["latency_p50_seconds"], $column["latency_p99_seconds"], $column["latency_p99_9_seconds"]
        }' "$1" >latency
    read -r p50 p99 p999 <latency || fail "$row: messages are missing: $(tail -n 1 "$1")"
    [[ $row == *' % '* ]] || return 0
    figure p50 "$row" "${p50}e3"
    figure p99 "$row" "${p99}e3"
    figure p99.9 "$row" "${p999}e3"
}

# process_cpu_ns PID: prints the CPU time of a running process.
process_cpu_ns() {
    awk '{ ns += $1 } END { printf "%.0f\n", ns }' /proc/"$1"/task/*/schedstat
}

# file_is_complete FILE: whether the file contains a line for each message of the row. Counting lines
# is slow, so that is done once for each row; later runs compare the size.
declare -A lengths=()
file_is_complete() {
    if [[ -z ${lengths[$row]-} ]]; then
        [[ $(wc -l <"$1") == "${messages[$row]}" ]] && lengths[$row]=$(stat -c %s "$1")
    else
        [[ $(stat -c %s "$1") == "${lengths[$row]}" ]]
    fi
}

# receive_to_file FILE CONNECTIONS COMMAND...: starts a server on $port that writes a line for each
# message to FILE, or to stdout. Measures from the first message to the last change of the file.
receive_to_file() {
    local start server changed
    url=tcp://127.0.0.1:$port
    : >"$1"
    "${@:3}" >stdout 2>server.err &
    server=$!
    await port_is_open "$port"
    cpu=$(process_cpu_ns "$server")
    start=$(now)
    send_spamlog -c "$2"
    await file_is_complete "$1"
    cpu=$(($(process_cpu_ns "$server") - cpu))e-9
    changed=$(stat -c %.6Y "$1")
    seconds=$((${changed/[.,]/} - start))e-6
    kill "$server"
    wait "$server" || fail "$row: $(tail -n 1 server.err)"
    : >"$1"
}
