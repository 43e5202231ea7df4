# shellcheck shell=bash
# Instructions per message, counted by callgrind, which repeat exactly.

# count INPUT COMMAND...: prints the instructions of a whole run with INPUT as stdin.
count() {
    local log
    log=$(valgrind --tool=callgrind --callgrind-out-file=/dev/null "${@:2}" 2>&1 >/dev/null <"$1") || {
        echo "$log" >&2
        return 2
    }
    sed -n 's/.*Collected : \([0-9]*\).*/\1/p' <<<"$log"
}

# cost INPUT COMMAND...: prints the instructions per message. Counts two runs, in which FEW_OR_MANY is
# replaced by the number of messages, so that the cost of starting the program cancels out.
few=20000
many=60000
cost() {
    local low high
    low=$(count "${@//FEW_OR_MANY/$few}") || return
    high=$(count "${@//FEW_OR_MANY/$many}") || return
    echo $(((high - low) / (many - few)))
}
