// Package pdf prints pages as PDF with the Chromium of the machine.
package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"

	"milepost/schemas"
)

// printTime bounds one print, the start of the browser included.
const printTime = 2 * time.Minute

// maxTagged bounds the pages that are printed with tags and an outline for
// readers' programs: tags make a long document several times as large and slow.
const maxTagged = 96 << 10 // bytes of HTML

// maxParallel bounds how many browsers print at once.
const maxParallel = 2

// Printer prints pages. It may be used from several goroutines.
type Printer struct {
	path  string
	slots chan struct{}
}

// New gives a printer. browser is the path of Chromium or Chrome; an empty one
// looks for it in PATH when something is printed.
func New(browser string) *Printer {
	return &Printer{path: browser, slots: make(chan struct{}, maxParallel)}
}

// names under which the browser is looked for.
func names() []string {
	return []string{"chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"}
}

// find gives the path of the browser. It fails with schemas.Unavailable when
// there is none.
func (p *Printer) find() (string, error) {
	candidates := names()
	if p.path != "" {
		candidates = []string{p.path}
	}
	for _, name := range candidates {
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", &schemas.Error{Code: schemas.Unavailable, Message: "no Chromium to print PDF with", Field: "documents.browser", Value: p.path,
		Hint: "install chromium (and fonts-noto-cjk), or name the path of one by documents.browser; all other formats do without"}
}

// Print gives the page as PDF: in the size and with the margins that its style
// asks for. It fails with schemas.Unavailable when no browser is there or it does
// not print; nothing is half printed.
func (p *Printer) Print(ctx context.Context, html []byte) ([]byte, error) {
	browser, err := p.find()
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
	dir, err := os.MkdirTemp("", "milepost-print-")
	if err != nil {
		return nil, fmt.Errorf("printing PDF: %w", err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "page.html")
	if err := os.WriteFile(file, html, 0o600); err != nil {
		return nil, fmt.Errorf("printing PDF: %w", err)
	}
	printed, err := printFile(ctx, browser, (&url.URL{Scheme: "file", Path: file}).String(), len(html) <= maxTagged)
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "Chromium did not print", Field: "documents.browser", Value: browser,
			Hint: "see that it starts on this machine: chromium --headless --print-to-pdf", Err: err}
	}
	return printed, nil
}

func printFile(ctx context.Context, browser, address string, tagged bool) ([]byte, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(browser), chromedp.DisableGPU, chromedp.Flag("font-render-hinting", "none"))
	if os.Geteuid() == 0 {
		// Chromium's sandbox does not start for root; the page has no scripts.
		options = append(options, chromedp.NoSandbox)
	}
	ctx, end := chromedp.NewExecAllocator(ctx, options...)
	defer end()
	ctx, cancel := chromedp.NewContext(ctx)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Navigate(address)); err != nil {
		return nil, err
	}
	yes := true
	result, err := chromedp.Call(ctx, cdppage.PrintToPDF, cdppage.PrintToPDFParams{PreferCSSPageSize: &yes, PrintBackground: &yes, GenerateTaggedPDF: &tagged, GenerateDocumentOutline: &tagged})
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(result.Data, []byte("%PDF-")) || !bytes.Contains(result.Data[max(0, len(result.Data)-1024):], []byte("%%EOF")) {
		return nil, errors.New("what it gave is no whole PDF")
	}
	return result.Data, nil
}
