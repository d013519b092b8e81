package producers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"milepost/producers"
	"milepost/schemas"
)

func TestClientPublishesAFileInPieces(t *testing.T) {
	js, p := stream(t)
	applied := &appliedUpTo{seq: 1 << 60}
	server := serve(t, p, producers.HandlerOptions{Applied: applied})
	var file strings.Builder
	var want []string
	for i := range 4500 {
		file.Write(progress(fmt.Sprintf("e%d", i), 1))
		file.WriteString("\r\n\r\n")
		want = append(want, fmt.Sprintf("%d e%d ", 2*i+1, i))
	}
	file.WriteString(strings.Repeat("y", 400_000) + "\n{]")
	want = append(want, "9001  too_large", "9002  malformed")
	var got []string
	client := producers.NewClient(server.URL+"/", nil)
	err := client.Publish(t.Context(), strings.NewReader(file.String()), true, func(r producers.Receipt) {
		got = append(got, fmt.Sprintf("%d %s %s", r.Line, r.ID, code(r)))
	})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("%d receipts, the last %q", len(got), got[max(0, len(got)-3):])
	}
	if s, err := js.Stream(t.Context(), schemas.StreamName); err != nil || s.CachedInfo().State.LastSeq != 4500 {
		t.Errorf("stream %v", err)
	}
	if fmt.Sprint(applied.asked) != "[4500]" {
		t.Errorf("waited for %v", applied.asked)
	}
}

func TestClientTellsWhatFailedOnTheWay(t *testing.T) {
	_, p := stream(t)
	late := serve(t, p, producers.HandlerOptions{Applied: &appliedUpTo{}, WaitLimit: time.Millisecond})
	half := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintln(w, `{"line":1,"source":"/s","id":"a","seq":5,"duplicate":false,"warnings":[],"error":null}`)
	}))
	defer half.Close()
	refusing := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		schemas.WriteProblem(w, &schemas.Error{Code: schemas.Forbidden, Message: "not you", Hint: "ask"})
	}))
	defer refusing.Close()
	strange := httptest.NewServer(http.NotFoundHandler())
	defer strange.Close()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	for _, c := range []struct {
		name, server, receipts string
		code                   schemas.Code
	}{
		{"ledger late", late.URL, "1: 3:", schemas.Unavailable},
		{"half an answer", half.URL, "1: 3:unavailable", schemas.Unavailable},
		{"refusal", refusing.URL, "1:unavailable 3:unavailable", schemas.Forbidden},
		{"no Milepost", strange.URL, "1:unavailable 3:unavailable", schemas.Internal},
		{"nobody there", gone.URL, "1:unavailable 3:unavailable", schemas.Unavailable},
		{"no address", "::", "1:unavailable 3:unavailable", schemas.Invalid},
	} {
		var got []string
		file := string(progress("a", 1)) + "\n\n" + string(progress("b", 2))
		err := producers.NewClient(c.server, nil).Publish(t.Context(), strings.NewReader(file), true, func(r producers.Receipt) {
			got = append(got, fmt.Sprintf("%d:%s", r.Line, code(r)))
		})
		if schemas.CodeOf(err) != c.code || strings.Join(got, " ") != c.receipts {
			t.Errorf("%s: %v, receipts %q", c.name, err, got)
		}
	}
}
