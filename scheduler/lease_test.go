package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/enginetest"
)

// bucket gives a bucket of a real server.
func bucket(t *testing.T) jetstream.KeyValue {
	t.Helper()
	conn, err := enginetest.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	kv, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "SCHEDULE"})
	if err != nil {
		t.Fatal(err)
	}
	return kv
}

func TestOneHoldsTheLease(t *testing.T) {
	t.Parallel()
	kv, now := bucket(t), clock("2026-01-12 09:00")
	moved := map[string]time.Duration{} // how far the clock of a holder is off
	leases := map[string]*Lease{}
	for _, name := range []string{"a", "b", "c"} {
		leases[name] = NewLease(kv, name, time.Minute, func() time.Time { return now.Add(moved[name]) })
	}
	step := func(holder string, want bool, why string) {
		t.Helper()
		if held, err := leases[holder].Take(t.Context()); err != nil || held != want {
			t.Fatalf("%s: %s holds it: %t, %v", why, holder, held, err)
		}
	}
	step("a", true, "the first")
	step("b", false, "it is held")
	now = now.Add(59 * time.Second)
	step("b", false, "until the deadline")
	step("a", true, "taken again")
	now = now.Add(59 * time.Second)
	step("b", false, "the deadline moved on")
	now = now.Add(time.Second)
	step("b", true, "the deadline has passed")
	step("a", false, "the paused one comes back")
	if err := leases["a"].Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	step("c", false, "who does not hold it cannot give it up")
	if held, err := leases["c"].Holding(t.Context()); err != nil || held.Holder != "b" || !held.Until.Equal(now.Add(time.Minute)) {
		t.Errorf("held: %+v, %v", held, err)
	}
	if err := leases["b"].Release(t.Context()); err != nil {
		t.Fatal(err)
	}
	if held, err := leases["c"].Holding(t.Context()); err != nil || held.Holder != "" {
		t.Errorf("given up and held: %+v, %v", held, err)
	}
	step("c", true, "given up")

	// A clock that ran ahead wrote a deadline that nobody would live to see.
	now = now.Add(time.Hour)
	moved["c"] = 10 * 365 * 24 * time.Hour
	step("c", true, "with a wrong clock")
	step("a", true, "a deadline of a wrong clock")
	// A value that nobody could read must not stop everybody.
	if _, err := kv.Put(t.Context(), leaseKey, []byte("{")); err != nil {
		t.Fatal(err)
	}
	step("b", true, "a value that does not read")
}

func TestManyReachForTheLease(t *testing.T) {
	t.Parallel()
	kv, at := bucket(t), clock("2026-01-12 09:00")
	for round := range 5 {
		var got sync.Map
		var wait sync.WaitGroup
		for i := range 8 {
			wait.Go(func() {
				l := NewLease(kv, fmt.Sprint(i), time.Minute, func() time.Time { return at.Add(time.Duration(round) * time.Hour) })
				held, err := l.Take(t.Context())
				if err != nil {
					t.Error(err)
				}
				if held {
					got.Store(i, true)
				}
			})
		}
		wait.Wait()
		holders := 0
		got.Range(func(any, any) bool { holders++; return true })
		if holders != 1 {
			t.Errorf("round %d: %d holders", round, holders)
		}
	}
}

func TestTheRecordOfRuns(t *testing.T) {
	t.Parallel()
	runs := NewRunLog(bucket(t))
	if last, err := runs.Last(t.Context(), "monthly"); err != nil || len(last) != 0 {
		t.Fatalf("before the first: %v, %v", last, err)
	}
	record := func(run Run) {
		t.Helper()
		if err := runs.Record(t.Context(), run); err != nil {
			t.Fatal(err)
		}
	}
	due := clock("2026-01-12 09:00")
	record(Run{Job: "monthly", Period: "2025-12", Due: due, Result: Failed, Reason: "a\nlong " + strings.Repeat("长", 600), Tries: 1})
	record(Run{Job: "monthly", Period: "2026-01", Due: due.AddDate(0, 1, 0), Result: Published, Tries: 1})
	record(Run{Job: "monthly", Period: "2025-12", Due: due, Result: Published, Number: 12, Tries: 2})
	record(Run{Job: "light-check", Due: due, Result: Told, Tries: 1})
	last, err := runs.Last(t.Context(), "monthly")
	if err != nil || len(last) != 2 || last[0].Period != "2026-01" || last[1].Result != Published || last[1].Number != 12 || last[1].Reason != "" {
		t.Errorf("a try replaces the one before: %+v, %v", last, err)
	}
	// Many writers, and no more than the bound remain.
	var wait sync.WaitGroup
	for i := range 3 {
		wait.Go(func() {
			for day := range 20 {
				at := due.AddDate(0, 0, 1+3*day+i)
				if err := runs.Record(context.WithoutCancel(t.Context()), Run{Job: "light-check", Due: at, Result: Failed, Reason: strings.Repeat("长", 600), Tries: 1}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	checks, err := runs.Last(t.Context(), "light-check")
	if err != nil || len(checks) != maxRuns || slices.ContainsFunc(checks, func(r Run) bool { return len([]rune(r.Reason)) > maxReason }) {
		t.Errorf("%d runs are kept, %v", len(checks), err)
	}
}
