package pages

import (
	"errors"
	"testing"
)

// TestWhatFailedIsMadeAgain and what was made is not.
func TestWhatFailedIsMadeAgain(t *testing.T) {
	t.Parallel()
	fail, made := errors.New("no"), 0
	l := lasting[int]{make: func() (int, error) {
		if made++; made == 1 {
			return 0, fail
		}
		return made, nil
	}}
	if _, err := l.get(); !errors.Is(err, fail) {
		t.Error(err)
	}
	for range 2 {
		if got, err := l.get(); got != 2 || err != nil {
			t.Errorf("%d %v", got, err)
		}
	}
}
