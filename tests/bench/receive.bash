# shellcheck shell=bash
# Who receives: shnek-parse, the whole relay into a nats-server, and the daemons of others. Each
# function is what a row runs: it fails where one of the row's messages did not arrive.
# shellcheck disable=SC2034 # measure.bash reads seconds and cpu

server_options=()
crowd=()

open_at() {
    true <>"/dev/tcp/127.0.0.1/$1"
}

# A port that nobody listens at, and that the kernel gives to nobody who asks for any.
quiet_port() {
    local port
    until port=$((10240 + RANDOM % 20480)) && ! open_at "$port" 2>/dev/null; do :; done
    echo "$port"
}

nats_begin() {
    nats-server --addr 127.0.0.1 --port -1 --ports_file_dir "$PWD" -js -sd "$PWD/js" &>nats.log &
    row=nats-server
    await grep -q nats:// nats-server_$!.ports
    NATS_URL=$(grep -o 'nats://[0-9.:]*' nats-server_$!.ports | head -n 1)
    export NATS_URL
    shnek-pub -J --stream=bench --create-stream bench.js <<<'{}' || fail "no stream at $NATS_URL"
}

# parse_begin ADDRESS FILE: a shnek-parse, as $parse, that listens at $url and writes to the file.
parse_begin() {
    rm -f socket parse.err crowd.out
    shnek-parse --stats=1h --max-connections=20k "${server_options[@]}" -l "$1" >"$2" 2>parse.err &
    parse=$!
    await grep -q 'listening on' parse.err
    url=$(sed -n 's/.*listening on //p' parse.err)
}

# parse_end: what has arrived is written, and is all that was sent.
parse_end() {
    kill "$parse"
    wait "$parse" || fail "$row: $(tail -n 1 parse.err)"
    grep -q " out ${messages[$row]} rejected 0 dropped 0 " parse.err ||
        fail "$row: not all of ${messages[$row]}: $(tail -n 1 parse.err)"
}

# sent COMMAND...: it sends all messages of the row, and ends.
sent() {
    "$@" &
    wait $! || fail "$row: status $?: $*"
}

spam() {
    sent spamlog -q -r max -n "${messages[$row]}" "${line[@]}" "$@" "$url"
}

# parsed ADDRESS COMMAND...: from the first message that the command sends to the last one that
# shnek-parse has written, to /dev/null. $cpu is shnek-parse's, $cpu_of_sender the command's.
parsed() {
    local start before others
    parse_begin "$1" /dev/null
    if [[ ${#crowd[@]} != 0 ]]; then
        many-connections "${crowd[@]}" "${url##*:}" >crowd.out &
        others=$!
        row=${crowd[*]} await grep -q open crowd.out
    fi
    count_children
    before=$children
    start=$(now)
    "${@:2}"
    if [[ ${#crowd[@]} != 0 ]]; then
        kill "$others"
        wait "$others" || true
    fi
    count_children
    cpu_of_sender=$((children - before))e-3
    before=$children
    parse_end
    seconds=$(($(now) - start))e-6
    count_children
    cpu=$((children - before))e-3
}

# sender COMMAND...: the same, as a row of who sends.
sender() {
    parsed tcp://127.0.0.1:0 "$@"
    cpu=$cpu_of_sender
}

# relay_begin and relay_end: shnek-parse into shnek-pub, which ends when the server has it all.
relay_begin() {
    rm -f pipe
    mkfifo pipe
    shnek-pub bench <pipe &
    pub=$!
    parse_begin tcp://127.0.0.1:0 pipe
}

relay_end() {
    parse_end
    wait "$pub" || fail "$row: shnek-pub: status $?"
}

# relayed: from the first message that spamlog sends to the server's last confirmation; $cpu is that
# of shnek-parse and shnek-pub.
relayed() {
    local start before
    relay_begin
    start=$(now)
    spam -c 8
    count_children
    before=$children
    relay_end
    seconds=$(($(now) - start))e-6
    count_children
    cpu=$((children - before))e-3
}

# read_at RATE DESCRIPTOR BEGIN END: from the first message that is due until spamlog has read the
# last one back from there; $cpu is that of what BEGIN starts and END ends.
read_at() {
    local start verify far=$2
    rm -f verified
    spamlog --verify --idle=10s --expect="${messages[$row]}" --csv=verified <&"$far" &>/dev/null &
    verify=$!
    "$3"
    start=$(now)
    sent spamlog -q -r "$1" -n "${messages[$row]}" -c 8 -m 'hello from rust!' "$url"
    wait "$verify" || true
    seconds=$(($(now) - start))e-6
    exec {far}>&-
    count_children
    cpu=$children
    "$4"
    count_children
    cpu=$((children - cpu))e-3
    late verified
}

# read_back RATE: through the relay. spamlog reads NATS's own protocol from the socket, where only
# the payloads look like records: a client's thread and memory for each message would take more of
# two cores than the relay does.
read_back() {
    local socket line
    exec {socket}<>"/dev/tcp/127.0.0.1/${NATS_URL##*:}"
    printf 'CONNECT {"verbose":false}\r\nSUB bench 1\r\nPING\r\n' >&"$socket"
    until read -ru "$socket" line && [[ $line == PONG* ]]; do :; done
    read_at "$1" "$socket" relay_begin relay_end
}

# read_directly RATE: from shnek-parse, without shnek-pub and nats-server.
read_directly() {
    local near
    rm -f pipe
    mkfifo pipe
    exec {near}<>pipe
    read_at "$1" "$near" near_begin parse_end
}

near_begin() {
    parse_begin tcp://127.0.0.1:0 pipe
}

# late FILE: what a report says of the row, which is an error if anything is missing, as one that is
# damaged is too. The lines of the protocol are none of ours.
late() {
    awk -F, -v n="${messages[$row]}" '
        NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i }
        $1 == "total" {
            if ($column["received"] != n || $column["missing"] + $column["duplicated"])
                exit
            print $column["latency-p50-seconds"], $column["latency-p99-seconds"], $column["latency-p99.9-seconds"]
        }' "$1" >late
    read -r p50 p99 p999 <late || fail "$row: not all came back: $(tail -n 1 "$1")"
    [[ $row == *' % '* ]] || return 0
    figure p50 "$row" "${p50}e3"
    figure p99 "$row" "${p99}e3"
    figure p99.9 "$row" "${p999}e3"
}

cpu_of() {
    awk '{ ns += $1 } END { printf "%.0f\n", ns }' /proc/"$1"/task/*/schedstat
}

# in_file FILE: whether all messages of the row are lines there. To count lines takes time, so it is
# done once: after that the length tells.
declare -A lengths=()
in_file() {
    if [[ -z ${lengths[$row]-} ]]; then
        [[ $(wc -l <"$1") == "${messages[$row]}" ]] && lengths[$row]=$(stat -c %s "$1")
    else
        [[ $(stat -c %s "$1") == "${lengths[$row]}" ]]
    fi
}

# filed FILE CONNECTIONS COMMAND...: a server at $port that writes a line for each message to FILE,
# or stdout: from the first message sent to the last change of the file.
filed() {
    local start server changed
    url=tcp://127.0.0.1:$port
    : >"$1"
    "${@:3}" >stdout 2>server.err &
    server=$!
    await open_at "$port"
    cpu=$(cpu_of "$server")
    start=$(now)
    spam -c "$2"
    await in_file "$1"
    cpu=$(($(cpu_of "$server") - cpu))e-9
    changed=$(stat -c %.6Y "$1")
    seconds=$((${changed/[.,]/} - start))e-6
    kill "$server"
    wait "$server" || fail "$row: $(tail -n 1 server.err)"
    : >"$1"
}
