package deploy_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"milepost/schemas"
)

// token makes a token as the operator does and gives its text and id.
func (p *process) token(args ...string) (text, id string) {
	p.t.Helper()
	var made struct{ ID, Token, Role string }
	out := p.mustRun(nil, append([]string{"token", "create", "--json"}, args...)...)
	if err := json.Unmarshal([]byte(out), &made); err != nil || made.ID == "" || made.Token == "" || made.Role == "" {
		p.t.Fatalf("token create: %q %v", out, err)
	}
	return made.Token, made.ID
}

// send sends a request with a token and gives status and body.
func (p *process) send(method, path, token, contentType, body string) (int, string) {
	p.t.Helper()
	request, err := http.NewRequestWithContext(p.t.Context(), method, p.HTTP+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	request.Header.Set("Content-Type", contentType)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		p.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		p.t.Fatal(err)
	}
	return response.StatusCode, string(text)
}

func freshProject(id, project string, change map[string]any) string {
	members := map[string]any{"id": id, "subject": project, "type": "project.registered.v1", "time": time.Now().Format(time.RFC3339)}
	for key, value := range change {
		members[key] = value
	}
	return event(members, map[string]any{"name": "项目1", "total_investment": 1000, "registered_on": "2025-01-02"})
}

// TestAnOfficeSendsForItsDistrictOnly gives a server its first tokens, and
// follows what an office may and may not send to the warehouse and the audit.
func TestAnOfficeSendsForItsDistrictOnly(t *testing.T) {
	t.Parallel()
	server := serve(t, "--late-after-days", "7")
	office, officeID := server.token("--role", "office", "--district", "shanyang", "--name", "山阳区", "--expires", "90d")
	analyst, _ := server.token("--role", "analyst")
	admin, _ := server.token("--role", "admin")

	now := time.Now().Format(time.RFC3339)
	of := func(district string) map[string]any {
		return map[string]any{"district": district, "source": "/offices/" + district}
	}
	type receipt struct {
		ID       string
		Seq      uint64
		Warnings []schemas.Warning
		Error    *schemas.Error
	}
	cases := []struct{ name, event, field string }{
		{"its own project", freshProject("e-1", "P-0001", nil), ""},
		{"a forged district", freshProject("e-2", "P-0002", of("xiuwu")), "district"},
		{"the city", event(map[string]any{"id": "e-3", "type": "project.suspended.v1", "time": now, "district": "city"}, map[string]any{"effective_on": "2025-10-01", "reason": "x"}), "district"},
		{"another's source", freshProject("e-4", "P-0004", map[string]any{"source": "/offices/xiuwu"}), "source"},
		{"a source that climbs", freshProject("e-5", "P-0005", map[string]any{"source": "/offices/shanyang/../xiuwu"}), "source"},
		{"an approved plan", event(map[string]any{"id": "e-6", "type": "milestone.planned.v1", "time": now}, map[string]any{"milestone": "landed", "planned_on": "2025-10-01", "decided_on": "2025-01-02", "approved": true}), "data.approved"},
		{"a suspension", event(map[string]any{"id": "e-7", "type": "project.suspended.v1", "time": now}, map[string]any{"effective_on": "2025-10-01", "reason": "x"}), "type"},
		{"a plan", event(map[string]any{"id": "e-8", "type": "milestone.planned.v1", "time": now}, map[string]any{"milestone": "landed", "planned_on": "2025-10-01", "decided_on": "2025-01-02"}), ""},
		{"long ago", event(map[string]any{"id": "e-9"}, nil), ""},
	}
	var list []string
	for _, c := range cases {
		list = append(list, c.event)
	}
	status, text := server.send("POST", "/v1/events?wait=true", office, "application/cloudevents-batch+json", "["+strings.Join(list, ",")+"]")
	var receipts []receipt
	if err := json.Unmarshal([]byte(text), &receipts); err != nil || status != 200 || len(receipts) != len(cases) {
		t.Fatalf("%d %s", status, text)
	}
	for i, c := range cases {
		r := receipts[i]
		switch {
		case c.field == "" && (r.Error != nil || r.Seq == 0):
			t.Errorf("%s: %+v", c.name, r.Error)
		case c.field == "":
		case r.Error == nil || r.Error.Code != schemas.Forbidden || r.Error.Field != c.field || r.Error.Value == "" || r.Error.Hint == "" || r.Seq != 0:
			t.Errorf("%s: %+v", c.name, r)
		}
	}
	if late := receipts[len(receipts)-1].Warnings; len(late) != 1 || late[0].Field != "time" || !strings.HasPrefix(late[0].Message, "reported ") {
		t.Errorf("long ago: %+v", late)
	}
	// Alone it is a problem; the same again changes nothing; lines are the same.
	if status, text := server.send("POST", "/v1/events", office, "application/json", cases[1].event); status != 403 || !strings.Contains(text, `"field":"district"`) {
		t.Errorf("alone: %d %s", status, text)
	}
	if status, text := server.send("POST", "/v1/events", office, "application/json", cases[0].event); status != 200 || !strings.Contains(text, `"duplicate":true`) {
		t.Errorf("replayed: %d %s", status, text)
	}
	if r := server.run(strings.NewReader(cases[1].event), "publish", "--token", office); r.code != 1 || !strings.Contains(r.out, `"code":"forbidden"`) {
		t.Errorf("publish: %d %s%s", r.code, r.out, r.err)
	}
	if r := server.run(strings.NewReader(cases[0].event), "publish"); r.code != 1 || !strings.Contains(r.err, "needs a token") {
		t.Errorf("publish without a token: %d %s%s", r.code, r.out, r.err)
	}
	if status, text := server.send("POST", "/v1/query", office, "text/plain", "SELECT 1"); status != 403 {
		t.Errorf("an office asks by SQL: %d %s", status, text)
	}
	if status, text := server.send("POST", "/v1/events", analyst, "application/json", cases[0].event); status != 403 {
		t.Errorf("an analyst publishes: %d %s", status, text)
	}
	if status, text := server.send("POST", "/v1/tokens", office, "application/json", `{"role":"admin"}`); status != 403 {
		t.Errorf("an office makes a token: %d %s", status, text)
	}
	// What came is attributed, and how late it came is to be seen.
	query := func(sql string) string {
		t.Helper()
		status, text := server.send("POST", "/v1/query?format=TSV", analyst, "text/plain", sql)
		if status != 200 {
			t.Fatalf("%s: %d %s", sql, status, text)
		}
		return strings.TrimSpace(text)
	}
	if got := query("SELECT groupUniqArray(actor), groupUniqArray(district), count() FROM events FINAL"); got != "['office:"+officeID+"']\t['shanyang']\t3" {
		t.Errorf("events: %s", got)
	}
	if got := query("SELECT groupArray(id), min(days_after_time) > 7 FROM reporting_delays WHERE days_after_time > 7"); got != "['e-9']\t1" {
		t.Errorf("reporting_delays: %s", got)
	}
	// Revoked is revoked at once.
	server.mustRun(nil, "token", "revoke", officeID, "--token", admin)
	if status, text := server.send("POST", "/v1/events", office, "application/json", cases[0].event); status != 401 || !strings.Contains(text, "revoked") {
		t.Errorf("revoked: %d %s", status, text)
	}
	checkAudit(t, server, admin, officeID, query)
	if code := server.terminate(); code != 0 || !strings.Contains(server.log.String(), "no tokens yet: the server listens on this machine only") {
		t.Errorf("exit code %d; the server did not say that it had no tokens:\n%s", code, server.log)
	}
	if strings.Contains(server.log.String(), office) || strings.Contains(server.log.String(), admin) {
		t.Errorf("a token was logged:\n%s", server.log)
	}
}

func checkAudit(t *testing.T, server *process, admin, officeID string, query func(string) string) {
	t.Helper()
	var records []schemas.AuditRecord
	out := server.mustRun(nil, "audit", "--json", "--token", admin)
	if err := json.Unmarshal([]byte(out), &records); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	counts := map[string]int{}
	var published schemas.AuditRecord
	for _, r := range records {
		counts[r.Action+" "+string(r.Result)]++
		if r.Action == "publish" && r.Actor == "office:"+officeID {
			published.AddPublished(r)
		}
		if r.Remote != "127.0.0.1" {
			t.Errorf("from %q: %+v", r.Remote, r)
		}
	}
	for want, n := range map[string]int{"token.create done": 3, "token.create refused": 1, "token.revoke done": 1} {
		if counts[want] != n {
			t.Errorf("%s: %d times, want %d\n%s", want, counts[want], n, out)
		}
	}
	if published.Published != 3 || published.Refused != 8 || published.Duplicates != 1 || published.FirstSeq != 1 || published.LastSeq != 3 {
		t.Errorf("published: %+v", published)
	}
	// The warehouse's copy follows by itself; the test only waits.
	deadline := time.Now().Add(time.Minute)
	for query("SELECT count() FROM audit WHERE action = 'token.revoke' AND result = 'done' AND target = '"+officeID+"'") != "1" {
		if time.Now().After(deadline) {
			t.Fatalf("the table audit does not know of the revocation: %s", query("SELECT action, result, target FROM audit"))
		}
	}
	if got := query("SELECT sum(published), sum(refused) FROM audit WHERE actor = 'office:" + officeID + "'"); got != "3\t8" {
		t.Errorf("audit by SQL: %s", got)
	}
}

// TestNobodyForgesAnActor publishes past the server, with another's name in
// the header.
func TestNobodyForgesAnActor(t *testing.T) {
	t.Parallel()
	server := serve(t)
	analyst, _ := server.token("--role", "analyst")
	office, _ := server.token("--role", "office", "--district", "shanyang")
	js := server.stream()
	if status, text := server.send("POST", "/v1/events", office, "application/json", freshProject("e-0", "P-0001", nil)); status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	stream, err := js.Stream(t.Context(), schemas.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	real, err := stream.GetMsg(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	put := func(id string, header nats.Header) {
		t.Helper()
		message := &nats.Msg{Subject: "milepost.events.shanyang." + id + ".project.registered", Header: header, Data: []byte(freshProject(id, id, nil))}
		if _, err := js.PublishMsg(t.Context(), message); err != nil {
			t.Fatal(err)
		}
	}
	actor, proof := real.Header.Get(schemas.ActorHeader), real.Header.Get(schemas.ActorProofHeader)
	if actor == "" || proof == "" {
		t.Fatalf("the server proves nothing: %v", real.Header)
	}
	put("nothing", nil)
	put("name", nats.Header{schemas.ActorHeader: {"admin:aaaaaaaa"}})
	put("stolen", nats.Header{schemas.ActorHeader: {actor}, schemas.ActorProofHeader: {proof}})
	last := server.publishAs(t, office, freshProject("e-9", "P-0009", nil))
	status, text := server.send("POST", "/v1/query?format=TSV", analyst, "text/plain", "SELECT id, actor FROM events FINAL ORDER BY stream_seq")
	want := "e-0\t" + actor + "\nnothing\tnats:shanyang\nname\tnats:shanyang\nstolen\tnats:shanyang\ne-9\t" + actor
	if status != 200 || strings.TrimSpace(text) != want || last != 5 {
		t.Errorf("%d\n%s\nwant\n%s", status, text, want)
	}
}

// publishAs publishes an event, waits for the ledger, and gives the sequence.
func (p *process) publishAs(t *testing.T, token, event string) uint64 {
	t.Helper()
	status, text := p.send("POST", "/v1/events?wait=true", token, "application/json", event)
	var receipt struct{ Seq uint64 }
	if err := json.Unmarshal([]byte(text), &receipt); err != nil || status != 201 {
		t.Fatalf("%d %s", status, text)
	}
	return receipt.Seq
}

// TestListeningBeyondTheMachine refuses to be open to everybody, and makes the
// first token on the data folder of a server that does not run.
func TestListeningBeyondTheMachine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	first := serve(t, "--data", data)
	if code := first.terminate(); code != 0 {
		t.Fatalf("exit code %d\n%s", code, first.log)
	}
	everywhere := []string{"serve", "--data", data, "--listen", "0.0.0.0:0", "--clickhouse-listen", "127.0.0.1:0"}
	if r := runCommand(t, nil, everywhere...); r.code != 1 || !strings.Contains(r.err, "without tokens") || !strings.Contains(r.err, "--insecure-listen") || strings.Contains(r.out, "ready") {
		t.Errorf("without tokens: exit %d\n%s%s", r.code, r.out, r.err)
	}
	// The certificate has a name, so that clients can check it.
	cert, key := selfSigned(t)
	made := runCommand(t, nil, "token", "create", "--role", "admin", "--data", data)
	token := strings.TrimSpace(made.out)
	if made.code != 0 || !strings.HasPrefix(token, "mp_") {
		t.Fatalf("token create --data: exit %d\n%s%s", made.code, made.out, made.err)
	}
	again := serve(t, "--data", data, "--listen", "0.0.0.0:0", "--tls-cert", cert, "--tls-key", key)
	_, port, err := net.SplitHostPort(strings.TrimPrefix(again.HTTP, "https://"))
	if err != nil {
		t.Fatalf("%q: %v", again.HTTP, err)
	}
	secured := "https://127.0.0.1:" + port
	t.Run("trusted", func(t *testing.T) {
		run := func(args ...string) result { return runTrusting(t, cert, append(args, "--server", secured)...) }
		if r := run("ledger", "--format", "json", "--token", token); r.code != 0 {
			t.Errorf("with a token: exit %d\n%s%s", r.code, r.out, r.err)
		}
		if r := run("ledger", "--format", "json"); r.code != 1 || !strings.Contains(r.err, "token") {
			t.Errorf("without a token: exit %d\n%s%s", r.code, r.out, r.err)
		}
		var records []schemas.AuditRecord
		r := run("audit", "--json", "--token", token)
		if err := json.Unmarshal([]byte(r.out), &records); err != nil || len(records) != 1 || !strings.HasPrefix(records[0].Actor, "operator:") || records[0].Result != schemas.AuditDone {
			t.Errorf("audit: exit %d %v\n%s%s", r.code, err, r.out, r.err)
		}
	})
	if r := runCommand(t, nil, "ledger", "--server", secured, "--token", token); r.code != 1 || !strings.Contains(r.err, "certificate") {
		t.Errorf("a certificate that nobody signed: exit %d\n%s", r.code, r.err)
	}
	if r := runCommand(t, nil, "token", "create", "--role", "admin", "--data", data); r.code != 1 || !strings.Contains(r.err, "in use") {
		t.Errorf("while the server runs: exit %d\n%s", r.code, r.err)
	}
	if r := runCommand(t, nil, "token", "list", "--data", filepath.Join(data, "none")); r.code != 1 || !strings.Contains(r.err, "no server ever ran") {
		t.Errorf("a folder without a server: exit %d\n%s", r.code, r.err)
	}
}

// TestEvidenceCanBeRequired refuses a milestone without evidence.
func TestEvidenceCanBeRequired(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "milepost.yaml")
	if err := os.WriteFile(config, []byte("rule_sets:\n  - from: 2025-07-01\n    evidence_required: true\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := serve(t, "--config", config)
	reached := func(id, day string, evidence ...any) string {
		data := map[string]any{"milestone": "landed", "reached_on": day}
		if evidence != nil {
			data["evidence"] = evidence
		}
		return event(map[string]any{"id": id, "type": "milestone.reached.v1"}, data)
	}
	lines := strings.Join([]string{
		reached("before", "2025-06-30"), reached("without", "2025-07-01"), reached("with", "2025-07-01", map[string]any{"uri": "https://example.org/1.pdf"}),
	}, "\n")
	r := server.run(bytes.NewReader([]byte(lines)), "publish")
	got := strings.Split(strings.TrimSpace(r.out), "\n")
	if len(got) != 3 || !strings.Contains(got[0], `"error":null`) || !strings.Contains(got[2], `"error":null`) ||
		!strings.Contains(got[1], `"field":"data.evidence"`) || !strings.Contains(got[1], `"hint":"add evidence`) {
		t.Errorf("%s%s", r.out, r.err)
	}
}

// TestSendersAreHeldAgainstTheLedger refuses what depends on the project: a
// plan that an office lowers, and what a department does not answer for.
func TestSendersAreHeldAgainstTheLedger(t *testing.T) {
	t.Parallel()
	config := filepath.Join(t.TempDir(), "milepost.yaml")
	if err := os.WriteFile(config, []byte("departments:\n  - {id: fgw, name: 市发展改革委, aliases: [市发改委]}\n  - {id: gxj, name: 市工信局}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	server := serve(t, "--config", config)
	office, _ := server.token("--role", "office", "--district", "shanyang")
	city, _ := server.token("--role", "office", "--district", "city")
	department, _ := server.token("--role", "department", "--department", "fgw", "--source-prefix", "/departments/fgw")
	year := time.Now().Year()
	plan := func(value int) map[string]any { return map[string]any{time.Now().Format("2006"): value} }
	of := func(id, source, district, kind string, data map[string]any) string {
		return event(map[string]any{"id": id, "source": source, "district": district, "type": kind, "time": time.Now().Format(time.RFC3339)}, data)
	}
	day := time.Date(year, 1, 1, 12, 0, 0, 0, schemas.Location).Format("2006-01-02")
	server.publishAs(t, office, of("o-1", "/offices/shanyang", "shanyang", "project.registered.v1", map[string]any{"name": "项目1", "total_investment": 1000, "registered_on": day, "annual_plan": plan(100)}))
	server.publishAs(t, office, of("o-2", "/offices/shanyang", "shanyang", "project.assigned.v1", map[string]any{"lead": "领导甲", "department": "市工信局", "effective_on": day}))
	server.publishAs(t, department, of("d-1", "/departments/fgw", "city", "issue.raised.v1", map[string]any{"issue_id": "i-1", "title": "用地", "category": "land", "department": "市发改委", "raised_on": day, "due_on": day}))
	server.publishAs(t, office, of("o-3", "/offices/shanyang", "shanyang", "issue.raised.v1", map[string]any{"issue_id": "i-2", "title": "用电", "category": "utilities", "department": "市工信局", "raised_on": day, "due_on": day}))
	amended := func(id, source, district string, value int) string {
		return of(id, source, district, "project.amended.v1", map[string]any{"effective_on": day, "annual_plan": plan(value)})
	}
	progress := func(id string) string {
		return of(id, "/departments/fgw", "city", "progress.reported.v1", map[string]any{"month": day[:7], "invested_ytd": 1})
	}
	resolved := func(id, issue string) string {
		return of(id, "/departments/fgw", "city", "issue.resolved.v1", map[string]any{"issue_id": issue, "resolved_on": day})
	}
	for _, c := range []struct{ name, token, event, field string }{
		{"an office raises the plan", office, amended("p-1", "/offices/shanyang", "shanyang", 120), ""},
		{"an office lowers the plan", office, amended("p-2", "/offices/shanyang", "shanyang", 119), "data.annual_plan"},
		{"an office sends again what holds no more", office, amended("p-1", "/offices/shanyang", "shanyang", 120), ""},
		{"the city lowers the plan", city, amended("p-3", "/offices/city", "city", 50), ""},
		{"an office raises it again", office, amended("p-4", "/offices/shanyang", "shanyang", 60), ""},
		{"another's progress", department, progress("d-2"), "subject"},
		{"the end of another's issue", department, resolved("d-3", "i-2"), "subject"},
		{"the end of an unknown issue", department, resolved("d-4", "i-9"), "subject"},
		{"the end of its issue", department, resolved("d-5", "i-1"), ""},
		{"the project becomes its own", office, of("o-4", "/offices/shanyang", "shanyang", "project.assigned.v1", map[string]any{"lead": "领导甲", "department": "fgw", "effective_on": day}), ""},
		{"its progress", department, progress("d-6"), ""},
		{"the end of another's issue of its project", department, resolved("d-7", "i-2"), ""},
		{"progress of no project", department, event(map[string]any{"id": "d-8", "source": "/departments/fgw", "district": "city", "subject": "P-7777"}, nil), "subject"},
	} {
		status, text := server.send("POST", "/v1/events?wait=true", c.token, "application/json", c.event)
		switch {
		case c.field == "" && status != 201 && status != 200:
			t.Errorf("%s: %d %s", c.name, status, text)
		case c.field != "" && (status != 403 || !strings.Contains(text, `"field":"`+c.field+`"`)):
			t.Errorf("%s: %d %s", c.name, status, text)
		}
	}
}
