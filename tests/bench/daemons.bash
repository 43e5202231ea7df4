# shellcheck shell=bash
# rsyslog and syslog-ng as processes of an ordinary user: TCP input, and a file of lines or JSON as
# output.

# with_peers COMMAND...: replaces the shell by a command with the libraries of syslog-ng, which may be
# unpacked in build/peers and not installed.
with_peers() {
    if [[ -d $unpacked/lib/syslog-ng ]]; then
        SYSLOGNG_PREFIX=$unpacked LD_LIBRARY_PATH=$unpacked/lib/syslog-ng exec "$@"
    fi
    exec "$@"
}

# rsyslog lines|json
rsyslog() {
    cat >rsyslog.conf <<END
global(workDirectory="$PWD")
main_queue(queue.type="LinkedList" queue.size="200000")
module(load="imtcp")
template(name="lines" type="list") {
    property(name="timereported" dateFormat="rfc3339") constant(value=" ")
    property(name="hostname") constant(value=" ") property(name="syslogtag")
    property(name="msg" spifno1stsp="on") property(name="msg") constant(value="\n")
}
template(name="json" type="list" option.jsonf="on") {
    property(outname="severity" name="syslogseverity-text" format="jsonf")
    property(outname="facility" name="syslogfacility-text" format="jsonf")
    property(outname="timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
    property(outname="hostname" name="hostname" format="jsonf")
    property(outname="appname" name="app-name" format="jsonf")
    property(outname="procid" name="procid" format="jsonf")
    property(outname="msgid" name="msgid" format="jsonf")
    property(outname="sd" name="structured-data" format="jsonf")
    property(outname="msg" name="msg" format="jsonf")
}
input(type="imtcp" address="127.0.0.1" port="$port")
action(type="omfile" file="$PWD/out" template="$1")
END
    exec rsyslogd -n -f rsyslog.conf -i "$PWD/rsyslog.pid"
}

# syslog_ng lines|json
syslog_ng() {
    local module_path=() template=
    if [[ $1 == json ]]; then
        template='template("$(format-json --scope rfc5424)\n")'
    fi
    if [[ -d $unpacked/lib/syslog-ng ]]; then
        module_path=(--module-path="$(echo "$unpacked"/lib/syslog-ng/[0-9]*)")
    fi
    cat >syslog-ng.conf <<END
@version: 3.35
options { keep-hostname(yes); ts-format(iso); frac-digits(3); log-fifo-size(200000);
    flush-lines(1000); stats-freq(0); };
source in { network(transport(tcp) ip(127.0.0.1) port($port) flags(syslog-protocol)
    log-iw-size(80000) log-fetch-limit(1000)); };
destination out { file("$PWD/out" $template); };
log { source(in); destination(out); flags(flow-control); };
END
    with_peers syslog-ng -F --no-caps -f syslog-ng.conf -R persist -c control -p "$PWD/syslog-ng.pid" \
        "${module_path[@]}"
}
