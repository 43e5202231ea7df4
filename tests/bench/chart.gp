# gnuplot -e "csv='FILE'; svg='FILE'" draws the rates, the latencies and the throughput by message
# size from a CSV of tests/bench/run.

set terminal svg size 880,680 font "sans-serif,13" background rgb "white"
set output svg

ours = "#1b6ca8"
ink = "#333333"

# row(): a command that prints "TEXT" MEDIAN MIN MAX for a row and a measure. lines(): their output.
row(measure, name, text) = sprintf("awk -F, '$2 == \"%s\" && $3 == \"%s\" { printf \"\\\"%s\\\" %%s %%s %%s\\n\", $4, $5, $6 }' %s; ", name, measure, text, csv)
lines(a) = "< " . a

set multiplot
set tics textcolor rgb ink nomirror scale 0
set border 0
set style fill solid noborder

# Rates.
set lmargin at screen 0.32; set rmargin at screen 0.89
set tmargin at screen 0.93; set bmargin at screen 0.52
set title "Messages per second (90 bytes each, 8 TCP connections)" textcolor rgb ink
set xrange [0:*]
unset xtics
unset key
bars = row("rate", "bare nats.c loop: records", "nats.c in a bare loop (no input)") \
    . row("rate", "relay: 8 connections", "shnek-parse | shnek-pub, into NATS") \
    . row("rate", "shnek-parse to a file: 8 connections", "shnek-parse > file, JSON") \
    . row("rate", "rsyslog to a file: 8 connections", "rsyslog, lines to a file") \
    . row("rate", "syslog-ng to a file: 8 connections", "syslog-ng, lines to a file") \
    . row("rate", "rsyslog to a file: JSON", "rsyslog, JSON to a file") \
    . row("rate", "syslog-ng to a file: JSON", "syslog-ng, JSON to a file")
set yrange [6.6:-0.6]
colour(n) = n == 0 ? 0xe3b23c : n <= 2 ? 0x1b6ca8 : 0xb8b8b8
plot lines(bars) using (0):0:(0):2:($0 - 0.36):($0 + 0.36):(colour($0)):ytic(1) \
        with boxxyerror linecolor rgb variable, \
    lines(bars) using 2:0:3:4 with xerrorbars linecolor rgb ink linewidth 1 pointtype 0, \
    lines(bars) using 4:0:($2 >= 1e6 ? sprintf(" %.2f M", $2 / 1e6) : sprintf(" %.0f k", $2 / 1e3)) \
        with labels left offset 0.5,0 textcolor rgb ink

# Latency.
set lmargin at screen 0.08; set rmargin at screen 0.46
set tmargin at screen 0.40; set bmargin at screen 0.07
set title "Latency of the relay through NATS, in ms\nby load, in percent of the maximum rate"
set yrange [0.1:*]
set logscale y
set xrange [-0.6:2.6]
set xtics nomirror scale 0 textcolor rgb ink
set format y "%g"
set grid ytics linecolor rgb "#eeeeee"
set key top left textcolor rgb ink samplen 1
set boxwidth 0.25
at(measure) = lines(row(measure, "relay at 10 % of its maximum rate", "10 %%") \
    . row(measure, "relay at 50 % of its maximum rate", "50 %%") \
    . row(measure, "relay at 90 % of its maximum rate", "90 %%"))
plot at("p50") using ($0 - 0.26):2 with boxes linecolor rgb "#9cc4e4" title "p50", \
    at("p99") using 0:2:xtic(1) with boxes linecolor rgb ours title "p99", \
    at("p99.9") using ($0 + 0.26):2 with boxes linecolor rgb "#0b3c5d" title "p99.9"

# Size.
set lmargin at screen 0.59; set rmargin at screen 0.96
set title "shnek-parse on one core, in MB/s\nby message size in bytes"
unset logscale y
unset key
set yrange [0:*]
set xrange [-0.6:4.6]
sizes = row("MB/s", "shnek-parse: 60 bytes", "60") . row("MB/s", "shnek-parse: 350 bytes", "350") \
    . row("MB/s", "shnek-parse: 1k bytes", "1k") . row("MB/s", "shnek-parse: 8k bytes", "8k") \
    . row("MB/s", "shnek-parse: 60k bytes", "60k")
set boxwidth 0.7
plot lines(sizes) using 0:2:xtic(1) with boxes linecolor rgb ours, \
    lines(sizes) using 0:2:(sprintf("%.0f", $2)) with labels offset 0,0.6 textcolor rgb ink
unset multiplot
