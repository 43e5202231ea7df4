# shellcheck shell=bash
# What a message costs, in instructions as callgrind counts them, which repeats.

# count INPUT COMMAND...: instructions of the whole run, with INPUT as its stdin.
count() {
    local log
    log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "${@:2}" 2>&1 >/dev/null <"$1") || {
        echo "$log" >&2
        return 2
    }
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$log"
}

# cost INPUT COMMAND...: for each message of FEW and MANY, which stand for their number or a file of
# so many; what it takes to start cancels out.
few=20000
many=60000
cost() {
    local low high
    low=$(count "${@//FEW_OR_MANY/$few}") || return
    high=$(count "${@//FEW_OR_MANY/$many}") || return
    echo $(((high - low) / (many - few)))
}
