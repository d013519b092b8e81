package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"milepost/schemas"
)

const ownParagraphs = `instructions: [请各地对照台账抓紧推进。]
causes: [部分项目征地拆迁滞后。]
next: [逐月调度。]
`

// TestTheLifeOfAnEdition takes a bulletin from its draft over a return with
// remarks, approval, publication and correction to its withdrawal, with a
// restart in between; every act is done twice.
func TestTheLifeOfAnEdition(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	args := []string{"--data", data, "--config", writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, formats: [html, md, json, docx, xlsx]}\n")}
	server := serve(t, args...)
	server.publish(smallEvents(t, 278))
	const id = "bulletin-2025-10"

	server.refused("no draft and no edition", "approve", id)
	server.refused("not due yet", "draft", "2099-01")
	server.refused("not the id of an edition", "approve", "october")
	draft := server.edition("draft", "2025-10", "--remarks", writeFile(t, "own.yaml", ownParagraphs))
	if draft.ID != id || draft.State != schemas.EditionDrafted || draft.Number != nil || draft.KnownSeq == 0 || len(draft.RulesHash) != 64 || draft.Draft.Blocks.Causes[0] != "部分项目征地拆迁滞后。" {
		t.Fatalf("draft: %+v", draft)
	}
	server.refused("nobody approved the draft", "publish-edition", id)
	server.refused("only a published edition is withdrawn", "withdraw", id, "--reason", "x")
	server.refused("only a published edition is corrected", "correct", id)
	returned := server.edition("return", id, "--remark", "请核实投资完成率。")
	if returned.State != schemas.EditionReturned || len(returned.Draft.Returns) != 1 || returned.Draft.Returns[0].Text != "请核实投资完成率。" {
		t.Errorf("returned: %+v", returned.Draft)
	}
	server.refused("the draft was returned", "approve", id)
	server.refused("the draft was returned", "publish-edition", id)

	known := greatestSeq(server.publish([]byte(event2("life-1", "/offices/shanyang", "shanyang", "P-0007", map[string]any{"month": "2025-10", "invested_ytd": 180000}) + "\n")))
	redraft := server.edition("draft", "2025-10")
	if redraft.State != schemas.EditionDrafted || redraft.KnownSeq != known || redraft.Draft.Blocks.Instructions[0] != "请各地对照台账抓紧推进。" || len(redraft.Draft.Returns) != 1 {
		t.Errorf("drafted again: %+v", redraft.Draft)
	}
	if status, page := server.get(server.HTTP + redraft.Preview); status != 200 || !strings.Contains(page, "部分项目征地拆迁滞后。") || !strings.Contains(page, "草案") {
		t.Errorf("preview: %d\n%.300s", status, page)
	}
	if approved := server.edition("approve", id); approved.Draft.Approved == nil || approved.State != schemas.EditionDrafted {
		t.Errorf("approved: %+v", approved.Draft)
	}
	// What becomes known after the approval is not printed.
	server.publish([]byte(event2("life-2", "/offices/shanyang", "shanyang", "P-0007", map[string]any{"month": "2025-10", "invested_ytd": 181000}) + "\n"))
	published := server.edition("publish-edition", id)
	if published.State != schemas.EditionPublished || published.Number == nil || *published.Number != 1 || published.KnownSeq != known || len(published.Files) != 12 {
		t.Fatalf("published: %+v", published)
	}
	folder := filepath.Join(data, "bulletins", "month", "2025-10")
	files := server.wantFiles(published, folder)
	today := schemas.DateOf(time.Now())
	day := fmt.Sprintf("%d年%d月%d日", today.Year(), int(today.Time().Month()), today.Time().Day())
	official, media := files[id+".md"], files[id+"-media.md"]
	for _, want := range []string{"第1期", "请各地对照台账抓紧推进。", "部分项目征地拆迁滞后。", day} {
		if !strings.Contains(official, want) {
			t.Errorf("the official edition lacks %q", want)
		}
	}
	if media == "" || strings.Contains(media, "请各地对照台账抓紧推进。") || !strings.Contains(media, "部分项目征地拆迁滞后。") {
		t.Errorf("the media edition reads\n%.500s", media)
	}
	if made := files["settings-2025-10.json"]; !strings.Contains(made, `"signed": "`+today.String()+`"`) || !strings.Contains(made, `"逐月调度。"`) || !strings.Contains(made, `"template_version"`) {
		t.Errorf("settings: %s", made)
	}
	for _, act := range [][]string{{"draft", "2025-10"}, {"approve", id}, {"return", id, "--remark", "x"}} {
		server.refused("published", act...)
	}
	if printed := server.mustRun(nil, "bulletin", "2025-10", "--publish", "--format", "md"); printed != official {
		t.Error("bulletin --publish prints something else than the edition")
	}

	correction := server.edition("correct", id)
	if correction.ID != id+"-c1" || *correction.Number != 2 || correction.Corrects == nil || *correction.Corrects != 1 || correction.KnownSeq <= published.KnownSeq || correction.RulesHash != published.RulesHash {
		t.Fatalf("correction: %+v", correction)
	}
	corrected := server.wantFiles(correction, folder+"-c1")
	for _, want := range []string{"（更正）", "第2期", "部分项目征地拆迁滞后。"} {
		if !strings.Contains(corrected[id+"-c1.md"], want) {
			t.Errorf("the correction lacks %q", want)
		}
	}
	if model := corrected[id+"-c1.json"]; !strings.Contains(model, `"path": "investment/invested"`) {
		t.Errorf("the correction does not say what changed:\n%.2000s", model)
	}
	server.refused("nothing changed since", "correct", correction.ID)

	// A restart, and a folder that was lost: the same bytes.
	before := server.mustRun(nil, "editions", "--json")
	server.terminate()
	if err := os.RemoveAll(folder + "-c1"); err != nil {
		t.Fatal(err)
	}
	server = serve(t, args...)
	if after := server.mustRun(nil, "editions", "--json"); after != before {
		t.Errorf("after a restart:\n%s\nbefore:\n%s", after, before)
	}
	if printed := server.mustRun(nil, "bulletin", "2025-10", "--publish", "--format", "md"); printed != corrected[id+"-c1.md"] {
		t.Error("the latest edition of the period is the correction, and reads as it was published")
	}
	server.wantFiles(published, folder)
	server.wantFiles(correction, folder+"-c1")

	withdrawn := server.edition("withdraw", id, "--reason", "数据有误")
	if withdrawn.State != schemas.EditionWithdrawn || *withdrawn.Number != 1 || withdrawn.Withdrawn.Reason != "数据有误" {
		t.Errorf("withdrawn: %+v", withdrawn)
	}
	if status, body := server.get(server.HTTP + published.Files[0].Path); status != 410 || !strings.Contains(body, "数据有误") || !strings.Contains(body, `"code":"withdrawn"`) {
		t.Errorf("a file of what was withdrawn: %d %s", status, body)
	}
	if notice, err := os.ReadFile(filepath.Join(folder, "withdrawn.txt")); err != nil || !strings.Contains(string(notice), "数据有误") {
		t.Errorf("beside the withdrawn files: %q, %v", notice, err)
	}
	server.refused("withdrawn before", "withdraw", id, "--reason", "另有原因")
	server.mustRun(nil, "bulletin", "2025-09", "--publish")
	var numbers []string
	for _, e := range server.editions() {
		numbers = append(numbers, fmt.Sprintf("%s/%d/%s", e.ID, *e.Number, e.State))
	}
	if want := []string{id + "/1/withdrawn", id + "-c1/2/published", "bulletin-2025-09/3/published"}; !slices.Equal(numbers, want) {
		t.Errorf("editions: %v, want %v", numbers, want)
	}
	if table := server.mustRun(nil, "editions"); !strings.Contains(table, "已撤回") || !strings.Contains(table, "更正第1期") {
		t.Errorf("as a table:\n%s", table)
	}
	server.mustRun(strings.NewReader(""), "publish", "--wait")
	states := server.mustRun(nil, "query", "--format", "tsv", "SELECT period, issue_no, state, corrects, replaced_by, withdrawn_at IS NOT NULL AS gone, withdrawal_reason FROM published_editions ORDER BY published_seq")
	if want := "2025-10\t1\twithdrawn\t\\N\t2\t1\t数据有误\n2025-10\t2\tpublished\t1\t\\N\t0\t\\N\n2025-09\t3\tpublished\t\\N\t\\N\t0\t\\N\n"; !strings.HasSuffix(states, want) {
		t.Errorf("published_editions:\n%swant\n%s", states, want)
	}
	if acts := server.mustRun(nil, "audit"); !strings.Contains(acts, "edition.withdraw") || !strings.Contains(acts, "edition.approve") || !strings.Contains(acts, "edition.correct") {
		t.Errorf("audit:\n%s", acts)
	}
}

// TestSignOffByAnother asks for two people, and lets departments answer first.
func TestSignOffByAnother(t *testing.T) {
	t.Parallel()
	server := serve(t, "--config", writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, second_person: true, formats: [md]}\n"))
	server.publish(smallEvents(t, 278))
	first, _ := server.token("--role", "editor", "--name", "编辑甲")
	second, _ := server.token("--role", "editor", "--name", "编辑乙")
	analyst, _ := server.token("--role", "analyst")
	office, _ := server.token("--role", "office", "--district", "shanyang")
	asked, _ := server.token("--role", "department", "--department", "甲局", "--source-prefix", "/departments/a")
	other, _ := server.token("--role", "department", "--department", "乙局", "--source-prefix", "/departments/b")
	as := func(token string, args ...string) []string { return append(args, "--token", token) }
	const id = "bulletin-2025-10"

	server.refused("the token's role may not do this", as(analyst, "draft", "2025-10")...)
	server.refused("the token's role may not do this", as(office, "approve", id)...)
	server.refused("another person than the drafter", as(first, "bulletin", "2025-10", "--publish")...)
	server.edition(as(first, "draft", "2025-10")...)
	server.refused("another person than the drafter", as(first, "approve", id)...)

	until := schemas.DateOf(time.Now()) + 3
	server.refused("the last day has passed", as(first, "consult", id, "--until", "2025-01-01")...)
	server.edition(as(first, "consult", id, "--until", until.String(), "--department", "甲局", "--department", "丙局")...)
	server.refused("departments may still answer", as(second, "approve", id)...)
	for token, want := range map[string]int{asked: 200, other: 403, office: 403, analyst: 200} {
		if status, body := server.send("GET", "/v1/editions/"+id+"/preview?format=md", token, "", ""); status != want {
			t.Errorf("preview: %d, want %d: %.200s", status, want, body)
		}
	}
	server.refused("was not asked", as(other, "answer", id, "--text", "无意见")...)
	answered := server.edition(as(asked, "answer", id, "--text", "建议核实本局两个项目。")...)
	if answers := answered.Draft.Consultation.Answers; len(answers) != 1 || answers[0].Department != "甲局" || !strings.HasPrefix(answers[0].By, "department:") {
		t.Errorf("answers: %+v", answers)
	}
	server.edition(as(first, "consult", id, "--close")...)
	server.refused("the round has ended", as(asked, "answer", id, "--text", "另有意见。")...)
	approved := server.edition(as(second, "approve", id)...)
	if approved.Draft.Approved == nil || approved.Draft.Approved.By == approved.Draft.Drafted.By || len(approved.Draft.Consultation.Answers) != 1 {
		t.Errorf("approved: %+v", approved.Draft)
	}
	if published := server.edition(as(first, "publish-edition", id)...); *published.Number != 1 {
		t.Errorf("published: %+v", published)
	}
	server.refused("another person than the drafter", as(first, "correct", id, "--remark", "文字更正")...)
	correction := server.edition(as(first, "correct", id, "--remark", "文字更正", "--draft")...)
	if correction.State != schemas.EditionDrafted || *correction.Corrects != 1 {
		t.Errorf("correction: %+v", correction)
	}
	server.edition(as(second, "approve", correction.ID)...)
	if published := server.edition(as(first, "publish-edition", correction.ID)...); *published.Number != 2 {
		t.Errorf("published correction: %+v", published)
	}
}

// TestAnAssessmentIsAnnounced announces a year and takes objections; meanwhile it
// is not finalised.
func TestAnAssessmentIsAnnounced(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	server := serve(t, "--data", data, "--config", writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, assessment: off, formats: [md, xlsx], announcement_days: 7}\n"))
	server.publish([]byte(failingCity()))
	server.refused("is not announced", "object", "2025", "--group", "district", "--key", "xiuwu", "--text", "不实")
	announce := []string{"assess", "2024", "--announce"}
	table := server.mustRun(nil, announce...)
	if again := server.mustRun(nil, announce...); again != table || !strings.Contains(table, "公示至"+(schemas.DateOf(time.Now())+7).String()) {
		t.Errorf("announced:\n%sagain:\n%s", table, again)
	}
	objected := server.edition("object", "2024", "--group", "district", "--key", "xiuwu", "--text", "开工日期有误。")
	if objected.State != schemas.EditionAnnounced || len(objected.Objections) != 1 || objected.Objections[0].Text != "district/xiuwu: 开工日期有误。" {
		t.Fatalf("objected: %+v", objected)
	}
	server.refused("no such row", "object", "2024", "--group", "district", "--key", "nowhere", "--text", "不实")
	server.refused("is being announced", "assess", "2024", "--finalise")
	server.wantFiles(objected, filepath.Join(data, "bulletins", "assessment", "2024-announced"))
	// What the objection was right about is recorded, and the year announced anew.
	again := []string{"assess", "2024", "--announce", "--again"}
	server.refused("nothing changed since the announcement", again...)
	server.publish([]byte(adjustment("j-4", "district", "xiuwu", 1.5, 2024)))
	table = server.mustRun(nil, append(again, "--days", "9")...)
	if repeated := server.mustRun(nil, append(again, "--days", "9")...); repeated != table || !strings.Contains(table, "公示至"+(schemas.DateOf(time.Now())+9).String()) {
		t.Errorf("announced anew:\n%sagain:\n%s", table, repeated)
	}
	anew := server.edition("object", "2024", "--group", "district", "--key", "xiuwu", "--text", "开工日期有误。")
	if len(anew.Objections) != 2 {
		t.Errorf("the same objection to what was announced anew: %+v", anew.Objections)
	}
	if changes := server.wantFiles(anew, filepath.Join(data, "bulletins", "assessment", "2024-announced-2"))["changes-2024.md"]; !strings.Contains(changes, "| 修武县 | 调整分 | 0.00 | 1.50 |") {
		t.Errorf("what changed:\n%s", changes)
	}
	events := server.mustRun(nil, "query", "--format", "tsv", "SELECT type FROM events FINAL WHERE type LIKE 'assessment.%' ORDER BY stream_seq")
	if events != "type\nassessment.announced.v1\nassessment.objected.v1\nassessment.announced.v1\nassessment.objected.v1\n" {
		t.Errorf("events:\n%s", events)
	}
	// Another year needs no announcement; its result is frozen with its files.
	server.mustRun(nil, "assess", "2023", "--finalise")
	for _, e := range server.editions() {
		if e.ID == "assessment-2023" && (e.State != schemas.EditionPublished || *e.Number != 1) {
			t.Errorf("finalised: %+v", e)
		}
	}
	server.refused("was finalised", "object", "2023", "--group", "district", "--key", "xiuwu", "--text", "不实")
	server.refused("was finalised", "assess", "2023", "--announce")

	// Later truth becomes a numbered correction, which says what changed.
	server.refused("nothing changed since", "correct", "assessment-2023")
	server.refused("is not withdrawn", "withdraw", "assessment-2023", "--reason", "数据有误")
	server.publish([]byte(adjustment("j-5", "district", "xiuwu", -2.25, 2023)))
	draft := server.edition("correct", "assessment-2023", "--draft", "--remark", "补记扣分")
	if draft.ID != "assessment-2023-c1" || draft.State != schemas.EditionDrafted || draft.Number != nil || *draft.Corrects != 1 {
		t.Errorf("draft of the correction: %+v", draft)
	}
	if status, body := server.get(server.HTTP + draft.Preview + "?format=md"); status != 200 || !strings.Contains(body, "草案") {
		t.Errorf("preview: %d %.300s", status, body)
	}
	server.edition("approve", draft.ID)
	correction := server.edition("publish-edition", draft.ID)
	if *correction.Number != 2 || correction.State != schemas.EditionPublished || correction.KnownSeq != draft.KnownSeq {
		t.Errorf("correction: %+v", correction)
	}
	files := server.wantFiles(correction, filepath.Join(data, "bulletins", "assessment", "2023-c1"))
	if !strings.Contains(files["assessment-2023-c1.md"], "定稿（第1号更正）") || !strings.Contains(files["changes-2023-c1.md"], "| 修武县 | 调整分 | 0.00 | -2.25 |") {
		t.Errorf("its files:\n%.300s\n%s", files["assessment-2023-c1.md"], files["changes-2023-c1.md"])
	}
	t.Logf("%s\n%s", server.mustRun(nil, "editions"), files["changes-2023-c1.md"])
	if printed := server.mustRun(nil, "assess", "2023", "--finalise", "--format", "md"); printed != files["assessment-2023-c1.md"] {
		t.Error("the latest edition of the year is the correction, and reads as it was published")
	}
}

// TestWithoutChromiumThereIsNoPDF publishes where nothing prints PDF.
func TestWithoutChromiumThereIsNoPDF(t *testing.T) {
	t.Parallel()
	server := serve(t, "--config", writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, formats: [md, pdf]}\ndocuments: {browser: /nowhere/chromium}\n"))
	server.publish(smallEvents(t, 100))
	server.mustRun(nil, "bulletin", "2025-10", "--publish")
	published := server.editions()[0]
	if slices.ContainsFunc(published.Files, func(f schemas.EditionFile) bool { return strings.HasSuffix(f.Name, ".pdf") }) || len(published.Files) != 6 {
		t.Errorf("files: %+v", published.Files)
	}
	server.terminate()
	if said := strings.Count(server.log.String(), "no PDF was printed"); said != 2 {
		t.Errorf("told %d times:\n%s", said, server.log)
	}
}
