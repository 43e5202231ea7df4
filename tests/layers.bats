#!/usr/bin/env bats
# The structure of src/: the folders that a folder may use, and the header that declares a function.
# programs -> relay, publish, verify -> load -> report -> json -> syslog, tls, metrics -> base.

bats_require_minimum_version 1.5.0
load lib/shnek

setup() {
    objects=$(cd "${SHNEK_TOOLS:-$SHNEK_TOP/build/tests}/.." && pwd)
    cd "$SHNEK_TOP/src"
}

# uses FROM TO...: the files in FROM include only headers of these folders.
uses() {
    local from=$1 allowed found
    shift
    allowed=$(IFS='|' && echo "$*")
    found=$(grep -rnE '#include "' "$from" | grep -vE "#include \"($allowed)/") || true
    [[ -z $found ]] || {
        echo "$from/ may include only: $*"
        echo "$found"
        return 1
    }
}

# symbols: the global symbols of src/*/*.c in lines "FILE KIND NAME", in which FILE is like base/log
# and KIND is a letter of nm: U if the file uses the symbol, another one if it defines it.
symbols() {
    local files=(*/*.c)
    files=("${files[@]/#/$objects/}")
    nm -A "${files[@]/%.c/.o}" | sed -nE "s|^$objects/([^:]*)\.o:[0-9a-f ]+ ([A-Z]) (\w+)\$|\1 \2 \3|p"
}

need_objects() {
    local file
    need nm
    for file in ../src/*/*.c ../tests/unit/*_test.c; do
        file=${file#../} && file=${file#src/}
        [[ -e $objects/${file%.c}.o ]] || skip 'needs the object files of make build-tests'
    done
}

# defined_twice KINDS: names that two files define, by the letters of ctags.
defined_twice() {
    need ctags
    ctags -x --c-kinds="$1" --_xformat='%N %F' -R . | sort -u | awk '
        $1 == "main" || /^__anon/ { next }
        { files[$1] = files[$1] " " $2; count[$1]++ }
        END {
            if (NR == 0)
                print "ctags finds nothing"
            for (name in files)
                if (count[name] > 1)
                    print name ":" files[name]
        }' | sort
}

@test "base includes only base" {
    uses base base
}

@test "syslog includes only base" {
    uses syslog syslog base
}

@test "json includes only syslog and base" {
    uses json json syslog base
}

@test "tls includes only base" {
    uses tls tls base
}

@test "metrics includes only base" {
    uses metrics metrics base
}

@test "relay, publish, load, verify and report include only lower folders" {
    uses relay relay metrics syslog json tls base
    uses publish publish metrics syslog json base
    uses verify verify load report syslog json tls base
    uses load load report syslog json tls base
    uses report report json base
}

@test "syslog and json do no I/O" {
    run grep -rnE '#include <(unistd|fcntl|sys/socket|sys/epoll|poll|netdb)\.h>' syslog json
    [ "$status" -eq 1 ]
    need_objects
    symbols | grep -E '^(syslog|json)/' >"$BATS_TEST_TMPDIR/symbols"
    run grep -E ' U (open|close|read|write|writev|socket|connect|send|recv|poll|select|ioctl|fopen|fclose|fread|fwrite|fgets|getline|v?f?printf|f?puts)$' \
        "$BATS_TEST_TMPDIR/symbols"
    [ "$status" -eq 1 ]
}

@test "nats.h, jsmn.h, microhttpd.h and openssl/ssl.h are each included by the files that wrap them" {
    run grep -rlE '#include <nats(/nats)?\.h>' .
    [ "$(sort <<<"$output" | xargs)" = './publish/nats-conn.c ./publish/nats-stream.c' ]
    run grep -rlE '#include <jsmn\.h>' .
    [ "$output" = ./json/locate-error.c ]
    run grep -rlE '#include <openssl/ssl\.h>' .
    [ "$output" = ./tls/tls.c ]
    run grep -rlE '#include <microhttpd\.h>' .
    [ "$output" = ./metrics/http-server.c ]
}

@test "includes have no cycle" {
    grep -rE '#include "' --include='*.[ch]' . |
        sed -E 's|^\./([^:]+):#include "([^"]+)".*|\1 \2|' >"$BATS_TEST_TMPDIR/edges"
    [[ -s $BATS_TEST_TMPDIR/edges ]]
    run -0 tsort "$BATS_TEST_TMPDIR/edges"
}

@test "calls between files have no cycle" {
    need_objects
    symbols | sort -k 3 -k 2,2 | awk '
        $2 == "U" { user[++n] = $1; used[n] = $3; next }
        { definer[$3] = $1 }
        END {
            for (; n > 0; n--)
                if (used[n] in definer && definer[used[n]] != user[n])
                    print user[n], definer[used[n]]
        }' | sort -u >"$BATS_TEST_TMPDIR/edges"
    [[ -s $BATS_TEST_TMPDIR/edges ]]
    # The files of each cycle are on stderr.
    run tsort "$BATS_TEST_TMPDIR/edges"
    grep '^tsort:' <<<"$output" || true
    [ "$status" -eq 0 ]
}

@test "functions and variables are declared in the header of their file" {
    need_objects
    local file
    symbols | awk '$2 != "U" { print $1, $3 }' | sort -u >"$BATS_TEST_TMPDIR/defined"
    [[ -s $BATS_TEST_TMPDIR/defined ]]
    for file in */*.h; do
        grep -vE '^ *(/\*|\*|//)' "$file" | grep -oE '\w+[[(;]' | sed "s|^|${file%.h} |; s|.\$||"
    done | sort -u >"$BATS_TEST_TMPDIR/declared"
    run comm -23 "$BATS_TEST_TMPDIR/defined" "$BATS_TEST_TMPDIR/declared"
    echo "$output"
    [[ -z $output ]]
}

@test "functions and variables that only their file uses are static" {
    need_objects
    run -0 awk '
        $2 == "U" { used[$3]; next }
        { definer[$3] = $1 }
        END {
            for (name in definer)
                if (!(name in used))
                    print "src/" definer[name] ".c: " name
        }' <(symbols) <(nm -A "$objects"/*.o "$objects"/tests/*/*.o | sed -nE 's/^[^:]*: +(U \w+).*/others \1/p')
    sort <<<"$output"
    [[ -z $output ]]
}

@test "no two files define a function of the same name" {
    run -0 defined_twice f
    echo "$output"
    [[ -z $output ]]
}

@test "no two files define a type or an enumerator of the same name" {
    run -0 defined_twice gsute
    echo "$output"
    [[ -z $output ]]
}
