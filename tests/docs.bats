bats_require_minimum_version 1.5.0
load lib/shnek

programs=(shnek-parse shnek-pub spamlog)

setup() {
    shnek_setup
    cd "$SHNEK_TOP" || return
}

teardown() {
    shnek_teardown
}

# Each options_of_... PROGRAM prints a line for each long option, with its letter, and '=' if it
# requires an argument, or '[=]' if that is optional: "-l --listen=", "--meta", "--stats[=]".

# An entry with the value of an earlier one is another name of that option, and not printed.
options_of_table() {
    local line entry="\{\"([a-z-]+)\", (no|required|optional)_argument, NULL, ('(.)'|[A-Z_]+)"
    local -A mark=([no]='' [required]='=' [optional]='[=]') seen=()
    while read -r line; do
        if [[ $line =~ $entry && -z ${seen[${BASH_REMATCH[3]}]-} ]]; then
            seen[${BASH_REMATCH[3]}]=1
            echo "${BASH_REMATCH[4]:+-${BASH_REMATCH[4]} }--${BASH_REMATCH[1]}${mark[${BASH_REMATCH[2]}]}"
        fi
    done <"src/$1.c"
}

options_of_help() {
    local line mark option='^[ ,;]*((-[A-Za-z]), )?(--[a-z][a-z-]*)(\[?=)?[^ ]*'
    "$1" --help | while IFS= read -r line; do
        [[ $line =~ ^\ +- ]] || continue
        while [[ $line =~ $option ]]; do
            line=${line:${#BASH_REMATCH}}
            mark=${BASH_REMATCH[4]/'[='/'[=]'}
            echo "${BASH_REMATCH[2]:+${BASH_REMATCH[2]} }${BASH_REMATCH[3]}$mark"
        done
    done
}

options_of_man() {
    local line mark letter='^Fl ([A-Za-z])( |$)' option='^Fl -([a-z-]+)( Ns (Oo )?=)?'
    local short=''
    sed -n 's/^\.It Fl/Fl/p' "man/$1.1" | sed 's/ , /\n/g' | while IFS= read -r line; do
        if [[ $line =~ $letter ]]; then
            short="-${BASH_REMATCH[1]} "
        elif [[ $line =~ $option ]]; then
            mark=${BASH_REMATCH[2]:+=}
            echo "$short--${BASH_REMATCH[1]}${BASH_REMATCH[3]:+[}$mark${BASH_REMATCH[3]:+]}"
            short=''
        fi
    done
}

# A letter precedes its long option; the argument of an option with and without '=' is optional.
options_of_bash() {
    local word short=''
    local -A lines=()
    while IFS= read -r word; do
        if [[ $word == -? ]]; then
            short="$word "
            continue
        fi
        if [[ $word == *= && -n ${lines[${word%=}]-} ]]; then
            lines[${word%=}]+='[=]'
        else
            lines[${word%=}]=$short$word
        fi
        short=''
    done < <(complete_in_bash "$1" -)
    printf '%s\n' "${lines[@]}"
}

options_of_zsh() {
    local line pair='^\{(-[A-Za-z])\+?,(--[a-z-]+)(=?)\}' single="^['\"](--[a-z-]+)(=-?)?\["
    sed -E "s/^ +//; s/^'(\*|\([^)]*\))'//; s/^'\*-/'-/" "completions/_$1" | while IFS= read -r line; do
        if [[ $line =~ $pair ]]; then
            echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}${BASH_REMATCH[3]}"
        elif [[ $line =~ $single ]]; then
            echo "${BASH_REMATCH[1]}${BASH_REMATCH[2]/=-/[=]}"
        fi
    done
}

options_of_fish() {
    local line mark option="^complete -c $1 (-s ([A-Za-z]) )?-l ([a-z-]+)( -[xr])?( .*-a )?"
    while IFS= read -r line; do
        if [[ $line =~ $option ]]; then
            mark=${BASH_REMATCH[4]:+=}
            [[ -n $mark ]] || mark=${BASH_REMATCH[5]:+[=]}
            echo "${BASH_REMATCH[2]:+-${BASH_REMATCH[2]} }--${BASH_REMATCH[3]}$mark"
        fi
    done < <(sed 's/ -a / & -a /' "completions/$1.fish")
}

# same_options KIND FILE: compares the output of options_of_KIND with the option table, for each
# program, whose name replaces PROGRAM in FILE.
same_options() {
    local program bad=0
    for program in "${programs[@]}"; do
        options_of_table "$program" | grep -q . || bad=1
        diff -u --label "src/$program.c" --label "${2//PROGRAM/$program}" \
            <(options_of_table "$program" | sort) <("options_of_$1" "$program" | sort) || bad=1
    done
    return "$bad"
}

# complete_in_bash PROGRAM WORD...: the words that bash offers if the cursor is after the last one.
# Calls of compopt, for files or for a word without a trailing space, are lines of the output, too.
complete_in_bash() {
    bash --noprofile --norc -c '
        compopt() {
            echo "compopt $*"
        }
        source "completions/$1.bash" || exit
        [[ $(complete -p "$1") =~ -F\ ([^ ]+) ]] || exit
        COMP_WORDS=("$@")
        COMP_CWORD=$(($# - 1))
        COMP_LINE="$*"
        COMP_LINE=${COMP_LINE// : /:}
        COMP_POINT=${#COMP_LINE}
        "${BASH_REMATCH[1]}" "$1" "${*: -1}" "${*: -2:1}" || exit
        [[ ${#COMPREPLY[@]} == 0 ]] || printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}

# bash_offers EXPECTED PROGRAM WORD...
bash_offers() {
    local expected=$1
    shift
    diff -u --label expected --label "$*" <(printf %s "${expected:+$expected$'\n'}") \
        <(complete_in_bash "$@")
}

complete_in_fish() {
    HOME=$BATS_TEST_TMPDIR fish --no-config -c "source completions/$1.fish; complete -C '$*'"
}

# words_of_option PROGRAM OPTION: the words that it accepts, from the program's error message.
words_of_option() {
    "$1" "$2=?" 2>&1 </dev/null | sed -n "s/.*'?' is not one of //p" | sed 's/,//g'
}

@test "--help lists each option, its letter and whether it requires an argument" {
    same_options help "PROGRAM --help"
}

@test "the man page lists each option, its letter and whether it requires an argument" {
    same_options man man/PROGRAM.1
}

@test "the man page names the other spelling of --tls-cert, --tls-key and --tls-ca" {
    local program option bad=0
    for program in "${programs[@]}"; do
        for option in cert key ca; do
            [[ $program == shnek-pub ]] && option=tls-$option || option=tls$option
            grep -qE "^\.Fl -$option( |\$)" "man/$program.1" || {
                echo "man/$program.1: no --$option" && bad=1
            }
        done
    done
    [[ $bad == 0 ]]
}

@test "the bash completion offers each option, its letter and '='" {
    same_options bash completions/PROGRAM.bash
}

@test "the zsh completion knows each option, its letter and whether it requires an argument" {
    same_options zsh completions/_PROGRAM
}

@test "the fish completion knows each option, its letter and whether it requires an argument" {
    same_options fish completions/PROGRAM.fish
}

@test "getopt_long is called with the letters of the option table" {
    local program table string bad=0
    for program in "${programs[@]}"; do
        table=$(options_of_table "$program" | sed -nE 's/^-(.) [^=]*(=?)$/\1\2/p' | tr '=' : | sort)
        string=$(sed -nE 's/.*getopt_long\(argc, argv, "([^"]*)".*/\1/p' "src/$program.c" |
            grep -oE '[A-Za-z]:*' | sort)
        diff -u --label "src/$program.c, option table" --label "src/$program.c, getopt_long" \
            <(echo "$table") <(echo "$string") || bad=1
    done
    [[ $bad == 0 ]]
}

@test "--help fits a terminal of 80 columns" {
    local program bad=0
    for program in "${programs[@]}"; do
        "$program" --help | awk -v program="$program --help" '
            length > 80 { print program ": line " NR " has " length " columns: " $0; bad = 1 }
            END {
                exit bad || NR == 0
            }' || bad=1
    done
    [[ $bad == 0 ]]
}

@test "the man pages are correct mdoc" {
    need mandoc
    local page
    for page in man/*.[17]; do
        run -0 mandoc -Tlint -Wwarning "$page"
        echo "$output"
        [[ -z $output ]]
    done
}

@test "the man pages refer to man pages of the project that exist" {
    local page name section bad=0
    while read -r page name section; do
        if [[ ! -e man/$name.$section ]]; then
            echo "$page: man/$name.$section does not exist"
            bad=1
        fi
    done < <(awk '$1 == ".Xr" && $2 ~ /^(shnek|spamlog)/ { print FILENAME, $2, $3 }' man/*.[17])
    [[ $bad == 0 ]]
}

@test "the man page of each program has all sections" {
    local program section bad=0
    for program in "${programs[@]}"; do
        for section in NAME SYNOPSIS DESCRIPTION ENVIRONMENT SIGNALS 'EXIT STATUS' EXAMPLES \
            'SEE ALSO' STANDARDS CAVEATS; do
            if ! grep -qx ".Sh $section" "man/$program.1"; then
                echo "man/$program.1: no $section"
                bad=1
            fi
        done
    done
    [[ $bad == 0 ]]
}

@test "the man page of shnek-pub lists the environment variables that it reads" {
    local variables
    variables=$(grep -ohE '"(SHNEK|NATS)_[A-Z_0-9]+"' src/shnek-pub.c src/publish/*.c | tr -d '"' | sort -u)
    [[ -n $variables ]]
    diff -u --label src --label man/shnek-pub.1 <(echo "$variables") \
        <(sed -n 's/^\.It Ev //p' man/shnek-pub.1 | sort)
}

@test "the bash completion files have no syntax error" {
    local program
    for program in "${programs[@]}"; do
        bash -n "completions/$program.bash"
    done
}

@test "the zsh completion files have no syntax error and name their program" {
    need zsh
    local program first
    for program in "${programs[@]}"; do
        zsh -f -n "completions/_$program"
        read -r first <"completions/_$program"
        [[ $first == "#compdef $program" ]]
    done
}

@test "the fish completion files have no syntax error" {
    need fish
    local program
    for program in "${programs[@]}"; do
        fish --no-config -n "completions/$program.fish"
    done
}

@test "the completions offer the contexts of the nats CLI" {
    export XDG_CONFIG_HOME=$BATS_TEST_TMPDIR HOME=$BATS_TEST_TMPDIR
    mkdir -p "$BATS_TEST_TMPDIR/nats/context"
    bash_offers '' shnek-pub --context = ''
    touch "$BATS_TEST_TMPDIR/nats/context/"{prod,test.eu}.json
    bash_offers $'prod\ntest.eu' shnek-pub --context = ''
    bash_offers prod shnek-pub --context p
    if quietly has_command fish; then
        [[ $(complete_in_fish shnek-pub --context= | cut -f 1 | xargs) == '--context=prod --context=test.eu' ]]
    fi
}

@test "the completions offer exactly the words that an option accepts" {
    local option program words
    for option in 'shnek-parse --format' 'shnek-parse --framing' 'shnek-parse --oversize' 'spamlog --framing' \
        'spamlog --format' 'spamlog --arrivals' 'shnek-pub --storage' 'shnek-pub --retention' \
        'shnek-pub --discard'; do
        read -r program option <<<"$option"
        words=$(words_of_option "$program" "$option")
        [[ -n $words ]]
        bash_offers "${words// /$'\n'}" "$program" "$option" = ''
        grep -F -- "$option=" "completions/_$program" | grep -qF ":($words)"
        grep -F -- "-l ${option#--} " "completions/$program.fish" | grep -qF -- "-a '$words'"
    done
}

@test "bash completes the value of an option in each form" {
    bash_offers octet shnek-parse -F o
    bash_offers octet shnek-parse --framing o
    bash_offers octet shnek-parse --framing = o
    bash_offers truncate shnek-parse app.log --oversize = t
    bash_offers max spamlog --rate = m
    bash_offers $'1s\n10s\n1m' shnek-pub --stats = 1
}

@test "bash completes the beginning of an option" {
    bash_offers --meta shnek-parse --meta
    bash_offers $'compopt -o nospace\n--rejects=' shnek-pub logs --rej
    bash_offers --quiet spamlog -n 5 --q
}

@test "bash completes file names only for arguments that are files" {
    local option
    bash_offers 'compopt -o default' shnek-parse ''
    bash_offers 'compopt -o default' shnek-parse --rejects = x
    bash_offers 'compopt -o default' shnek-parse --stats x
    bash_offers 'compopt -o default' shnek-parse -- app.log -x
    for option in creds nkey tlscert tlskey tlsca rejects; do
        bash_offers 'compopt -o default' shnek-pub "--$option" = ''
    done
    bash_offers '' shnek-pub ''
    bash_offers '' shnek-pub --user ''
    bash_offers '' shnek-pub -- -x
    bash_offers '' spamlog --hostname x
    bash_offers 'compopt -o default' spamlog --hgrm = ''
    bash_offers 'compopt -o default' spamlog --verify ''
    bash_offers 'compopt -o default' spamlog --verify -- x
}

@test "bash completes the schemes of an address, without a trailing space" {
    local -r address=$'compopt -o nospace\ntcp://'
    bash_offers $'tcp://\ntls://\nudp://\nunix:\nunixgram:\nsystemd' shnek-parse -l ''
    bash_offers "$address" shnek-parse --listen = tc
    bash_offers $'compopt -o nospace\nunixgram:' shnek-parse -l unixg
    bash_offers 'compopt -o default' shnek-parse -l unix : /de
    bash_offers "$address" spamlog -n 5 tc
    bash_offers $'compopt -o nospace\ntls://' shnek-pub -s t
    bash_offers '' shnek-parse -l tcp : //
}

@test "bash completes the destinations of spamlog, and file names after unix:" {
    bash_offers $'tcp://\ntls://\nudp://\nunix:\nunixgram:' spamlog ''
    bash_offers $'compopt -o nospace\nudp://' spamlog -n 5 ud
    bash_offers 'compopt -o default' spamlog unix : x
    bash_offers 'compopt -o default' spamlog unixgram : /dev/l
    bash_offers '' spamlog udp : //
    for option in cert key ca; do
        bash_offers 'compopt -o default' spamlog "--tls-$option" = ''
    done
}

@test "the completions offer exactly the priorities that spamlog accepts" {
    local facility number=0
    complete_in_bash spamlog -p '' >"$BATS_TEST_TMPDIR/facilities"
    while read -r facility; do
        run -0 spamlog -q -n 1 -r max -p "${facility}emerg"
        [[ $output == "<$((8 * number))>1 "* ]]
        number=$((number + 1))
    done <"$BATS_TEST_TMPDIR/facilities"
    [[ $number == 24 ]]
    number=0
    while read -r facility; do
        run -0 spamlog -q -n 1 -r max -p "$facility"
        [[ $output == "<$number>1 "* ]]
        number=$((number + 1))
    done < <(complete_in_bash spamlog --priority = kern.)
    [[ $number == 8 ]]
}

@test "fish completes options, words, addresses and files" {
    need fish
    [[ $(complete_in_fish shnek-parse --framing=o) == --framing=octet* ]]
    [[ $(complete_in_fish shnek-parse -l t) == tcp://* ]]
    [[ $(complete_in_fish shnek-parse Makef) == Makefile ]]
    [[ $(complete_in_fish shnek-pub --creds Makef) == Makefile ]]
    [[ -z $(complete_in_fish shnek-pub Makef) ]]
    [[ $(complete_in_fish spamlog '') == tcp://*tls://*udp://*unix:*unixgram:* ]]
    [[ $(complete_in_fish spamlog --tls-ca Makef) == Makefile ]]
    [[ $(complete_in_fish spamlog -p local7.em) == local7.emerg* ]]
    [[ -z $(for program in "${programs[@]}"; do complete_in_fish "$program" -- 2>&1 >/dev/null; done) ]]
}
