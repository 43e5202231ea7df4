#!/usr/bin/env bats
# JSON that is nested deeply costs no more than other JSON of that length, by the instructions that
# callgrind counts.

bats_require_minimum_version 1.5.0
load lib/shnek
load bench/callgrind

setup() {
    shnek_setup
    cd "$BATS_TEST_TMPDIR"
    need valgrind
    [[ -z ${SANITIZE-} ]] || skip 'valgrind does not run programs with sanitizers'
    spamlog -n 1 2>/dev/null | shnek-parse >record.json
    [[ -s record.json ]]
}

# nested_record DEPTH: prints a record of shnek-parse with a member that is nested to that depth.
nested_record() {
    local opened='[{"]":' closed='}]' i
    for ((i = 2; i < $1; i *= 2)); do
        opened+=$opened
        closed+=$closed
    done
    printf '{"a":%s0%s,%s\n' "$opened" "$closed" "$(tail -c +2 record.json)"
}

# is_linear COMMAND...: compares the instructions for one record of depth 8,192 and four times that,
# without those for a flat one.
is_linear() {
    local flat deep deepest
    nested_record 8192 >deep.json
    nested_record 32768 >deepest.json
    flat=$(count record.json "$@")
    deep=$(($(count deep.json "$@") - flat))
    deepest=$(($(count deepest.json "$@") - flat))
    echo "$flat for a flat one, $deep more for depth 8192, $deepest more for 32768"
    ((deep > 0 && deepest < 5 * deep))
}

@test "shnek-pub checks JSON in linear time at any depth" {
    is_linear shnek-pub -n x
}

@test "spamlog --verify reads JSON in linear time at any depth" {
    is_linear spamlog --verify
}
