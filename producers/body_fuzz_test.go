package producers

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"

	"milepost/schemas"
)

// bodySeeds are bodies of each kind, whole and damaged.
var bodySeeds = []string{
	"", " ", "[]", "[", "]", "null", "{}", "[{}]", "[{},{}]", "[{},]", "[,{}]", "[{} {}]", "[{}", "[{},{", "[{}]]", "[{}] x", `[{"a":1}, null, "x", 7]`, "[[]]", "{}{}", "{}\n{}", "{\n}", "\ufeff{}", "\ufeff[{}]",
	"{\"id\":\"1\"}\r\n\r\n{\"id\":\"2\"}", "[\"\xff\"]", "[\x00]", `[{"source":"/a","id":"b"}]`, strings.Repeat("[", 20), "[" + strings.Repeat("{},", 20) + "{}]",
}

// FuzzList: of a JSON list every element is submitted as it was sent, numbered
// from 1; of what is none the good beginning is, and then one is refused.
func FuzzList(f *testing.F) {
	for _, seed := range bodySeeds {
		f.Add([]byte(seed), false)
	}
	f.Add(append(append([]byte(`["`), bytes.Repeat([]byte("x"), schemas.MaxEventBytes)...), `",1]`...), false)
	f.Fuzz(func(t *testing.T, body []byte, slow bool) {
		var want []json.RawMessage
		err := json.Unmarshal(body, &want)
		isList := err == nil && want != nil
		var source io.Reader = bytes.NewReader(body)
		if slow {
			source = iotest.OneByteReader(source)
		}
		n := 0
		var last Submission
		for s := range listSubmissions(&io.LimitedReader{R: source, N: 1 << 30}) {
			n++
			last = s
			if s.Line != n {
				t.Fatalf("submission %d has the number %d", n, s.Line)
			}
			if isList && (n > len(want) || !bytes.Equal(s.Raw, want[n-1]) || (s.Refused != nil) != (len(s.Raw) > schemas.MaxEventBytes)) {
				t.Fatalf("element %d: %q, %v", n, s.Raw, s.Refused)
			}
		}
		if isList && n != len(want) {
			t.Fatalf("%d submissions of %d elements", n, len(want))
		}
		if !isList && (n == 0 || last.Refused == nil || last.Refused.Code != schemas.Malformed || last.Raw != nil) {
			t.Fatalf("no list, but %d submissions, the last %+v", n, last)
		}
	})
}

// FuzzBody: whatever is posted, of whatever kind, is answered in the form that
// the kind has, and with the refusal of each event.
func FuzzBody(f *testing.F) {
	kinds := []string{"", "application/json", "application/cloudevents+json", "application/cloudevents-batch+json", "application/x-ndjson", "text/plain; charset=utf-8", "image/png", "a/b; c"}
	for i, seed := range bodySeeds {
		f.Add([]byte(seed), uint8(i))
		f.Add([]byte(seed), uint8(3))
	}
	f.Fuzz(func(t *testing.T, body []byte, kind uint8) {
		h := NewHandler(&Publisher{check: refuseAll{}, window: 3}, HandlerOptions{MaxBatch: 1 << 10, MaxBody: 1 << 10})
		request := httptest.NewRequest(http.MethodPost, "/v1/events", bytes.NewReader(body))
		request.Header.Set("Content-Type", kinds[int(kind)%len(kinds)])
		answer := httptest.NewRecorder()
		answer.Body = new(bytes.Buffer)
		serveAborting(h, answer, request)
		switch form := answer.Header().Get("Content-Type"); form {
		case "application/x-ndjson":
			lines := bufio.NewScanner(answer.Body)
			for lines.Scan() {
				refusedReceipt(t, lines.Bytes())
			}
		case "application/json":
			var receipts []json.RawMessage
			if err := json.Unmarshal(answer.Body.Bytes(), &receipts); err != nil || answer.Code != http.StatusOK {
				t.Fatalf("status %d: %s", answer.Code, answer.Body)
			}
			for _, receipt := range receipts {
				refusedReceipt(t, receipt)
			}
		case "application/problem+json":
			var problem schemas.Problem
			if err := json.Unmarshal(answer.Body.Bytes(), &problem); err != nil || answer.Code < 400 || answer.Code >= 500 || problem.Code == "" {
				t.Fatalf("status %d: %s", answer.Code, answer.Body)
			}
		default:
			t.Fatalf("an answer of the form %q", form)
		}
	})
}

// serveAborting serves a request; a handler may abort one whose body is larger
// than it reads.
func serveAborting(h http.Handler, w http.ResponseWriter, r *http.Request) {
	defer func() {
		if cause := recover(); cause != nil && cause != http.ErrAbortHandler {
			panic(cause)
		}
	}()
	h.ServeHTTP(w, r)
}

func refusedReceipt(t *testing.T, text []byte) {
	t.Helper()
	var receipt Receipt
	if err := json.Unmarshal(text, &receipt); err != nil || receipt.Error == nil || receipt.Error.Message == "" || receipt.Seq != 0 {
		t.Fatalf("receipt %s: %v", text, err)
	}
}
