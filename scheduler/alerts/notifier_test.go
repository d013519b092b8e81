package alerts

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/enginetest"
	"milepost/scheduler/deliver"
	"milepost/schemas"
)

// city is a made-up ledger by knowledge: project n turns red with sequence n.
type city struct {
	mu    sync.Mutex
	known uint64
	cuts  []schemas.Cut
}

func (c *city) know(seq uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known = seq
}

func (c *city) watermark(context.Context) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.known, nil
}

func (c *city) ledger(_ context.Context, cut schemas.Cut) (*schemas.Ledger, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cuts = append(c.cuts, cut)
	l := &schemas.Ledger{AsOf: cut.AsOf, KnownSeq: cut.KnownSeq, ReportingMonth: cut.AsOf.Month()}
	for n := uint64(1); n <= 9; n++ {
		l.Standings = append(l.Standings, project(fmt.Sprintf("P-%d", n), func(s *schemas.Standing) {
			if n <= cut.KnownSeq {
				s.Light = schemas.Red
			}
			s.Investment.Unreported = n > 7
		}))
	}
	return l, nil
}

// outbox takes letters as a courier does: a used id changes nothing.
type outbox struct {
	mu      sync.Mutex
	letters []deliver.Letter
	ids     map[string]bool
	breaks  int // after so many letters
}

var errBroken = errors.New("broken")

func (o *outbox) post(_ context.Context, letter deliver.Letter, targets ...string) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.breaks > 0 && len(o.letters) >= o.breaks {
		return errBroken
	}
	if len(targets) != 1 || targets[0] != "mail" {
		return fmt.Errorf("targets %v", targets)
	}
	if o.ids == nil {
		o.ids = map[string]bool{}
	}
	if !o.ids[letter.ID] {
		o.ids[letter.ID] = true
		o.letters = append(o.letters, letter)
	}
	return nil
}

func plans(t *testing.T) jetstream.JetStream {
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
	return js
}

func notifier(t *testing.T, js jetstream.JetStream, c *city, o *outbox, perDay int) *Notifier {
	t.Helper()
	p, err := OpenPlans(t.Context(), js)
	if err != nil {
		t.Fatal(err)
	}
	mail := Contact{Targets: []string{"mail"}, Emails: []string{"x@example.cn"}}
	n, err := New(Config{Ledger: c.ledger, Watermark: c.watermark, Rules: schemas.UndatedRules(schemas.DefaultRules()), Plans: p, Post: o.post, PerDay: perDay, Log: slog.New(slog.DiscardHandler),
		Contacts: Contacts{Leads: map[string]Contact{"领导甲": mail}, Districts: map[string]Contact{"xiuwu": mail}}})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func at(d, hour int) time.Time { return time.Date(2026, 11, d, hour, 0, 0, 0, schemas.Location) }

func check(t *testing.T, n *Notifier, at time.Time) string {
	t.Helper()
	said, err := n.Check(t.Context(), at)
	if err != nil {
		t.Fatal(err)
	}
	return said
}

func TestOneLetterADayAndNothingIsLost(t *testing.T) {
	t.Parallel()
	c, o := &city{known: 1}, &outbox{}
	n := notifier(t, plans(t), c, o, 1)
	check(t, n, at(4, 8)) // remembers
	c.know(2)
	said := check(t, n, at(5, 8))
	check(t, n, at(5, 8)) // the same run again
	c.know(4)
	check(t, n, at(5, 12)) // today's letter is out
	if len(o.letters) != 2 {
		t.Fatalf("%d letters on the first day: %+v", len(o.letters), o.letters)
	}
	check(t, n, at(6, 8))
	check(t, n, at(5, 9)) // a clock that was set back
	if len(o.letters) != 4 {
		t.Fatalf("%d letters in two days", len(o.letters))
	}
	t.Logf("%s\n%s\n%s\n%s", said, o.letters[3].Title, o.letters[3].Recipient.Name, strings.Join(o.letters[3].Lines, "\n"))
	if got := strings.Join(o.letters[3].Lines, "\n"); !strings.Contains(got, "P-3") || !strings.Contains(got, "P-4") || strings.Contains(got, "P-2") {
		t.Errorf("the second day tells %s", got)
	}
	for _, cut := range c.cuts {
		if cut.EditionsBefore != cut.AsOf+1 {
			t.Errorf("cut %+v", cut)
		}
	}
	// Two a day: the afternoon is told in the afternoon.
	c.know(5)
	two := notifier(t, plans(t), c, o, 2)
	check(t, two, at(6, 8))
	c.know(6)
	check(t, two, at(7, 8))
	c.know(7)
	check(t, two, at(7, 16))
	c.know(8)
	check(t, two, at(7, 20))
	if len(o.letters) != 8 {
		t.Errorf("%d letters", len(o.letters)-4)
	}
}

// TestAnInterruptedCheckIsFinishedAsItBegan: the process ends after the first
// letter; the next one tells the same, though more is known.
func TestAnInterruptedCheckIsFinishedAsItBegan(t *testing.T) {
	t.Parallel()
	js, c, o := plans(t), &city{known: 1}, &outbox{breaks: 1}
	first := notifier(t, js, c, o, 1)
	check(t, first, at(4, 8))
	c.know(2)
	if _, err := first.Check(t.Context(), at(5, 8)); !errors.Is(err, errBroken) {
		t.Fatal(err)
	}
	o.breaks = 0
	c.know(5)
	second := notifier(t, js, c, o, 1)
	check(t, second, at(5, 8))
	check(t, first, at(5, 8))
	if len(o.letters) != 2 || len(o.letters[0].Lines) != 1 || o.letters[1].Lines[0] != o.letters[0].Lines[0] {
		t.Errorf("letters %+v", o.letters)
	}
	check(t, first, at(6, 8))
	if len(o.letters) != 4 || len(o.letters[2].Lines) != 3 {
		t.Errorf("the next day: %+v", o.letters[2:])
	}
}

func TestReplicasTellOnce(t *testing.T) {
	t.Parallel()
	js, c, o := plans(t), &city{known: 1}, &outbox{}
	var replicas []*Notifier
	for range 4 {
		replicas = append(replicas, notifier(t, js, c, o, 1))
	}
	check(t, replicas[0], at(1, 8))
	for d := 2; d <= 9; d++ {
		c.know(uint64(d))
		var group sync.WaitGroup
		errs := make([]error, len(replicas))
		for i, n := range replicas {
			group.Go(func() { _, errs[i] = n.Check(t.Context(), at(d, 8)) })
		}
		group.Wait()
		if err := errors.Join(errs...); err != nil {
			t.Fatal(err)
		}
	}
	told := map[string]int{}
	for _, l := range o.letters {
		for _, line := range l.Lines {
			if strings.Contains(line, "亮红灯") {
				told[l.Recipient.Name+line]++
			}
		}
	}
	for what, times := range told {
		if times != 1 {
			t.Errorf("told %d times: %s", times, what)
		}
	}
	if len(told) != 16 { // 8 projects to a lead and a district
		t.Errorf("%d things told", len(told))
	}
}

func TestReminder(t *testing.T) {
	t.Parallel()
	c, o := &city{known: 3}, &outbox{}
	n := notifier(t, plans(t), c, o, 1)
	for range 2 {
		said, err := n.Remind(t.Context(), schemas.NewMonth(2026, 10))
		if err != nil {
			t.Fatal(err)
		}
		t.Log(said)
	}
	if len(o.letters) != 1 { // leads are not asked for reports
		t.Fatalf("%d letters", len(o.letters))
	}
	l := o.letters[0]
	t.Logf("%s\n%s", l.Title, strings.Join(l.Lines, "\n"))
	if l.Title != "催报:2026-10 进度请于 2026-11-10 前报送(2 个项目)" || len(l.Lines) != 2 || l.Class != deliver.ReminderClass {
		t.Errorf("the letter: %+v", l)
	}
	if c.cuts[0].AsOf != day("2026-10-31") || c.cuts[0].KnownSeq != 3 {
		t.Errorf("the ledger of %+v", c.cuts[0])
	}
}
