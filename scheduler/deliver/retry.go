package deliver

import (
	"cmp"
	"time"
)

// Retry says how often and how long a delivery is tried.
type Retry struct {
	// First is the pause after the first failure, doubled after each further
	// one up to Most: by default one minute and six hours.
	First, Most time.Duration
	// Attempts after which a delivery is given up; by default 12.
	Attempts int
	// PauseAfter is how many failures in a row pause the target; by default 10.
	PauseAfter int
}

func (r Retry) withDefaults() Retry {
	return Retry{First: cmp.Or(r.First, time.Minute), Most: cmp.Or(r.Most, 6*time.Hour), Attempts: cmp.Or(r.Attempts, 12), PauseAfter: cmp.Or(r.PauseAfter, 10)}
}

// pause is how long to wait after the n-th failure: between half and the whole
// of the doubled pause, so that replicas and targets do not march in step; at
// least what the receiver asked for, within Most.
func (r Retry) pause(n int, asked time.Duration, random func() float64) time.Duration {
	whole := r.First
	for i := 1; i < n && whole < r.Most; i++ {
		whole *= 2
	}
	whole = min(whole, r.Most)
	return min(max(whole/2+time.Duration(random()*float64(whole/2)), asked), max(r.Most, whole))
}
