package deploy_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"milepost/schemas"
)

// seenOf finds which state of a draft a page shows.
func seenOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `name="seen" value="`)
	seen, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		t.Fatalf("no draft is shown: %.3000s", page)
	}
	return seen
}

// TestEditorsSignOffOnPages takes a bulletin through its life in browsers: two
// editors, a department that is asked, and those who may only look.
func TestEditorsSignOffOnPages(t *testing.T) {
	t.Parallel()
	server := serve(t, "--config", writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, assessment: off, second_person: true, formats: [md, html]}\n"))
	server.publish(smallEvents(t, 278))
	enter := func(args ...string) *visitor {
		token, _ := server.token(args...)
		v := server.visitor()
		if a := v.login(token); a.status != http.StatusSeeOther {
			t.Fatalf("login: %d %s", a.status, a.body)
		}
		return v
	}
	first := enter("--role", "editor", "--name", "编辑甲")
	second := enter("--role", "editor", "--name", "编辑乙")
	analyst := enter("--role", "analyst")
	asked := enter("--role", "department", "--department", "甲局", "--source-prefix", "/departments/a")
	other := enter("--role", "department", "--department", "乙局", "--source-prefix", "/departments/b")
	const page = "/bulletins/bulletin-2025-10"
	act := func(v *visitor, status int, act string, form url.Values, says ...string) {
		t.Helper()
		if form == nil {
			form = url.Values{}
		}
		v.want(status, http.MethodPost, page+"/"+act, form, says...)
	}
	shown := func(v *visitor, says ...string) url.Values {
		t.Helper()
		return url.Values{"seen": {seenOf(t, v.want(http.StatusOK, http.MethodGet, page, nil, says...).body)}}
	}

	first.want(http.StatusSeeOther, http.MethodGet, "/bulletins?period=2025-10", nil)
	first.want(http.StatusUnprocessableEntity, http.MethodGet, "/bulletins?period=october", nil, "期间不对", `value="october"`)
	first.want(http.StatusOK, http.MethodGet, page, nil, "未起草", "起草</button>")
	first.want(http.StatusNotFound, http.MethodGet, page+"/preview", nil, "还没有起草", "!<nav")
	first.want(http.StatusUnprocessableEntity, http.MethodGet, "/bulletins/october", nil, "没有这样的编号")
	act(first, http.StatusSeeOther, "draft", nil)
	form := shown(first, "待签发", "编审", "没有修订")

	// What is not there is said by a page to browsers, and by a problem to programs.
	if a := analyst.ask(http.MethodGet, "/no-such-page", nil, "Accept", "text/html"); a.status != http.StatusForbidden || !strings.Contains(a.body, "没有这项权限") || !strings.Contains(a.body, "<nav") {
		t.Errorf("an unknown page: %d %s", a.status, a.body)
	}
	if a := analyst.ask(http.MethodGet, "/v1/no-such-thing", nil, "Accept", "text/html"); a.status != http.StatusForbidden || a.header.Get("Content-Type") != "application/problem+json" {
		t.Errorf("an unknown route: %d %s", a.status, a.header)
	}
	analyst.want(http.StatusSeeOther, http.MethodGet, page+"/approve", nil)

	// The editor's own words, kept when they are refused and when they are not.
	own := url.Values{"seen": form["seen"], "causes": {"征地滞后。\r\n\r\n用地<指标>未落实。"}, "next": {strings.Repeat("逐月调度。\n", 21)}}
	act(first, http.StatusUnprocessableEntity, "draft", own, "段落过多", "用地&lt;指标&gt;未落实。")
	own.Set("next", "逐月调度。")
	act(first, http.StatusSeeOther, "draft", own)
	stale := form
	form = shown(first, "用地&lt;指标&gt;未落实。")
	act(second, http.StatusConflict, "approve", stale, "已被他人改过")
	act(first, http.StatusForbidden, "approve", form, "起草人不能签发自己的草稿")
	act(analyst, http.StatusForbidden, "approve", form, "没有这项权限")
	analyst.want(http.StatusOK, http.MethodGet, page, nil, "征地滞后。", "!签发</button>", "!<textarea")
	if a := second.ask(http.MethodPost, page+"/approve", form, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
		t.Errorf("a form of another site: %d", a.status)
	}

	// Departments are asked before it is signed.
	until := schemas.DateOf(time.Now()) + 3
	act(first, http.StatusUnprocessableEntity, "consult", url.Values{"until": {"2025-01-01"}}, "截止日期已过", `value="2025-01-01"`)
	act(first, http.StatusSeeOther, "consult", url.Values{"until": {until.String()}, "departments": {"甲局、丙局"}})
	act(second, http.StatusConflict, "approve", form, "征求意见还没有结束，未答复：甲局、丙局")
	asked.want(http.StatusOK, http.MethodGet, "/answers", nil, "2025-10 月通报", until.String())
	other.want(http.StatusOK, http.MethodGet, "/answers", nil, "现在没有征求本部门意见的草稿")
	other.want(http.StatusForbidden, http.MethodGet, "/answers/bulletin-2025-10", nil, "没有征求本部门的意见")
	other.want(http.StatusForbidden, http.MethodGet, page+"/preview", nil, "不能看草稿", "!征地滞后")
	other.want(http.StatusForbidden, http.MethodGet, page, nil, "没有这项权限")
	first.want(http.StatusForbidden, http.MethodGet, "/answers", nil, "没有这项权限")
	sheet := asked.want(http.StatusOK, http.MethodGet, page+"/preview", nil, "征地滞后。", "草案")
	if policy := sheet.header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "sandbox allow-scripts; default-src 'none'") || sheet.header.Get("Cross-Origin-Opener-Policy") != "" {
		t.Errorf("headers of a preview: %s", sheet.header)
	}
	reply := url.Values{"department": {"甲局"}, "text": {" "}}
	asked.want(http.StatusUnprocessableEntity, http.MethodPost, "/answers/bulletin-2025-10", reply, "请填写文字")
	reply.Set("text", "建议核实本局两个项目。")
	asked.want(http.StatusSeeOther, http.MethodPost, "/answers/bulletin-2025-10", reply)
	other.want(http.StatusForbidden, http.MethodPost, "/answers/bulletin-2025-10", reply, "没有征求本部门的意见")
	form = shown(first, "建议核实本局两个项目。", "2 个部门中 1 个已答复", "未答复：丙局")
	act(first, http.StatusSeeOther, "close", nil)
	asked.want(http.StatusConflict, http.MethodPost, "/answers/bulletin-2025-10", reply, "征求意见已经结束")

	act(second, http.StatusUnprocessableEntity, "return", url.Values{"seen": form["seen"], "remark": {""}}, "请填写文字")
	back := url.Values{"seen": form["seen"], "remark": {"请核实<完成率>。"}}
	act(second, http.StatusSeeOther, "return", back)
	act(second, http.StatusSeeOther, "return", back) // a second click
	act(second, http.StatusConflict, "approve", form, "已被他人改过")
	form = shown(first, "已退回", "请核实&lt;完成率&gt;。", "征地滞后。")
	act(first, http.StatusSeeOther, "draft", url.Values{"seen": form["seen"], "causes": {"征地滞后。"}})
	form = shown(second, "待签发", "请核实&lt;完成率&gt;。")
	act(second, http.StatusSeeOther, "approve", form)
	act(second, http.StatusSeeOther, "approve", form)
	form = shown(first, "已签发，待发布")
	act(first, http.StatusUnprocessableEntity, "publish", form, "请先勾选确认")
	form.Set("confirm", "yes")
	act(first, http.StatusSeeOther, "publish", form)
	act(first, http.StatusSeeOther, "publish", form)
	first.want(http.StatusOK, http.MethodGet, page+"?done=publish", nil, "已发布。", "第 1 期", "/v1/editions/bulletin-2025-10/files/bulletin-2025-10-media.md", "!保存并重新起草")
	first.want(http.StatusOK, http.MethodGet, page+"/preview?edition=media", nil, "征地滞后。", "!草案")
	act(first, http.StatusConflict, "draft", url.Values{"causes": {"另写"}}, "本期已发布：第1期")

	// What becomes known later makes a 更正 that says what changed.
	act(first, http.StatusConflict, "correct", url.Values{"remark": {""}}, "与第1期相比没有变化")
	later := event2("later-1", "/offices/shanyang", "shanyang", "P-0007", map[string]any{"month": "2025-10", "invested_ytd": 180000})
	if status, text := server.send(http.MethodPost, "/v1/events?wait=true", server.operator(), "application/x-ndjson", later); status != http.StatusOK || strings.Contains(text, `"error":{`) {
		t.Fatalf("%d %s", status, text)
	}
	act(first, http.StatusSeeOther, "correct", nil)
	second.want(http.StatusOK, http.MethodGet, page+"-c1", nil, "更正第 1 期", "待签发", "投资 › 完成", "征地滞后。")
	act(first, http.StatusUnprocessableEntity, "withdraw", url.Values{"confirm": {"yes"}}, "请填写文字")
	act(first, http.StatusSeeOther, "withdraw", url.Values{"confirm": {"yes"}, "reason": {"数据有误。"}})
	first.want(http.StatusOK, http.MethodGet, page, nil, "已撤回", "数据有误。", "!<iframe")
	first.want(http.StatusGone, http.MethodGet, page+"/preview", nil, "第1期已撤回：数据有误。")
	first.want(http.StatusOK, http.MethodGet, "/bulletins", nil, "已撤回", `<span class="tag">更正</span>`, "未起草的期间")
	first.want(http.StatusOK, http.MethodGet, "/bulletins?kind=month&year=2025&state=withdrawn", nil, "数据有误。", "!更正</span>")
	first.want(http.StatusOK, http.MethodGet, "/bulletins?kind=week", nil, "没有符合条件的通报")

	if acts := server.mustRun(nil, "audit"); strings.Count(acts, "edition.answer") != 4 || !strings.Contains(acts, "conflict") || !strings.Contains(acts, "edition.withdraw") || !strings.Contains(acts, "编辑乙") {
		t.Errorf("audit:\n%s", acts)
	}
}

// TestAssessmentOnPages announces a year from its page, follows a point to its
// events, and takes an objection.
func TestAssessmentOnPages(t *testing.T) {
	t.Parallel()
	server := serve(t, "--config", writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, assessment: off, formats: [md]}\n"))
	server.publish([]byte(failingCity()))
	v := server.visitor()
	if a := v.want(http.StatusSeeOther, http.MethodGet, "/assessment", nil); a.header.Get("Location") != "/assessment/2025" && time.Now().Year() == 2026 {
		t.Errorf("the year at hand: %s", a.header.Get("Location"))
	}
	if a := v.ask(http.MethodGet, "/no-such-page", nil, "Accept", "text/html"); a.status != http.StatusNotFound || !strings.Contains(a.body, "没有这个页面") {
		t.Errorf("an unknown page: %d %s", a.status, a.body)
	}
	v.want(http.StatusUnprocessableEntity, http.MethodGet, "/assessment/last", nil, "年度不对")
	v.want(http.StatusOK, http.MethodGet, "/assessment/2022", nil, "没有可考核的项目")
	v.want(http.StatusOK, http.MethodGet, "/assessment/2024", nil, "草稿", "修武县", "不合格", "/assessment/2024/lead/%E7%94%B2%E4%B9%A6%E8%AE%B0", "/v1/assessments/2024?format=xlsx")
	v.want(http.StatusOK, http.MethodGet, "/assessment/2024/district/xiuwu", nil, "得分怎么来的", "应考核节点数", "项目入库", "/projects/P-1/events/1", "!记录异议")
	v.want(http.StatusNotFound, http.MethodGet, "/assessment/2024/district/nowhere", nil, "没有这一行")
	form := url.Values{"days": {"0"}}
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/assessment/2024/announce", form, "请先勾选确认")
	form.Set("confirm", "yes")
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/assessment/2024/announce", form, "天数不对", `value="0"`)
	form.Set("days", "7")
	v.want(http.StatusSeeOther, http.MethodPost, "/assessment/2024/announce", form)
	v.want(http.StatusOK, http.MethodGet, "/assessment/2024", nil, "公示中", "公示至 "+(schemas.DateOf(time.Now())+7).String(), "/v1/editions/assessment-2024/files/assessment-2024.md")
	v.want(http.StatusConflict, http.MethodPost, "/assessment/2024/finalise", url.Values{"confirm": {"yes"}}, "考核正在公示")
	v.want(http.StatusOK, http.MethodGet, "/assessment/2024/district/xiuwu", nil, "记录异议")
	objection := url.Values{"group": {"district"}, "key": {"nowhere"}, "text": {"开工日期有误。"}}
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/assessment/2024/object", objection, "没有这一行", "开工日期有误。")
	objection.Set("key", "xiuwu")
	v.want(http.StatusSeeOther, http.MethodPost, "/assessment/2024/object", objection)
	v.want(http.StatusOK, http.MethodGet, "/assessment/2024", nil, "异议", "开工日期有误。")
	v.want(http.StatusSeeOther, http.MethodPost, "/assessment/2023/finalise", url.Values{"confirm": {"yes"}})
	v.want(http.StatusOK, http.MethodGet, "/assessment/2023", nil, "已定稿", "!公示天数")
	v.want(http.StatusOK, http.MethodGet, "/bulletins?kind=assessment", nil, "公示中", "已定稿", `href="/assessment/2024"`)
	v.want(http.StatusSeeOther, http.MethodGet, "/bulletins/assessment-2024", nil)
	server.edition("correct", "assessment-2023", "--remark", "核对后重印。", "--draft")
	v.want(http.StatusOK, http.MethodGet, "/assessment/2023", nil, "assessment-2023-c1", "核对后重印。", `href="/bulletins/assessment-2023-c1/preview?edition=media"`)
	v.want(http.StatusOK, http.MethodGet, "/bulletins/assessment-2023-c1/preview?edition=media", nil, "2023年全市重大项目", "!奖惩提示")
	v.want(http.StatusOK, http.MethodGet, "/bulletins/assessment-2023-c1/preview", nil, "2023年度重大项目年终考核", "奖惩提示")
}
