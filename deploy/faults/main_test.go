// Package faults kills, stops and cuts off parts of a running installation while events flow, and then holds what the
// warehouse has against what the stream holds: nothing lost, nothing twice, nothing changed. By default the tests run in
// a bounded form; with MILEPOST_SOAK set they kill as often, and with as many events, as a night allows.
package faults

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"milepost/deploy"
)

// TestMain lets the test binary be the milepost command, so that every server is a process that can be killed.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"milepost": func() { os.Exit(deploy.Main(os.Args[1:])) }})
}

// soak tells whether the long form was asked for.
func soak() bool { return os.Getenv("MILEPOST_SOAK") != "" }

// scale gives the first number in the bounded form and the second in the long one.
func scale(bounded, long int) int {
	if soak() {
		return long
	}
	return bounded
}

// seed makes a test's choices; each test adds something of its own to it.
const seed = 20251120
