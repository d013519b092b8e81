package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestArrowsPointDown holds the layout: main uses deploy, deploy everything,
// and producers, consumers, scheduler and web only the contract in schemas and
// what lies in their own folder. Tests may use the engines of
// deploy/embedded/enginetest.
func TestArrowsPointDown(t *testing.T) {
	t.Parallel()
	allowed := map[string][]string{
		".":         {"deploy"},
		"schemas":   {},
		"producers": {"schemas"},
		"consumers": {"schemas"},
		"scheduler": {"schemas"},
		"web":       {"schemas"},
		"deploy":    {"schemas", "producers", "consumers", "scheduler", "web"},
	}
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
