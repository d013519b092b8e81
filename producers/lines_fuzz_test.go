package producers

import (
	"bytes"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"milepost/schemas"
)

// refuseAll is a validator that lets nothing through, so that no stream is
// needed to see what the reader makes of a body.
type refuseAll struct{}

func (refuseAll) Validate([]byte) (*schemas.Event, []schemas.Warning, error) {
	return nil, nil, &schemas.Error{Code: schemas.Invalid, Message: "refused"}
}

// FuzzNDJSON: whatever the body, and in whatever pieces it arrives, every line
// that is not blank has exactly one receipt with its number.
func FuzzNDJSON(f *testing.F) {
	for _, seed := range []string{"", "\n", "\ufeff{}\r\n\r\n {} ", "{\n}\n", "a\rb\n\x00\n\xff\xfe\n", "\ufeff\n\ufeff\n", "{\"source\":7,\"id\":[]}"} {
		f.Add([]byte(seed), false)
	}
	f.Add(append(bytes.Repeat([]byte("x"), lineLimit+10), "\ny"...), false)
	f.Fuzz(func(t *testing.T, body []byte, slow bool) {
		var want []int
		for i, line := range bytes.Split(bytes.TrimPrefix(body, []byte("\ufeff")), []byte("\n")) {
			if len(bytes.Trim(line, " \t\r\n")) > 0 {
				want = append(want, i+1)
			}
		}
		h := &handler{publisher: &Publisher{check: refuseAll{}, window: 3}, HandlerOptions: HandlerOptions{Actor: RemoteActor, MaxBody: 1 << 30}}
		request := httptest.NewRequest("POST", "/v1/events", nil)
		source := bytes.NewReader(body)
		lines := newLineReader(source)
		if slow {
			lines = newLineReader(iotest.OneByteReader(source))
		}
		i := 0
		for receipt := range h.publishLines(request, lines, &io.LimitedReader{N: 1}) {
			if i >= len(want) || receipt.Line != want[i] || receipt.Error == nil {
				t.Fatalf("receipt %d: %+v, wanted lines %v", i, receipt, want)
			}
			i++
		}
		if i != len(want) {
			t.Fatalf("%d receipts, wanted lines %v", i, want)
		}
	})
}

// A body that breaks off gives the line that is lost its receipt.
func TestBrokenLineIsNotPublished(t *testing.T) {
	lost := errors.New("lost")
	lines := newLineReader(io.MultiReader(strings.NewReader("a\nbb"), iotest.ErrReader(lost)))
	if line, number, err := lines.next(); string(line) != "a" || number != 1 || err != nil {
		t.Errorf("first line: %q %d %v", line, number, err)
	}
	if line, number, err := lines.next(); line != nil || number != 2 || !errors.Is(err, lost) {
		t.Errorf("lost line: %q %d %v", line, number, err)
	}
}
