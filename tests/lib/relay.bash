# shellcheck shell=bash
# Shared by the bats files about shnek-parse: records, peers, CPU time.

# json TEXT: prints the record of the message HEAD TEXT; TEXT is already escaped for JSON.
json() {
    printf '{"severity":"notice","facility":"user","version":1,"timestamp":null,"hostname":null,'
    printf '"appname":null,"procid":null,"msgid":null,"sd":{},"msg":"%s"}\n' "$1"
}

# cpu_ms PID: prints the CPU time used so far, in ms.
cpu_ms() {
    local fields
    read -ra fields <"/proc/$1/stat"
    echo $(((fields[13] + fields[14]) * 1000 / $(getconf CLK_TCK)))
}

# idle PID: whether a process uses less than 20 % of a core for the time of 25 pauses.
idle() {
    local cpu clock
    cpu=$(cpu_ms "$1")
    clock=${EPOCHREALTIME/[.,]/}
    for _ in {1..25}; do
        pause
    done
    cpu=$(($(cpu_ms "$1") - cpu))
    clock=$(((${EPOCHREALTIME/[.,]/} - clock) / 1000))
    echo "$cpu ms of CPU time in $clock ms"
    ((cpu * 5 < clock))
}

# name_of DESCRIPTOR: prints the local address of a TCP connection over IPv4.
name_of() {
    local socket
    socket=$(readlink "/proc/$$/fd/$1")
    socket=${socket//[!0-9]/}
    echo "127.0.0.1:$(printf %d "0x$(awk -v inode="$socket" '$10 == inode { sub(/.*:/, "", $2); print $2 }' /proc/net/tcp)")"
}

# without_peer FILE: prints the lines of --rejects without what --meta would add.
without_peer() {
    sed 's/,"peer":.*/}/' "$1"
}

need_ipv6() {
    grep -qs '^0\{31\}1 .* lo$' /proc/net/if_inet6 || skip 'needs IPv6'
}

# peers FILE: prints the "peer" member of each record of --meta.
peers() {
    sed 's/.*"peer":"\([^"]*\)".*/\1/' "$1"
}
