package producers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"milepost/schemas"
)

func mustOpenSpool(t rapid.TB, dir string, o SpoolOptions) *Spool {
	t.Helper()
	s, err := OpenSpool(dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func waitingIn(t rapid.TB, s *Spool) []string {
	t.Helper()
	events := []string{}
	for event, err := range s.All() {
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, string(event))
	}
	if len(events) != s.Waiting() {
		t.Fatalf("%d events wait, Waiting says %d", len(events), s.Waiting())
	}
	return events
}

func spooledEvent(n int) string {
	return fmt.Sprintf(`{"source":"/offices/shanyang","id":"e-%d","note":%q}`, n, strings.Repeat("x", n%7*10))
}

// TestSpoolCutAnywhere cuts a spool's file at every byte, and flips every byte:
// what is whole before that place is kept, and adding goes on.
func TestSpoolCutAnywhere(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpenSpool(t, dir, SpoolOptions{})
	var events []string
	var ends []int
	size := 0
	for n := range 6 {
		events = append(events, spooledEvent(n))
		size += recordHeader + len(events[n])
		ends = append(ends, size)
		if err := s.Add([]byte(events[n])); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.path(1))
	if err != nil || len(whole) != size {
		t.Fatalf("%d bytes, want %d: %v", len(whole), size, err)
	}
	unflushed := SpoolOptions{flush: func(*os.File) error { return nil }}
	check := func(what string, place int, text []byte) {
		t.Helper()
		again := t.TempDir()
		if err := os.WriteFile(filepath.Join(again, filepath.Base(s.path(1))), text, 0o600); err != nil {
			t.Fatal(err)
		}
		spool := mustOpenSpool(t, again, unflushed)
		kept := 0
		for kept < len(ends) && ends[kept] <= place {
			kept++
		}
		if err := spool.Add([]byte("{}")); err != nil {
			t.Fatal(err)
		}
		if err := spool.Close(); err != nil {
			t.Fatal(err)
		}
		want := append(slices.Clone(events[:kept]), "{}")
		if diff := cmp.Diff(want, waitingIn(t, mustOpenSpool(t, again, unflushed))); diff != "" {
			t.Fatalf("%s at %d: %s", what, place, diff)
		}
		var aside []byte
		for _, file := range spool.Damaged() {
			rest, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			aside = append(aside, rest...)
		}
		start := 0
		if kept > 0 {
			start = ends[kept-1]
		}
		if string(aside) != string(text[start:]) {
			t.Fatalf("%s at %d: %d bytes are set aside, want %d", what, place, len(aside), len(text)-start)
		}
	}
	for place := 0; place < size; place += 3 {
		check("cut", place, whole[:place])
		flipped := slices.Clone(whole)
		flipped[place] ^= 0x40
		check("flipped", place, flipped)
	}
	zeros := append(slices.Clone(whole), make([]byte, 4096)...)
	check("zeros", size, zeros)
}

// sink is a server that keeps what it is sent, until it fails.
type sink struct {
	received []string
	ids      map[string]int
	budget   int // events that it takes before it is away
	deaf     bool
}

func (k *sink) RoundTrip(r *http.Request) (*http.Response, error) {
	if k.budget <= 0 {
		return nil, errors.New("no way to the server")
	}
	recorder := httptest.NewRecorder()
	lines := newLineReader(r.Body)
	for {
		line, number, err := lines.next()
		if err != nil {
			break
		}
		receipt := Receipt{Line: number, Warnings: []schemas.Warning{}}
		var e struct{ Source, ID string }
		switch err := json.Unmarshal(line, &e); {
		case k.budget <= 0:
			receipt.Error = &schemas.Error{Code: schemas.Unavailable, Message: "the stream is away"}
		case err != nil || e.ID == "":
			receipt.Error = &schemas.Error{Code: schemas.Malformed, Message: "no event"}
		default:
			k.budget--
			receipt.Source, receipt.ID = e.Source, e.ID
			if receipt.Seq, receipt.Duplicate = uint64(k.ids[e.ID]), k.ids[e.ID] > 0; !receipt.Duplicate {
				k.received = append(k.received, string(line))
				k.ids[e.ID] = len(k.received)
				receipt.Seq = uint64(len(k.received))
			}
		}
		if err := json.NewEncoder(recorder).Encode(receipt); err != nil {
			return nil, err
		}
	}
	if k.deaf {
		return nil, errors.New("the answer was lost")
	}
	return recorder.Result(), nil
}

func (k *sink) client() *Client { return NewClient("http://sink", &http.Client{Transport: k}) }

// TestSpoolLosesNothing adds, sends, and crashes at any place: in the middle of
// a write, between sending and removing, with the position lost. What was synced
// arrives, once, in order.
func TestSpoolLosesNothing(t *testing.T) {
	t.Parallel()
	memory := "/dev/shm" // a file system without a disk makes this test much faster
	if _, err := os.Stat(memory); err != nil {
		memory = ""
	}
	rapid.Check(t, func(t *rapid.T) {
		dir, err := os.MkdirTemp(memory, "spool-*")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		// A disk that keeps of a file what was flushed, and of the rest as much as it likes.
		flushed := map[string]int64{}
		options := SpoolOptions{SegmentBytes: int64(rapid.IntRange(1, 800).Draw(t, "segment")), flush: func(f *os.File) error {
			info, err := f.Stat()
			if err == nil && !info.IsDir() {
				flushed[f.Name()] = info.Size()
			}
			return err
		}}
		s := mustOpenSpool(t, dir, options)
		k := &sink{ids: map[string]int{}}
		var promised, unsynced []string // in order
		next := 0
		crash := func(s *Spool) {
			if err := s.write(); err != nil {
				t.Fatal(err)
			}
			for _, g := range s.segments {
				if flushed[s.path(g.number)] == g.size {
					continue
				}
				if err := os.Truncate(s.path(g.number), rapid.Int64Range(flushed[s.path(g.number)], g.size).Draw(t, "kept")); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.closeFile(); err != nil {
				t.Fatal(err)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				for range rapid.IntRange(1, 8).Draw(t, "events") {
					next++
					if err := s.Add([]byte(spooledEvent(next))); err != nil {
						t.Fatal(err)
					}
					unsynced = append(unsynced, spooledEvent(next))
				}
			},
			"sync": func(t *rapid.T) {
				if err := s.Sync(); err != nil {
					t.Fatal(err)
				}
				promised, unsynced = append(promised, unsynced...), nil
			},
			"send": func(t *rapid.T) {
				k.budget = rapid.IntRange(0, 12).Draw(t, "budget")
				k.deaf = rapid.Bool().Draw(t, "deaf")
				promised, unsynced = append(promised, unsynced...), nil // sending syncs first
				err := k.client().SendSpool(context.Background(), s, false, func(Receipt) {})
				if err != nil && schemas.CodeOf(err) != schemas.Unavailable {
					t.Fatal(err)
				}
			},
			"crash": func(t *rapid.T) {
				crash(s)
				s = mustOpenSpool(t, dir, options)
				for event, err := range s.All() { // what of the rest survived is as good as any
					if err != nil {
						t.Fatal(err)
					}
					if slices.Contains(unsynced, string(event)) {
						promised = append(promised, string(event))
					}
				}
				unsynced = nil
			},
			"crash between sending and removing": func(t *rapid.T) {
				if err := s.Sync(); err != nil {
					t.Fatal(err)
				}
				promised, unsynced = append(promised, unsynced...), nil
				before, err := os.ReadFile(filepath.Join(dir, positionName))
				k.budget, k.deaf = 3, false
				files := map[string][]byte{}
				for _, g := range s.segments {
					if files[s.path(g.number)], _ = os.ReadFile(s.path(g.number)); files[s.path(g.number)] == nil {
						t.Fatal("a file is missing")
					}
				}
				_ = k.client().SendSpool(context.Background(), s, false, func(Receipt) {}) // it may have nothing to send, or be stuck
				crash(s)
				for path, text := range files {
					if err := os.WriteFile(path, text, 0o600); err != nil {
						t.Fatal(err)
					}
				}
				if err == nil {
					err = os.WriteFile(filepath.Join(dir, positionName), before, 0o600)
				} else if err = os.Remove(filepath.Join(dir, positionName)); errors.Is(err, os.ErrNotExist) {
					err = nil
				}
				if err != nil {
					t.Fatal(err)
				}
				s = mustOpenSpool(t, dir, options)
			},
			"lose the position": func(t *rapid.T) {
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				promised, unsynced = append(promised, unsynced...), nil
				if err := os.WriteFile(filepath.Join(dir, positionName), []byte("rotten"), 0o600); err != nil {
					t.Fatal(err)
				}
				if len(s.segments) == 0 {
					clear(flushed) // numbers begin anew
				}
				s = mustOpenSpool(t, dir, options)
			},
		})
		if err := s.Sync(); err != nil {
			t.Fatal(err)
		}
		promised = append(promised, unsynced...)
		k.budget, k.deaf = 1<<30, false
		if err := k.client().SendSpool(context.Background(), s, false, func(Receipt) {}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(promised, k.received); diff != "" {
			t.Fatal(diff)
		}
		if s.Waiting() != 0 || len(s.segments) != 0 || s.bytes != 0 {
			t.Fatalf("left: %d events, %d files, %d bytes", s.Waiting(), len(s.segments), s.bytes)
		}
	})
}

func TestSpoolReceipts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := mustOpenSpool(t, dir, SpoolOptions{})
	huge := `{"x":"` + strings.Repeat("x", schemas.MaxEventBytes) + `"}`
	input := strings.Join([]string{spooledEvent(1), "", huge, "not an object", `{"source":"no id"}`, spooledEvent(2)}, "\n")
	var receipts []Receipt
	each := func(r Receipt) { receipts = append(receipts, r) }
	lines, err := FillSpool(s, strings.NewReader(input), each)
	if err != nil || !slices.Equal(lines, []int{1, 5, 6}) {
		t.Fatalf("lines %v, %v", lines, err)
	}
	if len(receipts) != 2 || receipts[0].Error.Code != schemas.TooLarge || receipts[1].Error.Code != schemas.Malformed || receipts[1].Line != 4 {
		t.Errorf("lines that cannot be kept: %+v", receipts)
	}
	receipts = nil
	k := &sink{ids: map[string]int{}, budget: 1}
	if err := k.client().SendSpool(t.Context(), s, false, each); schemas.CodeOf(err) != schemas.Unavailable {
		t.Errorf("the stream is away behind the first: %v", err)
	}
	if len(receipts) != 1 || receipts[0].Seq != 1 || receipts[0].Line != 1 || s.Waiting() != 2 {
		t.Errorf("%+v, %d wait", receipts, s.Waiting())
	}
	receipts = nil
	if err := SpooledReceipts(s, 1, each); err != nil || len(receipts) != 1 || !receipts[0].Spooled || receipts[0].ID != "e-2" || receipts[0].Line != 2 {
		t.Errorf("%+v, %v", receipts, err)
	}
	receipts, k.budget = nil, 10
	if err := k.client().SendSpool(t.Context(), s, false, each); err != nil {
		t.Error(err)
	}
	if len(receipts) != 2 || receipts[0].Error == nil || receipts[1].Seq != 2 || s.Waiting() != 0 {
		t.Errorf("%+v, %d wait", receipts, s.Waiting())
	}
	kept, err := os.ReadFile(filepath.Join(dir, "refused.ndjson"))
	if err != nil || !strings.Contains(string(kept), `no id`) || !strings.Contains(string(kept), "malformed") {
		t.Errorf("the refused event: %s, %v", kept, err)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*"+segmentSuffix)); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
}

func TestSpoolHasALimit(t *testing.T) {
	t.Parallel()
	s := mustOpenSpool(t, t.TempDir(), SpoolOptions{MaxBytes: 150})
	var receipts []Receipt
	lines, err := FillSpool(s, strings.NewReader(spooledEvent(1)+"\n"+spooledEvent(6)+"\n"+spooledEvent(5)+"\n{}\n"), func(r Receipt) { receipts = append(receipts, r) })
	if err != nil || !slices.Equal(lines, []int{1}) || len(receipts) != 3 {
		t.Fatalf("lines %v, receipts %+v, %v", lines, receipts, err)
	}
	for _, r := range receipts {
		if r.Error == nil || r.Error.Code != schemas.Unavailable || r.Error.Hint == "" {
			t.Errorf("%+v", r)
		}
	}
	k := &sink{ids: map[string]int{}, budget: 10}
	if err := k.client().SendSpool(t.Context(), s, false, func(Receipt) {}); err != nil {
		t.Fatal(err)
	}
	if lines, err = FillSpool(s, strings.NewReader(spooledEvent(6)), func(r Receipt) { t.Errorf("%+v", r) }); err != nil || len(lines) != 1 {
		t.Errorf("there is room again: %v, %v", lines, err)
	}
}

func TestSpoolInAFolderThatCannotBe(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenSpool(file, SpoolOptions{}); schemas.CodeOf(err) != schemas.Unavailable {
		t.Errorf("%v", err)
	}
}
