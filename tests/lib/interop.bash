# shellcheck shell=bash
# Other syslog software as test peers: rsyslog, syslog-ng and loggen run as processes of an ordinary
# user in the directory of the test; go-syslog is a parser in Go.
# shellcheck disable=SC2154 # `start` sets variables

# The Debian package of each peer that need_peers() knows.
declare -gA peer_package=(
    [rsyslog]=rsyslog
    [rsyslog_tls]=rsyslog-openssl
    [syslog_ng]=syslog-ng-core
    [loggen]=syslog-ng-core
    [go]=golang-go
    [go_syslog]=golang-github-influxdata-go-syslog-dev
)
unpacked=$SHNEK_TOP/build/peers/usr
go_path=/usr/share/gocode

peers_setup() {
    PATH=$PATH:$unpacked/sbin:$unpacked/bin
}

# need_peers PEER...: skips the test unless all of these peers can be used. The reason is "needs",
# followed by the missing Debian packages.
need_peers() {
    local peer packages=()
    for peer in "$@"; do
        quietly "has_$peer" || packages+=("${peer_package[$peer]}")
    done
    need_packages "${packages[@]}"
}

# The probes have each peer load a configuration with all modules that the tests use, because modules
# are packaged separately on many systems.
has_rsyslog() {
    rsyslogd -N1 -f /dev/stdin <<'END'
module(load="imtcp")
module(load="imudp")
input(type="imtcp" address="127.0.0.1" port="0")
input(type="imudp" address="127.0.0.1" port="0")
action(type="omfile" file="/dev/null")
END
}

has_rsyslog_tls() {
    rsyslogd -N1 -f /dev/stdin <<'END'
module(load="lmnsd_ossl")
action(type="omfile" file="/dev/null")
END
}

has_syslog_ng() {
    local config
    config=$(mktemp "$BATS_TEST_TMPDIR/syslog-ng.XXXXXX") || return
    cat >"$config" <<'END'
@version: 3.35
source in {
    syslog(transport(udp) port(514));
    network(transport(tcp) port(514) flags(syslog-protocol));
};
destination out {
    file("/dev/null" flags(syslog-protocol));
    syslog("127.0.0.1" port(6514) transport(tls) tls(peer-verify(optional-untrusted)));
};
log { source(in); destination(out); };
END
    (syslog_ng_exec syslog-ng --syntax-only --no-caps -f "$config")
}

has_loggen() {
    (with_syslog_ng loggen --help-all) | grep -q -- --use-ssl
}

has_go() {
    command -v go
}

has_go_syslog() {
    [[ -d $go_path/src/github.com/influxdata/go-syslog ]]
}

# with_syslog_ng COMMAND...: replaces the shell by a command with the libraries of syslog-ng, which
# may be unpacked in build/peers and not installed.
with_syslog_ng() {
    if [[ -d $unpacked/lib/syslog-ng ]]; then
        SYSLOGNG_PREFIX=$unpacked LD_LIBRARY_PATH=$unpacked/lib/syslog-ng exec "$@"
    fi
    exec "$@"
}

# syslog_ng_exec COMMAND...: with_syslog_ng for the daemon, which also needs the path of its modules.
syslog_ng_exec() {
    local modules=()
    if [[ -d $unpacked/lib/syslog-ng ]]; then
        modules=(--module-path="$(echo "$unpacked"/lib/syslog-ng/[0-9]*)")
    fi
    with_syslog_ng "$@" "${modules[@]}"
}

# start_rsyslog PORT: starts rsyslogd with rsyslog.conf and waits until it listens on PORT.
start_rsyslog() {
    start rsyslog rsyslogd -n -f rsyslog.conf -i "$PWD/rsyslog.pid"
    wait_until listens_at "$1"
}

# start_syslog_ng PORT: starts syslog-ng with syslog-ng.conf and waits until it listens on PORT.
start_syslog_ng() {
    start syslog_ng syslog_ng_exec syslog-ng -F --no-caps -f syslog-ng.conf -R persist -c control \
        -p "$PWD/syslog-ng.pid"
    wait_until listens_at "$1"
}
