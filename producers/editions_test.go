package producers_test

import (
	"sync"
	"testing"

	"milepost/producers"
	"milepost/schemas"
)

// edition is the event that publishes a monthly bulletin.
func edition(t testing.TB, id string, number int) *schemas.Event {
	t.Helper()
	e, err := schemas.NewEvent(schemas.Event{
		Source: "/milepost/scheduler", ID: id, Type: schemas.BulletinPublished, Subject: schemas.PublicationSubject("month", 2025),
		District: schemas.CityDistrict, Time: noon, Data: &schemas.Publication{Kind: "month", Period: "2025-09", Number: number, KnownSeq: 7},
	})
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEditionsAreNumberedByOneWriter(t *testing.T) {
	js, p := stream(t)
	if r := p.PublishAll(t.Context(), [][]byte{progress("a", 1)}, ""); r[0].Error != nil {
		t.Fatal(r[0].Error)
	}
	editions, last, err := producers.Editions(t.Context(), js, "month", 2025)
	if err != nil || len(editions) != 0 || last != 0 {
		t.Fatalf("before the first: %v %d %v", editions, last, err)
	}

	// Many writers see the same state; one of them is first.
	var wg sync.WaitGroup
	outcome := make([]error, 8)
	for i := range outcome {
		e := edition(t, string(rune('a'+i)), 1)
		wg.Go(func() { _, outcome[i] = p.PublishExpecting(t.Context(), e, 0) })
	}
	wg.Wait()
	won := -1
	for i, err := range outcome {
		switch {
		case err == nil && won < 0:
			won = i
		case schemas.CodeOf(err) != schemas.Conflict:
			t.Errorf("writer %d: %v", i, err)
		}
	}
	if won < 0 {
		t.Fatal("nobody was first")
	}
	editions, last, err = producers.Editions(t.Context(), js, "month", 2025)
	if err != nil || len(editions) != 1 || last != 2 || editions[0].Seq != 2 || editions[0].Publication.Number != 1 || !editions[0].Time.Equal(noon) {
		t.Fatalf("after the first: %+v %d %v", editions, last, err)
	}
	if seq, err := p.PublishExpecting(t.Context(), edition(t, string(rune('a'+won)), 1), 0); seq != 2 || err != nil {
		t.Errorf("the first one's retry: %d %v", seq, err)
	}

	// Another year's editions and broken messages of other clients.
	if _, err := js.Publish(t.Context(), "milepost.events.city._month-2025.bulletin.published", []byte("no event")); err != nil {
		t.Fatal(err)
	}
	editions, last, err = producers.Editions(t.Context(), js, "month", 2025)
	if err != nil || len(editions) != 1 || last != 3 {
		t.Fatalf("with a broken message: %+v %d %v", editions, last, err)
	}
	if seq, err := p.PublishExpecting(t.Context(), edition(t, "second", 2), last); seq != 4 || err != nil {
		t.Errorf("the second: %d %v", seq, err)
	}
	if editions, last, err := producers.Editions(t.Context(), js, "month", 2024); len(editions) != 0 || last != 0 || err != nil {
		t.Errorf("another year: %v %d %v", editions, last, err)
	}
}
