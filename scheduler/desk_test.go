package scheduler

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"milepost/schemas"
)

// memoryDrafts is a DraftStore that several desks share.
type memoryDrafts struct {
	mu        sync.Mutex
	drafts    map[string]schemas.EditionDraft
	revisions map[string]uint64
}

func (m *memoryDrafts) Draft(_ context.Context, id string) (schemas.EditionDraft, uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	draft, there := m.drafts[id]
	if !there {
		return draft, 0, &schemas.Error{Code: schemas.NotFound, Message: "no draft"}
	}
	return draft, m.revisions[id], nil
}

func (m *memoryDrafts) Drafts(context.Context) ([]schemas.EditionDraft, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []schemas.EditionDraft
	for _, draft := range m.drafts {
		list = append(list, draft)
	}
	return list, nil
}

func (m *memoryDrafts) Save(_ context.Context, draft schemas.EditionDraft, revision uint64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.revisions[draft.ID] != revision {
		return &schemas.Error{Code: schemas.Conflict, Message: "another writer was first"}
	}
	m.drafts[draft.ID] = draft
	m.revisions[draft.ID]++
	return nil
}

// desks are those of so many replicas, on one stream and one store of drafts.
func desks(t *testing.T, n int, at string) ([]*Desk, []*office) {
	t.Helper()
	on, store := new(stream), &memoryDrafts{drafts: map[string]schemas.EditionDraft{}, revisions: map[string]uint64{}}
	var list []*Desk
	var offices []*office
	for range n {
		o := newOffice(t, "2025-09-01 00:00", on, nil)
		o.now, o.builder.drafts = clock(at), store
		offices = append(offices, o)
		list = append(list, NewDesk(DeskConfig{Scheduler: o.Scheduler, AnnouncementDays: 5,
			Drafting: &Drafting{Store: store, Editions: on, Builder: o.builder, Now: func() time.Time { return o.now }}}))
	}
	return list, offices
}

// TestReplicasPublishOneDraftAtTheSameMoment approves a draft, and has every
// replica publish it at once: one edition, from what was approved, for all.
func TestReplicasPublishOneDraftAtTheSameMoment(t *testing.T) {
	t.Parallel()
	replicas, offices := desks(t, 4, "2025-11-20 10:00")
	subject := Bulletin(period("2025-10"))
	drafted, err := replicas[0].DraftPeriod(t.Context(), "editor:甲", period("2025-10"), &schemas.EditorBlocks{Next: []string{"抓紧推进。"}})
	if err != nil || drafted.State != schemas.EditionDrafted {
		t.Fatalf("drafted: %+v, %v", drafted, err)
	}
	if _, err := replicas[1].Publish(t.Context(), subject); schemas.CodeOf(err) != schemas.Conflict {
		t.Errorf("published what nobody approved: %v", err)
	}
	if _, err := replicas[1].Approve(t.Context(), "editor:乙", subject); err != nil {
		t.Fatal(err)
	}
	var wait sync.WaitGroup
	answers := make([]string, len(replicas))
	for i, desk := range replicas {
		wait.Go(func() {
			status, err := desk.Publish(t.Context(), subject)
			if err != nil || status.Number == nil {
				t.Errorf("replica %d: %+v, %v", i, status, err)
				return
			}
			answers[i] = fmt.Sprint(status.ID, *status.Number, status.KnownSeq, status.State, status.Files)
		})
	}
	wait.Wait()
	if same := slices.Compact(slices.Clone(answers)); len(same) != 1 {
		t.Errorf("the replicas answer differently: %v", answers)
	}
	offices[0].wantPublished("2025-10/1")
	for _, o := range offices {
		if text := read(t, o.file("month", "2025-10", "bulletin-2025-10.md")); !strings.Contains(text, "抓紧推进。") {
			t.Errorf("what was approved is not what was published:\n%s", text)
		}
	}
	offices[0].wantPublished("2025-10/1")
}

// TestAnAnnouncedYearIsFinalisedWhenItsDaysHavePassed follows the injected clock
// through 公示: no objection after its last day, no end before.
func TestAnAnnouncedYearIsFinalisedWhenItsDaysHavePassed(t *testing.T) {
	t.Parallel()
	replicas, offices := desks(t, 2, "2026-01-20 16:00")
	desk, o := replicas[0], offices[0]
	announced, err := desk.Announce(t.Context(), 2025, 0, false)
	if err != nil || announced.State != schemas.EditionAnnounced || announced.Until.String() != "2026-01-25" {
		t.Fatalf("announced: %+v, %v", announced, err)
	}
	for at, code := range map[string]schemas.Code{"2026-01-20 16:00": schemas.Conflict, "2026-01-25 23:59": schemas.Conflict} {
		o.now = clock(at)
		if _, err := o.Finalise(t.Context(), 2025); schemas.CodeOf(err) != code || !strings.Contains(err.Error(), "2026-01-26") {
			t.Errorf("finalised at %s: %v", at, err)
		}
	}
	// Announced anew only when something changed.
	if _, err := desk.Announce(t.Context(), 2025, 5, true); schemas.CodeOf(err) != schemas.Conflict {
		t.Errorf("announced anew although nothing changed: %v", err)
	}
	for _, one := range offices {
		one.now = clock("2026-01-26 00:00")
	}
	if _, err := desk.Object(t.Context(), 2025, "district", "xiuwu", "不实"); schemas.CodeOf(err) != schemas.Conflict || !strings.Contains(err.Error(), "2026-01-25") {
		t.Errorf("an objection after the last day: %v", err)
	}
	var wait sync.WaitGroup
	for _, one := range offices {
		wait.Go(func() {
			if e, err := one.Finalise(t.Context(), 2025); err != nil || e.Number != 1 {
				t.Errorf("%+v, %v", e, err)
			}
		})
	}
	wait.Wait()
	status, err := desk.Status(t.Context(), Assessment(2025))
	if err != nil || status.State != schemas.EditionPublished || *status.Number != 1 || status.Until.String() != "2026-01-25" {
		t.Errorf("finalised: %+v, %v", status, err)
	}
	if n := len(o.stream.events); n != 2 {
		t.Errorf("%d events, want the announcement and the result", n)
	}
}
