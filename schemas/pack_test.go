package schemas

import (
	"bufio"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
)

// judgedPart leaves out what the packed form leaves out.
func judgedPart(data Data) Data {
	switch d := data.(type) {
	case *Planned:
		return &Planned{Milestone: d.Milestone, PlannedOn: d.PlannedOn, DecidedOn: d.DecidedOn, Approved: d.Approved}
	case *Reached:
		return &Reached{Milestone: d.Milestone, ReachedOn: d.ReachedOn}
	case *Progress:
		return &Progress{Month: d.Month, InvestedYTD: d.InvestedYTD}
	case *Resolved:
		return &Resolved{IssueID: d.IssueID, ResolvedOn: d.ResolvedOn}
	}
	return data
}

func packable(t testing.TB) []*Event {
	t.Helper()
	var events []*Event
	validator := NewValidator(DefaultRules())
	for _, path := range []string{"testdata/events.ndjson", "../testdata/golden/city/events.ndjson"} {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			if e, _, err := validator.Decode(slices.Clone(lines.Bytes())); err == nil {
				events = append(events, e)
			}
		}
	}
	examples, err := filepath.Glob("events/examples/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range examples {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if e, _, err := validator.Decode(text); err == nil {
			events = append(events, e)
		}
	}
	return events
}

// TestPackedDataReadTheSame packs every type of event and reads it again.
func TestPackedDataReadTheSame(t *testing.T) {
	t.Parallel()
	seen := map[Type]bool{}
	for _, e := range packable(t) {
		seen[e.Type] = true
		packed, err := PackData(e.Data)
		if err != nil {
			t.Fatal(err)
		}
		got, err := UnpackData(e.Type, string(packed))
		if err != nil {
			t.Fatalf("%s: %v", e.Raw, err)
		}
		if want := judgedPart(e.Data); !reflect.DeepEqual(got, want) {
			t.Errorf("%s\ngot  %+v\nwant %+v", e.Raw, got, want)
		}
		for cut := range packed {
			if _, err := UnpackData(e.Type, string(packed[:cut])); err == nil {
				t.Errorf("%s: cut at byte %d of %d it still reads", e.Type, cut, len(packed))
			}
		}
	}
	for _, kind := range Types() {
		if !seen[kind] {
			t.Errorf("no event of type %s was packed", kind)
		}
	}
}

// FuzzUnpack reads anything without a panic.
func FuzzUnpack(f *testing.F) {
	for i, e := range packable(f) {
		if packed, err := PackData(e.Data); err == nil && i < 60 {
			f.Add(string(e.Type), packed)
		}
	}
	f.Fuzz(func(t *testing.T, kind string, packed []byte) {
		if data, err := UnpackData(Type(kind), string(packed)); err == nil {
			if _, err := PackData(data); err != nil {
				t.Errorf("what was unpacked does not pack: %v", err)
			}
		}
	})
}

func BenchmarkUnpackData(b *testing.B) {
	packed, err := PackData(&Progress{Month: NewMonth(2025, 9), InvestedYTD: 1234567})
	if err != nil {
		b.Fatal(err)
	}
	text := string(packed)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := UnpackData(ProgressReported, text); err != nil {
			b.Fatal(err)
		}
	}
}
