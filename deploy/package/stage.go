package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"milepost/deploy/embedded/assets"
)

// testsOnly are assets that only tests use.
func testsOnly(name string) bool { return name == "axe" }

// linkFrom is the size from which on copying a file takes longer than anything else.
const linkFrom = 4 << 20

// stage puts everything beside the binary: in lib/ what it looks for there, and what people read.
func stage(ctx context.Context, tree string, modules []module) error {
	all, err := assets.Manifest()
	if err != nil {
		return err
	}
	store := assets.Store{Progress: os.Stderr, Beside: filepath.Join(tree, "nothing-yet")}
	for _, asset := range all {
		if testsOnly(asset.Name) {
			continue
		}
		dir, err := store.Dir(ctx, asset)
		if err != nil {
			return err
		}
		for _, f := range asset.Files {
			if err := place(filepath.Join(dir, path.Base(f.Member)), filepath.Join(tree, "lib", target(asset.Name, path.Base(f.Member)))); err != nil {
				return err
			}
		}
	}
	for from, to := range map[string]string{
		"deploy/systemd/milepost.service":      "systemd/milepost.service",
		"deploy/examples/milepost.yaml":        "milepost.yaml",
		"README.md":                            "README.md",
		"README.zh-CN.md":                      "README.zh-CN.md",
		"CHANGELOG.md":                         "CHANGELOG.md",
		"schemas/openapi.yaml":                 "openapi.yaml",
		"deploy/package/INSTALL.md":            "INSTALL.md",
		"deploy/embedded/assets/manifest.json": "licences/assets.json",
	} {
		if err := place(filepath.FromSlash(from), filepath.Join(tree, filepath.FromSlash(to))); err != nil {
			return err
		}
	}
	for _, folder := range readFolders() {
		if err := placeAll(filepath.FromSlash(folder), filepath.Join(tree, filepath.FromSlash(folder))); err != nil {
			return err
		}
	}
	return writeLicences(filepath.Join(tree, "licences"), modules)
}

// readFolders are what people read and load into their tools, where the links of README.md look for it. Files for containers
// are not among them: they go with the sources, of which images are built, and secrets may lie beside them.
func readFolders() []string {
	return []string{"docs", "deploy/examples", "deploy/grafana", "deploy/prometheus"}
}

// target is the name of an asset's file in lib: a licence says whose it is.
func target(asset, file string) string {
	if strings.HasPrefix(strings.ToUpper(file), "LICENSE") {
		return asset + "." + file
	}
	return file
}

// place copies a file; a large one is linked where that can be.
func place(from, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	if info, err := os.Stat(from); err == nil && info.Size() > linkFrom && os.Link(from, to) == nil {
		return nil
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	return out.Close()
}
