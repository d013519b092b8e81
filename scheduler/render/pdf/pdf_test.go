package pdf

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"milepost/schemas"
)

// timers are those that a printer set; they fire when a test says so.
type timers struct {
	mu   sync.Mutex
	fire []func()
}

func (s *timers) after(_ time.Duration, f func()) func() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fire = append(s.fire, f)
	i := len(s.fire) - 1
	return func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		pending := s.fire[i] != nil
		s.fire[i] = nil
		return pending
	}
}

func (s *timers) pass() {
	s.mu.Lock()
	due := s.fire
	s.fire = nil
	s.mu.Unlock()
	for _, f := range due {
		if f != nil {
			f()
		}
	}
}

func printed(t *testing.T, p *Printer, page string) string {
	t.Helper()
	b, err := p.Print(t.Context(), []byte(page))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "printed.pdf")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := exec.CommandContext(t.Context(), "pdftotext", path, "-").Output()
	if err != nil {
		t.Fatalf("pdftotext of poppler-utils: %v", err)
	}
	return strings.TrimSpace(string(text))
}

// TestOneBrowserServesManyPagesUntilItIsIdle prints, lets the time pass, kills the browser and closes.
func TestOneBrowserServesManyPagesUntilItIsIdle(t *testing.T) {
	t.Parallel()
	var clock timers
	p := New(Options{AfterFunc: clock.after})
	defer p.Close()
	serving := func() *browser {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.current
	}
	print := func(text string) {
		t.Helper()
		if got := printed(t, p, "<!DOCTYPE html><head></head><body>"+text); got != text {
			t.Errorf("printed %q, not %q", got, text)
		}
	}
	print("first")
	first := serving()
	profile := first.profile
	print("second")
	if serving() != first {
		t.Error("another browser for the second page")
	}
	clock.pass()
	if serving() != nil || first.ctx.Err() == nil {
		t.Error("the idle browser goes on")
	}
	if _, err := os.Stat(profile); !os.IsNotExist(err) {
		t.Errorf("its profile stays: %v", err)
	}
	print("third")
	third := serving()
	if err := unix.Kill(pidOf(t, third), unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	print("fourth")
	if serving() == third {
		t.Error("the dead browser serves")
	}
	last := serving().profile
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(last); !os.IsNotExist(err) {
		t.Errorf("the profile stays after Close: %v", err)
	}
	if _, err := p.Print(t.Context(), []byte("late")); schemas.CodeOf(err) != schemas.Unavailable {
		t.Errorf("after Close: %v", err)
	}
}

// TestAPageReachesNothingElse prints a page that asks for a server and a file, runs a script and leads away.
func TestAPageReachesNothingElse(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer server.Close()
	secret := filepath.Join(t.TempDir(), "secret.html")
	if err := os.WriteFile(secret, []byte("a secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	p := New(Options{})
	defer p.Close()
	text := printed(t, p, `<!DOCTYPE html><head><meta http-equiv="refresh" content="0;url=file://`+secret+`"><link rel="stylesheet" href="`+server.URL+`/s.css"></head><body>
		<p id="p">as written</p><img src="`+server.URL+`/i.png"><iframe src="file://`+secret+`"></iframe><object data="file://`+secret+`"></object>
		<script>document.getElementById("p").textContent = "as scripted"</script>`)
	if !strings.Contains(text, "as written") || strings.Contains(text, "secret") {
		t.Errorf("printed %q", text)
	}
	if n := asked.Load(); n > 0 {
		t.Errorf("%d requests reached the server", n)
	}
}

// fonts are none until they are fetched, and then a font that has too little.
type fonts struct {
	path    string
	fetched atomic.Int64
}

func (f *fonts) Faces(_ context.Context, fetch bool) ([]Face, error) {
	if !fetch {
		return nil, nil
	}
	f.fetched.Add(1)
	return []Face{{Family: "Made", Path: f.path}}, nil
}

func TestACharacterWithoutAGlyphIsNeverDropped(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "made.ttf")
	if err := os.WriteFile(path, madeFont(), 0o600); err != nil {
		t.Fatal(err)
	}
	given := &fonts{path: path}
	p := New(Options{Fonts: given})
	p.charset = func() (runeSet, bool) { return runeSet{{' ', '~'}}, true }
	page := func(text string) string { return "<head></head><body>" + text }
	style, err := p.fontStyle(t.Context(), page("AB"))
	if err != nil || given.fetched.Load() != 0 || strings.Contains(style, "@font-face") {
		t.Errorf("fonts are fetched though the machine has all: %v, %d times", err, given.fetched.Load())
	}
	style, err = p.fontStyle(t.Context(), page("A喆"))
	if err != nil || given.fetched.Load() != 1 || !strings.Contains(style, `font-family: "Made"`) {
		t.Errorf("喆: %v, fetched %d times", err, given.fetched.Load())
	}
	if _, err = p.fontStyle(t.Context(), page("&#22531;")); schemas.CodeOf(err) != schemas.Unavailable || !strings.Contains(err.Error(), "堃") {
		t.Errorf("堃 is dropped: %v", err)
	}
}

func TestProfilesOfKilledServersAreRemoved(t *testing.T) {
	mine := t.TempDir()
	t.Setenv("TMPDIR", mine)
	held, err := newProfile()
	if err != nil {
		t.Fatal(err)
	}
	left, err := newProfile()
	if err != nil {
		t.Fatal(err)
	}
	if err := left.lock.Close(); err != nil { // as the kernel does for a killed process
		t.Fatal(err)
	}
	sweep()
	remaining, err := filepath.Glob(filepath.Join(mine, profilePattern))
	if err != nil || !slices.Equal(remaining, []string{held.dir}) {
		t.Errorf("%v remain, %v", remaining, err)
	}
	held.remove()
}

func pidOf(t *testing.T, b *browser) int {
	t.Helper()
	entries, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		line, err := os.ReadFile(entry)
		if err != nil || !bytes.Contains(line, []byte("--user-data-dir="+b.profile)) || bytes.Contains(line, []byte("--type=")) {
			continue
		}
		var pid int
		for _, digit := range strings.TrimSuffix(strings.TrimPrefix(entry, "/proc/"), "/cmdline") {
			pid = 10*pid + int(digit-'0')
		}
		return pid
	}
	t.Fatal("no browser with the profile")
	return 0
}
