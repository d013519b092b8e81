package schemas

import (
	"bytes"
	"reflect"
	"testing"

	"golang.org/x/sync/errgroup"
)

// verdict is all that is said of one text.
type verdict struct {
	event       *Event
	warnings    []Warning
	refusal     string
	fingerprint Fingerprint
}

func judged(v *Validator, raw []byte) verdict {
	var out verdict
	var err error
	if out.event, out.warnings, err = v.Decode(raw); err != nil {
		out.refusal = err.Error()
	}
	out.fingerprint, _ = FingerprintOf(raw) // what is no JSON has none
	return out
}

// One validator serves many at once, each from a buffer that is used again: no
// event depends on what else is read, or on its text after it was read.
func TestDecodingIsSafeForConcurrentUse(t *testing.T) {
	t.Parallel()
	fast, _ := bothValidators(t)
	texts := append(seeds(t), []byte(`{"id":`), []byte(`{}`), []byte(usualEvent))
	want := make([]verdict, len(texts))
	for i, text := range texts {
		want[i] = judged(fast, text)
	}
	var group errgroup.Group
	for worker := range 8 {
		group.Go(func() error {
			buffer := make([]byte, 0, 4096)
			got := make([]verdict, len(texts))
			for k := range texts {
				i := (k + worker*7) % len(texts)
				buffer = append(buffer[:0], texts[i]...)
				got[i] = judged(fast, buffer)
			}
			copy(buffer[:cap(buffer)], bytes.Repeat([]byte("x"), cap(buffer)))
			for i := range texts {
				if !reflect.DeepEqual(got[i], want[i]) {
					t.Errorf("worker %d: %s\n got %+v\nwant %+v", worker, texts[i], got[i], want[i])
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}
