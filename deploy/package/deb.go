package main

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"milepost/deploy"
)

// control is the package's description. The binary needs the C library, which every Debian has; Chromium and fonts are for PDF only.
const control = `Package: milepost
Version: %s
Architecture: amd64
Maintainer: Milepost <milepost@example.cn>
Section: database
Priority: optional
Depends: libc6, adduser, ca-certificates
Recommends: chromium, fontconfig, fonts-noto-cjk
Installed-Size: %d
Description: follows a city's major industrial projects
 Events from offices become a ledger, bulletins and the year-end assessment.
 NATS and ClickHouse are in the box.
`

// The scripts of the package. Data stay when it is removed, and when it is purged.
const (
	postinst = `#!/bin/sh
set -e
if [ "$1" = configure ]; then
	adduser --system --group --home /var/lib/milepost --no-create-home --quiet milepost
	chown root:milepost /etc/milepost/milepost.yaml
	chmod 0640 /etc/milepost/milepost.yaml
	if [ -d /run/systemd/system ]; then
		systemctl daemon-reload
		systemctl try-restart milepost.service
	fi
fi
`
	prerm = `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
	systemctl disable --now milepost.service
fi
`
)

// writeDeb makes the Debian package from the tree.
func writeDeb(ctx context.Context, out, tree string) (path string, err error) {
	root, err := os.MkdirTemp(out, ".deb-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(root)
	if err := debTree(root, tree); err != nil {
		return "", err
	}
	path = filepath.Join(out, "milepost_"+deploy.Version+"_amd64.deb")
	cmd := exec.CommandContext(ctx, "dpkg-deb", "--root-owner-group", "-Zgzip", "--build", root, path)
	cmd.Env = append(os.Environ(), "SOURCE_DATE_EPOCH="+strconv.FormatInt(epoch().Unix(), 10))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return path, cmd.Run()
}

// debTree lays the files out as Debian has them; the binary finds lib beside itself through the link in /usr/bin.
func debTree(root, tree string) error {
	for from, to := range map[string]string{
		"milepost":                 "usr/lib/milepost/milepost",
		"lib":                      "usr/lib/milepost/lib",
		"systemd/milepost.service": "usr/lib/systemd/system/milepost.service",
		"milepost.yaml":            "etc/milepost/milepost.yaml",
		"README.md":                "usr/share/doc/milepost/README.md",
		"INSTALL.md":               "usr/share/doc/milepost/INSTALL.md",
		"openapi.yaml":             "usr/share/doc/milepost/openapi.yaml",
		"licences":                 "usr/share/doc/milepost/licences",
		"CHANGELOG.md":             "usr/share/doc/milepost/CHANGELOG.md",
		"README.zh-CN.md":          "usr/share/doc/milepost/README.zh-CN.md",
		"docs":                     "usr/share/doc/milepost/docs",
		"deploy":                   "usr/share/doc/milepost/deploy",
	} {
		if err := placeAll(filepath.Join(tree, from), filepath.Join(root, to)); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Join(root, "usr/bin"), 0o755); err != nil {
		return err
	}
	if err := os.Symlink("../lib/milepost/milepost", filepath.Join(root, "usr/bin/milepost")); err != nil {
		return err
	}
	if err := setModes(root); err != nil {
		return err
	}
	size, err := kibibytes(root)
	if err != nil {
		return err
	}
	debian := filepath.Join(root, "DEBIAN")
	if err := os.Mkdir(debian, 0o755); err != nil {
		return err
	}
	for name, file := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"control":   {fmt.Sprintf(control, deploy.Version, size), 0o644},
		"conffiles": {"/etc/milepost/milepost.yaml\n", 0o644},
		"postinst":  {postinst, 0o755},
		"prerm":     {prerm, 0o755},
	} {
		if err := os.WriteFile(filepath.Join(debian, name), []byte(file.text), file.mode); err != nil {
			return err
		}
	}
	return nil
}

// placeAll places a file or a folder with everything in it.
func placeAll(from, to string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		local, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		return place(path, filepath.Join(to, local))
	})
}

// setModes gives files and folders the modes that they are to have: dpkg takes them over, that of the root folder, too.
func setModes(root string) error {
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() || entry.Type().IsRegular() && executable(path):
			return os.Chmod(path, 0o755)
		case entry.Type().IsRegular():
			return os.Chmod(path, 0o644)
		}
		return nil
	})
}

func kibibytes(root string) (int64, error) {
	var total int64
	err := filepath.WalkDir(root, func(_ string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		total += info.Size()
		return err
	})
	return total>>10 + 1, err
}
