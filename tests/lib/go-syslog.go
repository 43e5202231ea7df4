// go-syslog parses RFC 5424 messages, one per line, with github.com/influxdata/go-syslog. It prints
// each as a JSON object with the keys of shnek-parse, or `N: error` if line N is invalid.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"

	"github.com/influxdata/go-syslog/rfc5424"
)

type record struct {
	Severity  uint8                        `json:"severity"`
	Facility  uint8                        `json:"facility"`
	Version   uint16                       `json:"version"`
	Timestamp *string                      `json:"timestamp"`
	Hostname  *string                      `json:"hostname"`
	Appname   *string                      `json:"appname"`
	Procid    *string                      `json:"procid"`
	Msgid     *string                      `json:"msgid"`
	Sd        map[string]map[string]string `json:"sd"`
	Msg       *string                      `json:"msg"`
}

func main() {
	parser := rfc5424.NewParser()
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for n := 1; lines.Scan(); n++ {
		parsed, err := parser.Parse(lines.Bytes())
		if err != nil {
			fmt.Printf("%d: %v\n", n, err)
			continue
		}
		m := parsed.(*rfc5424.SyslogMessage)
		r := record{*m.Severity(), *m.Facility(), m.Version(), nil, m.Hostname(), m.Appname(),
			m.ProcID(), m.MsgID(), map[string]map[string]string{}, m.Message()}
		if time := m.Timestamp(); time != nil {
			text := time.UTC().Format("2006-01-02T15:04:05.000000Z")
			r.Timestamp = &text
		}
		if sd := m.StructuredData(); sd != nil {
			r.Sd = *sd
		}
		if err := out.Encode(r); err != nil {
			fmt.Fprintln(os.Stderr, "go-syslog:", err)
			os.Exit(2)
		}
	}
	if err := lines.Err(); err != nil {
		fmt.Fprintln(os.Stderr, "go-syslog:", err)
		os.Exit(2)
	}
}
