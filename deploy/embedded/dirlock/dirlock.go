// Package dirlock keeps a data folder to one process at a time.
package dirlock

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// fileName is the lock's file inside the folder. It stays there when the lock is released: removing it would let two
// processes each hold a lock on a file of that name.
const fileName = "milepost.lock"

// ErrHeld is wrapped by Acquire's error when another process, or another part of this one, holds the folder.
var ErrHeld = errors.New("the data folder is in use")

// Lock is a held folder.
type Lock struct{ file *os.File }

// Acquire makes dir when it is missing and takes it for this process. The lock ends with the process, however that
// ends. The error names the holder's process id when it is known.
func Acquire(dir string) (*Lock, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, fmt.Errorf("cannot make the data folder: %w", err)
	}
	path := filepath.Join(dir, fileName)
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o640)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock of the data folder: %w", err)
	}
	err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if err != nil {
		holder, _ := io.ReadAll(io.LimitReader(file, 32))
		_ = file.Close()
		if !errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, fmt.Errorf("cannot lock %s: %w", path, err)
		}
		who := "another process"
		if pid, err := strconv.Atoi(strings.TrimSpace(string(holder))); err == nil {
			who = fmt.Sprintf("process %d", pid)
		}
		return nil, fmt.Errorf("%w: %s is held by %s; hint: stop that process, or give this one another folder", ErrHeld, dir, who)
	}
	if err := writePID(file); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot write %s: %w", path, err), file.Close())
	}
	return &Lock{file: file}, nil
}

func writePID(file *os.File) error {
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err := file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// Release gives the folder back. A second call does nothing.
func (l *Lock) Release() error {
	if l.file == nil {
		return nil
	}
	err := l.file.Close()
	l.file = nil
	return err
}
