package deliver

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"milepost/schemas"
)

func TestFailuresPauseATargetAndAreToldOnce(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	broken, post := &sink{fails: func(*Message) error { return errDown }}, &sink{}
	courier := replica(t, js, c, p, func(c *Config) { c.Retry.PauseAfter, c.FailuresTo = 4, []string{"bad", "ops"} },
		Target{Name: "bad", Sender: broken}, Target{Name: "ops", LettersOnly: true, Sender: post})
	pass(t, courier)
	p.publish(c, "month", "2026-10", 10)
	var pauses []time.Duration
	for range 4 {
		pass(t, courier)
		d := one(t, courier, "bulletin-2026-10", "bad")
		pauses = append(pauses, d.NextAt.Sub(c.now()))
		c.advance(d.NextAt.Sub(c.now()))
	}
	if fmt.Sprint(pauses) != "[45s 1m30s 3m0s 6m0s]" {
		t.Errorf("backoff with a jitter of one half: %v", pauses)
	}
	for range 5 { // paused: nothing is tried any more
		c.advance(24 * time.Hour)
		pass(t, courier)
	}
	if d := one(t, courier, "bulletin-2026-10", "bad"); d.Tries != 4 || d.State != Waiting {
		t.Errorf("while paused: %+v", d)
	}
	if len(post.got) != 1 || post.got[0].Class != NoticeClass || !strings.Contains(strings.Join(post.got[0].Lines, "\n"), "milepost deliver --again bulletin-2026-10 --target bad") {
		t.Fatalf("told %d times: %+v", len(post.got), post.got)
	}
	t.Logf("%s\n%s", post.got[0].Title, strings.Join(post.got[0].Lines, "\n"))
	o, err := courier.Overview(t.Context(), 10)
	if err != nil || o.Targets[0].PausedAt == nil || o.Targets[0].Failures != 4 {
		t.Fatalf("the target: %+v, %v", o, err)
	}
	health, err := courier.Health(t.Context())
	if err != nil || len(health) != 2 || health[0].PausedAt == nil || health[0].States[Waiting] != 1 || health[0].States[Delivered] != 0 || health[0].OldestWaiting < 5*24*time.Hour || health[1].States[Delivered] != 1 || health[1].OldestWaiting != 0 {
		t.Errorf("health: %+v, %v", health, err)
	}
	// A second edition waits for the same target; resuming delivers both.
	p.publish(c, "quarter", "2026-Q3", 3)
	pass(t, courier)
	broken.fails = nil
	if _, err := courier.Again(t.Context(), "bulletin-2026-10", "bad"); err != nil {
		t.Fatal(err)
	}
	pass(t, courier, courier)
	if len(broken.got) != 2 || broken.got[0].ID != "bulletin-2026-10" || broken.got[1].ID != "bulletin-2026-Q3" {
		t.Errorf("after resuming: %+v", broken.got)
	}
	// The next streak is told again.
	broken.fails = func(*Message) error { return errDown }
	p.publish(c, "month", "2026-11", 11)
	for range 3 {
		pass(t, courier)
		c.advance(time.Hour)
	}
	if len(post.got) != 2 {
		t.Errorf("told %d times after two streaks", len(post.got))
	}
}

func TestADeliveryIsGivenUp(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	large := &schemas.Error{Code: schemas.TooLarge, Message: "too large"}
	courier := replica(t, js, c, p, func(c *Config) { c.Retry = Retry{Attempts: 3, PauseAfter: 1000} },
		Target{Name: "down", Sender: &sink{fails: func(*Message) error { return errDown }}},
		Target{Name: "small", Sender: &sink{fails: func(*Message) error { return large }}})
	pass(t, courier)
	p.publish(c, "month", "2026-10", 10)
	for range 6 {
		pass(t, courier)
		c.advance(12 * time.Hour)
	}
	for target, tries := range map[string]int{"down": 3, "small": 1} {
		if d := one(t, courier, "bulletin-2026-10", target); d.State != Failed || d.Tries != tries || d.NextAt != nil {
			t.Errorf("%s: %+v", target, d)
		}
	}
}

func TestRetryStaysWithinItsBounds(t *testing.T) {
	t.Parallel()
	r := Retry{}.withDefaults()
	for n := 1; n <= 100; n++ {
		least, most := r.pause(n, 0, func() float64 { return 0 }), r.pause(n, 0, func() float64 { return 1 })
		if least < r.First/2 || most > r.Most || most < least || n > 10 && most != r.Most {
			t.Errorf("after failure %d: %v to %v", n, least, most)
		}
	}
	if got := r.pause(1, 48*time.Hour, func() float64 { return 0 }); got != r.Most {
		t.Errorf("a receiver that asks for two days gets %v", got)
	}
}

// TestWhatIsDeliveredWhere: a new target gets no history, a withdrawn edition
// goes nowhere, and what is asked for again comes again under a new key.
func TestWhatIsDeliveredWhere(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	p.publish(c, "month", "2026-09", 9)
	c.advance(time.Minute)
	s, letters := &sink{}, &sink{}
	courier := replica(t, js, c, p, nil, Target{Name: "a", Sender: s}, Target{Name: "letters", LettersOnly: true, Sender: letters})
	pass(t, courier)
	if len(s.got) != 0 {
		t.Fatalf("history was delivered: %+v", s.got)
	}
	s.fails = func(*Message) error { return errDown }
	p.publish(c, "month", "2026-10", 10)
	pass(t, courier)
	p.withdraw("bulletin-2026-10")
	s.fails = nil
	c.advance(time.Hour)
	pass(t, courier)
	if d := one(t, courier, "bulletin-2026-10", "a"); d.State != Dropped || len(s.got) != 0 {
		t.Errorf("withdrawn: %+v", d)
	}
	if _, err := courier.Again(t.Context(), "bulletin-2026-10", ""); schemas.CodeOf(err) != schemas.Conflict {
		t.Errorf("a withdrawn edition again: %v", err)
	}
	if _, err := courier.Again(t.Context(), "bulletin-2000-01", ""); schemas.CodeOf(err) != schemas.NotFound {
		t.Errorf("an edition that is none: %v", err)
	}
	if _, err := courier.Again(t.Context(), "bulletin-2026-09", "nowhere"); schemas.CodeOf(err) != schemas.NotFound {
		t.Errorf("a target that is none: %v", err)
	}
	for round := range 2 {
		again, err := courier.Again(t.Context(), "bulletin-2026-09", "")
		if err != nil || len(again) != 1 || again[0].Round != round+1 {
			t.Fatalf("again: %+v, %v", again, err)
		}
		pass(t, courier, courier)
	}
	if keys := s.keys(); len(keys) != 2 || len(s.got) != 2 {
		t.Errorf("asked for twice: %v", keys)
	}
	if len(letters.got) != 0 {
		t.Errorf("editions went to a target of letters: %+v", letters.got)
	}
}

func TestLettersArriveOnceAndGoInTheEnd(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	box := newLetterbox(t, "")
	courier := replica(t, js, c, p, nil, Target{Name: "mail", LettersOnly: true, Sender: NewMail(MailConfig{Host: "127.0.0.1", Port: box.port, Security: "none", From: "office@example.cn"})})
	letter := Letter{ID: "alert.2026-11-12.1.abc", Class: AlertClass, Period: "2026-11-12", Title: "重大项目提醒", Lines: []string{"【亮红灯】P-0001"}, Recipient: Recipient{Name: "领导甲", Emails: []string{"l1@example.cn"}}}
	for range 2 {
		if err := courier.Post(t.Context(), letter, "mail"); err != nil {
			t.Fatal(err)
		}
		pass(t, courier)
	}
	if got := box.all(); len(got) != 1 || len(got[0].to) != 1 || !strings.Contains(got[0].to[0], "l1@example.cn") {
		t.Errorf("arrived: %+v", got)
	}
	if err := courier.Post(t.Context(), letter, "nowhere"); schemas.CodeOf(err) != schemas.NotFound {
		t.Errorf("a letter to nowhere: %v", err)
	}
	letter.ID, letter.Recipient.Emails = "alert.2026-11-12.1.def", nil
	if err := courier.Post(t.Context(), letter, "mail"); err != nil {
		t.Fatal(err)
	}
	pass(t, courier)
	if d := one(t, courier, letter.ID, "mail"); d.State != Failed {
		t.Errorf("a letter without an address: %+v", d)
	}
	o, err := courier.Overview(t.Context(), 10)
	if err != nil || len(o.Deliveries) != 2 || o.Deliveries[0].Letter != nil {
		t.Fatalf("overview: %+v, %v", o, err)
	}
	c.advance(letterKept + time.Hour)
	pass(t, courier, courier)
	if o, err = courier.Overview(t.Context(), 10); err != nil || len(o.Deliveries) != 0 {
		t.Errorf("old letters stay: %+v, %v", o, err)
	}
}

// TestACrashBetweenSendingAndRecordSendsTheSameKey: the replica's process ends
// while it sends; the lease runs out, and another one sends again.
func TestACrashBetweenSendingAndRecordSendsTheSameKey(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	s := &sink{}
	dying, die := context.WithCancel(t.Context())
	first := replica(t, js, c, p, nil, Target{Name: "a", Sender: senderFunc(func(ctx context.Context, m *Message) error {
		if err := s.Send(ctx, m); err != nil {
			return err
		}
		die() // it arrived, and nobody hears of it
		return ctx.Err()
	})})
	second := replica(t, js, c, p, func(c *Config) { c.Replica = "r2" }, Target{Name: "a", Sender: s})
	pass(t, second)
	p.publish(c, "month", "2026-10", 10)
	if err := first.Deliver(dying); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	pass(t, second)
	if len(s.got) != 1 {
		t.Fatalf("sent while another holds the lease")
	}
	c.advance(leaseFactor * time.Minute)
	pass(t, second, second)
	d := one(t, second, "bulletin-2026-10", "a")
	if keys := s.keys(); len(s.got) != 2 || len(keys) != 1 || keys[d.Key] != 2 {
		t.Errorf("keys %v", keys)
	}
	if d.State != Delivered || len(d.Attempts) != 2 || d.Attempts[0].Result != Begun || d.Attempts[1].Result != Succeeded {
		t.Errorf("the log: %+v", d.Attempts)
	}
}

type senderFunc func(ctx context.Context, m *Message) error

func (f senderFunc) Send(ctx context.Context, m *Message) error { return f(ctx, m) }

// TestALateSuccessCountsOnce: the lease of the first replica runs out while it
// sends; both succeed in the end, one success is recorded.
func TestALateSuccessCountsOnce(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	s := &sink{}
	second := replica(t, js, c, p, func(c *Config) { c.Replica = "r2" }, Target{Name: "a", Sender: s})
	first := replica(t, js, c, p, nil, Target{Name: "a", Sender: senderFunc(func(ctx context.Context, m *Message) error {
		c.advance(time.Hour)
		if err := second.Deliver(ctx); err != nil {
			return err
		}
		return s.Send(ctx, m)
	})})
	pass(t, second)
	p.publish(c, "month", "2026-10", 10)
	pass(t, first, second, first)
	d := one(t, first, "bulletin-2026-10", "a")
	if successes(d) != 1 || d.State != Delivered || len(s.keys()) != 1 {
		t.Errorf("%+v, keys %v", d, s.keys())
	}
}

func successes(d *Delivery) int {
	n := 0
	for _, a := range d.Attempts {
		if a.Result == Succeeded {
			n++
		}
	}
	return n
}

// TestReplicasDeliverOnce lets three replicas deliver a year at the same time
// while receivers fail, processes end in the midst of sending, and clocks jump.
func TestReplicasDeliverOnce(t *testing.T) {
	t.Parallel()
	c, p, js := newClock(), &press{}, stream(t)
	random := rand.New(rand.NewPCG(7, 11))
	var mu sync.Mutex
	chance := func(share float64) bool { mu.Lock(); defer mu.Unlock(); return random.Float64() < share }
	accepted := map[string]*sink{"a": {}, "b": {}, "c": {}}
	faults := 0.3
	start := func(name string) (*Courier, context.Context) {
		ctx, kill := context.WithCancel(t.Context())
		t.Cleanup(kill)
		var targets []Target
		for target, s := range accepted {
			targets = append(targets, Target{Name: target, Sender: senderFunc(func(ctx context.Context, m *Message) error {
				if chance(faults) {
					return errDown
				}
				if err := s.Send(ctx, m); err != nil {
					return err
				}
				if chance(faults / 3) {
					kill()
					return ctx.Err()
				}
				return nil
			})})
		}
		return replica(t, js, c, p, func(c *Config) {
			c.Replica = name
			c.Retry = Retry{Attempts: 1000, PauseAfter: 1000}
			c.Log = quiet()
		}, targets...), ctx
	}
	type process struct {
		courier *Courier
		ctx     context.Context
	}
	var running [3]process
	deaths := 0
	for i := range running {
		running[i].courier, running[i].ctx = start(fmt.Sprintf("r%d", i))
	}
	pass(t, running[0].courier)
	const months = 40
	for round := range months + 20 {
		if round < months {
			p.publish(c, "month", (schemas.NewMonth(2026, 10) + schemas.Month(round)).String(), round%12+1)
		}
		if round >= months {
			mu.Lock()
			faults = 0
			mu.Unlock()
		}
		var group sync.WaitGroup
		errs := make([]error, len(running))
		for i := range running {
			group.Go(func() { errs[i] = running[i].courier.Deliver(running[i].ctx) })
		}
		group.Wait()
		for i, err := range errs {
			if running[i].ctx.Err() != nil {
				deaths++
				running[i].courier, running[i].ctx = start(fmt.Sprintf("r%d-%d", i, round))
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		jump := 7 * time.Hour
		if chance(0.1) {
			jump = -30 * time.Minute
		}
		c.advance(jump)
	}
	deliveries, err := running[0].courier.c.Store.all(t.Context())
	if err != nil || len(deliveries) != months*3 {
		t.Fatalf("%d deliveries, %v", len(deliveries), err)
	}
	twice := 0
	for i := range deliveries {
		d := &deliveries[i]
		arrived := accepted[d.Target].keys()[d.Key]
		if d.State != Delivered || successes(d) != 1 || d.Round != 1 || arrived < 1 {
			t.Errorf("%s to %s: %s, %d successes recorded, arrived %d times", d.ID, d.Target, d.State, successes(d), arrived)
		}
		if arrived > 1 {
			twice++
		}
	}
	for target, s := range accepted {
		if keys := s.keys(); len(keys) != months {
			t.Errorf("%s got %d different keys", target, len(keys))
		}
	}
	t.Logf("%d deliveries, %d processes ended while sending, %d arrived again under the same key", len(deliveries), deaths, twice)
	if deaths == 0 || twice == 0 {
		t.Error("no fault happened")
	}
}
