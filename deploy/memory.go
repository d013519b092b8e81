package deploy

import (
	"os"
	"runtime/debug"
)

// The server judges hundreds of thousands of projects in bursts and is small
// otherwise: collecting garbage at four times the living heap instead of twice
// makes a bulletin a third faster, and the soft limit keeps the burst from
// growing without bound. GOGC and GOMEMLIMIT overrule both.
const (
	gcPercent   = 300
	memoryLimit = 3 << 30
)

func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
