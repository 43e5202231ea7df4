# shellcheck shell=bash
# rsyslog and syslog-ng as processes of an ordinary user, in the folder of the test.
# shellcheck disable=SC2154 # `start` sets variables

peers_setup() {
    unpacked=$SHNEK_TOP/build/peers/usr
    PATH=$PATH:$unpacked/sbin:$unpacked/bin
}

# with_syslog_ng COMMAND...: with the libraries of one that is not installed but unpacked.
with_syslog_ng() {
    if [[ -d $unpacked/lib/syslog-ng ]]; then
        SYSLOGNG_PREFIX=$unpacked LD_LIBRARY_PATH=$unpacked/lib/syslog-ng exec "$@"
    fi
    exec "$@"
}

# start_rsyslog PORT: as rsyslog.conf says, until it listens there.
start_rsyslog() {
    start rsyslog rsyslogd -n -f rsyslog.conf -i "$PWD/rsyslog.pid"
    wait_until listens_at "$1"
}

# start_syslog_ng PORT: as syslog-ng.conf says, until it listens there.
start_syslog_ng() {
    local modules=()
    if [[ -d $unpacked/lib/syslog-ng ]]; then
        modules=(--module-path="$(echo "$unpacked"/lib/syslog-ng/[0-9]*)")
    fi
    start syslog_ng with_syslog_ng syslog-ng -F --no-caps -f syslog-ng.conf -R persist -c control \
        -p "$PWD/syslog-ng.pid" "${modules[@]}"
    wait_until listens_at "$1"
}
