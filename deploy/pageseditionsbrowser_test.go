package deploy_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"milepost/deploy/embedded/assets"
)

// accessible has axe look at the page of a tab for what breaks WCAG 2.1 at level
// AA, and sees that it is not wider than the screen.
func accessible(t *testing.T, tab context.Context, axe []byte, address string, width int64) {
	t.Helper()
	if _, err := chromedp.Call(tab, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: 900, DeviceScaleFactor: 1}); err != nil {
		t.Fatal(err)
	}
	do(t, tab, chromedp.Navigate(address))
	if _, err := chromedp.Run(tab, chromedp.Evaluate[bool](string(axe)+";true")); err != nil {
		t.Fatal(err)
	}
	found, err := chromedp.Run(tab, chromedp.Evaluate[string](`axe.run({runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"], iframes: false}).then(r => (r.passes.length < 5 ? ["axe saw nothing"] : []).concat(r.violations.map(v => v.id + ": " + v.help + " " + v.nodes.map(n => n.html).join(" ").slice(0, 400))).join("\n"))`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	if found != "" {
		t.Errorf("%s at %d:\n%s", address, width, found)
	}
	wide, err := chromedp.Run(tab, chromedp.Evaluate[int]("document.documentElement.scrollWidth"))
	if err != nil || int64(wide) > width {
		t.Errorf("%s at %d is %d wide: %v", address, width, wide, err)
	}
}

// TestEditorPublishesInABrowser has an editor return, draft again, sign and
// publish a bulletin, and an analyst draw a chart, in a real browser; axe finds
// nothing on their pages.
func TestEditorPublishesInABrowser(t *testing.T) {
	t.Parallel()
	axe, err := assets.Store{}.Script(t.Context(), "axe")
	if err != nil {
		t.Fatal(err)
	}
	server := serve(t, "--config", writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, assessment: off, formats: [md, html]}\n"))
	server.publish(smallEvents(t, 278))
	editor, _ := server.token("--role", "editor", "--name", "编辑甲")
	admin, _ := server.token("--role", "admin", "--name", "管理员")
	tab := browser(t)
	do(t, tab, chromedp.Navigate(server.HTTP+"/login?next=/bulletins/bulletin-2025-10"), chromedp.SendKeys("#token", editor), chromedp.Click("form button.main"))
	says(t, tab, "未起草")
	do(t, tab, chromedp.Click("form[action$='/draft'] button"))
	says(t, tab, "待签发")

	// The preview runs in a frame of its own, which cannot reach the page.
	until(t, tab, "document.querySelector('iframe.sheet').contentDocument === null")
	do(t, tab, chromedp.Click("form[action$='/approve'] button"))
	says(t, tab, "已签发，待发布")
	do(t, tab, chromedp.Click("details:has(#remark) summary"), chromedp.SendKeys("#remark", "请核实投资完成率。"), chromedp.Click("form[action$='/return'] button"))
	says(t, tab, "请核实投资完成率。")
	says(t, tab, "已退回")
	do(t, tab, chromedp.SendKeys("#b-causes", "部分项目征地拆迁滞后。"), chromedp.Click("#own form button"))
	says(t, tab, "待签发")
	until(t, tab, "document.querySelector('#b-causes').value === '部分项目征地拆迁滞后。'")
	do(t, tab, chromedp.Click("form[action$='/approve'] button"))
	says(t, tab, "已签发，待发布")
	do(t, tab, chromedp.Click("form[action$='/publish'] input[name=confirm]"), chromedp.Click("form[action$='/publish'] button"))
	says(t, tab, "已发布。")
	says(t, tab, "2025-10 月通报 第 1 期")

	// An analyst sees numbers as a chart, and finds a column.
	do(t, tab, chromedp.Navigate(server.HTTP+"/query"), chromedp.Click("button[value=table]"))
	until(t, tab, "document.querySelectorAll('#chart .usual svg rect').length > 3 && document.querySelectorAll('#chart .legend li').length > 1")
	do(t, tab, chromedp.SetValue("#by", ""), chromedp.SetValue("#shape", "line"), chromedp.Click("#chart button"))
	until(t, tab, "document.querySelectorAll('#chart .usual svg polyline').length === 1")
	do(t, tab, chromedp.SendKeys("#find", "流序号"))
	until(t, tab, "document.querySelector('#dictionary').innerText.includes('列与“流序号”有关')")

	// Every page of theirs, also of a draft that departments are asked about and
	// of an announced assessment.
	for _, act := range [][2]string{{"/v1/editions/2025-Q3/draft", "{}"}, {"/v1/editions/bulletin-2025-Q3/consult", `{"departments": ["甲局"], "until": "2099-01-01"}`}, {"/v1/assessments/2025/announce", "{}"}} {
		if status, text := server.send(http.MethodPost, act[0], editor, "application/json", act[1]); status != http.StatusOK {
			t.Fatalf("%s: %d %s", act[0], status, text)
		}
	}
	do(t, tab, chromedp.Navigate(server.HTTP+"/login"), chromedp.SendKeys("#token", admin), chromedp.Click("form.stack button.main"))
	says(t, tab, "管理员")
	for _, width := range []int64{390, 1280} {
		for _, path := range []string{"/bulletins", "/bulletins?kind=week", "/bulletins/bulletin-2025-10", "/bulletins/bulletin-2025-Q3", "/bulletins/bulletin-2025-09", "/assessment/2025", "/assessment/2025/district/shanyang", "/assessment/2022", "/answers", "/answers/bulletin-2025-Q3", "/query?find=district", "/no-such-page"} {
			accessible(t, tab, axe, server.HTTP+path, width)
		}
	}
}
