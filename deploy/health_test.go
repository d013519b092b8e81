package deploy

import (
	"testing"
	"time"
)

func TestConsumersThatStandStill(t *testing.T) {
	t.Parallel()
	var l liveness
	noon := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for _, step := range []struct {
		after           time.Duration
		watermark, last uint64
		stands          time.Duration
	}{
		{0, 10, 20, 0},                     // seen for the first time
		{time.Minute, 10, 20, time.Minute}, // nothing moved
		{2 * time.Minute, 11, 30, 0},       // slow, but it moves
		{9 * time.Minute, 11, 30, 7 * time.Minute},
		{10 * time.Minute, 30, 30, 0},            // all applied
		{99 * time.Minute, 30, 30, 0},            // a quiet hour is no standstill
		{100 * time.Minute, 30, 31, time.Minute}, // since the last time that nothing waited
	} {
		if got := l.stands(step.watermark, step.last, noon.Add(step.after)); got != step.stands {
			t.Errorf("after %v at %d of %d: %v, want %v", step.after, step.watermark, step.last, got, step.stands)
		}
	}
}
