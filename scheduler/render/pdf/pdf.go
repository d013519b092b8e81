// Package pdf prints pages as PDF with the Chromium of the machine.
//
// One browser is started at the first print and serves the next ones; each page is printed in a context of its own,
// without scripts, network or files, and only so many at once. The browser ends when it has been idle for a while, by
// Close, and with the process, however that ends.
package pdf

import (
	"context"
	"errors"
	"os/exec"
	"sync"
	"time"

	"milepost/schemas"
)

const (
	// printTime bounds one print, the start of the browser included.
	printTime = 2 * time.Minute
	// idleTime is how long a browser waits for the next page before it ends.
	idleTime = 5 * time.Minute
	// maxParallel bounds how many pages are printed at once.
	maxParallel = 2
	// maxTagged bounds the pages, in bytes of HTML, that are printed with tags and an outline for readers' programs:
	// tags make a long document several times as large and slow.
	maxTagged = 96 << 10
)

// Options are what a printer works with. The zero value is the usual one.
type Options struct {
	// Browser is the path of Chromium or Chrome; empty looks for it in PATH when something is printed.
	Browser string
	// Fonts are embedded where the page's style names their families; nil leaves it at those of the machine.
	Fonts Fonts
	// AfterFunc calls f once after d, unless it is stopped before; by default time.AfterFunc.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
}

// Printer prints pages. It may be used from several goroutines.
type Printer struct {
	options Options
	slots   chan struct{}
	charset func() (runeSet, bool) // of the machine's fonts
	// machineFaces are the machine's fonts that are drawn anew.
	machineFaces func() []Face

	mu      sync.Mutex
	current *browser // the one that serves; nil when none runs
	pages   int      // being printed now
	rest    func() bool
	closed  bool
}

// New gives a printer. Nothing is started before the first print.
func New(o Options) *Printer {
	if o.AfterFunc == nil {
		o.AfterFunc = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	return &Printer{options: o, slots: make(chan struct{}, maxParallel), charset: sync.OnceValues(machineCharset), machineFaces: sync.OnceValue(machineCFF)}
}

// names under which the browser is looked for.
func names() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}
}

// find gives the path of the browser. It fails with schemas.Unavailable when there is none.
func (p *Printer) find() (string, error) {
	candidates := names()
	if p.options.Browser != "" {
		candidates = []string{p.options.Browser}
	}
	for _, name := range candidates {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &schemas.Error{Code: schemas.Unavailable, Message: "no Chromium to print PDF with", Field: "documents.browser", Value: p.options.Browser,
		Hint: "install chromium, or name the path of one by documents.browser; all other formats do without"}
}

// Browser gives the path of the browser that would print. It fails with schemas.Unavailable when there is none.
func (p *Printer) Browser() (string, error) { return p.find() }

// Print gives the page as PDF: in the size and with the margins that its style asks for. It fails with
// schemas.Unavailable when no browser is there, when it does not print, or when no font has a character of the page;
// nothing is half printed.
func (p *Printer) Print(ctx context.Context, html []byte) ([]byte, error) {
	path, err := p.find()
	if err != nil {
		return nil, err
	}
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, printTime)
	defer cancel()
	printed, err := p.printOnce(ctx, path, html)
	if errors.Is(err, errBrowserDied) && ctx.Err() == nil {
		// It may have died long ago, or of another page: a fresh one tells.
		printed, err = p.printOnce(ctx, path, html)
	}
	var unprintable *schemas.Error
	switch {
	case err == nil:
		return printed, nil
	case errors.As(err, &unprintable):
		return nil, err
	case errors.Is(err, errClosed):
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "the printer is closed", Hint: "try again when the server runs", Err: err}
	}
	return nil, &schemas.Error{Code: schemas.Unavailable, Message: "Chromium did not print", Field: "documents.browser", Value: path,
		Hint: "see that it starts on this machine: chromium --headless --print-to-pdf", Err: err}
}

// printOnce prints with the browser that runs, or with a new one. The glyphs of the page are looked for while the browser
// starts and reads the page.
func (p *Printer) printOnce(ctx context.Context, path string, html []byte) ([]byte, error) {
	b, err := p.take(path)
	if err != nil {
		return nil, err
	}
	defer p.give(b)
	text := string(html)
	fonts := sync.OnceValues(func() (string, error) { return p.fontStyle(ctx, text) })
	go func() { _, _ = fonts() }() // what it gives is asked for below
	if err := b.wait(ctx); err != nil {
		return nil, err
	}
	return b.print(ctx, page{hidden(text), len(html) <= maxTagged, fonts})
}

// Warm starts the browser, when there is one and none runs, without waiting for it: for whoever will print in a moment.
func (p *Printer) Warm() {
	path, err := p.find()
	if err != nil {
		return // Print says so
	}
	if b, err := p.take(path); err == nil {
		p.give(b)
	}
}

// take gives the browser that serves, and starts one when none does.
func (p *Printer) take(path string) (*browser, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, errClosed
	}
	if p.rest != nil {
		p.rest()
		p.rest = nil
	}
	if p.current != nil && p.current.dead() {
		p.current.end()
		p.current = nil
	}
	if p.current == nil {
		p.current = start(path)
	}
	p.pages++
	return p.current, nil
}

// give lets the browser rest when it was the last page.
func (p *Printer) give(b *browser) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pages--
	if p.pages > 0 || p.current == nil || p.closed {
		return
	}
	p.rest = p.options.AfterFunc(idleTime, func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.pages == 0 && p.current == b {
			p.current, p.rest = nil, nil
			b.end()
		}
	})
}

// Close ends the browser, and what it prints, and removes its files. Later prints fail.
func (p *Printer) Close() error {
	p.mu.Lock()
	b := p.current
	p.current, p.closed = nil, true
	if p.rest != nil {
		p.rest()
		p.rest = nil
	}
	p.mu.Unlock()
	if b != nil {
		b.end()
	}
	return nil
}
