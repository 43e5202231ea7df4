# Drops, duplicates, delays and corrupts random lines of spamlog (JSON or RFC 5424), and writes the
# report that --verify must print to a file. Variables: seed; connections; corrupt (0 corrupts none);
# report_file.

# Returns a random integer from 0 to n - 1.
function random(n) {
    return int(rand() * n)
}

function corrupt_line(line,   at, c, set) {
    set = "abcXYZ019 {}[]\",:\\<>-"
    at = 1 + random(length(line))
    do
        c = substr(set, 1 + random(length(set)), 1)
    while (c == substr(line, at, 1))
    return substr(line, 1, at - 1) c substr(line, at + 1)
}

# Appends a line to those of output position p.
function deliver(p, k, line) {
    number[p, lines[p] + 0] = k
    text[p, lines[p]++] = line
    if (p > last)
        last = p
}

BEGIN {
    srand(seed)
}

{
    k = $0
    if (k ~ /^[{]/) {
        sub(/.*"msgid":"/, "", k)
        sub(/".*/, "", k)
    } else {
        k = $6
    }
    k += 0
    total++
    roll = random(100)
    if (roll < 2 || (NR % 500 > 490 && seed % 2))
        next
    if (roll < 4 && corrupt) {
        damaged++
        deliver(NR, -1, corrupt_line($0))
        next
    }
    if (roll < 6)
        deliver(NR + random(300), k, $0)
    deliver(roll >= 6 && roll < 9 ? NR + random(100) : NR, k, $0)
}

END {
    for (p = 1; p <= last; p++) {
        for (i = 0; i < lines[p]; i++) {
            print text[p, i]
            k = number[p, i]
            if (k < 0)
                continue
            received++
            c = k % connections
            if (k in seen)
                duplicated++
            else if (c in high && k < high[c])
                reordered++
            if (!(c in high) || k > high[c])
                high[c] = k
            seen[k] = 1
        }
    }
    for (k = 0; k < total; k++) {
        if (k in seen)
            continue
        for (first = k; k < total && !(k in seen); k++)
            missing++
        if (++range_count <= 20)
            ranges = ranges " " first (k - 1 > first ? "-" k - 1 : "")
    }
    for (c in high)
        seen_connections++
    print "received: " received + 0 >report_file
    print "runs: 1" >report_file
    print "connections: " seen_connections + 0 >report_file
    print "missing: " missing + 0 >report_file
    print "missing-ranges:" (range_count ? ranges : " -") (range_count > 20 ? " ..." : "") >report_file
    print "duplicated: " duplicated + 0 >report_file
    print "reordered: " reordered + 0 >report_file
    print "damaged: " damaged + 0 >report_file
    print "foreign: 0" >report_file
}
