package deploy_test

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"milepost/deploy/embedded/assets"
)

// browser starts Chromium with one tab; it ends with the test.
func browser(t *testing.T) context.Context {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v: install chromium", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.DisableGPU)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // its sandbox does not start for root
	}
	ctx, cancel := context.WithTimeout(t.Context(), startTimeout)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	return ctx
}

// do runs steps in a tab. A step that met the page while news replaced a part of it, or while it moved on by itself, has done
// nothing and is taken again, as a person would.
func do(t *testing.T, tab context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	for _, step := range steps {
		err := chromedp.Do(tab, step)
		for range 5 {
			if err == nil || tab.Err() != nil || !tookItsPage(err) {
				break
			}
			err = chromedp.Do(tab, step)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// tookItsPage tells whether a step failed because the page changed under it.
func tookItsPage(err error) bool {
	for _, said := range []string{"No node with given id", "Could not find node with given id", "Node is detached", "net::ERR_ABORTED", "Cannot find context"} {
		if strings.Contains(err.Error(), said) {
			return true
		}
	}
	return false
}

// until waits for the script to be true, also over the change of the page.
func until(t *testing.T, tab context.Context, script string) {
	t.Helper()
	for {
		_, err := chromedp.Run(tab, chromedp.Poll[bool](script))
		if err == nil {
			return
		}
		if said := err.Error(); tab.Err() == nil && (strings.Contains(said, "navigated") || strings.Contains(said, "Cannot find context")) {
			continue
		}
		text, _ := chromedp.Run(tab, chromedp.Evaluate[string]("document.body.innerText")) // only to tell more
		t.Fatalf("%s: %v\n%.1500s", script, err, text)
	}
}

func says(t *testing.T, tab context.Context, text string) {
	t.Helper()
	quoted, err := json.Marshal(text)
	if err != nil {
		t.Fatal(err)
	}
	until(t, tab, "document.readyState === 'complete' && document.body.innerText.includes("+string(quoted)+")")
}

// TestOfficeReportsAndTheBoardFollows has an office log in and report in a real
// browser; the board in another tab changes without being loaded again, and the
// office does not see another district's form.
func TestOfficeReportsAndTheBoardFollows(t *testing.T) {
	t.Parallel()
	server := serve(t)
	office, _ := server.token("--role", "office", "--district", "shanyang", "--name", "山阳区办公室")
	someProjects(server)
	_, today, _ := thisYear()

	board := browser(t)
	do(t, board, chromedp.Navigate(server.HTTP+"/"), chromedp.SendKeys("#token", office), chromedp.Click("form button.main"))
	says(t, board, "山阳区办公室")
	const openIssues = "document.querySelector('.tiles > div:nth-child(4) dd').innerText.split(' ')[0]"
	until(t, board, openIssues+" === '0'")
	if _, err := chromedp.Run(board, chromedp.Evaluate[int]("window.notLoadedAgain = 1")); err != nil {
		t.Fatal(err)
	}

	form, cancel := chromedp.NewContext(board)
	defer cancel()
	do(t, form, chromedp.Navigate(server.HTTP+"/report/issue"), chromedp.SendKeys("#f-title", "用地指标尚未落实"), chromedp.SendKeys("#f-issue_id", "Q-1"), chromedp.SendKeys("#f-department", "甲局"))
	do(t, form, chromedp.SetValue("#f-subject", "P-0001"), chromedp.SetValue("#f-category", "land"))
	// A date field takes keys in the order of the browser's language.
	if _, err := chromedp.Run(form, chromedp.Evaluate[string]("document.querySelector('#f-due_on').value = '"+(today+30).String()+"'")); err != nil {
		t.Fatal(err)
	}
	do(t, form, chromedp.Click("#event button"))
	says(t, form, "已收到 1 条")

	until(t, board, openIssues+" === '1' && window.notLoadedAgain === 1")

	// A spreadsheet is previewed, then confirmed.
	sheet := filepath.Join(t.TempDir(), "台账.csv")
	if err := os.WriteFile(sheet, []byte("项目编号,项目名称,总投资（万元）\nS-1,储能电站,15000\nS-2,冷链物流园,8000\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const projects = "document.querySelector('.tiles > div:nth-child(1) dd').innerText.split(' ')[0]"
	until(t, board, projects+" === '2'")
	do(t, form, chromedp.Navigate(server.HTTP+"/report/import"), chromedp.SetUploadFiles("#file", []string{sheet}), chromedp.Click("form[action='/report/import'] button"))
	says(t, form, "确认报送 2 条")
	until(t, board, projects+" === '2'") // a preview changes nothing
	do(t, form, chromedp.Click("form[action$='/confirm'] button"))
	says(t, form, "已报送 2 条")
	until(t, board, projects+" === '4' && window.notLoadedAgain === 1")

	for _, page := range []string{"/report/register", "/report/import"} {
		do(t, form, chromedp.Navigate(server.HTTP+page+"?district=xiuwu"))
		says(t, form, "不代表")
	}
	do(t, form, chromedp.Navigate(server.HTTP+"/report?district=xiuwu"))
	says(t, form, "不代表")
	if body, err := chromedp.Run(form, chromedp.Evaluate[string]("document.body.innerText")); err != nil || strings.Contains(body, "云台山康养小镇") {
		t.Errorf("another district's form: %v %s", err, body)
	}

	// The ledger's filter answers without loading the page again.
	do(t, form, chromedp.Navigate(server.HTTP+"/ledger"))
	says(t, form, "云台山康养小镇")
	if _, err := chromedp.Run(form, chromedp.Evaluate[int]("window.notLoadedAgain = 1")); err != nil {
		t.Fatal(err)
	}
	do(t, form, chromedp.SendKeys("#q", "jzzg\r"))
	until(t, form, "location.search.includes('q=jzzg') && document.querySelectorAll('#rows tbody tr').length === 1")
}

// TestPagesAreAccessible has axe look at every page, wide and narrow, for what
// breaks WCAG 2.1 at level AA, and sees that no page is wider than a telephone.
func TestPagesAreAccessible(t *testing.T) {
	t.Parallel()
	axe, err := assets.Store{}.Script(t.Context(), "axe")
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t)
	someProjects(server)
	tab := browser(t)
	for _, width := range []int64{390, 1280} {
		if _, err := chromedp.Call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1}); err != nil {
			t.Fatal(err)
		}
		for _, path := range []string{"/", "/?as_of=2020-01-01", "/ledger", "/ledger?q=nothing", "/projects/P-0001", "/projects/P-9999", "/report?district=shanyang", "/report/register?district=city", "/report/milestone?district=shanyang", "/report/import?district=shanyang", "/report/adjust?district=city", "/projects/P-0001/events/1", "/projects/P-0001/events/1/correct", "/admin", "/admin/tokens", "/admin/rules", "/admin/schedule", "/admin/deliveries", "/admin/dead-letters", "/bulletins", "/query", "/login"} {
			do(t, tab, chromedp.Navigate(server.HTTP+path))
			if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](string(axe)+";true")); err != nil {
				t.Fatal(err)
			}
			found, err := chromedp.Run(tab, chromedp.Evaluate[string](`axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}).then(r => (r.passes.length < 5 ? ["axe saw nothing"] : []).concat(r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.map(n => n.html).join(" ").slice(0, 400))).join("\n"))`, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatal(err)
			}
			if found != "" {
				t.Errorf("%s at %d:\n%s", path, width, found)
			}
			wide, err := chromedp.Run(tab, chromedp.Evaluate[int]("document.documentElement.scrollWidth"))
			if err != nil || int64(wide) > width {
				t.Errorf("%s at %d is %d wide: %v", path, width, wide, err)
			}
		}
	}
}
