package pdf

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/fetch"
	"github.com/chromedp/cdproto/network"
	cdppage "github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// tab is a context of its own in the browser, for one page.
type tab struct {
	ctx   context.Context
	leave func()
}

// open opens a tab and isolates it.
func (b *browser) open(ctx context.Context) (*tab, error) {
	inside, leave := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	// The tab belongs to the browser, and ends with whoever asked, too.
	defer context.AfterFunc(ctx, leave)()
	err := chromedp.Do(inside)
	if err == nil {
		err = isolate(inside)
	}
	if err != nil {
		leave()
		return nil, err
	}
	return &tab{inside, leave}, nil
}

// opening is a tab that is opened ahead, for the one who takes it.
type opening struct {
	done chan struct{}
	tab  *tab // nil when it did not open
}

// layOut opens a tab for the next page, unless there is one: its process takes a third of a second to start.
func (b *browser) layOut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.next != nil {
		return
	}
	next := &opening{done: make(chan struct{})}
	b.next = next
	go func() {
		defer close(next.done)
		ctx, cancel := context.WithTimeout(b.ctx, startTime)
		defer cancel()
		if t, err := b.open(ctx); err == nil { // else the page opens its own, and says why not
			next.tab = t
		}
	}()
}

// take gives the tab that was opened ahead, or else a new one, and has the next one opened.
func (b *browser) take(ctx context.Context) (t *tab, ahead bool, err error) {
	b.mu.Lock()
	taken := b.next
	b.next = nil
	b.mu.Unlock()
	b.layOut()
	if taken != nil {
		select {
		case <-taken.done:
			if taken.tab != nil {
				return taken.tab, true, nil
			}
		case <-ctx.Done():
			go func() {
				<-taken.done
				if taken.tab != nil {
					taken.tab.leave()
				}
			}()
			return nil, false, ctx.Err()
		}
	}
	t, err = b.open(ctx)
	return t, false, err
}

// page is what is printed.
type page struct {
	html   string
	tagged bool
	// fonts gives a style with its fonts, when they are found.
	fonts func() (style string, err error)
}

// print prints the page in a context of its own, which ends with it.
func (b *browser) print(ctx context.Context, p page) ([]byte, error) {
	printed, err := b.printed(ctx, p)
	switch {
	case err == nil:
		return printed, nil
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case b.ctx.Err() != nil:
		return nil, errors.Join(errBrowserDied, err)
	}
	return nil, err
}

func (b *browser) printed(ctx context.Context, p page) ([]byte, error) {
	t, ahead, err := b.take(ctx)
	if err != nil {
		return nil, err
	}
	printed, err := t.print(ctx, p)
	if err == nil || !ahead || ctx.Err() != nil || b.ctx.Err() != nil {
		return printed, err
	}
	// The process of a tab that waited may have ended long ago.
	if t, err = b.open(ctx); err != nil {
		return nil, err
	}
	return t.print(ctx, p)
}

// print prints the page and closes the tab.
func (t *tab) print(ctx context.Context, p page) ([]byte, error) {
	defer t.leave()
	defer context.AfterFunc(ctx, t.leave)()
	return printIn(t.ctx, p)
}

// addStyle adds a style, given as a JSON text, to the page.
const addStyle = `document.head.appendChild(document.createElement("style")).textContent = %s; 0`

// fontsLoaded loads all faces of the page, also those that only print uses, and says which did not.
const fontsLoaded = `Promise.allSettled([...document.fonts].map(f => f.load())).then(all => document.fonts.ready.then(() => all.filter(r => r.status !== "fulfilled").length))`

func printIn(tab context.Context, p page) ([]byte, error) {
	tree, err := chromedp.Call(tab, cdppage.GetFrameTree, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(tab, cdppage.SetDocumentContent, cdppage.SetDocumentContentParams{FrameID: tree.FrameTree.Frame.ID, HTML: p.html}); err != nil {
		return nil, err
	}
	style, err := p.fonts()
	if err != nil {
		return nil, err
	}
	yes := true
	if style != "" {
		text, err := json.Marshal(style)
		if err != nil {
			return nil, err
		}
		added, err := chromedp.Call(tab, runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf(addStyle, text)})
		if err != nil {
			return nil, err
		}
		if added.ExceptionDetails != nil {
			return nil, fmt.Errorf("the style of the fonts: %s", added.ExceptionDetails.Text)
		}
	}
	loaded, err := chromedp.Call(tab, runtime.Evaluate, runtime.EvaluateParams{Expression: fontsLoaded, AwaitPromise: &yes, ReturnByValue: &yes})
	if err != nil {
		return nil, err
	}
	if loaded.ExceptionDetails != nil || string(loaded.Result.Value) != "0" {
		return nil, fmt.Errorf("fonts that did not load: %s", loaded.Result.Value)
	}
	result, err := chromedp.Call(tab, cdppage.PrintToPDF, cdppage.PrintToPDFParams{PreferCSSPageSize: &yes, PrintBackground: &yes, GenerateTaggedPDF: &p.tagged, GenerateDocumentOutline: &p.tagged})
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(result.Data, []byte("%PDF-")) || !bytes.Contains(result.Data[max(0, len(result.Data)-1024):], []byte("%%EOF")) {
		return nil, errors.New("what it gave is no whole PDF")
	}
	return result.Data, nil
}

// isolate refuses everything that the page may ask for, on the network and in files; what it needs stands in it.
func isolate(tab context.Context) error {
	err := chromedp.Listen(tab, func(event any) {
		if paused, ok := event.(*fetch.EventRequestPaused); ok {
			go func() {
				// The tab may have ended meanwhile, and the request with it.
				_, _ = chromedp.Call(tab, fetch.FailRequest, fetch.FailRequestParams{RequestID: paused.RequestID, ErrorReason: network.ErrorReasonBlockedByClient})
			}()
		}
	})
	if err != nil {
		return err
	}
	if _, err := chromedp.Call(tab, fetch.Enable, fetch.EnableParams{}); err != nil {
		return err
	}
	_, err = chromedp.Call(tab, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
	return err
}
