# Reads the samples of all runs and the claims about them. Prints CSV with the median, minimum and
# maximum of each.

BEGIN {
    FS = "\t"
    OFS = ","
    print "part", "what", "measure", "median", "min", "max", "runs", "limit", "met"
}

FILENAME == "claims" { claims[++claimed] = $0; next }
$1 == "title" { title = $2; next }
$1 == "row" { order[++rows] = $2; part[$2] = title; print_bytes[$2] = $3; next }
{ value[$1, $2, ++n[$1, $2]] = $3 }

# Sorts v[1..count].
function sort(v, count,    i, j, x) {
    for (i = 2; i <= count; i++) {
        x = v[i]
        for (j = i - 1; j > 0 && v[j] > x; j--)
            v[j + 1] = v[j]
        v[j + 1] = x
    }
}

function summary(v, count) {
    sort(v, count)
    middle = v[int((count + 1) / 2)]
    return sprintf("%.6g,%.6g,%.6g,%d", middle, v[1], v[count], count)
}

function of_row(measure, row,    v, i) {
    for (i = 1; i <= n[measure, row]; i++)
        v[i] = value[measure, row, i] + 0
    return summary(v, n[measure, row])
}

function of_claim(text,    f, fields, i, j, v, others, count) {
    fields = split(text, f, "\t")
    count = n[f[5], f[6]]
    for (i = 1; i <= count; i++) {
        v[i] = value[f[5], f[6], i] + 0
        others = 0
        for (j = 7; j <= fields; j++)
            others += value[f[5], f[j], i]
        if (f[4] == "ratio")
            v[i] /= others
        else if (f[4] == "minus")
            v[i] -= others
    }
    text = summary(v, count)
    limit = substr(f[2], 3) + 0
    met = f[2] ~ /^>/ ? middle >= limit : middle <= limit
    print "Ratios", f[1], f[3], text, f[2], met ? "yes" : "no"
}

END {
    for (i = 1; i <= claimed; i++)
        of_claim(claims[i])
    measures = split("rate cpu instructions MB/s p50 p99 p99.9", measure, " ")
    for (i = 1; i <= rows; i++) {
        print part[order[i]], order[i], "bytes", print_bytes[order[i]], "", "", "", "", ""
        for (j = 1; j <= measures; j++)
            if (n[measure[j], order[i]])
                print part[order[i]], order[i], measure[j], of_row(measure[j], order[i]), "", ""
    }
}
