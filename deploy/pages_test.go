package deploy_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"milepost/schemas"
)

// visitor is a browser without scripts.
type visitor struct {
	t      *testing.T
	server *process
	client *http.Client
}

func (p *process) visitor() *visitor {
	p.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		p.t.Fatal(err)
	}
	return &visitor{p.t, p, &http.Client{Jar: jar, Timeout: startTimeout, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// answer is what a page answered.
type answer struct {
	status int
	body   string
	header http.Header
}

func (v *visitor) ask(method, path string, form url.Values, headers ...string) answer {
	v.t.Helper()
	var body io.Reader
	if form != nil {
		body = strings.NewReader(form.Encode())
	}
	request, err := http.NewRequestWithContext(v.t.Context(), method, v.server.HTTP+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	response, err := v.client.Do(request)
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return answer{response.StatusCode, string(text), response.Header}
}

// want asks for a page and checks its status, and what it says or, behind a
// "!", does not say.
func (v *visitor) want(status int, method, path string, form url.Values, says ...string) answer {
	v.t.Helper()
	a := v.ask(method, path, form)
	if a.status != status {
		v.t.Errorf("%s %s: %d, want %d\n%.2000s", method, path, a.status, status, a.body)
	}
	for _, text := range says {
		not := strings.HasPrefix(text, "!")
		if strings.Contains(a.body, strings.TrimPrefix(text, "!")) == not {
			v.t.Errorf("%s %s: %q\n%.3000s", method, path, text, a.body)
		}
	}
	return a
}

func (v *visitor) login(token string) answer {
	v.t.Helper()
	return v.ask(http.MethodPost, "/login", url.Values{"token": {token}, "next": {"/ledger?light=red"}})
}

// nonceOf finds the form's number on the report page.
func nonceOf(t *testing.T, page string) string {
	t.Helper()
	_, rest, found := strings.Cut(page, `name="nonce" value="`)
	nonce, _, closed := strings.Cut(rest, `"`)
	if !found || !closed {
		t.Fatalf("no form: %.2000s", page)
	}
	return nonce
}

// thisYear is the year in Shanghai, today its day, and lastMonth the month
// whose reports come next.
func thisYear() (year int, today schemas.Date, lastMonth schemas.Month) {
	today = schemas.DateOf(time.Now())
	return today.Year(), today, today.Month() - 1
}

// someProjects registers a project of Shanyang and one of Xiuwu, each with plans
// for this year and the last.
func someProjects(p *process) {
	p.t.Helper()
	year, _, _ := thisYear()
	plan := map[string]any{fmt.Sprint(year): 12000, fmt.Sprint(year - 1): 12000}
	registered := fmt.Sprintf("%d-02-01", year-1)
	var lines []string
	for i, district := range []string{"shanyang", "xiuwu"} {
		id := fmt.Sprintf("P-000%d", i+1)
		lines = append(lines, event(map[string]any{"id": id + "-r", "source": "/offices/" + district, "district": district, "subject": id, "type": "project.registered.v1", "time": registered + "T10:00:00+08:00"},
			map[string]any{"name": []string{"焦作重工扩建", "云台山康养小镇"}[i], "total_investment": 50000, "registered_on": registered, "annual_plan": plan, "targets": map[string]any{"landed": fmt.Sprintf("%d-05-01", year-1)}, "tags": []string{"市重点"}}))
	}
	status, text := p.send(http.MethodPost, "/v1/events?wait=true", p.operator(), "application/x-ndjson", strings.Join(lines, "\n"))
	if status != http.StatusOK || strings.Contains(text, `"error":{`) {
		p.t.Fatalf("%d %s", status, text)
	}
}

// operator gives a fresh admin's token where the server has tokens.
func (p *process) operator() string {
	if status, _ := p.get(p.HTTP + "/v1/watermark"); status == http.StatusOK {
		return ""
	}
	text, _ := p.token("--role", "admin")
	return text
}

// TestPagesLetInWhoLoggedIn follows a session from the login to its end.
func TestPagesLetInWhoLoggedIn(t *testing.T) {
	t.Parallel()
	server := serve(t)
	office, officeID := server.token("--role", "office", "--district", "shanyang", "--name", "山阳区办公室")
	someProjects(server)
	v := server.visitor()

	if a := v.ask(http.MethodGet, "/ledger?q=a", nil); a.status != http.StatusSeeOther || a.header.Get("Location") != "/login?next=%2Fledger%3Fq%3Da" {
		t.Errorf("a stranger: %d %s", a.status, a.header)
	}
	if a := v.login("mp_aaaaaaaa_" + strings.Repeat("a", 52)); a.status != http.StatusUnauthorized || !strings.Contains(a.body, "令牌不对") || a.header.Get("Set-Cookie") != "" {
		t.Errorf("a bad token: %d %s", a.status, a.body)
	}
	if a := v.ask(http.MethodPost, "/login", url.Values{"token": {office}}, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden || a.header.Get("Set-Cookie") != "" {
		t.Errorf("a login from another site: %d", a.status)
	}
	a := v.login(office)
	cookie := a.header.Get("Set-Cookie")
	if a.status != http.StatusSeeOther || a.header.Get("Location") != "/ledger?light=red" || !strings.Contains(cookie, "HttpOnly") || !strings.Contains(cookie, "SameSite=Strict") || strings.Contains(cookie, office) {
		t.Fatalf("login: %d %s", a.status, a.header)
	}
	if a := v.ask(http.MethodPost, "/login", url.Values{"token": {office}, "next": {"//elsewhere.example"}}); a.header.Get("Location") != "/" {
		t.Errorf("a login leads to %s", a.header.Get("Location"))
	}
	a = v.want(http.StatusOK, http.MethodGet, "/ledger", nil, "焦作重工扩建", "云台山康养小镇", "山阳区办公室", `href="/report"`, `!href="/query"`)
	if policy := a.header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || a.header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("headers: %s", a.header)
	}
	if strings.Contains(a.body, "style=") || strings.Contains(a.body, "<script>") || strings.Contains(a.body, "onclick") {
		t.Error("the page has what its policy forbids")
	}
	v.want(http.StatusOK, http.MethodGet, "/v1/ledger?format=csv", nil, "P-0001") // the link of the page

	// What it may not open, and what another office fills in.
	v.want(http.StatusForbidden, http.MethodGet, "/query", nil, "没有这项权限")
	v.want(http.StatusForbidden, http.MethodGet, "/bulletins", nil, "没有这项权限")
	page := v.want(http.StatusOK, http.MethodGet, "/report", nil, "焦作重工扩建", "!云台山康养小镇")
	v.want(http.StatusForbidden, http.MethodGet, "/report?district=xiuwu", nil, "不代表", "!云台山康养小镇")
	form := url.Values{"district": {"xiuwu"}, "nonce": {nonceOf(t, page.body)}, "invested-P-0002": {"1"}}
	v.want(http.StatusForbidden, http.MethodPost, "/report/progress", form, "不代表")
	form.Set("district", "shanyang")
	if a := v.ask(http.MethodPost, "/report/progress", form, "Sec-Fetch-Site", "cross-site"); a.status != http.StatusForbidden {
		t.Errorf("a form from another site: %d", a.status)
	}
	if a := v.ask(http.MethodPost, "/v1/events", url.Values{}, "Origin", "https://elsewhere.example"); a.status != http.StatusForbidden {
		t.Errorf("events from another site with the cookie: %d %s", a.status, a.body)
	}

	second := server.visitor()
	second.login(office)
	second.want(http.StatusOK, http.MethodGet, "/", nil, "总览")
	second.want(http.StatusSeeOther, http.MethodPost, "/logout", url.Values{})
	second.want(http.StatusSeeOther, http.MethodGet, "/", nil)
	v.want(http.StatusOK, http.MethodGet, "/", nil, "总览")
	server.mustRun(nil, "token", "revoke", officeID)
	v.want(http.StatusSeeOther, http.MethodGet, "/", nil)
}

// TestFormsReport fills in each form, wrongly and rightly.
func TestFormsReport(t *testing.T) {
	t.Parallel()
	server := serve(t)
	someProjects(server)
	v := server.visitor() // nobody needs to log in yet
	_, today, month := thisYear()
	page := v.want(http.StatusOK, http.MethodGet, "/report?district=shanyang", nil, "焦作重工扩建", "!云台山康养小镇")
	form := url.Values{"district": {"shanyang"}, "month": {month.String()}, "nonce": {nonceOf(t, page.body)}, "invested-P-0001": {"12.345"}}
	page = v.want(http.StatusUnprocessableEntity, http.MethodPost, "/report/progress", form, "没有收下", "金额不对", `value="12.345"`)

	form.Set("nonce", nonceOf(t, page.body))
	form.Set("invested-P-0001", "1,234.50")
	form.Set("note-P-0001", "主体施工")
	v.want(http.StatusOK, http.MethodPost, "/report/progress", form, "已收到 1 条", "流序号 3", `value="1234.50"`)
	v.want(http.StatusOK, http.MethodPost, "/report/progress", form, "已收到 1 条", "流序号 3") // a second click
	if status, text := server.send(http.MethodPost, "/v1/query?format=TSV", "", "text/plain", "SELECT count(), any(actor LIKE 'http:%'), any(JSONExtractString(data, 'note')) FROM events WHERE type = 'progress.reported.v1'"); status != http.StatusOK || text != "1\t1\t主体施工\n" {
		t.Errorf("the event: %d %q", status, text)
	}
	if page := v.want(http.StatusOK, http.MethodGet, "/report?district=shanyang", nil, "已报", `value="1234.5"`); page.status == http.StatusOK {
		form := url.Values{"district": {"shanyang"}, "month": {month.String()}, "nonce": {nonceOf(t, page.body)}, "invested-P-0001": {"1234.5"}}
		v.want(http.StatusOK, http.MethodPost, "/report/progress", form, "没有新填的内容")
	}
	fresh := func() string { return nonceOf(t, v.ask(http.MethodGet, "/report?district=shanyang", nil).body) }
	milestone := url.Values{"district": {"shanyang"}, "nonce": {fresh()}, "subject": {"P-0001"}, "milestone": {"landed"}, "reached_on": {(today + 1).String()}}
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/report/milestone", milestone, "完成日期晚于今天")
	milestone.Set("nonce", fresh())
	milestone.Set("reached_on", today.String())
	milestone.Set("evidence", "https://example.org/photo.jpg")
	v.want(http.StatusOK, http.MethodPost, "/report/milestone", milestone, "已收到 1 条", "落地 "+today.String())

	issue := url.Values{"district": {"shanyang"}, "nonce": {fresh()}, "subject": {"P-0001"}, "issue_id": {"Q-1"}, "title": {""}, "category": {"land"}, "department": {"甲局"}, "raised_on": {today.String()}, "due_on": {(today + 30).String()}}
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/report/issue", issue, "没有收下", `value="Q-1"`)
	issue.Set("nonce", fresh())
	issue.Set("title", "用地指标<尚未>落实")
	v.want(http.StatusOK, http.MethodPost, "/report/issue", issue, "已收到 1 条")
	v.want(http.StatusOK, http.MethodGet, "/projects/P-0001", nil, "用地指标&lt;尚未&gt;落实", "已落地", "https://example.org/photo.jpg", "主体施工", "进度填报", "未登记用户", "<svg")
	v.want(http.StatusNotFound, http.MethodPost, "/report/other", issue, "没有这个表单")
	v.want(http.StatusNotFound, http.MethodGet, "/projects/P-9999", nil, "没有这个项目")
	checkProgressPages(t, v, month)
}

// checkProgressPages fills in the second page of a long table.
func checkProgressPages(t *testing.T, v *visitor, month schemas.Month) {
	t.Helper()
	const more = 103
	var lines strings.Builder
	for i := range more {
		id := fmt.Sprintf("X-%04d", i)
		lines.WriteString(event(map[string]any{"id": id, "subject": id, "type": "project.registered.v1"}, map[string]any{"name": "项目" + id, "total_investment": 1000, "registered_on": "2025-01-02", "annual_plan": map[string]any{fmt.Sprint(month.Year()): 500}}) + "\n")
	}
	last := greatestSeq(v.server.publish([]byte(lines.String())))
	v.want(http.StatusOK, http.MethodGet, fmt.Sprintf("/ledger?seq=%d", last), nil, "X-0001") // the pages know them
	v.want(http.StatusOK, http.MethodGet, "/report?district=shanyang", nil, "第 1–100 个项目，共 104 个", "第 1 / 2 页", "P-0001", "!X-0102", "page=2")
	page := v.want(http.StatusOK, http.MethodGet, "/report?district=shanyang&page=2", nil, "第 101–104 个项目", "X-0102", "!P-0001", `name="page" value="2"`)
	form := url.Values{"district": {"shanyang"}, "month": {month.String()}, "page": {"2"}, "nonce": {nonceOf(t, page.body)}, "invested-X-0101": {""}, "invested-X-0102": {"99.5"}}
	v.want(http.StatusOK, http.MethodPost, "/report/progress", form, "已收到 1 条", `value="99.5"`, "X-0101", "!X-0100")
	v.want(http.StatusOK, http.MethodGet, "/report?district=shanyang&page=99", nil, "第 2 / 2 页", "X-0102", `value="99.5"`)
	for i := range more {
		form.Set(fmt.Sprintf("invested-X-%04d", i), "")
	}
	v.want(http.StatusRequestEntityTooLarge, http.MethodPost, "/report/progress", form, "提交的内容过大")
}

// TestLedgerPageFindsAndPages searches, filters, sorts and goes back in time.
func TestLedgerPageFindsAndPages(t *testing.T) {
	t.Parallel()
	server := serve(t)
	v := server.visitor()
	v.want(http.StatusOK, http.MethodGet, "/", nil, "还没有项目入库")
	someProjects(server)
	var lines strings.Builder
	for i := range 60 {
		id := fmt.Sprintf("X-%04d", i)
		lines.WriteString(event(map[string]any{"id": id, "subject": id, "type": "project.registered.v1"}, map[string]any{"name": "项目" + id, "total_investment": 1000 + i, "registered_on": "2025-01-02"}) + "\n")
	}
	server.publish([]byte(lines.String()))
	// The ledger that a page shows may be the one before; one that knows the
	// last event is asked for by its sequence.
	v.want(http.StatusOK, http.MethodGet, "/ledger?seq=62", nil, "共 <b>62</b> 个项目", "第 1 / 2 页", "P-0001", "!X-0059")
	v.want(http.StatusOK, http.MethodGet, "/ledger?page=2", nil, "第 2 / 2 页", "X-0059", "!P-0001")
	v.want(http.StatusOK, http.MethodGet, "/ledger?q=jzzg", nil, "焦作重工扩建", "共 <b>1</b> 个项目") // 焦作重工
	v.want(http.StatusOK, http.MethodGet, "/ledger?q=康养", nil, "云台山康养小镇", "共 <b>1</b> 个项目")
	v.want(http.StatusOK, http.MethodGet, "/ledger?district=xiuwu&tag=市重点", nil, "云台山康养小镇", "共 <b>1</b> 个项目")
	v.want(http.StatusOK, http.MethodGet, "/ledger?light=grey", nil, "没有符合条件的项目")
	checkColumns(t, server.visitor())
	checkExports(t, v)
	v.want(http.StatusOK, http.MethodGet, "/ledger?sort=-total", nil, `aria-sort="descending"`)
	v.want(http.StatusOK, http.MethodGet, "/ledger?as_of=2024-01-01", nil, "没有符合条件的项目", "历史视图")
	v.want(http.StatusOK, http.MethodGet, "/ledger?known=2", nil, "共 <b>2</b> 个项目", "按当时已知")
	v.want(http.StatusUnprocessableEntity, http.MethodGet, "/ledger?as_of=2025-02-30", nil, "日期不对")
	if a := v.ask(http.MethodGet, "/ledger?q=jzzg", nil, "HX-Request", "true"); strings.Contains(a.body, "<html") || !strings.Contains(a.body, "焦作重工扩建") {
		t.Errorf("the part: %s", a.body)
	}
	a := v.want(http.StatusOK, http.MethodGet, "/", nil, "城区组", "所处阶段")
	_, rest, _ := strings.Cut(a.body, `rel="stylesheet" href="`)
	address, _, _ := strings.Cut(rest, `"`)
	if a := v.want(http.StatusOK, http.MethodGet, address, nil, "--accent"); !strings.Contains(a.header.Get("Cache-Control"), "immutable") {
		t.Errorf("the style: %s", a.header)
	}
	v.want(http.StatusNotFound, http.MethodGet, "/assets/other.js", nil)
}

// checkColumns chooses the ledger's columns, which the browser remembers.
func checkColumns(t *testing.T, v *visitor) {
	t.Helper()
	v.want(http.StatusOK, http.MethodGet, "/ledger?col=-&col=enterprise&col=landed-target", nil, "落地目标</th>", "企业</th>", "!下一节点</a></th>", "col=landed-target")
	v.want(http.StatusOK, http.MethodGet, "/ledger?q=jzzg", nil, "落地目标</th>", "!下一节点</a></th>")
	v.want(http.StatusOK, http.MethodGet, "/ledger?col=-&col=target", nil, "!落地目标</th>", "下一节点</a></th>")
	v.server.visitor().want(http.StatusOK, http.MethodGet, "/ledger", nil, "下一节点</a></th>", "完成率</a></th>")
}

// checkExports looks at the rows that the filters find as files.
func checkExports(t *testing.T, v *visitor) {
	t.Helper()
	a := v.want(http.StatusOK, http.MethodGet, "/ledger/export?format=csv&q=jzzg", nil, "\uFEFF项目编号,项目名称", "P-0001,焦作重工扩建", "!P-0002", "一名市级领导")
	if !strings.HasPrefix(a.header.Get("Content-Disposition"), "attachment") || a.header.Get("Content-Type") != "text/csv; charset=utf-8" {
		t.Errorf("the file: %s", a.header)
	}
	a = v.want(http.StatusOK, http.MethodGet, "/ledger/export?format=xlsx&sort=-id&q=项目&known=62", nil)
	book, err := excelize.OpenReader(strings.NewReader(a.body))
	if err != nil {
		t.Fatal(err)
	}
	defer book.Close()
	rows, err := book.GetRows("台账", excelize.Options{RawCellValue: true})
	if err != nil || len(rows) != 61 || rows[0][0] != "项目编号" || rows[1][0] != "X-0059" || rows[1][1] != "项目X-0059" {
		t.Fatalf("%d rows: %v %v", len(rows), rows[:2], err)
	}
	// A day and an amount are numbers to a spreadsheet.
	if day := rows[1][slices.Index(rows[0], "入库日期")]; day != "45659" { // 2025-01-02
		t.Errorf("the day %s", day)
	}
	if total := rows[1][slices.Index(rows[0], "总投资(万元)")]; total != "1059" {
		t.Errorf("the amount %s", total)
	}
	if about, err := book.GetRows("说明"); err != nil || about[3][1] != "名称：项目" {
		t.Errorf("%v %v", about, err)
	}
	v.want(http.StatusUnprocessableEntity, http.MethodGet, "/ledger/export?format=pdf", nil, "没有这种格式")
}

// TestQueryPage runs statements as an analyst.
func TestQueryPage(t *testing.T) {
	t.Parallel()
	server := serve(t)
	someProjects(server)
	v := server.visitor()
	v.want(http.StatusOK, http.MethodGet, "/query", nil, "数据字典", "ledger_current", "项目编号")
	sql := "SELECT project_id, name, NULL AS nothing FROM events ARRAY JOIN [JSONExtractString(data, 'name')] AS name ORDER BY project_id"
	v.want(http.StatusOK, http.MethodPost, "/query", url.Values{"sql": {sql}}, "2 行", "<td>焦作重工扩建</td>", "<td>—</td>")
	if a := v.ask(http.MethodPost, "/query", url.Values{"sql": {sql}, "as": {"csv"}}); a.status != http.StatusOK || !strings.Contains(a.body, `"P-0001","焦作重工扩建"`) || !strings.Contains(a.header.Get("Content-Disposition"), ".csv") {
		t.Errorf("CSV: %d %s %s", a.status, a.header, a.body)
	}
	v.want(http.StatusForbidden, http.MethodPost, "/query", url.Values{"sql": {"DROP TABLE events"}}, "没有查成", "DROP TABLE events")
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/query", url.Values{"sql": {"SELECT nothing"}, "as": {"csv"}}, "没有查成")
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/query", url.Values{"sql": {"SELECT repeat('x', 1000) FROM numbers(100000)"}}, "结果太大")

	v.want(http.StatusOK, http.MethodGet, "/bulletins", nil, "还没有发布过通报")
	if status, text := server.send(http.MethodPost, "/v1/bulletins/2025-10", "", "", ""); status != http.StatusOK {
		t.Fatalf("publish: %d %s", status, text)
	}
	var mark struct {
		KnownSeq uint64 `json:"known_seq"`
	}
	if _, text := server.get(server.HTTP + "/v1/bulletins/2025-10"); json.Unmarshal([]byte(text), &mark) != nil {
		t.Fatal(text)
	}
	if status, text := server.get(fmt.Sprintf("%s/v1/ledger?known=%d", server.HTTP, 3)); status != http.StatusOK { // the publication is applied
		t.Fatalf("%d %s", status, text)
	}
	v.want(http.StatusOK, http.MethodGet, "/bulletins", nil, "月通报", "第 1 期", "/v1/editions/bulletin-2025-10/files/bulletin-2025-10.md", "已发布")
}
