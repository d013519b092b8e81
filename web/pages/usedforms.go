package pages

import (
	"sync"
	"time"
)

// usedForms remembers the forms that were sent, so that the same one counts
// once. Behind its memory the identity of the events does the same: the first
// counts.
type usedForms struct {
	now  func() time.Time
	mu   sync.Mutex
	sent map[string]*sentForm
}

type sentForm struct {
	at       time.Time
	done     chan struct{} // closed when the receipts are there
	receipts []Receipt
}

const (
	maxForms    = 2000
	formsMemory = time.Hour
)

func newUsedForms(now func() time.Time) *usedForms {
	return &usedForms{now: now, sent: map[string]*sentForm{}}
}

// begin gives the form's sending, and whether this is the first.
func (u *usedForms) begin(key string) (form *sentForm, first bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if form, found := u.sent[key]; found {
		return form, false
	}
	if len(u.sent) >= maxForms {
		for k, one := range u.sent {
			if u.now().Sub(one.at) > formsMemory {
				delete(u.sent, k)
			}
		}
		if len(u.sent) >= maxForms {
			clear(u.sent)
		}
	}
	form = &sentForm{at: u.now(), done: make(chan struct{})}
	u.sent[key] = form
	return form, true
}
