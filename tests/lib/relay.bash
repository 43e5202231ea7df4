# shellcheck shell=bash
# What the files share that look at shnek-parse: its records, its peers, its CPU time.

# The record of the message HEAD TEXT, where TEXT stands as it does in JSON.
json() {
    printf '{"severity":"notice","facility":"user","version":1,"timestamp":null,"hostname":null,'
    printf '"appname":null,"procid":null,"msgid":null,"sd":{},"msg":"%s"}\n' "$1"
}

# cpu_ms PID: what it has taken so far.
cpu_ms() {
    local fields
    read -ra fields <"/proc/$1/stat"
    echo $(((fields[13] + fields[14]) * 1000 / $(getconf CLK_TCK)))
}

# idle PID: whether it takes next to no CPU time while 25 polls are made.
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

# The address that the connection at a descriptor comes from, where that is an IPv4 one.
name_of() {
    local socket
    socket=$(readlink "/proc/$$/fd/$1")
    socket=${socket//[!0-9]/}
    echo "127.0.0.1:$(printf %d "0x$(awk -v inode="$socket" '$10 == inode { sub(/.*:/, "", $2); print $2 }' /proc/net/tcp)")"
}

need_ipv6() {
    grep -qs '^0\{31\}1 .* lo$' /proc/net/if_inet6 || skip 'needs IPv6'
}

# peers FILE: those of the records in it, as --meta tells them.
peers() {
    sed 's/.*"peer":"\([^"]*\)".*/\1/' "$1"
}
