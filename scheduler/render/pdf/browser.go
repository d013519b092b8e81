package pdf

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/chromedp/chromedp"
	"golang.org/x/sys/unix"
)

// startTime bounds the start of a browser.
const startTime = time.Minute

var (
	errBrowserDied = errors.New("the browser ended")
	errClosed      = errors.New("closed")
)

// browser is a Chromium with its profile. It is spoken to through a pipe, and dies with this process.
type browser struct {
	ctx     context.Context // chromedp's; it ends when Chromium does
	cancel  func()
	started chan struct{}
	err     error // why it did not start; valid after started
	ended   sync.Once
	profile string // the folder of its files

	mu   sync.Mutex
	next *opening // for the next page; nil for none
}

// start starts a browser without waiting for it.
func start(path string) *browser {
	b := &browser{started: make(chan struct{})}
	life, cancel := context.WithCancel(context.Background())
	b.ctx, b.cancel = life, cancel
	profile, err := newProfile()
	if err != nil {
		b.err = err
		close(b.started)
		return b
	}
	b.profile = profile.dir
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(profile.dir), chromedp.DisableGPU,
		chromedp.Flag("font-render-hinting", "none"),
		// A page is what it is given: no name resolves, whatever it asks for.
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"))
	if os.Geteuid() == 0 {
		// Chromium's sandbox does not start for root; pages run no scripts.
		options = append(options, chromedp.NoSandbox)
	}
	allocated, freed := chromedp.NewExecAllocator(life, options...)
	first, firstCancel := chromedp.NewContext(allocated, quiet())
	b.ctx = first
	b.cancel = func() {
		firstCancel()
		freed() // waits for the process
		cancel()
		profile.remove()
	}
	go func() {
		defer close(b.started)
		// The first tab lives as long as the browser: a deadline of its own would end both.
		late := time.AfterFunc(startTime, firstCancel)
		defer late.Stop()
		if err := chromedp.Do(first); err != nil {
			b.err = fmt.Errorf("starting the browser: %w", err)
			return
		}
		b.layOut()
	}()
	return b
}

// quiet keeps the client's remarks out of the log: what fails comes back as an error.
func quiet() chromedp.ContextOption { return chromedp.WithErrorf(func(string, ...any) {}) }

// wait waits until the browser has started.
func (b *browser) wait(ctx context.Context) error {
	select {
	case <-b.started:
		return b.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// dead tells whether the browser ended, or never started.
func (b *browser) dead() bool {
	select {
	case <-b.started:
		return b.err != nil || b.ctx.Err() != nil
	default:
		return false
	}
}

// end ends the browser, waits for its process and removes its profile.
func (b *browser) end() { b.ended.Do(b.cancel) }

const (
	profilePattern = "milepost-print-*"
	profileLock    = "lock"
)

// profile is a browser's folder of files. Its lock is held while this process lives, so that another one can tell a
// folder in use from one that a killed server left behind.
type profile struct {
	dir  string
	lock *os.File
}

// newProfile makes a profile and removes those that nobody holds.
func newProfile() (*profile, error) {
	sweep()
	dir, err := os.MkdirTemp("", profilePattern)
	if err != nil {
		return nil, fmt.Errorf("the browser's profile: %w", err)
	}
	// The lock gets its name when it is held: nobody sees it free.
	making := filepath.Join(dir, profileLock+"-new")
	lock, err := os.OpenFile(making, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = errors.Join(unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB), os.Rename(making, filepath.Join(dir, profileLock)))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the browser's profile: %w", err), os.RemoveAll(dir))
	}
	return &profile{dir, lock}, nil
}

// remove removes the profile. What cannot be removed now, because a process of the browser still writes, goes with the
// next sweep.
func (p *profile) remove() {
	_ = os.RemoveAll(p.dir)
	_ = p.lock.Close()
}

// sweep removes the profiles of browsers whose servers were killed.
func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), profilePattern)) // the pattern is right
	for _, dir := range left {
		lock, err := os.OpenFile(filepath.Join(dir, profileLock), os.O_RDWR|unix.O_NOFOLLOW, 0)
		if err != nil {
			continue // being made, or another user's
		}
		if unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil {
			_ = os.RemoveAll(dir)
		}
		_ = lock.Close()
	}
}
