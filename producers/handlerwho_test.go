package producers_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"milepost/producers"
	"milepost/schemas"
)

// onlyB admits events whose id is b.
func onlyB(e *schemas.Event) ([]schemas.Warning, error) {
	if e.ID != "b" {
		return nil, &schemas.Error{Code: schemas.Forbidden, Field: "id", Value: e.ID, Message: "not yours", Hint: "send b"}
	}
	return []schemas.Warning{{Field: "id", Message: "looked at"}}, nil
}

// What a sender may not send gets its own result, in every form of a request.
func TestAdmissionIsAskedForEachEvent(t *testing.T) {
	js, p := stream(t)
	tallies := make(chan producers.Tally, 10)
	url := serve(t, p, producers.HandlerOptions{
		Admit: func(*http.Request) producers.Admission { return onlyB },
		Done:  func(_ *http.Request, tally producers.Tally) { tallies <- tally },
	}).URL
	a, b := string(progress("a", 1)), string(progress("b", 2))
	for _, c := range []struct {
		name, contentType, body, want string
		status                        int
		tally                         producers.Tally
	}{
		{"one that it may not", "application/json", a, "", 403, producers.Tally{Refused: 1, Code: schemas.Forbidden}},
		{"a list", "application/cloudevents-batch+json", "[" + a + "," + b + ",7]", ":0:forbidden b:1: :0:invalid", 200, producers.Tally{Published: 1, Refused: 2, FirstSeq: 1, LastSeq: 1, Code: schemas.Invalid}},
		{"lines", "application/x-ndjson", a + "\n" + b, ":0:forbidden b:1:", 200, producers.Tally{Duplicates: 1, Refused: 1, Code: schemas.Forbidden}},
		{"one that it may", "application/json", b, "", 200, producers.Tally{Duplicates: 1}},
	} {
		status, text := post(t, url, c.contentType, c.body)
		if status != c.status {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
		if tally := <-tallies; tally != c.tally {
			t.Errorf("%s: %+v, want %+v", c.name, tally, c.tally)
		}
		if c.want == "" {
			continue
		}
		var receipts []producers.Receipt
		if strings.HasPrefix(text, "{") {
			receipts = receiptsOf(t, text)
		} else if err := json.Unmarshal([]byte(text), &receipts); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range receipts {
			id := r.ID
			if r.Error != nil {
				id = ""
			}
			got = append(got, fmt.Sprintf("%s:%d:%s", id, r.Seq, code(r)))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
	if ids, _ := content(t, js); len(ids) != 1 {
		t.Errorf("on the stream: %q", ids)
	}
}

// A single event that does not come in time is a problem of its own status.
func TestSlowEventTimesOut(t *testing.T) {
	_, p := stream(t)
	for _, c := range []struct {
		name        string
		contentType string
		options     producers.HandlerOptions
		want        string
	}{
		{"silent", "application/json", producers.HandlerOptions{Idle: 50 * time.Millisecond}, "408 Request Timeout"},
		{"too long", "application/json", producers.HandlerOptions{Whole: 50 * time.Millisecond}, "408 Request Timeout"},
		{"a list", "application/cloudevents-batch+json", producers.HandlerOptions{Whole: 50 * time.Millisecond}, "200 OK"},
	} {
		server := serve(t, p, c.options)
		conn, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: 9999\r\n\r\n[", c.contentType)
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		var text strings.Builder
		if _, err := bufio.NewReader(response.Body).WriteTo(&text); err != nil {
			t.Fatal(err)
		}
		if response.Status != c.want || !strings.Contains(text.String(), `"code":"too_slow"`) {
			t.Errorf("%s: %s %s", c.name, response.Status, text.String())
		}
	}
}
