package producers_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"milepost/producers"
	"milepost/schemas"
)

// appliedUpTo is a ledger that knows events up to a sequence.
type appliedUpTo struct {
	seq   uint64
	asked []uint64
}

func (a *appliedUpTo) WaitApplied(ctx context.Context, seq uint64) error {
	a.asked = append(a.asked, seq)
	if seq <= a.seq {
		return nil
	}
	<-ctx.Done()
	return ctx.Err()
}

func serve(t testing.TB, p *producers.Publisher, o producers.HandlerOptions) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(producers.NewHandler(p, o))
	t.Cleanup(server.Close)
	return server
}

func post(t testing.TB, url, contentType, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if contentType != "" {
		request.Header.Set("Content-Type", contentType)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func receiptsOf(t testing.TB, text string) []producers.Receipt {
	t.Helper()
	var receipts []producers.Receipt
	for decoder := json.NewDecoder(strings.NewReader(text)); ; {
		var r producers.Receipt
		if err := decoder.Decode(&r); errors.Is(err, io.EOF) {
			return receipts
		} else if err != nil {
			t.Fatalf("%v in %s", err, text)
		}
		receipts = append(receipts, r)
	}
}

func TestOneEventOverHTTP(t *testing.T) {
	_, p := stream(t)
	url := serve(t, p, producers.HandlerOptions{}).URL
	event := string(progress("a", 1))
	large := strings.Replace(event, `"invested_ytd"`, `"note":"`+strings.Repeat("x", schemas.MaxEventBytes)+`","invested_ytd"`, 1)
	for _, c := range []struct {
		name, contentType, body string
		status                  int
		contains                string
	}{
		{"new", "application/cloudevents+json; charset=utf-8", event, 201, `{"source":"/offices/shanyang","id":"a","seq":1,"duplicate":false,"warnings":[],"error":null}`},
		{"again", "application/json", event, 200, `"duplicate":true`},
		{"of no type, over several lines", "", "\ufeff" + strings.ReplaceAll(event, `,"data"`, ",\r\n\"data\""), 200, `"seq":1`},
		{"malformed", "application/json", "{", 400, `"code":"malformed"`},
		{"empty", "application/json", "", 400, `"code":"malformed"`},
		{"invalid", "application/json", strings.Replace(event, "2025-09", "2025-13", 1), 422, `"field":"data.month"`},
		{"of the system", "application/json", string(edition(t, "x", 1).Raw), 403, `"code":"forbidden"`},
		{"too large", "application/json", large, 413, `"code":"too_large"`},
		{"much too large", "application/json", large + large, 413, `"code":"too_large"`},
		{"a form", "application/x-www-form-urlencoded", event, 415, `Content-Type`},
	} {
		status, text := post(t, url, c.contentType, c.body)
		if status != c.status || !strings.Contains(text, c.contains) {
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusMethodNotAllowed || response.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %s", response.Status)
	}
}

func TestLinesOverHTTP(t *testing.T) {
	js, p := stream(t)
	url := serve(t, p, producers.HandlerOptions{Actor: func(*http.Request) string { return "甲" }}).URL
	body := "\ufeff" + string(progress("a", 1)) + "\r\n\r\n  \n{broken\r\n" + strings.Repeat("x", 600_000) + "\n" + string(progress("b", 2)) + "\n" + string(progress("a", 1))
	for _, contentType := range []string{"application/x-ndjson", "text/plain", ""} {
		status, text := post(t, url, contentType, body)
		var got []string
		for _, r := range receiptsOf(t, text) {
			got = append(got, fmt.Sprintf("%d:%s:%d:%s", r.Line, r.ID, r.Seq, code(r)))
		}
		want := "1:a:1: 4::0:malformed 5::0:too_large 6:b:2: 7:a:1:"
		if status != 200 || strings.Join(got, " ") != want {
			t.Errorf("%q: %d\n got %s\nwant %s", contentType, status, strings.Join(got, " "), want)
		}
	}
	if ids, messages := content(t, js); len(ids) != 2 || messages[1].Header.Get(schemas.ActorHeader) != "甲" {
		t.Errorf("on the stream: %q", ids)
	}
	if status, text := post(t, url, "application/x-ndjson", "\n \r\n"); status != 200 || text != "" {
		t.Errorf("blank lines: %d %q", status, text)
	}
}

func TestListOverHTTP(t *testing.T) {
	_, p := stream(t)
	url := serve(t, p, producers.HandlerOptions{MaxBatch: 4000}).URL
	a, b := string(progress("a", 1)), string(progress("b", 2))
	for _, c := range []struct{ body, want string }{
		{"[" + a + ", 7, " + b + "]", "a:1: :0:invalid b:2:"},
		{"[]", ""},
		{a, ":0:malformed"},
		{"[" + a + ", {", "a:1: :0:malformed"},
		{"[" + a + "]  \n", "a:1:"},
		{"[" + a + "] [" + b + "]", "a:1: :0:malformed"},
		{"[" + a + "] }", "a:1: :0:malformed"},
		{"[" + a + strings.Repeat(" ", 4000) + "," + b + "]", "a:1: :0:too_large"},
	} {
		status, text := post(t, url, "application/cloudevents-batch+json", c.body)
		var receipts []producers.Receipt
		if err := json.Unmarshal([]byte(text), &receipts); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range receipts {
			got = append(got, fmt.Sprintf("%s:%d:%s", r.ID, r.Seq, code(r)))
		}
		if status != 200 || strings.Join(got, " ") != c.want {
			t.Errorf("%.40s…: %d %q", c.body, status, got)
		}
	}
}

func TestBodyThatIsTooLargeOrBreaksOff(t *testing.T) {
	js, p := stream(t)
	line := string(progress("a", 1)) + "\n"
	server := serve(t, p, producers.HandlerOptions{MaxBody: int64(2 * len(line))})
	_, text := post(t, server.URL, "application/x-ndjson", line+strings.Replace(line, `"a"`, `"b"`, 1)+strings.Replace(line, `"a"`, `"c"`, 1))
	receipts := receiptsOf(t, text)
	if end := receipts[len(receipts)-1]; code(end) != schemas.TooLarge || receipts[0].Seq != 1 {
		t.Errorf("too large: %s", text)
	}

	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 99999\r\n\r\n%s%s", line, line[:100])
	if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	receipts = receiptsOf(t, string(raw))
	if len(receipts) != 2 || receipts[0].Seq != 1 || receipts[1].Line != 2 || code(receipts[1]) != schemas.Malformed {
		t.Errorf("broken off: %s", raw)
	}
	if ids, _ := content(t, js); len(ids) > 2 {
		t.Errorf("a cut line was published: %q", ids)
	}
}

func TestSlowSenderIsGivenUp(t *testing.T) {
	_, p := stream(t)
	server := serve(t, p, producers.HandlerOptions{Idle: 50 * time.Millisecond})
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nContent-Length: 99999\r\n\r\n%s\n", progress("a", 1))
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if receipts := receiptsOf(t, string(raw)); len(receipts) != 2 || receipts[0].Seq != 1 || receipts[1].Error == nil {
		t.Errorf("receipts %s", raw)
	}
}

// A client that sends everything before it reads anything must not wait for
// itself; and an interactive one sees each receipt at once.
func TestReceiptsFlowWhileLinesArrive(t *testing.T) {
	_, p := stream(t)
	server := serve(t, p, producers.HandlerOptions{})
	const count = 30_000
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := bytes.Repeat([]byte("{\"id\":\"no event\"}\n"), count)
	fmt.Fprintf(conn, "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/x-ndjson\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	response, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(response.Body)
	n := 0
	for lines.Scan() {
		n++
	}
	if n != count || lines.Err() != nil {
		t.Errorf("%d receipts, %v", n, lines.Err())
	}

	in, out := io.Pipe()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, in)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/x-ndjson")
	answer := make(chan *http.Response, 1)
	go func() {
		r, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			close(answer)
			return
		}
		answer <- r
	}()
	fmt.Fprintf(out, "%s\n", progress("a", 1))
	interactive, ok := <-answer
	if !ok {
		return
	}
	defer interactive.Body.Close()
	decoder := json.NewDecoder(interactive.Body)
	for i := 1; i <= 2; i++ {
		var r producers.Receipt
		if err := decoder.Decode(&r); err != nil || r.Seq != uint64(i) {
			t.Fatalf("receipt %d: %+v %v", i, r, err)
		}
		if i == 1 {
			fmt.Fprintf(out, "%s\n", progress("b", 2))
		}
	}
	out.Close()
}

func TestWaitForTheLedger(t *testing.T) {
	_, p := stream(t)
	applied := &appliedUpTo{seq: 2}
	url := serve(t, p, producers.HandlerOptions{Applied: applied, WaitLimit: 20 * time.Millisecond}).URL
	if status, text := post(t, url+"?wait=true", "application/json", string(progress("a", 1))); status != 201 || strings.Contains(text, `"wait"`) {
		t.Errorf("one: %d %s", status, text)
	}
	lines := string(progress("b", 1)) + "\n" + string(progress("c", 1)) + "\n{"
	_, text := post(t, url+"?wait=true", "application/x-ndjson", lines)
	receipts := receiptsOf(t, text)
	if len(receipts) != 3 || len(receipts[2].Warnings) != 1 || receipts[2].Warnings[0].Field != producers.WaitField {
		t.Errorf("lines that the ledger does not know in time: %s", text)
	}
	if status, _ := post(t, url+"?wait=2", "application/x-ndjson", ""); status != 200 {
		t.Errorf("wait for a sequence: %d", status)
	}
	if got := fmt.Sprint(applied.asked); got != "[1 3 2]" {
		t.Errorf("waited for %s", got)
	}
	if status, _ := post(t, url+"?wait=perhaps", "application/json", ""); status != 422 {
		t.Errorf("a wrong wish: %d", status)
	}
}
