// Command package makes what is handed out: a tarball and a Debian package with the binary, the ClickHouse engine, fonts
// and scripts, the systemd unit, the sample configuration and the licences of everything in it. The same sources give the
// same bytes.
//
//	go run ./deploy/package [-out dist] [-deb] [-level 6]
//	go run ./deploy/package -licences      lists the licence of each dependency
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"milepost/deploy"
)

func main() {
	out := flag.String("out", "dist", "folder for what is made")
	deb := flag.Bool("deb", false, "make the Debian package, too (needs dpkg-deb)")
	level := flag.Int("level", 6, "how hard gzip tries, 1 to 9")
	licences := flag.Bool("licences", false, "list the licence of each dependency and make nothing")
	flag.Parse()
	if err := run(context.Background(), *out, *deb, *level, *licences); err != nil {
		fmt.Fprintln(os.Stderr, "package:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out string, deb bool, level int, licences bool) error {
	modules, err := dependencies(ctx)
	if err != nil {
		return err
	}
	if licences {
		return list(os.Stdout, modules)
	}
	name := "milepost-" + deploy.Version + "-linux-amd64"
	tree := filepath.Join(out, name)
	if err := os.RemoveAll(tree); err != nil {
		return err
	}
	if err := build(ctx, filepath.Join(tree, "milepost")); err != nil {
		return err
	}
	if err := stage(ctx, tree, modules); err != nil {
		return err
	}
	tarball := filepath.Join(out, name+".tar.gz")
	if err := writeTarball(tarball, tree, name, level); err != nil {
		return err
	}
	made := []string{tarball}
	if deb {
		path, err := writeDeb(ctx, out, tree)
		if err != nil {
			return err
		}
		made = append(made, path)
	}
	return writeSums(filepath.Join(out, "SHA256SUMS"), made)
}

// build makes the binary as everybody with the same sources and the same Go makes it.
func build(ctx context.Context, to string) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w -buildid=", "-o", to, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", "GOFLAGS="+withoutFlag(os.Getenv("GOFLAGS"), "-race"))
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	return cmd.Run()
}

func withoutFlag(flags, unwanted string) string {
	var kept []string
	for _, f := range strings.Fields(flags) {
		if f != unwanted {
			kept = append(kept, f)
		}
	}
	return strings.Join(kept, " ")
}
