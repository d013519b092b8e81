package warehouse

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

var recordedAt = time.Date(2025, 3, 8, 9, 0, 0, 123456789, schemas.Location)

// progress is a report of an amount; reports of one id differ by it.
func progress(t testing.TB, sequence uint64, id string, amount int) Delivery {
	t.Helper()
	return delivery(t, sequence, fmt.Sprintf(`{"specversion":"1.0","id":%q,"source":"/offices/shanyang","type":"progress.reported.v1",
"subject":"P-0012","time":"2025-03-08T10:00:00+08:00","district":"shanyang","traceparent":"00-ab","batch":7,
"datacontenttype":"application/json","data":{"month":"2025-02","invested_ytd":%d}}`, id, amount))
}

func delivery(t testing.TB, sequence uint64, raw string) Delivery {
	t.Helper()
	event, _, err := schemas.NewValidator(schemas.DefaultRules()).Decode([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	fingerprint, err := schemas.FingerprintOf([]byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	return Delivery{Event: event, Fingerprint: fingerprint, Sequence: sequence, Actor: "nats:shanyang",
		RecordedAt: recordedAt.Add(time.Duration(sequence) * time.Second)}
}

func write(t testing.TB, w *Warehouse, deliveries ...Delivery) Written {
	t.Helper()
	w.stream.(*fakeStream).hold(deliveries)
	written, err := w.Write(t.Context(), Batch{Deliveries: deliveries})
	if err != nil {
		t.Fatal(err)
	}
	return written
}

// rows gives a result as lines of tab-separated texts.
func rows(t testing.TB, w *Warehouse, query string) []string {
	t.Helper()
	var lines []string
	if err := w.conn.QueryRow(t.Context(), "SELECT groupArray(arrayStringConcat(arrayMap(x -> toString(x), r), '\t')) FROM ("+query+")").Scan(&lines); err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestEventsAreStored(t *testing.T) {
	w := open(t)
	revoked := delivery(t, 8, `{"specversion":"1.0","id":"r1","source":"/offices/shanyang","type":"event.revoked.v1","subject":"P-0012",
"time":"2025-03-09T10:00:00+08:00","district":"shanyang","datacontenttype":"application/json",
"data":{"revokes":{"source":"/offices/shanyang","id":"a"},"reason":"重复","decided_on":"2025-03-09"}}`)
	written := write(t, w, progress(t, 7, "a", 1200), revoked)
	if diff := cmp.Diff(Written{Events: 2}, written); diff != "" {
		t.Error(diff)
	}
	got := rows(t, w, `SELECT [event_id, source, id, type, project_id, district, ifNull(toString(business_date), 'none'), toString(occurred_at),
toString(recorded_at), toString(stream_seq), actor, data, extensions] AS r FROM events FINAL ORDER BY stream_seq`)
	want := []string{
		strings.Join([]string{"/offices/shanyang a", "/offices/shanyang", "a", "progress.reported.v1", "P-0012", "shanyang", "2025-02-28",
			"2025-03-08 10:00:00.000", "2025-03-08 09:00:07.123456789", "7", "nats:shanyang", `{"month":"2025-02","invested_ytd":1200}`,
			`{"traceparent":"00-ab","batch":7}`}, "\t"),
		strings.Join([]string{"/offices/shanyang r1", "/offices/shanyang", "r1", "event.revoked.v1", "P-0012", "shanyang", "none",
			"2025-03-09 10:00:00.000", "2025-03-08 09:00:08.123456789", "8", "nats:shanyang", string(revoked.Event.RawData), ""}, "\t"),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRepeatedEventsCountOnce(t *testing.T) {
	w := open(t)
	write(t, w, progress(t, 5, "a", 1), progress(t, 6, "b", 1))
	if got := write(t, w, progress(t, 9, "a", 1)); got.Repeated != 1 || got.Conflicting != 0 {
		t.Errorf("a repetition: %+v", got)
	}
	// Delivered again by the stream: the same sequences, also within one batch.
	write(t, w, progress(t, 5, "a", 1), progress(t, 6, "b", 1), progress(t, 6, "b", 1))
	if got := write(t, w, progress(t, 4, "b", 1)); got.Repeated != 0 {
		t.Errorf("the first delivery, stored last: %+v", got)
	}
	want := []string{"/offices/shanyang a\t5", "/offices/shanyang b\t4"}
	if diff := cmp.Diff(want, rows(t, w, "SELECT [event_id, toString(stream_seq)] AS r FROM events FINAL ORDER BY id")); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"2\t2"}, rows(t, w, "SELECT [count(), uniqExact(event_id)] AS r FROM events FINAL")); diff != "" {
		t.Error(diff)
	}
	if got := rows(t, w, "SELECT [event_id] AS r FROM conflicts"); len(got) != 0 {
		t.Errorf("conflicts: %v", got)
	}
}

// permutations calls f with every order of 0 … n−1.
func permutations(n int, f func(order []int)) {
	order := make([]int, n)
	var place func(position int)
	place = func(position int) {
		if position == n {
			f(order)
			return
		}
		for i := range n {
			used := false
			for _, o := range order[:position] {
				used = used || o == i
			}
			if !used {
				order[position] = i
				place(position + 1)
			}
		}
	}
	place(0)
}

// mergeAll makes ReplacingMergeTree drop now what it may drop at any time.
func mergeAll(t testing.TB, w *Warehouse) {
	t.Helper()
	for _, table := range []string{"events", "content_hashes", "contested"} {
		if err := w.conn.Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
			t.Fatal(err)
		}
	}
}

func TestConflictsDoNotDependOnTheOrderOfArrival(t *testing.T) {
	w := open(t)
	// Each order uses an identity and ten sequences of its own. The content of the first comes again at the third: until the first is stored it looks
	// like a conflict with the second.
	var arrivals [4][]Delivery
	identities := 0
	permutations(4, func(order []int) {
		identities++
		name := fmt.Sprintf("id%02d", identities)
		base := uint64(10 * identities)
		all := [4]Delivery{progress(t, base+1, name, 10), progress(t, base+2, name, 20), progress(t, base+3, name, 10), progress(t, base+4, name, 30)}
		for step, i := range order {
			arrivals[step] = append(arrivals[step], all[i])
		}
	})
	for _, merged := range []bool{false, true} {
		for _, deliveries := range arrivals {
			write(t, w, deliveries...)
			if merged {
				mergeAll(t, w)
			}
		}
		checkConflicts(t, w, identities)
		// The crash between the write and the acknowledgement, and everything in one batch.
		write(t, w, slices.Concat(arrivals[:]...)...)
		checkConflicts(t, w, identities)
		if merged {
			break
		}
		for _, table := range []string{"events", "content_hashes", "contested"} {
			if err := w.conn.Exec(t.Context(), "TRUNCATE TABLE "+table); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// checkConflicts expects that of each identity the first sequence counts, and the second and fourth are conflicts.
func checkConflicts(t *testing.T, w *Warehouse, identities int) {
	t.Helper()
	got := rows(t, w, `SELECT [toString(stream_seq % 10), toString(counted_seq % 10), JSONExtractRaw(event, 'data', 'invested_ytd'), toString(count())] AS r
FROM conflicts GROUP BY stream_seq, counted_seq, event, id`)
	counts := map[string]int{}
	for _, line := range got {
		counts[line]++
	}
	want := map[string]int{"2\t1\t20\t1": identities, "4\t1\t30\t1": identities}
	if diff := cmp.Diff(want, counts); diff != "" {
		t.Error("conflicts:", diff)
	}
	if got := rows(t, w, "SELECT [count()] AS r FROM conflicts FINAL WHERE stream_seq % 10 <= 2"); got[0] != fmt.Sprint(identities) {
		t.Errorf("conflicts known at 2: %v", got)
	}
	if got := rows(t, w, "SELECT [count(), countIf(stream_seq % 10 = 1)] AS r FROM events FINAL"); got[0] != fmt.Sprintf("%d\t%d", identities, identities) {
		t.Errorf("events, and those of sequence 1: %v", got)
	}
}

func TestConflictsOfTwoWriters(t *testing.T) {
	dsn := freshDSN(t)
	first, second := openAt(t, dsn), openAt(t, dsn)
	second.stream = first.stream
	const identities = 20
	var group sync.WaitGroup
	write := func(w *Warehouse, offset uint64, amount int) {
		for i := range identities {
			d := progress(t, uint64(2*i)+offset, fmt.Sprintf("id%02d", i), amount)
			w.stream.(*fakeStream).hold([]Delivery{d})
			if _, err := w.Write(t.Context(), Batch{Deliveries: []Delivery{d}}); err != nil {
				t.Error(err)
			}
		}
	}
	group.Go(func() { write(first, 1, 10) })
	group.Go(func() { write(second, 2, 20) })
	group.Go(func() {
		for range 10 {
			for _, table := range []string{"events", "content_hashes"} {
				if err := first.conn.Exec(t.Context(), "OPTIMIZE TABLE "+table+" FINAL"); err != nil {
					t.Error(err)
				}
			}
		}
	})
	group.Wait()
	got := rows(t, first, "SELECT [id, toString(stream_seq - counted_seq), JSONExtractRaw(event, 'data', 'invested_ytd')] AS r FROM conflicts ORDER BY id")
	var want []string
	for i := range identities {
		want = append(want, fmt.Sprintf("id%02d\t1\t20", i))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestDeadLettersAreListedOnce(t *testing.T) {
	w := open(t)
	letter := DeadLetter{
		Sequence: 3, RecordedAt: recordedAt, Subject: "milepost.events.shanyang.P-0012.progress.reported", Actor: "nats:shanyang",
		Reason: &schemas.Error{Code: schemas.Invalid, Field: "data.month", Value: "2025-13", Message: "not a month", Hint: "write YYYY-MM"},
		Raw:    append([]byte("\xff\x00'"), make([]byte, MaxRawBytes)...),
	}
	for range 2 {
		written, err := w.Write(t.Context(), Batch{DeadLetters: []DeadLetter{letter, letter}})
		if err != nil {
			t.Fatal(err)
		}
		if written.DeadLetters != 2 {
			t.Errorf("%+v", written)
		}
	}
	got := rows(t, w, "SELECT [toString(stream_seq), toString(recorded_at), subject, actor, code, field, value, reason, hint, hex(left(raw, 3)), toString(length(raw)), toString(raw_bytes)] AS r FROM dead_letters")
	want := []string{strings.Join([]string{"3", "2025-03-08 09:00:00.123456789", letter.Subject, "nats:shanyang", "invalid", "data.month", "2025-13",
		"not a month", "write YYYY-MM", "FF0027", fmt.Sprint(MaxRawBytes), fmt.Sprint(MaxRawBytes + 3)}, "\t")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRefusedRowsBecomeDeadLetters(t *testing.T) {
	w := open(t)
	if err := w.conn.Exec(t.Context(), "ALTER TABLE events ADD CONSTRAINT known CHECK id NOT LIKE 'bad%'"); err != nil {
		t.Fatal(err)
	}
	written := write(t, w, progress(t, 1, "a", 1), progress(t, 2, "bad1", 1), progress(t, 3, "b", 1), progress(t, 4, "bad2", 1), progress(t, 5, "bad3", 1))
	if diff := cmp.Diff(Written{Events: 2, Refused: 3, DeadLetters: 3}, written); diff != "" {
		t.Error(diff)
	}
	want := []string{"a", "b"}
	if diff := cmp.Diff(want, rows(t, w, "SELECT [id] AS r FROM events ORDER BY id")); diff != "" {
		t.Error(diff)
	}
	if got := rows(t, w, "SELECT [count()] AS r FROM content_hashes"); got[0] != "2" {
		t.Errorf("%v contents", got)
	}
	letters := rows(t, w, "SELECT [toString(stream_seq), subject, code] AS r FROM dead_letters ORDER BY stream_seq")
	if len(letters) != 3 || letters[0] != "2\tmilepost.events.shanyang.P-0012.progress.reported\tinvalid" {
		t.Errorf("%q", letters)
	}
}

func TestWriteWithoutTablesIsUnavailable(t *testing.T) {
	w := openEmpty(t, freshDSN(t))
	_, err := w.Write(t.Context(), Batch{Deliveries: []Delivery{progress(t, 1, "a", 1)}})
	if schemas.CodeOf(err) != schemas.Unavailable || !strings.Contains(err.Error(), "migrations") {
		t.Errorf("got %v", err)
	}
}

func TestStorable(t *testing.T) {
	d := progress(t, 1, "a", 1)
	if err := Storable(d.Event); err != nil {
		t.Error(err)
	}
	for _, year := range []int{1, 1899, 2300, 9999} {
		e := *d.Event
		e.Time = time.Date(year, 6, 1, 0, 0, 0, 0, schemas.Location)
		if err := Storable(&e); schemas.CodeOf(err) != schemas.Invalid {
			t.Errorf("%d: %v", year, err)
		}
	}
}
