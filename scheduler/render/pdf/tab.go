package pdf

import (
	"bytes"
	"context"
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

// print prints the page in a context of its own, which ends with it.
func (b *browser) print(ctx context.Context, page string, tagged bool) ([]byte, error) {
	tab, leave := chromedp.NewContext(b.ctx, chromedp.WithNewBrowserContext())
	defer leave()
	// The tab belongs to the browser, and ends with whoever asked, too.
	defer context.AfterFunc(ctx, leave)()
	printed, err := printIn(tab, page, tagged)
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

// fontsLoaded loads all faces of the page, also those that only print uses, and says which did not.
const fontsLoaded = `Promise.allSettled([...document.fonts].map(f => f.load())).then(all => document.fonts.ready.then(() => all.filter(r => r.status !== "fulfilled").length))`

func printIn(tab context.Context, page string, tagged bool) ([]byte, error) {
	if err := chromedp.Do(tab); err != nil {
		return nil, err
	}
	if err := isolate(tab); err != nil {
		return nil, err
	}
	tree, err := chromedp.Call(tab, cdppage.GetFrameTree, cdp.Empty{})
	if err != nil {
		return nil, err
	}
	if _, err := chromedp.Call(tab, cdppage.SetDocumentContent, cdppage.SetDocumentContentParams{FrameID: tree.FrameTree.Frame.ID, HTML: page}); err != nil {
		return nil, err
	}
	yes := true
	loaded, err := chromedp.Call(tab, runtime.Evaluate, runtime.EvaluateParams{Expression: fontsLoaded, AwaitPromise: &yes, ReturnByValue: &yes})
	if err != nil {
		return nil, err
	}
	if loaded.ExceptionDetails != nil || string(loaded.Result.Value) != "0" {
		return nil, fmt.Errorf("fonts that did not load: %s", loaded.Result.Value)
	}
	result, err := chromedp.Call(tab, cdppage.PrintToPDF, cdppage.PrintToPDFParams{PreferCSSPageSize: &yes, PrintBackground: &yes, GenerateTaggedPDF: &tagged, GenerateDocumentOutline: &tagged})
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
