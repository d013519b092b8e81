package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
)

// arrows says which rooms a room may use.
func arrows() map[string][]string {
	return map[string][]string{
		".":         {"deploy"},
		"schemas":   {},
		"producers": {"schemas"},
		"consumers": {"schemas"},
		"scheduler": {"schemas"},
		"web":       {"schemas"},
		"deploy":    {"schemas", "producers", "consumers", "scheduler", "web"},
	}
}

// TestArrowsPointDown holds the layout: main uses deploy, deploy everything,
// and producers, consumers, scheduler and web only the contract in schemas and
// what lies in their own folder. Tests may use the engines of
// deploy/embedded/enginetest.
func TestArrowsPointDown(t *testing.T) {
	t.Parallel()
	allowed := arrows()
	seen := 0
	err := filepath.WalkDir(".", func(file string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "testdata" || strings.HasPrefix(entry.Name(), ".") && file != ".") {
			return filepath.SkipDir
		}
		if !strings.HasSuffix(file, ".go") {
			return nil
		}
		room, _, nested := strings.Cut(filepath.ToSlash(file), "/")
		if !nested {
			room = "."
		}
		arrows, known := allowed[room]
		if !known {
			return nil // bench and the like stand outside the house
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			target, ours := strings.CutPrefix(imported, "milepost/")
			if !ours {
				continue
			}
			seen++
			if strings.HasSuffix(file, "_test.go") && target == "deploy/embedded/enginetest" {
				continue
			}
			top, _, _ := strings.Cut(target, "/")
			if top == room {
				continue
			}
			ok := false
			for _, a := range arrows {
				ok = ok || a == top
			}
			if !ok {
				t.Errorf("%s imports %s: %s may use %s", file, imported, room, strings.Join(arrows, ", "))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if seen < 20 {
		t.Errorf("only %d imports were looked at", seen)
	}
}

// TestLinterHoldsTheSameArrows compares the linter's rules with those of this test.
func TestLinterHoldsTheSameArrows(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(".golangci.yml")
	if err != nil {
		t.Fatal(err)
	}
	var config struct {
		Linters struct {
			Settings struct {
				Depguard struct {
					Rules map[string]struct {
						Files []string                     `yaml:"files"`
						Deny  []struct{ Pkg, Desc string } `yaml:"deny"`
					} `yaml:"rules"`
				} `yaml:"depguard"`
			} `yaml:"settings"`
		} `yaml:"linters"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		t.Fatal(err)
	}
	rules := config.Linters.Settings.Depguard.Rules
	for room, uses := range arrows() {
		var denied []string
		for _, d := range rules[room].Deny {
			denied = append(denied, strings.TrimPrefix(d.Pkg, "milepost/"))
		}
		for other := range arrows() {
			if forbidden := other != "." && other != room && !slices.Contains(uses, other); room != "." && forbidden != slices.Contains(denied, other) {
				t.Errorf("%s may use %v here, the linter denies %v", room, uses, denied)
			}
		}
		if len(denied) > 0 && !slices.Contains(rules[room].Files, "**/"+room+"/**/*.go") {
			t.Errorf("the linter's rule %s is about %v", room, rules[room].Files)
		}
	}
}
