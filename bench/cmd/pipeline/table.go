package main

import (
	"cmp"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"
)

// table writes what was measured, in Markdown.
func (t *trial) table(out io.Writer) error {
	control := 0.0
	for _, l := range t.lines {
		if strings.HasPrefix(l.title, "control") {
			control = l.median(t.events).rate(t.events)
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s; %s, %d cores, %s; %d events; consuming: median of %d; load average of the minute before %s, at the end %s\n\n",
		time.Now().Format(time.DateOnly), processor(), runtime.NumCPU(), runtime.Version(), t.events, t.rounds, t.load, loadAverage())
	text.WriteString("| what | events/s | least–most | ÷ control | own CPU s per million | NATS CPU | ClickHouse CPU | all CPU | peak memory, MB |\n")
	text.WriteString("|---|---:|---:|---:|---:|---:|---:|---:|---:|\n")
	for _, l := range t.lines {
		r := l.median(t.events)
		memory := "–"
		if !l.noMemory {
			memory = fmt.Sprintf("%d", r.PeakMemory>>20)
		}
		million := float64(t.events) / 1e6
		fmt.Fprintf(&text, "| %s | %.0f | %s | %.2f | %.1f | %.1f | %.1f | %.1f | %s |\n", l.title, r.rate(t.events), l.spread(t.events), r.rate(t.events)/control,
			r.OwnCPU/million, r.NATSCPU/million, r.ClickHouseCPU/million, r.allCPU()/million, memory)
	}
	text.WriteString("\nverified after each: rows = distinct identities = events, three years of business dates, the same content as the control's, no conflict, no dead letter\n")
	_, err := io.WriteString(out, text.String())
	return err
}

// median is the result in the middle by rate; of an even number the slower.
func (l *line) median(events int) result {
	sorted := slices.SortedFunc(slices.Values(l.results), func(a, b result) int { return cmp.Compare(a.rate(events), b.rate(events)) })
	return sorted[(len(sorted)-1)/2]
}

func (l *line) spread(events int) string {
	if len(l.results) == 1 {
		return "–"
	}
	least, most := l.results[0].rate(events), l.results[0].rate(events)
	for _, r := range l.results[1:] {
		least, most = min(least, r.rate(events)), max(most, r.rate(events))
	}
	return fmt.Sprintf("%.0f–%.0f", least, most)
}

// processor names the machine's.
func processor() string {
	text, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return runtime.GOARCH
	}
	_, rest, found := strings.Cut(string(text), "model name")
	if !found {
		return runtime.GOARCH
	}
	name, _, _ := strings.Cut(strings.TrimLeft(rest, "\t :"), "\n")
	return name
}

// loadAverage is how many processes wanted the processor in the last minute;
// beyond the number of cores, others were in the way.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	average, _, _ := strings.Cut(string(text), " ")
	return average
}
