// Package assets finds what the program needs beside itself and does not carry: the ClickHouse engine's library, the scripts
// of the pages, and Chinese fonts for printing.
//
// One embedded manifest pins every asset by version and hash. An asset is looked for where the environment says, beside
// the binary, and in the user's cache; what is nowhere is fetched by the npm client, checked, and kept in the cache.
// With a warm cache nothing needs npm or a network.
package assets

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"runtime"
)

//go:embed manifest.json
var manifestJSON []byte

// Asset is one pinned package and the files that are taken from it.
type Asset struct {
	Name          string `json:"name"`
	Package       string `json:"package"`   // name in the npm registry
	Version       string `json:"version"`   // exact
	Integrity     string `json:"integrity"` // "sha512-" and the tarball's hash in base64
	DownloadBytes int64  `json:"download_bytes"`
	OS            string `json:"os"`   // GOOS it is for; empty for any
	Arch          string `json:"arch"` // GOARCH it is for; empty for any
	Files         []File `json:"files"`
}

// File is one file of a package.
type File struct {
	Member string `json:"member"` // path in the tarball
	SHA256 string `json:"sha256"` // hexadecimal
	Bytes  int64  `json:"bytes"`
}

// Manifest gives the pinned assets.
func Manifest() ([]Asset, error) {
	var m struct {
		Assets []Asset `json:"assets"`
	}
	if err := json.Unmarshal(manifestJSON, &m); err != nil {
		return nil, fmt.Errorf("the manifest of assets is broken: %w", err)
	}
	return m.Assets, nil
}

// ClickHouse is the manifest's entry of the engine's library.
func ClickHouse() (Asset, error) { return entry("clickhouse") }

func entry(name string) (Asset, error) {
	all, err := Manifest()
	if err != nil {
		return Asset{}, err
	}
	for _, asset := range all {
		if asset.Name == name {
			return asset, nil
		}
	}
	return Asset{}, fmt.Errorf("the manifest of assets has no entry %s", name)
}

// fitsHere reports whether the asset is made for this machine.
func (a Asset) fitsHere() bool {
	return (a.OS == "" || a.OS == runtime.GOOS) && (a.Arch == "" || a.Arch == runtime.GOARCH)
}

// extractedBytes is the size of the asset's files together.
func (a Asset) extractedBytes() (total int64) {
	for _, f := range a.Files {
		total += f.Bytes
	}
	return total
}
