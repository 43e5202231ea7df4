#!/usr/bin/env bash
# Run by tests/package in the container: installs /root/shnek.deb, uses the service, purges it.
set -u
cd /root || exit 2
export PATH=$PATH:/usr/sbin:/sbin

step() {
    echo "package: $*"
}

fail() {
    echo "package: FAILED: $*"
    systemctl status --no-pager --full shnek.socket shnek.service 'shnek@*' | tail -n 40
    journalctl -b --no-pager -o short -n 40 -u shnek.service
    exit 1
}

# A pipe without data, to pause without creating a process.
exec {never}<> <(:)

# wait_until COMMAND...: repeats it until it succeeds, for five minutes.
wait_until() {
    local deadline=$((SECONDS + 300))
    until "$@"; do
        ((SECONDS < deadline)) || fail "timeout: $*"
        read -rt 0.2 _ <&"$never" || true
    done
}

# All files, but not those that a running system writes itself.
list_files() {
    find / -xdev \( -path /proc -o -path /sys -o -path /dev -o -path /run -o -path /root -o -path /tmp \
        -o -path /var/tmp -o -path /var/log -o -path /var/cache -o -path /var/lib/apt -o -path /var/lib/dpkg \
        -o -path /var/lib/systemd \) -prune -o -path /var/lib/private -o -print | sort
}

# monitor PATH: what nats-server responds.
monitor() {
    exec 3<>/dev/tcp/127.0.0.1/8222 || return
    printf 'GET /%s HTTP/1.0\r\n\r\n' "$1" >&3
    sed '1,/^\r$/d' <&3
    exec 3>&-
} 2>/dev/null

stored() {
    monitor 'jsz?streams=1' | jq '.messages // 0'
}

stored_at_least() {
    local count
    count=$(stored) && ((count >= $1))
}

stored_exactly() {
    [[ $(stored) == "$1" ]]
}

listens() {
    (: <"/dev/tcp/127.0.0.1/514") 2>/dev/null
}

is_active() {
    systemctl is-active --quiet "$1"
}

property() {
    systemctl show --value -p "$2" "$1"
}

# last_counters UNIT: "IN OUT" in the last line of counters in the journal.
last_counters() {
    journalctl -b -o cat -u "$1" | sed -n 's/^shnek-parse: in \([0-9,]*\) .*shnek-pub: out \([0-9,]*\) .*/\1 \2/p' |
        tail -n 1 | tr -d ,
}

rm -rf store
list_files >before
dpkg -i shnek.deb || fail 'dpkg -i'
step 'installed'

[[ $(systemctl is-enabled shnek.socket) == disabled && $(systemctl is-enabled shnek.service) == disabled ]] ||
    fail 'the units are enabled'
! listens || fail 'port 514 is open'
step 'units are not enabled'
systemd-analyze verify --man=no shnek.socket shnek.service shnek@1.service || fail 'systemd-analyze verify'
for unit in shnek.service shnek@1.service; do
    systemd-analyze security --no-pager --threshold=15 "$unit" | tail -n 1
    [[ ${PIPESTATUS[0]} == 0 ]] || fail "$unit: exposure is above 1.5"
done

systemd-run --quiet --unit=nats nats-server -a 127.0.0.1 -m 8222 -js -sd /root/store || fail 'nats-server'
wait_until monitor varz >/dev/null
sed -i 's/^SHNEK_PARSE_OPTIONS="/&--stats=1h /' /etc/default/shnek
systemctl enable --now shnek.socket || fail 'systemctl enable'
listens || fail 'port 514 is not open'
# The connection that has just been closed activates it.
wait_until is_active shnek.service
step 'the socket activates the service'

spamlog -q -r max -n 1M tcp://127.0.0.1:514 || fail 'spamlog'
wait_until stored_exactly 1000000
step "$(stored) messages of 1000000 are stored"
spamlog -q -n 1 udp://127.0.0.1:514 || fail 'spamlog udp'
wait_until stored_exactly 1000001
step 'a datagram is stored'
systemctl reload shnek.service || fail 'systemctl reload'

spamlog -q -r max tcp://127.0.0.1:514 2>load.log &
wait_until stored_at_least 1050000
systemctl stop shnek.socket shnek.service || fail 'systemctl stop'
wait
[[ $(property shnek.service Result) == success && $(property shnek.service ExecMainStatus) == 0 ]] ||
    fail 'the service has failed'
counters=$(last_counters shnek.service)
[[ $counters == "$(stored) $(stored)" ]] || fail "received and confirmed: $counters, stored: $(stored)"
step "stopped under load, status 0: received and confirmed $counters, stored $(stored)"
[[ $(journalctl -b -o json -u shnek.service | jq -r 'select(.MESSAGE | startswith("shnek-parse: listening")).PRIORITY' |
    sort -u) == 6 ]] || fail 'lines in the journal have no priority'
errors=$(journalctl -b -o cat -u shnek.service _COMM=shnek-parse + _COMM=shnek-pub -p err)
[[ ! $errors ]] || fail "errors in the journal: $errors"

systemctl start shnek.service || fail 'systemctl start'
before=$(stored)
spamlog -q -r max tcp://127.0.0.1:514 2>load.log &
wait_until stored_at_least $((before + 20000))
kill -KILL "$(property shnek.service MainPID)"
wait
wait_until is_active shnek.service
step 'killed with SIGKILL: it is restarted'
wait_until test "$(property shnek.service NRestarts)" -ge 1
systemctl stop shnek.socket shnek.service || fail 'systemctl stop'
spool=$(shnek-pub --spool-list --spool=/var/lib/shnek/main/spool | wc -l)
[[ $spool == 0 ]] || fail "$spool lines are left in the spool"

before=$(stored)
systemctl start shnek@a.service shnek@b.service || fail 'systemctl start shnek@a shnek@b'
spamlog -q -r max -n 100k -c 16 tcp://127.0.0.1:514 || fail 'spamlog to instances'
wait_until stored_exactly $((before + 100000))
systemctl stop 'shnek@*' || fail 'systemctl stop'
for unit in shnek@a.service shnek@b.service; do
    [[ $(property "$unit" Result) == success ]] || fail "$unit has failed"
    step "$unit received and confirmed $(last_counters "$unit")"
done

echo 'SHNEK_LISTEN="-l tcp://*:1514"' >/etc/default/shnek-a
systemctl start shnek.service shnek@a.service || fail 'systemctl start shnek shnek@a'
pid=$(property shnek.service MainPID)
dpkg -i shnek.deb || fail 'dpkg -i again'
if ! is_active shnek.service || ! is_active shnek@a.service || [[ $(property shnek.service MainPID) == "$pid" ]]; then
    fail 'an upgrade does not restart the services'
fi
[[ $(systemctl is-enabled shnek.socket) == enabled ]] || fail 'an upgrade disables the socket'
step 'an upgrade restarts the services'
dpkg --purge shnek || fail 'dpkg --purge'
! listens || fail 'port 514 is open after purge'
! grep -l shnek- /proc/[0-9]*/comm || fail 'a process is left'
rm /etc/default/shnek-a
list_files >after
diff before after || fail 'purge has left files'
step 'purged: no file, process or port is left'
