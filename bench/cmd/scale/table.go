package main

import (
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// printTable writes what was measured as Markdown.
func printTable(out io.Writer, rows []row, o options) error {
	var text strings.Builder
	load, _, _ := strings.Cut(readOr("/proc/loadavg", "?"), " ")
	fmt.Fprintf(&text, "%s; %s, %d cores, %s; median of %d; seconds of the clock, in brackets of the processor (engine included); load average at the end %s\n\n",
		time.Now().Format(time.DateOnly), processor(), runtime.NumCPU(), runtime.Version(), o.rounds, load)
	text.WriteString("| projects | years | events | a project |")
	for _, name := range rows[0].names {
		text.WriteString(" " + name + " |")
	}
	text.WriteString(" peak memory, MB | bytes an event |\n|---:|---:|---:|---:|" + strings.Repeat("---:|", len(rows[0].names)+2) + "\n")
	for _, r := range rows {
		fmt.Fprintf(&text, "| %d | %d | %d | %.1f |", r.province.Projects, r.province.Years, r.filled.events, float64(r.filled.events)/float64(r.province.Projects))
		for _, t := range r.steps {
			text.WriteString(" " + t.String() + " |")
		}
		fmt.Fprintf(&text, " %d | %.1f |\n", r.peak>>20, float64(r.total)/float64(r.filled.events))
	}
	text.WriteString("\n")
	for _, r := range rows {
		fmt.Fprintf(&text, "- %d projects, %d years: written in %.0f s; an event has %d bytes as JSON; on disk, bytes an event: %s; what was judged for two cuts: %.0f bytes a project\n",
			r.province.Projects, r.province.Years, r.loading, r.filled.bytes/r.filled.events, r.storage, r.judged)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

func processor() string {
	_, rest, _ := strings.Cut(readOr("/proc/cpuinfo", "model name : unknown\n"), "model name")
	name, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimLeft(name, " \t:"))
}

func readOr(file, byDefault string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return byDefault
	}
	return string(text)
}
