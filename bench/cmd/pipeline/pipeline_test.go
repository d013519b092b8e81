package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMain lets the test binary be a child, as the program is.
func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) != "" {
		os.Exit(runRole(os.Stdin, os.Stdout))
	}
	os.Exit(m.Run())
}

// TestRunMeasuresEverything makes a small run: every way carries every event,
// or the run fails.
func TestRunMeasuresEverything(t *testing.T) {
	temporary, profiles := t.TempDir(), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	var out, progress bytes.Buffer
	if err := run(t.Context(), []string{"-events", "3000", "-rounds", "1", "-profile", profiles}, &out, &progress); err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	rows := regexp.MustCompile(`(?m)^\| [a-z].*\| \d+ \|.*\|$`).FindAllString(out.String(), -1)
	if len(rows) != 6 {
		t.Errorf("%d rows:\n%s", len(rows), &out)
	}
	if !strings.Contains(out.String(), "| 1.00 |") {
		t.Errorf("the control is not 1.00 of itself:\n%s", &out)
	}
	for _, role := range []string{roleNATS, rolePublish, roleConsume, roleServe, rolePlain} {
		if files, err := filepath.Glob(filepath.Join(profiles, role+"*.pprof")); err != nil || len(files) == 0 {
			t.Errorf("no profile of %s: %v", role, err)
		}
	}
	left, err := filepath.Glob(filepath.Join(temporary, "milepost-bench-*"))
	if err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

func TestRunRefusesWrongOptions(t *testing.T) {
	for _, args := range [][]string{{"-events", "0"}, {"-events", "30000000"}, {"-rounds", "0"}, {"-rounds", "x"}, {"-nothing"}} {
		var out, progress bytes.Buffer
		if err := run(t.Context(), args, &out, &progress); err == nil || out.Len() > 0 {
			t.Errorf("%v: %v, %q", args, err, &out)
		}
	}
}
