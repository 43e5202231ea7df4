# Loses, repeats, delays and damages lines of spamlog, JSON or RFC 5424, by chance, and writes what a
# report must say of it to the file `wanted`. Variables: seed, of (connections), harm (0: damages
# none), wanted.

# A number from 0 to below n.
function chance(n) {
    return int(rand() * n)
}

function damage(line,   at, c, set) {
    set = "abcXYZ019 {}[]\",:\\<>-"
    at = 1 + chance(length(line))
    do
        c = substr(set, 1 + chance(length(set)), 1)
    while (c == substr(line, at, 1))
    return substr(line, 1, at - 1) c substr(line, at + 1)
}

# Puts a line behind those that stand at place p already.
function deliver(p, k, line) {
    number[p, held[p] + 0] = k
    text[p, held[p]++] = line
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
    what = chance(100)
    if (what < 2 || (NR % 500 > 490 && seed % 2))
        next
    if (what < 4 && harm) {
        damaged++
        deliver(NR, -1, damage($0))
        next
    }
    if (what < 6)
        deliver(NR + chance(300), k, $0)
    deliver(what >= 6 && what < 9 ? NR + chance(100) : NR, k, $0)
}

END {
    for (p = 1; p <= last; p++) {
        for (i = 0; i < held[p]; i++) {
            print text[p, i]
            k = number[p, i]
            if (k < 0)
                continue
            received++
            c = k % of
            if (k in came)
                duplicated++
            else if (c in high && k < high[c])
                reordered++
            if (!(c in high) || k > high[c])
                high[c] = k
            came[k] = 1
        }
    }
    for (k = 0; k < total; k++) {
        if (k in came)
            continue
        for (first = k; k < total && !(k in came); k++)
            missing++
        if (++count <= 20)
            ranges = ranges " " first (k - 1 > first ? "-" k - 1 : "")
    }
    for (c in high)
        connections++
    print "received: " received + 0 >wanted
    print "runs: 1" >wanted
    print "connections: " connections + 0 >wanted
    print "missing: " missing + 0 >wanted
    print "missing-ranges:" (count ? ranges : " -") (count > 20 ? " ..." : "") >wanted
    print "duplicated: " duplicated + 0 >wanted
    print "reordered: " reordered + 0 >wanted
    print "damaged: " damaged + 0 >wanted
    print "foreign: 0" >wanted
}
