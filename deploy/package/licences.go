package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
)

// module is a dependency of the binary with its licence texts.
type module struct {
	Path, Version string
	Dir           string
	Licence       string
	Files         []string // names of the texts in Dir
}

// dependencies asks the go command which modules the binary is made of, and reads their licences. One without a known
// licence is an error: somebody must look at it before it is handed out.
func dependencies(ctx context.Context) ([]module, error) {
	cmd := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Module", ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64")
	cmd.Stderr = os.Stderr
	text, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	seen := map[string]module{}
	packages := json.NewDecoder(strings.NewReader(string(text)))
	for {
		var p struct {
			Module *struct {
				Path, Version, Dir string
				Main               bool
			}
		}
		if err := packages.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, err
		}
		if m := p.Module; m != nil && !m.Main {
			seen[m.Path] = module{Path: m.Path, Version: m.Version, Dir: m.Dir}
		}
	}
	var modules []module
	var unknown []error
	for _, m := range seen {
		if err := m.read(); err != nil {
			unknown = append(unknown, err)
		}
		modules = append(modules, m)
	}
	slices.SortFunc(modules, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return modules, errors.Join(unknown...)
}

// read finds the texts and names the licence.
func (m *module) read() error {
	entries, err := os.ReadDir(m.Dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		upper := strings.ToUpper(entry.Name())
		isText := strings.HasPrefix(upper, "LICEN") || strings.HasPrefix(upper, "COPYING") || strings.HasPrefix(upper, "NOTICE") || strings.HasPrefix(upper, "PATENTS")
		if !entry.Type().IsRegular() || !isText {
			continue
		}
		text, err := os.ReadFile(filepath.Join(m.Dir, entry.Name()))
		if err != nil {
			return err
		}
		m.Files = append(m.Files, entry.Name())
		if kind := licenceOf(string(text)); m.Licence == "" {
			m.Licence = kind
		}
	}
	if m.Licence == "" {
		return fmt.Errorf("%s %s: no licence that is known; look at it in %s", m.Path, m.Version, m.Dir)
	}
	return nil
}

// licenceOf names the licence by the words that only it has.
func licenceOf(text string) string {
	words := strings.Join(strings.Fields(strings.ToLower(text)), " ")
	has := func(s string) bool { return strings.Contains(words, s) }
	switch {
	case has("apache license") && has("version 2.0"):
		return "Apache-2.0"
	case has("mozilla public license") && has("2.0"):
		return "MPL-2.0"
	case has("redistribution and use in source and binary forms") && (has("neither the name") || has("names of its contributors") || has("name of the copyright holder")):
		return "BSD-3-Clause"
	case has("redistribution and use in source and binary forms"):
		return "BSD-2-Clause"
	case has("permission is hereby granted, free of charge, to any person obtaining a copy"):
		return "MIT"
	case has("permission to use, copy, modify, and/or distribute this software for any purpose"), has("permission to use, copy, modify, and distribute this software for any purpose"):
		return "ISC"
	case has("this is free and unencumbered software released into the public domain"):
		return "Unlicense"
	case has("cc0 1.0 universal"):
		return "CC0-1.0"
	}
	return ""
}

func list(w io.Writer, modules []module) error {
	out := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, m := range modules {
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\n", m.Path, m.Version, m.Licence, strings.Join(m.Files, ", "))
	}
	return out.Flush()
}

// writeLicences writes the list and every text.
func writeLicences(dir string, modules []module) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	var b strings.Builder
	if err := list(&b, modules); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "modules.txt"), []byte(b.String()), 0o644); err != nil {
		return err
	}
	for _, m := range modules {
		for _, name := range m.Files {
			text, err := os.ReadFile(filepath.Join(m.Dir, name))
			if err != nil {
				return err
			}
			to := filepath.Join(dir, filepath.FromSlash(m.Path), name)
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(to, text, 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}
