# Prints the CSV of a benchmark as a table, and its first part in Markdown for README.md.

BEGIN { FS = "," }

/^# / { print substr($0, 3); next }
$1 == "part" { next }
$1 == "Ratios" { ratio[++ratios] = $0; next }
!($2 in seen) { seen[$2]; row[++rows] = $2; part[$2] = $1 }
{ median[$2, $3] = $4; low[$2, $3] = $5; high[$2, $3] = $6; has[$2, $3] }

function short(x) {
    return x >= 1e6 ? sprintf("%.2f M", x / 1e6) : x >= 1e4 ? sprintf("%.0f k", x / 1e3) : sprintf("%.0f", x)
}

# A whole number with thousands separators.
function grouped(x,    text, rest) {
    text = sprintf("%.0f", x)
    while (match(text, /[0-9][0-9][0-9][0-9]($|,)/)) {
        rest = substr(text, RSTART + 1)
        text = substr(text, 1, RSTART) "," rest
    }
    return text
}

# Rounds to what is significant.
function digits(x) {
    return x >= 100 || x <= -100 ? grouped(x) : sprintf("%.2f", x)
}

# A limit such as ">=0.40" with thousands separators.
function limit(text) {
    return text ~ /[0-9][0-9][0-9][0-9]/ ? substr(text, 1, 2) grouped(substr(text, 3)) : text
}

function latency(what) {
    return (what, "p50") in has ? sprintf("  p50 %.2f ms, p99 %.2f, p99.9 %.2f", median[what, "p50"],
        median[what, "p99"], median[what, "p99.9"]) : ""
}

END {
    printf "\n%-50s %9s %-20s %s\n", "Figures with limits", "median", "  min to max", "limit"
    for (i = 1; i <= ratios; i++) {
        split(ratio[i], f, ",")
        printf "%-50s %9s %-20s %-8s %s%s\n", f[2], digits(f[4]),
            "  " digits(f[5]) " to " digits(f[6]), limit(f[8]), f[3], f[9] == "yes" ? "" : "  NOT MET"
    }
    for (i = 1; i <= rows; i++) {
        what = row[i]
        if (part[what] != title) {
            title = part[what]
            printf "\n%-48s %7s %10s %-22s %8s %7s %7s\n", title, "bytes", "messages/s", "  min to max",
                "CPU ns", "instr.", "MB/s"
        }
        printf "%-48s %7.0f %10s %-22s %8s %7s %7s%s\n", what, median[what, "bytes"],
            short(median[what, "rate"]),
            "  " short(low[what, "rate"]) " to " short(high[what, "rate"]),
            grouped(median[what, "cpu"]), (what, "instructions") in has ? grouped(median[what, "instructions"]) : "-", grouped(median[what, "MB/s"]),
            latency(what)
    }
    print "\nFor README.md:\n\n| figure | measured | min to max | limit |\n|---|---|---|---|"
    for (i = 1; i <= ratios; i++) {
        split(ratio[i], f, ",")
        printf "| %s | %s %s | %s to %s | %s %s |\n", f[2], digits(f[4]), f[3] == "ratio" ? "times" : f[3],
            digits(f[5]), digits(f[6]), f[8] ~ /^>/ ? "at least" : "at most", substr(limit(f[8]), 3)
    }
}
