package deliver

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"time"
)

// State is how far a delivery is.
type State string

// The states.
const (
	Waiting   State = "waiting"   // for its first or next attempt
	Sending   State = "sending"   // a replica holds the lease
	Delivered State = "delivered" // once and for all
	Failed    State = "failed"    // given up; only people try again
	Dropped   State = "dropped"   // the edition was withdrawn before
)

// Result is how an attempt ended.
type Result string

// The results.
const (
	Begun     Result = "begun"     // written before the sending; what stays so was interrupted
	Succeeded Result = "succeeded" // written after
	Broke     Result = "failed"
)

// Attempt is a line of the delivery's log.
type Attempt struct {
	At      time.Time `json:"at"`
	Replica string    `json:"replica"`
	Result  Result    `json:"result"`
	Error   string    `json:"error,omitempty"`
}

// Delivery is one item on its way to one target, with the log of its attempts.
type Delivery struct {
	ID     string `json:"id"` // of the edition or letter
	Target string `json:"target"`
	Class  Class  `json:"class"`
	Kind   string `json:"kind,omitempty"`
	Period string `json:"period,omitempty"`
	Number int    `json:"number,omitempty"`
	Title  string `json:"title"`
	State  State  `json:"state"`
	// Key is the idempotency key of all attempts of this round.
	Key string `json:"key"`
	// Round is 1, and one more each time that what was delivered is asked for
	// again.
	Round int `json:"round"`
	// Tries counts the attempts since the round began or was resumed.
	Tries       int        `json:"tries"`
	CreatedAt   time.Time  `json:"created_at"`
	NextAt      *time.Time `json:"next_at,omitempty"` // while waiting
	DeliveredAt *time.Time `json:"delivered_at,omitempty"`
	Error       string     `json:"error,omitempty"` // of the last attempt
	Attempts    []Attempt  `json:"attempts"`

	Lease  *lease  `json:"lease,omitempty"`
	Letter *Letter `json:"letter,omitempty"`

	revision uint64
}

// lease says which replica is sending, and until when nobody else may. It
// belongs to one attempt.
type lease struct {
	Replica string    `json:"replica"`
	Token   string    `json:"token"`
	Until   time.Time `json:"until"`
}

// maxAttempts bounds the log of one delivery; older lines go first.
const maxAttempts = 100

// key makes the idempotency key of a round.
func key(id, target string, round int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", id, target, round))
	return hex.EncodeToString(sum[:16])
}

func newDelivery(id, target string, class Class, title string, now time.Time) *Delivery {
	next := now
	return &Delivery{ID: id, Target: target, Class: class, Title: title, State: Waiting, Round: 1, Key: key(id, target, 1), CreatedAt: now, NextAt: &next, Attempts: []Attempt{}}
}

// due tells whether an attempt may begin: its time has come, or the replica
// that was sending has gone silent.
func (d *Delivery) due(now time.Time) bool {
	switch d.State {
	case Waiting:
		return d.NextAt == nil || !d.NextAt.After(now)
	case Sending:
		return d.Lease == nil || !d.Lease.Until.After(now)
	}
	return false
}

// begin takes the lease and writes the attempt down.
func (d *Delivery) begin(l lease, now time.Time) {
	d.State, d.Lease, d.NextAt = Sending, &l, nil
	d.Tries++
	d.Attempts = append(d.Attempts, Attempt{At: now, Replica: l.Replica, Result: Begun})
	if extra := len(d.Attempts) - maxAttempts; extra > 0 {
		d.Attempts = slices.Delete(d.Attempts, 0, extra)
	}
}

// holds tells whether the lease is that of the attempt.
func (d *Delivery) holds(token string) bool {
	return d.State == Sending && d.Lease != nil && d.Lease.Token == token
}

// end writes down how the attempt of the replica ended.
func (d *Delivery) end(replica string, begun time.Time, result Result, text string) {
	for i := len(d.Attempts) - 1; i >= 0; i-- {
		if a := &d.Attempts[i]; a.Replica == replica && a.Result == Begun && a.At.Equal(begun) {
			a.Result, a.Error = result, text
			return
		}
	}
}

func (d *Delivery) succeed(now time.Time) {
	d.State, d.Lease, d.NextAt, d.DeliveredAt, d.Error = Delivered, nil, nil, &now, ""
}

// fail waits for the next attempt; a zero time gives up.
func (d *Delivery) fail(text string, next time.Time) {
	d.Lease, d.Error = nil, text
	if next.IsZero() {
		d.State, d.NextAt = Failed, nil
		return
	}
	d.State, d.NextAt = Waiting, &next
}

// again makes the delivery due at once. What was delivered begins a new round,
// whose key is new, since it is to arrive a second time.
func (d *Delivery) again(now time.Time) {
	if d.State == Delivered {
		d.Round++
		d.Key = key(d.ID, d.Target, d.Round)
	}
	d.State, d.Lease, d.Tries, d.NextAt, d.DeliveredAt = Waiting, nil, 0, &now, nil
}

// letterKept is how long letters are kept after their day.
const letterKept = 400 * 24 * time.Hour

// outdated tells whether the record is of a letter that nobody needs any more.
// Records of editions and of their withdrawal stay: they say what must not be
// delivered twice.
func (d *Delivery) outdated(now time.Time) bool {
	return d.Class != EditionClass && d.Class != WithdrawalClass && (d.State == Delivered || d.State == Failed) && now.Sub(d.CreatedAt) > letterKept
}

// Health is how a target does.
type Health struct {
	Target string `json:"target"`
	// Since is when the target was first known; what was published before is
	// delivered to it only when asked for.
	Since time.Time `json:"since"`
	// Failures counts the attempts that failed since the last success.
	Failures     int        `json:"failures"`
	FailingSince *time.Time `json:"failing_since,omitempty"`
	// Told is set once somebody was told of the streak.
	Told     bool       `json:"told,omitempty"`
	PausedAt *time.Time `json:"paused_at,omitempty"`
	Error    string     `json:"error,omitempty"`

	revision uint64
}

func (h *Health) succeed() {
	h.Failures, h.FailingSince, h.Told, h.PausedAt, h.Error = 0, nil, false, nil, ""
}
