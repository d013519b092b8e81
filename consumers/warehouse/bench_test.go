package warehouse

import (
	"fmt"
	"testing"
)

// BenchmarkWrite measures batches on top of 300,000 stored events; the lookup of used identities is measured apart.
func BenchmarkWrite(b *testing.B) {
	w := open(b)
	sequence := uint64(0)
	batch := func(size int) []Delivery {
		deliveries := make([]Delivery, size)
		for i := range deliveries {
			sequence++
			deliveries[i] = progress(b, sequence, fmt.Sprintf("%016x", sequence*0x9e3779b97f4a7c15), int(sequence))
		}
		return deliveries
	}
	for sequence < 300_000 {
		write(b, w, batch(10_000)...)
	}
	for _, size := range []int{1, 100, 5000} {
		b.Run(fmt.Sprintf("batch/%d", size), func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				deliveries := batch(size)
				b.StartTimer()
				write(b, w, deliveries...)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*size), "µs/event")
		})
		deliveries := batch(size)
		write(b, w, deliveries...)
		rows := NewRows()
		for i := range deliveries {
			if err := rows.Add(&deliveries[i]); err != nil {
				b.Fatal(err)
			}
		}
		for name, measured := range map[string]func() error{
			"lookup":   func() error { _, err := w.usedIdentities(b.Context(), rows); return err },
			"events":   func() error { return rows.events.send(b.Context(), w) },
			"contents": func() error { return rows.contents.send(b.Context(), w) },
		} {
			b.Run(fmt.Sprintf("%s/%d", name, size), func(b *testing.B) {
				for b.Loop() {
					if err := measured(); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
