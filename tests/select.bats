#!/usr/bin/env bats
# shnek-parse --select, --select-app and --select-host.
# shellcheck disable=SC2154 # bats and `start` set variables

bats_require_minimum_version 1.5.0
load lib/shnek
load lib/interop

setup() {
    shnek_setup
    peers_setup
    cd "$BATS_TEST_TMPDIR" || return
    every_pri >in
}

teardown() {
    shnek_teardown
}

# every_pri: prints a message for each of the 192 PRI, whose MSG is "FACILITY SEVERITY".
every_pri() {
    local pri
    for pri in {0..191}; do
        echo "<$pri>1 - - - - - - $((pri / 8)) $((pri % 8))"
    done
}

# selected SELECTOR...: prints "FACILITY SEVERITY" of the selected messages in `in`.
selected() {
    shnek-parse "${@/#/--select=}" in | jq -r .msg
}

# numbers FACILITIES SEVERITIES: prints each facility with each severity.
numbers() {
    local facility severity
    for facility in $1; do
        for severity in $2; do
            echo "$facility $severity"
        done
    done
}

all='0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23'

@test "--select selects facilities and severities as in syslog.conf(5)" {
    is "$(selected 'auth,authpriv.*')" "$(numbers '4 10' '0 1 2 3 4 5 6 7')"
    is "$(selected '*.err')" "$(numbers "$all" '0 1 2 3')"
    is "$(selected '*.=debug')" "$(numbers "$all" 7)"
    is "$(selected 'cron.*;cron.!=info')" "$(numbers 9 '0 1 2 3 4 5 7')"
    is "$(selected 'cron.*;cron.!err')" "$(numbers 9 '4 5 6 7')"
    is "$(selected '*.notice;mail.none')" "$(numbers "${all/2 /}" '0 1 2 3 4 5')"
    is "$(selected 'local7.crit;')" "$(numbers 23 '0 1 2')"
    is "$(selected 'SECURITY.Panic')" "$(numbers 4 0)"
}

@test "each part of a selector changes the result of those before" {
    is "$(selected 'mail.none;mail.=notice')" '2 5'
    is "$(selected 'mail.=notice;mail.none')" ''
    is "$(selected '*.!=info')" ''
    is "$(selected '*.!err')" ''
    is "$(selected 'mail.!none;*.!*')" ''
    is "$(selected 'mail.!none')" "$(numbers 2 '0 1 2 3 4 5 6 7')"
}

@test "a message is selected by any --select" {
    is "$(selected 'mail.=err' 'kern.=info' 'mail.none')" $'0 6\n2 3'
}

@test "--select selects what rsyslog selects" {
    local selector name i=0 tcp
    local selectors=('auth,authpriv.*' '*.err' '*.=debug' '*.!=info' '*.!err' 'mail.none;*.notice'
        '*.notice;mail.none' '*.*;mail.!=info;cron,lpr.!warning' '*.=info;*.=notice;*.!emerg' 'kern.!none'
        '*.info;*.!crit' 'local0,local7.err;*.=panic' '*.*;auth.!*' 'mail.warn;news.error,uucp.debug'
        '*.!none;kern.none' 'security.*;syslog.=ALERT')
    need_peers rsyslog
    tcp=$(quiet_port)
    {
        echo 'module(load="imtcp")'
        echo "input(type=\"imtcp\" address=\"127.0.0.1\" port=\"$tcp\")"
        printf '%s\n' 'template(name="msg" type="string" string="%msg%\n")'
        for selector in "${selectors[@]}"; do
            echo "$selector $PWD/got.$((i++));msg"
        done
        echo "*.* $PWD/all;msg"
    } >rsyslog.conf
    start_rsyslog "$tcp"
    every_pri >"/dev/tcp/127.0.0.1/$tcp"
    wait_until lines_are all 192
    kill -TERM "$rsyslog_pid"
    wait_exit rsyslog
    i=0
    for selector in "${selectors[@]}"; do
        name=got.$((i++))
        touch "$name"
        is "$selector: $(selected "$selector")" "$selector: $(sed 's/^ *//' "$name")"
    done
}

@test "--select-app and --select-host select names and patterns" {
    printf '<13>1 - %s - - - m\n' 'web1 nginx' 'WEB2.example.com sshd' '- nginx' 'db1 -' 'db2 Nginx' >in
    names() {
        shnek-parse "$@" in | jq -r '"\(.hostname) \(.appname)"'
    }
    is "$(names --select-app=nginx)" $'web1 nginx\nnull nginx'
    is "$(names --select-app='[nN]gin?' --select-app=ssh\*)" $'web1 nginx\nWEB2.example.com sshd\nnull nginx\ndb2 Nginx'
    is "$(names --select-host='web*')" $'web1 nginx\nWEB2.example.com sshd'
    is "$(names --select-host='*')" $'web1 nginx\nWEB2.example.com sshd\ndb1 null\ndb2 Nginx'
    is "$(names --select-host='db[!1]' --select-host=web2.EXAMPLE.com)" $'WEB2.example.com sshd\ndb2 Nginx'
    is "$(names --select-host='*1' --select-app='*' --select='*.err')" ''
    is "$(names --select-host='*1' --select-app='*' --select='*.notice')" 'web1 nginx'
}

@test "messages that are not selected are counted as filtered, with status 0" {
    local option
    for option in --jobs=1 --jobs=3; do
        run --separate-stderr shnek-parse "$option" --select='*.err' --stats=1h in
        is "$status" 0
        is "${#lines[@]}" 96
        [[ $stderr =~ 'in 192 out 96 rejected 0 dropped 0 '.*' filtered 96'$ ]]
    done
    run --separate-stderr shnek-parse --select='*.*' --stats=1h in
    [[ $stderr != *filtered* ]]
}

@test "a message that is not valid is rejected, not filtered" {
    printf 'bad\n<7>1 - - - - - -\n' >in
    run --separate-stderr shnek-parse --select='*.err' --rejects=rejects --stats=1h in
    is "$status" 1
    is "$output" ''
    [[ $(<rejects) == *'"raw":"bad"'* ]]
    [[ $stderr == *'in 2 out 0 rejected 1 '*' filtered 1' ]]
}

@test "a selector that is malformed is a usage error that names the part" {
    local severities='expected a severity (emerg, alert, crit, err, warning, notice, info, debug), * or none'
    local facilities='expected a facility such as auth or local0, or *'
    local text
    while IFS='|' read -r text error; do
        run --separate-stderr shnek-parse --select="$text"
        is "$status" 2
        is "${stderr%%$'\n'*}" "shnek-parse: --select: '$text': $error"
    done <<END
mail|'mail': expected FACILITY.PRIORITY
*.err;mail|'mail': expected FACILITY.PRIORITY
mail.foo|'foo': $severities
*.=*|'=*': $severities
*.=none|'=none': $severities
mail.|'': $severities
foo.err|'foo': $facilities
mail,.err|'': $facilities
mark.*|'mark': $facilities
END
    for text in '' 'a[' "a\\"; do
        run --separate-stderr shnek-parse --select-app="$text"
        is "$status" 2
        [[ $stderr == "shnek-parse: --select-app: '$text' is not a name or pattern: "* ]]
    done
}
