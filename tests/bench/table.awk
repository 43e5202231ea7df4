# The CSV of a bench as a table for people, and its first part in Markdown.

BEGIN { FS = "," }

/^# / { print substr($0, 3); next }
$1 == "part" { next }
$1 == "Ratios" { ratio[++ratios] = $0; next }
!($2 in seen) { seen[$2]; row[++rows] = $2; part[$2] = $1 }
{ median[$2, $3] = $4; low[$2, $3] = $5; high[$2, $3] = $6; has[$2, $3] }

function short(x) {
    return x >= 1e6 ? sprintf("%.2f M", x / 1e6) : x >= 1e4 ? sprintf("%.0f k", x / 1e3) : sprintf("%.0f", x)
}

# As many digits as tell something.
function digits(x) {
    return x >= 100 || x <= -100 ? sprintf("%.0f", x) : sprintf("%.2f", x)
}

function cell(what, measure, format) {
    return (what, measure) in has ? sprintf(format, median[what, measure]) : "-"
}

function latency(what) {
    return (what, "p50") in has ? sprintf("  p50 %.2f ms, p99 %.2f, p99.9 %.2f", median[what, "p50"],
        median[what, "p99"], median[what, "p99.9"]) : ""
}

END {
    printf "\n%-46s %9s %-20s %s\n", "Ratios and limits", "median", "  min to max", "wanted"
    for (i = 1; i <= ratios; i++) {
        split(ratio[i], f, ",")
        printf "%-46s %9s %-20s %-7s %-12s %s\n", f[2], digits(f[4]),
            "  " digits(f[5]) " to " digits(f[6]), f[8], f[3], f[9] == "yes" ? "" : "NOT MET"
    }
    for (i = 1; i <= rows; i++) {
        what = row[i]
        if (part[what] != title) {
            title = part[what]
            printf "\n%-44s %7s %10s %-22s %8s %7s %7s\n", title, "bytes", "messages/s", "  min to max",
                "CPU ns", "instr.", "MB/s"
        }
        printf "%-44s %7.0f %10s %-22s %8s %7s %7s%s\n", what, median[what, "bytes"],
            short(median[what, "rate"]),
            "  " short(low[what, "rate"]) " to " short(high[what, "rate"]),
            cell(what, "cpu", "%.0f"), cell(what, "instructions", "%d"), cell(what, "MB/s", "%.0f"),
            latency(what)
    }
    print "\nFor README.md:\n\n| what | measured | min to max | wanted |\n|---|---|---|---|"
    for (i = 1; i <= ratios; i++) {
        split(ratio[i], f, ",")
        printf "| %s | %s %s | %s to %s | %s %s |\n", f[2], digits(f[4]), f[3] == "ratio" ? "times" : f[3],
            digits(f[5]), digits(f[6]), f[8] ~ /^>/ ? "at least" : "at most", substr(f[8], 3)
    }
}
