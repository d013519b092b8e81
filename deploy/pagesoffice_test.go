package deploy_test

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"
)

// part is a file of a form.
type part struct {
	field, name string
	content     []byte
}

// upload sends a form with files, as a browser does.
func (v *visitor) upload(path string, form url.Values, files ...part) answer {
	v.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, values := range form {
		for _, value := range values {
			if err := w.WriteField(name, value); err != nil {
				v.t.Fatal(err)
			}
		}
	}
	for _, file := range files {
		header := textproto.MIMEHeader{"Content-Disposition": {fmt.Sprintf(`form-data; name=%q; filename=%q`, file.field, file.name)}, "Content-Type": {"application/pdf"}}
		out, err := w.CreatePart(header)
		if err != nil {
			v.t.Fatal(err)
		}
		if _, err := out.Write(file.content); err != nil {
			v.t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		v.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(v.t.Context(), http.MethodPost, v.server.HTTP+path, &body)
	if err != nil {
		v.t.Fatal(err)
	}
	request.Header.Set("Content-Type", w.FormDataContentType())
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

// is checks an answer as want does.
func (a answer) is(t *testing.T, status int, says ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("%d, want %d: %.1500s", a.status, status, a.body)
	}
	for _, text := range says {
		if not := strings.HasPrefix(text, "!"); strings.Contains(a.body, strings.TrimPrefix(text, "!")) == not {
			t.Errorf("%q: %.2500s", text, a.body)
		}
	}
}

// TestOfficeKeepsItsProjects has an office register a project, prove a
// milestone with a file, revoke and correct what it sent, and import its
// workbook; another office may do none of it.
func TestOfficeKeepsItsProjects(t *testing.T) {
	t.Parallel()
	server := serve(t)
	office, _ := server.token("--role", "office", "--district", "shanyang", "--name", "山阳区办公室")
	other, _ := server.token("--role", "office", "--district", "xiuwu")
	someProjects(server)
	_, today, _ := thisYear()
	v, stranger := server.visitor(), server.visitor()
	v.login(office)
	stranger.login(other)
	nonce := func(path string) string { return nonceOf(t, v.want(http.StatusOK, http.MethodGet, path, nil).body) }

	// Every form, by its own page.
	register := url.Values{"nonce": {nonce("/report/register")}, "subject": {"P 9"}, "name": {"储能电站"}, "total_investment": {"15,000"}, "registered_on": {today.String()}}
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/report/register", register, "项目编号不对", `value="15,000"`)
	register.Set("nonce", nonce("/report/register"))
	register.Set("subject", "P-0009")
	register.Set("targets.landed", (today + 60).String())
	register.Set("tags", "省重点、储能")
	v.want(http.StatusOK, http.MethodPost, "/report/register", register, "已收到 1 条", "!所属县(市)区")
	v.want(http.StatusOK, http.MethodGet, "/projects/P-0009", nil, "储能电站", "省重点", (today + 60).String())
	v.want(http.StatusForbidden, http.MethodGet, "/report/suspend", nil, "只由市级报送")
	stranger.want(http.StatusForbidden, http.MethodGet, "/report/register?district=shanyang", nil, "不代表")
	amend := v.want(http.StatusOK, http.MethodGet, "/report/amend?subject=P-0009", nil, "现在：储能电站", `<option value="P-0009" selected>`)
	v.want(http.StatusOK, http.MethodPost, "/report/amend", url.Values{"nonce": {nonceOf(t, amend.body)}, "subject": {"P-0009"}, "effective_on": {today.String()}, "enterprise": {"企业9有限公司"}}, "已收到 1 条")

	// Evidence is what its content says, and comes back to be saved.
	proof := []byte("%PDF-1.7\n土地出让合同")
	milestone := url.Values{"nonce": {nonce("/report/milestone")}, "subject": {"P-0001"}, "milestone": {"landed"}, "reached_on": {(today + 1).String()}, "evidence_note": {"合同"}}
	v.upload("/report/milestone", milestone, part{"files", "合同.pdf", []byte("<html>")}).is(t, http.StatusUnprocessableEntity, "不收这一类文件")
	a := v.upload("/report/milestone", milestone, part{"files", `C:\材料\合同.pdf`, proof})
	a.is(t, http.StatusUnprocessableEntity, "完成日期晚于今天", "合同.pdf", "已上传")
	sum := regexp.MustCompile(`name="kept" value="([0-9a-f]{64})"`).FindStringSubmatch(a.body)
	if sum == nil {
		t.Fatal("the file was not kept")
	}
	milestone.Set("reached_on", today.String())
	milestone.Set("kept", sum[1])
	milestone.Set("nonce", nonceOf(t, a.body))
	v.upload("/report/milestone", milestone).is(t, http.StatusOK, "已收到 1 条", "!已上传")
	page := v.want(http.StatusOK, http.MethodGet, "/projects/P-0001", nil, `href="/evidence/`+sum[1]+`"`, "合同（合同.pdf）", "已落地", "提出问题")
	file := v.ask(http.MethodGet, "/evidence/"+sum[1], nil)
	if file.status != http.StatusOK || file.body != string(proof) || !strings.HasPrefix(file.header.Get("Content-Disposition"), "attachment") || file.header.Get("X-Content-Type-Options") != "nosniff" || file.header.Get("Content-Type") != "application/pdf" {
		t.Errorf("the file: %d %s", file.status, file.header)
	}
	v.want(http.StatusNotFound, http.MethodGet, "/evidence/"+strings.Repeat("0", 64), nil, "没有这份材料")
	server.visitor().want(http.StatusSeeOther, http.MethodGet, "/evidence/"+sum[1], nil)

	// The milestone is corrected: sent anew with its file, and the old one is
	// revoked.
	event := regexp.MustCompile(`/projects/P-0001/events/(\d+)" aria-label="流序号 \d+ 的节点完成"`).FindStringSubmatch(page.body)
	if event == nil {
		t.Fatalf("no event: %s", page.body)
	}
	place := "/projects/P-0001/events/" + event[1]
	v.want(http.StatusOK, http.MethodGet, place, nil, "更正这条记录", "落地", "合同（合同.pdf）")
	stranger.want(http.StatusOK, http.MethodGet, place, nil, "只有报送单位和市级可以撤销", "!撤销这条记录")
	stranger.want(http.StatusForbidden, http.MethodGet, place+"/correct", nil, "只有报送单位")
	stranger.want(http.StatusForbidden, http.MethodPost, place+"/revoke", url.Values{"reason": {"x"}}, "只有报送单位")
	form := v.want(http.StatusOK, http.MethodGet, place+"/correct", nil, `value="`+today.String()+`"`, "已上传", `<option value="landed" selected>`)
	correction := url.Values{"nonce": {nonceOf(t, form.body)}, "milestone": {"landed"}, "reached_on": {(today + 2).String()}, "kept": {sum[1]}, "correction_reason": {"日期填错"}}
	v.upload(place+"/correct", correction).is(t, http.StatusUnprocessableEntity, "完成日期晚于今天")
	v.want(http.StatusOK, http.MethodGet, place, nil, "更正这条记录") // nothing was revoked
	correction.Set("reached_on", (today - 1).String())
	correction.Set("nonce", nonce(place+"/correct"))
	v.upload(place+"/correct", correction).is(t, http.StatusOK, "已收到 2 条", "已撤销")
	v.want(http.StatusOK, http.MethodGet, "/projects/P-0001", nil, "落地 "+(today-1).String(), "节点完成（已撤销）")
	v.want(http.StatusForbidden, http.MethodPost, place+"/revoke", url.Values{"reason": {"x"}}, "已经撤销")

	page = v.want(http.StatusOK, http.MethodGet, "/projects/P-0009", nil)
	event = regexp.MustCompile(`/projects/P-0009/events/(\d+)" aria-label="流序号 \d+ 的信息变更"`).FindStringSubmatch(page.body)
	revoke := url.Values{"nonce": {nonce("/projects/P-0009/events/" + event[1])}, "reason": {""}, "decided_on": {today.String()}}
	v.want(http.StatusUnprocessableEntity, http.MethodPost, "/projects/P-0009/events/"+event[1]+"/revoke", revoke, "必须填写")
	revoke.Set("reason", "企业未定")
	v.want(http.StatusOK, http.MethodPost, "/projects/P-0009/events/"+event[1]+"/revoke", revoke, "已收到 1 条")
	v.want(http.StatusOK, http.MethodGet, "/projects/P-0009", nil, "企业未填")

	// The workbook: template, preview, errors file, confirmation.
	v.want(http.StatusOK, http.MethodGet, "/report/import", nil, "/v1/imports/template.xlsx?district=shanyang")
	sheet := func(rows ...string) part {
		return part{"file", "台账.csv", []byte("项目编号,项目名称,总投资（万元）,入库日期\n" + strings.Join(rows, "\n") + "\n")}
	}
	empty := url.Values{"district": {"shanyang"}, "snapshot_date": {""}}
	v.upload("/report/import", empty, part{"file", "", nil}).is(t, http.StatusUnprocessableEntity, "没有选择文件")
	stranger.upload("/report/import", empty, sheet("S-1,一号,100,2025-01-02")).is(t, http.StatusForbidden, "不能以这个来源报送")
	sent := v.upload("/report/import", empty, sheet("S-1,一号,100,2025-01-02", "S-2,二号,很多,2025-01-02"))
	if sent.status != http.StatusSeeOther {
		t.Fatalf("preview: %d %.2000s", sent.status, sent.body)
	}
	preview := sent.header.Get("Location")
	v.want(http.StatusOK, http.MethodGet, preview, nil, "确认报送 1 条", "S-1", "退回的单元格", "很多", "下载标注错误的工作簿")
	stranger.want(http.StatusForbidden, http.MethodGet, strings.ReplaceAll(preview, "shanyang", "xiuwu"), nil, "!S-1")
	id, _, _ := strings.Cut(strings.TrimPrefix(preview, "/report/import/"), "?")
	book, err := excelize.OpenReader(strings.NewReader(v.ask(http.MethodGet, "/v1/imports/previews/"+id+"/errors.xlsx", nil).body))
	if err != nil {
		t.Fatal(err)
	}
	if err := book.Close(); err != nil {
		t.Error(err)
	}
	v.want(http.StatusOK, http.MethodPost, "/report/import/"+id+"/confirm", url.Values{}, "已报送 1 条")
	v.want(http.StatusOK, http.MethodPost, "/report/import/"+id+"/confirm", url.Values{}, "已报送 1 条") // a second click
	v.want(http.StatusOK, http.MethodGet, "/ledger?q=S-1", nil, "共 <b>1</b> 个项目")
	v.want(http.StatusNotFound, http.MethodGet, "/report/import/none", nil, "预览已过期")
}
