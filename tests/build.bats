#!/usr/bin/env bats
# The Makefile: hardening, what is compiled again, installation.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    shnek_setup
    objects=$(cd "${SHNEK_TOOLS:-$SHNEK_TOP/build/tests}/.." && pwd)
    programs=("${SHNEK_BIN:-$SHNEK_TOP}"/{shnek-parse,shnek-pub,spamlog})
    scratch=$BATS_TEST_TMPDIR/build
    cd "$SHNEK_TOP"
    # The make that runs these tests has options of its own.
    unset MAKEFLAGS MFLAGS MAKELEVEL BUILD CC CFLAGS CPPFLAGS LDFLAGS V
}

# make_scratch ARGUMENT...: make with a build directory of this test.
make_scratch() {
    SANITIZE='' make --no-print-directory BUILD="$scratch" "$@"
}

need_hardened() {
    need readelf
    grep -q -e -fstack-protector-strong "$objects/flags" || skip 'needs a build with HARDEN=yes'
}

@test "programs are position-independent and their relocations are read-only" {
    need_hardened
    local program
    for program in "${programs[@]}"; do
        run -0 readelf -hldW "$program"
        [[ $output == *'Type: '*DYN\ * ]]
        [[ $output == *' GNU_RELRO '* ]]
        [[ $output == *BIND_NOW* ]]
        [[ $output == *PIE* ]]
        grep -q 'GNU_STACK.* RW ' <<<"$output"
    done
}

@test "programs check their stack and the lengths of buffers" {
    need_hardened
    local program
    for program in "${programs[@]}"; do
        run -0 readelf --dyn-syms -W "$program"
        [[ $output == *__stack_chk_fail* ]]
        ! grep -q _FORTIFY_SOURCE "$objects/flags" || [[ $output =~ __[a-z]+_chk[@\ ] ]]
    done
}

@test "object files are compatible with a shadow stack, or have landing pads on arm64" {
    need_hardened
    case $(readelf -h "$objects/base/log.o") in
    *X86-64*) feature=SHSTK ;;
    *AArch64*) feature=BTI ;;
    *) skip 'needs x86-64 or arm64' ;;
    esac
    local source
    for source in src/*/*.c; do
        source=${source#src/}
        readelf -n "$objects/${source%c}o" | grep -q "Properties:.*$feature"
    done
}

@test "_FORTIFY_SOURCE is defined once, and neither without optimization nor with sanitizers" {
    local -r target=$scratch/base/log.o
    run -0 make_scratch -n V=1 "$target"
    [[ $output == *-D_FORTIFY_SOURCE=3* ]]
    run -0 make_scratch -n V=1 CPPFLAGS=-D_FORTIFY_SOURCE=1 "$target"
    [[ $output == *-D_FORTIFY_SOURCE=1* && $output != *-D_FORTIFY_SOURCE=3* ]]
    run -0 make_scratch -n V=1 CFLAGS=-O0 "$target"
    [[ $output == *-O0* && $output != *_FORTIFY_SOURCE* ]]
    run -0 make_scratch -n V=1 SANITIZE=thread "$target"
    [[ $output == *-fsanitize=thread* && $output != *_FORTIFY_SOURCE* ]]
    run -0 make_scratch -n V=1 HARDEN=no "$target"
    [[ $output != *_FORTIFY_SOURCE* && $output != *-fstack-protector* ]]
}

@test "a new version compiles one file, other flags compile all of them" {
    local -r target=$scratch/lib/base.a files=(src/base/*.c)
    run -0 make_scratch "$target"
    [[ $(grep -c '^CC ' <<<"$output") == "${#files[@]}" ]]
    run -0 make_scratch "$target"
    [[ $output != *CC* ]]
    run -0 make_scratch VERSION=9.9.9 "$target"
    is "$output" $'CC src/base/options.c\nAR '"$target"
    run -0 make_scratch VERSION=9.9.9 CPPFLAGS=-DSOMETHING "$target"
    [[ $(grep -c '^CC ' <<<"$output") == "${#files[@]}" ]]
}

@test "make prints commands with V=1 and nothing with -s" {
    local -r target=$scratch/base/log.o
    run -0 make_scratch V=1 "$target"
    [[ $output == *' -c -o '"$target"* && $output != *CC* ]]
    rm "$target"
    run -0 make_scratch -s "$target"
    [[ -z $output ]]
}

@test "make help lists all targets" {
    local target
    run -0 make -s help
    while read -r target; do
        case $target in
        all | force | build-tests | install-units | setup-*) ;;
        *) grep -q "^make $target\( \|$\)" <<<"$output" || { echo "make $target is missing" && return 1; } ;;
        esac
    done < <(sed -n '/^\.PHONY:/,/[^\]$/p' Makefile | grep -oE '[a-z-]{3,}')
}

# make_installed TARGET VARIABLE...: installs the programs that are tested, below root/.
make_installed() {
    SANITIZE='' make -s -o all BUILD="${objects#"$SHNEK_TOP/"}" DESTDIR="$BATS_TEST_TMPDIR/root" "$@"
}

@test "make install obeys the directories of the GNU coding standards, and make uninstall removes all" {
    local -r root=$BATS_TEST_TMPDIR/root
    local page
    [[ ${SHNEK_BIN:-$SHNEK_TOP} == "$SHNEK_TOP"* ]] || skip 'needs programs of this directory'
    make_installed install prefix=/usr exec_prefix=/opt mandir=/usr/man
    cmp "$root/opt/bin/shnek-pub" "${programs[1]}"
    [[ -x $root/opt/bin/shnek-parse && -x $root/opt/bin/spamlog ]]
    for page in man/*; do
        cmp "$page" "$root/usr/man/man${page##*.}/${page#man/}"
    done
    [[ -e $root/usr/share/bash-completion/completions/spamlog ]]
    make_installed uninstall prefix=/usr exec_prefix=/opt mandir=/usr/man
    [[ -z $(find "$root" ! -type d) ]]

    make_installed install PREFIX=/usr
    [[ -x $root/usr/bin/shnek-parse && -e $root/usr/share/man/man1/spamlog.1 ]]
}

# units: installs the systemd units for testing with other directories; sets root.
units() {
    root=$BATS_TEST_TMPDIR/root
    [[ ${SHNEK_BIN:-$SHNEK_TOP} == "$SHNEK_TOP"* ]] || skip 'needs programs of this directory'
    make_installed install SYSTEMD=1 prefix=/usr "$@"
}

@test "make install SYSTEMD=1 installs units, and keeps a changed configuration" {
    units unitdir=/units sysconfdir=/conf
    is "$(ls "$root/units")" $'shnek.service\nshnek.socket\nshnek@.service'
    grep -q '^ExecStart=/usr/bin/shnek-parse .*exec /usr/bin/shnek-pub ' "$root/units/shnek.service"
    grep -q '^EnvironmentFile=/conf/default/shnek$' "$root/units/shnek.service"
    run -1 grep -rE '@[a-z]+@' "$root/units"
    echo '# changed' >>"$root/conf/default/shnek"
    make_installed install SYSTEMD=1 unitdir=/units sysconfdir=/conf
    is "$(tail -n 1 "$root/conf/default/shnek")" '# changed'
    make_installed uninstall SYSTEMD=1 unitdir=/units sysconfdir=/conf
    is "$(find "$root/units" "$root/conf" -type f)" "$root/conf/default/shnek"
    cp .packaging/systemd/shnek.default "$root/conf/default/shnek"
    make_installed uninstall SYSTEMD=1 prefix=/usr unitdir=/units sysconfdir=/conf
    [[ -z $(find "$root/conf" -type f) ]]
}

@test "systemd accepts the units, and their exposure is at most 1.5" {
    need systemd-analyze
    local unit
    units unitdir=/units
    cd "$root/units"
    # It requires that the program exists.
    sed -i "s|=/usr/bin/|=$root/usr/bin/|" -- *.service
    run -0 systemd-analyze verify --man=no ./shnek.socket ./shnek.service ./shnek@.service
    is "$output" ''
    for unit in *.service; do
        run -0 systemd-analyze security --no-pager --offline=true --threshold=15 "./$unit"
    done
}

@test "the package has the version of the programs" {
    is "$(sed -n '1s/.*(\(.*\)).*/\1/p' .packaging/debian/changelog)" "$(sed -n 's/^VERSION = //p' Makefile)"
}
