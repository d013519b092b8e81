package main

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// epoch is the time of every file: the sources' own times say nothing, and would make each archive another.
func epoch() time.Time { return time.Unix(1735660800, 0).UTC() } // 2025-01-01 in Asia/Shanghai

// writeTarball packs the tree under a folder of that name, in the order of names, owned by root.
func writeTarball(path, tree, name string, level int) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	packed, err := gzip.NewWriterLevel(file, level)
	if err != nil {
		return err
	}
	archive := tar.NewWriter(packed)
	err = filepath.WalkDir(tree, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		local, err := filepath.Rel(tree, path)
		if err != nil {
			return err
		}
		return add(archive, path, filepath.ToSlash(filepath.Join(name, local)), entry)
	})
	return errors.Join(err, archive.Close(), packed.Close())
}

func add(archive *tar.Writer, path, name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if err != nil {
		return err
	}
	header := &tar.Header{Name: name, Mode: 0o644, ModTime: epoch(), Format: tar.FormatPAX, Typeflag: tar.TypeReg, Size: info.Size(), Uname: "root", Gname: "root"}
	switch {
	case entry.IsDir():
		header.Name, header.Mode, header.Typeflag, header.Size = name+"/", 0o755, tar.TypeDir, 0
	case executable(path):
		header.Mode = 0o755
	}
	if err := archive.WriteHeader(header); err != nil || entry.IsDir() {
		return err
	}
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = io.Copy(archive, in)
	return err
}

// executable tells by the place, not by the mode, which depends on who made the file.
func executable(path string) bool { return filepath.Base(path) == "milepost" }

// writeSums writes the hashes as sha256sum checks them.
func writeSums(path string, files []string) error {
	var b strings.Builder
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		hash := sha256.New()
		_, err = io.Copy(hash, file)
		if err := errors.Join(err, file.Close()); err != nil {
			return err
		}
		fmt.Fprintf(&b, "%s  %s\n", hex.EncodeToString(hash.Sum(nil)), filepath.Base(name))
		fmt.Fprintln(os.Stderr, "made", name)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
