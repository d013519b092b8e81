package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// result is what a measured process found. Processor times are in seconds, user
// and system together.
type result struct {
	Started, Finished time.Time
	OwnCPU            float64
	NATSCPU           float64
	ClickHouseCPU     float64
	PeakMemory        int64   // bytes resident, the most at any time of the process
	Memory            []int64 // bytes resident, every second, where they are watched
	Batches           uint64  // 0: not counted
	Error             string
}

func (r result) rate(events int) float64 {
	return float64(events) / r.Finished.Sub(r.Started).Seconds()
}

func (r result) allCPU() float64 { return r.OwnCPU + r.NATSCPU + r.ClickHouseCPU }

// usage is how much the processes have used so far.
type usage struct{ own, nats, clickhouse float64 }

func (t task) usage() (usage, error) {
	var self syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &self); err != nil {
		return usage{}, err
	}
	u := usage{own: float64(self.Utime.Nano()+self.Stime.Nano()) / 1e9}
	var err error
	if u.nats, err = processorTime(t.NATSProcess); err != nil {
		return usage{}, err
	}
	u.clickhouse, err = processorTime(t.ClickHouseProcess)
	return u, err
}

// ticksPerSecond is Linux's unit in /proc, on every machine that Go runs on.
const ticksPerSecond = 100

func processorTime(pid int) (float64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the name in brackets, may hold spaces.
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
	const user, system = 11, 12
	if len(fields) <= system {
		return 0, fmt.Errorf("/proc/%d/stat does not read", pid)
	}
	var ticks uint64
	for _, field := range fields[user : system+1] {
		n, err := strconv.ParseUint(field, 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return float64(ticks) / ticksPerSecond, nil
}

// peakMemory is the most that this process had resident, in bytes.
func peakMemory() (int64, error) {
	return statusOf("VmHWM:")
}
