package schemas

import (
	"encoding/json"
	"syscall"
	"testing"
)

// The text of a usual event, 456 bytes.
const usualEvent = `{"specversion": "1.0", "id": "e11-000108", "source": "/offices/shanyang", "type": "milestone.reached.v1", "subject": "P-0007", ` +
	`"time": "2024-04-01T09:15:46+08:00", "district": "shanyang", "datacontenttype": "application/json", "data": {"milestone": "started", ` +
	`"reached_on": "2024-03-31", "evidence": [{"uri": "https://example.org/e/P-0007/started.jpg", "sha256": ` +
	`"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", "note": "主体工程开工照片"}]}}`

// eachEvent measures a function by the event: the usual one, and the seeds in
// turns, because one text alone teaches the branch predictor its own way.
func eachEvent(b *testing.B, measured func(raw []byte) error) {
	fast, _ := bothValidators(b)
	var mixed [][]byte
	for _, raw := range seeds(b) {
		if e, _, err := fast.Decode(raw); err == nil && !e.Type.System() {
			mixed = append(mixed, raw)
		}
	}
	for _, set := range []struct {
		name string
		raws [][]byte
	}{{"usual", [][]byte{[]byte(usualEvent)}}, {"mixed", mixed}} {
		b.Run(set.name, func(b *testing.B) {
			size := 0
			for _, raw := range set.raws {
				size += len(raw)
			}
			b.SetBytes(int64(size / len(set.raws)))
			b.ReportAllocs()
			i := 0
			before := processorTime(b)
			for b.Loop() {
				if err := measured(set.raws[i%len(set.raws)]); err != nil {
					b.Fatal(err)
				}
				i++
			}
			b.ReportMetric(float64(processorTime(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// processorTime is what the process has used, in nanoseconds: on a machine that
// others use too it says more than the clock.
func processorTime(b *testing.B) int64 {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return used.Utime.Nano() + used.Stime.Nano()
}

func BenchmarkDecode(b *testing.B) {
	fast, _ := bothValidators(b)
	eachEvent(b, func(raw []byte) error {
		_, _, err := fast.Decode(raw)
		return err
	})
}

func BenchmarkValidate(b *testing.B) {
	_, slow := bothValidators(b)
	eachEvent(b, func(raw []byte) error {
		_, _, err := slow.Validate(raw)
		return err
	})
}

func BenchmarkFingerprint(b *testing.B) {
	eachEvent(b, func(raw []byte) error {
		_, err := FingerprintOf(raw)
		return err
	})
}

// BenchmarkOwned is what Take saves: the two passes on their own.
func BenchmarkOwned(b *testing.B) {
	fast, _ := bothValidators(b)
	eachEvent(b, func(raw []byte) error {
		if _, _, err := fast.DecodeOwned(raw); err != nil {
			return err
		}
		_, err := FingerprintOf(raw)
		return err
	})
}

func BenchmarkTake(b *testing.B) {
	fast, _ := bothValidators(b)
	var e Event
	eachEvent(b, func(raw []byte) error {
		_, err := fast.Take(raw, &e)
		return err
	})
}

func BenchmarkEncodeData(b *testing.B) {
	fast, _ := bothValidators(b)
	e, _, err := fast.Decode([]byte(usualEvent))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := EncodeData(e.Data); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkUnmarshal is what the standard library needs to read the envelope,
// for comparison.
func BenchmarkUnmarshal(b *testing.B) {
	eachEvent(b, func(raw []byte) error {
		var e struct {
			SpecVersion, ID, Source, Type, Subject, Time, District, DataContentType string
			Data                                                                    json.RawMessage
		}
		return json.Unmarshal(raw, &e)
	})
}

func BenchmarkDecodeData(b *testing.B) {
	raw := []byte(`{"month": "2024-03", "invested_ytd": 21351.47, "note": "设备安装"}`)
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := DecodeData(ProgressReported, raw); err != nil {
			b.Fatal(err)
		}
	}
}
