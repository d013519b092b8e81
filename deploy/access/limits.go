package access

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"milepost/schemas"
)

// Limits bound what one sender can take of a server; the zero value has the
// defaults.
type Limits struct {
	// Rate is how many requests a second a token may send, by default 100, and
	// Burst how many at once, by default twice as many.
	Rate  float64
	Burst int
	// Uploads is how many bodies of events and imports are taken at once, by
	// default 64, and TokenUploads how many of one token, by default 16.
	Uploads, TokenUploads int
	// Body is how long a small body may take to arrive, by default 30 s.
	Body time.Duration
}

func (l Limits) withDefaults() Limits {
	if l.Rate <= 0 {
		l.Rate = 100
	}
	if l.Burst <= 0 {
		l.Burst = int(math.Ceil(2 * l.Rate))
	}
	if l.Uploads <= 0 {
		l.Uploads = 64
	}
	if l.TokenUploads <= 0 {
		l.TokenUploads = 16
	}
	if l.Body <= 0 {
		l.Body = 30 * time.Second
	}
	return l
}

// Bad tokens of one network, a second and at once.
const (
	strangerRate  = 1
	strangerBurst = 30
)

// meters keep a rate for each key, and no more than maxMeters of them.
type meters struct {
	rate  rate.Limit
	burst int
	now   func() time.Time

	mu   sync.Mutex
	kept map[string]*rate.Limiter
}

const maxMeters = 10_000

func newMeters(perSecond float64, burst int, now func() time.Time) *meters {
	return &meters{rate: rate.Limit(perSecond), burst: burst, now: now, kept: map[string]*rate.Limiter{}}
}

// take counts one of the key; wait is how long until it may try again, 0 when
// this one was in time.
func (m *meters) take(key string) (wait time.Duration) {
	now := m.now()
	m.mu.Lock()
	defer m.mu.Unlock()
	limiter := m.limiter(key, now)
	reserved := limiter.ReserveN(now, 1)
	if wait = reserved.DelayFrom(now); wait > 0 {
		reserved.CancelAt(now)
	}
	return wait
}

func (m *meters) limiter(key string, now time.Time) *rate.Limiter {
	limiter, known := m.kept[key]
	if known {
		return limiter
	}
	if len(m.kept) >= maxMeters {
		// A full one remembers nothing that a new one would not say.
		for k, l := range m.kept {
			if l.TokensAt(now) >= float64(m.burst) {
				delete(m.kept, k)
			}
		}
		if len(m.kept) >= maxMeters {
			clear(m.kept)
		}
	}
	limiter = rate.NewLimiter(m.rate, m.burst)
	m.kept[key] = limiter
	return limiter
}

// slots count what goes on at once, altogether and for each key.
type slots struct {
	all, each int

	mu    sync.Mutex
	taken int
	by    map[string]int
}

func newSlots(all, each int) *slots { return &slots{all: all, each: each, by: map[string]int{}} }

// enter takes a slot; false when there is none.
func (s *slots) enter(key string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.taken >= s.all || s.by[key] >= s.each {
		return false
	}
	s.taken++
	s.by[key]++
	return true
}

func (s *slots) leave(key string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken--
	if s.by[key]--; s.by[key] == 0 {
		delete(s.by, key)
	}
}

// tooMany answers a sender who is to come again later.
func tooMany(w http.ResponseWriter, wait time.Duration, message string) {
	seconds := max(1, int(math.Ceil(wait.Seconds())))
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	schemas.WriteProblem(w, &schemas.Error{Code: schemas.TooMany, Message: message, Hint: "try again in " + strconv.Itoa(seconds) + " s; send many events in one request"})
}
