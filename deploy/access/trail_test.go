package access_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/access"
	"milepost/schemas"
)

// lines tells records in short.
func lines(records []schemas.AuditRecord) string {
	var out []string
	for _, r := range records {
		out = append(out, fmt.Sprintf("%s %s %s %d %s", r.Action, r.Target, r.Result, r.Status, r.Code))
	}
	return strings.Join(out, "\n")
}

func TestActsAreRecorded(t *testing.T) {
	t.Parallel()
	g := guard(t, someRules, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/acts/refused/end":
			schemas.WriteProblem(w, &schemas.Error{Code: schemas.Conflict, Message: "no", Hint: "no"})
		case "/acts/broken/end":
			panic(http.ErrAbortHandler)
		case "/acts/named/end":
			access.ActedOn(r.Context(), "what it made")
			ok(w, r)
		default:
			ok(w, r)
		}
	}, nil)
	token, admin := create(t, g.store, access.Wish{Role: schemas.RoleAdmin, Name: "管理员"})
	_, analyst := create(t, g.store, access.Wish{Role: schemas.RoleAnalyst})
	for _, path := range []string{"done", "refused", "named"} {
		g.do(t, "POST", "/acts/"+path+"/end", "", "Authorization: Bearer "+admin)
	}
	request, err := http.NewRequestWithContext(t.Context(), "POST", g.URL+"/acts/broken/end", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+admin)
	if response, err := http.DefaultClient.Do(request); err == nil {
		response.Body.Close()
		t.Error("a broken handler answered")
	}
	g.do(t, "POST", "/acts/x/end", "", "Authorization: Bearer "+analyst)
	g.do(t, "GET", "/read/x", "", "Authorization: Bearer "+analyst)
	records, err := g.trail.Read(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	want := "thing.end done done 204 \nthing.end refused refused 409 conflict\nthing.end what it made done 204 \nthing.end broken failed 0 \nthing.end x refused 403 forbidden"
	if got := lines(records); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	first := records[0]
	if first.Actor != "admin:"+token.ID || first.Name != "管理员" || first.Remote != "127.0.0.1" || !first.At.Equal(g.clock.now()) {
		t.Errorf("%+v", first)
	}
}

// The audit refuses to lose anything.
func TestAuditIsOnlyAddedTo(t *testing.T) {
	t.Parallel()
	js, c := stream(t), newClock()
	trail := openTrail(t, js, c)
	record := &schemas.AuditRecord{Action: "thing.end", Result: schemas.AuditBegun}
	if err := trail.Write(t.Context(), record); err != nil {
		t.Fatal(err)
	}
	kept, err := js.Stream(t.Context(), schemas.AuditStream)
	if err != nil {
		t.Fatal(err)
	}
	if err := kept.Purge(t.Context()); err == nil {
		t.Error("it was purged")
	}
	if err := kept.DeleteMsg(t.Context(), 1); err == nil {
		t.Error("a record was deleted")
	}
	config := kept.CachedInfo().Config
	config.DenyDelete, config.DenyPurge = false, false
	if _, err := js.UpdateStream(t.Context(), config); err == nil {
		t.Error("it was made to forget")
	}
	if err := trail.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if records, err := trail.Read(t.Context(), time.Time{}); err != nil || lines(records) != "thing.end  begun 0 " {
		t.Errorf("%q %v", lines(records), err)
	}
}

// What cannot be recorded is not done.
func TestNoActWithoutARecord(t *testing.T) {
	t.Parallel()
	js, c := stream(t), newClock()
	store, trail := openStore(t, js, c), openTrail(t, js, c)
	done := 0
	g := access.NewGuard(access.Config{Tokens: store, Trail: trail, Rules: someRules, Now: c.now, Log: quiet()}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { done++; ok(w, r) }))
	if err := js.DeleteStream(t.Context(), schemas.AuditStream); err != nil {
		t.Fatal(err)
	}
	w := newRecorder()
	request, err := http.NewRequestWithContext(t.Context(), "POST", "/acts/x/end", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.RemoteAddr = "127.0.0.1:1"
	g.ServeHTTP(w, request)
	if w.Code != http.StatusServiceUnavailable || done != 0 {
		t.Errorf("%d, done %d times", w.Code, done)
	}
}

// Publishing is recorded behind the sender's back; requests that wait for the
// stream become one record.
func TestPublishingIsNoted(t *testing.T) {
	t.Parallel()
	js, c := stream(t), newClock()
	trail := openTrail(t, js, c)
	const requests = 500
	for i := range uint64(requests) {
		trail.Note(schemas.AuditRecord{Action: "publish", Actor: "office:a", Remote: "192.0.2.7", Result: schemas.AuditDone, Requests: 1, Published: 2, FirstSeq: 2*i + 1, LastSeq: 2*i + 2})
		trail.Note(schemas.AuditRecord{Action: "publish", Actor: "office:b", Remote: "192.0.2.8", Result: schemas.AuditRefused, Code: schemas.Forbidden, Requests: 1, Refused: 1})
	}
	if err := trail.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	records, err := trail.Read(t.Context(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]*schemas.AuditRecord{}
	for _, r := range records {
		if sum, known := sums[r.Actor]; known {
			sum.AddPublished(r)
			continue
		}
		sums[r.Actor] = &r
	}
	a, b := sums["office:a"], sums["office:b"]
	if a == nil || a.Requests != requests || a.Published != 2*requests || a.FirstSeq != 1 || a.LastSeq != 2*requests || a.Result != schemas.AuditDone {
		t.Errorf("%+v", a)
	}
	if b == nil || b.Requests != requests || b.Refused != requests || b.FirstSeq != 0 || b.Result != schemas.AuditRefused || b.Code != schemas.Forbidden {
		t.Errorf("%+v", b)
	}
}

func TestAuditSince(t *testing.T) {
	t.Parallel()
	js, c := stream(t), newClock()
	trail := openTrail(t, js, c)
	for i := range 1500 {
		if err := trail.Write(t.Context(), &schemas.AuditRecord{Action: "thing.end", Target: fmt.Sprint(i), Result: schemas.AuditDone}); err != nil {
			t.Fatal(err)
		}
	}
	kept, err := js.Stream(t.Context(), schemas.AuditStream)
	if err != nil {
		t.Fatal(err)
	}
	last, err := kept.GetMsg(t.Context(), 1500)
	if err != nil {
		t.Fatal(err)
	}
	for _, since := range []struct {
		at   time.Time
		want int
	}{{time.Time{}, 1500}, {last.Time, 1}, {last.Time.Add(time.Hour), 0}} {
		if records, err := trail.Read(t.Context(), since.at); err != nil || len(records) != since.want {
			t.Errorf("since %s: %d records, %v", since.at, len(records), err)
		}
	}
}

func TestActorKeyIsOfTheInstallation(t *testing.T) {
	t.Parallel()
	js := stream(t)
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: schemas.StreamName, Subjects: []string{schemas.StreamSubjects}}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "milepost.events.shanyang.P-1.progress.reported", nil); err != nil {
		t.Fatal(err)
	}
	first, after, err := access.ActorKey(t.Context(), js)
	if err != nil || after != 1 {
		t.Fatalf("after %d: %v", after, err)
	}
	if _, err := js.Publish(t.Context(), "milepost.events.shanyang.P-2.progress.reported", nil); err != nil {
		t.Fatal(err)
	}
	second, after, err := access.ActorKey(t.Context(), js)
	if err != nil || after != 1 {
		t.Fatalf("after %d: %v", after, err)
	}
	fingerprint := schemas.Fingerprint{7}
	if !second.Proves(fingerprint, "office:a", first.Proof(fingerprint, "office:a")) {
		t.Error("two processes have two keys")
	}
}
