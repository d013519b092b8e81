package deploy_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestServerKeepsToOpenAPI asks every documented operation of a real server, and
// holds each request and each answer against the document.
func TestServerKeepsToOpenAPI(t *testing.T) {
	t.Parallel()
	server, _ := delivering(t, "http://127.0.0.1:9")
	a := readOpenAPI(t, server)
	a.get("/healthz", 204)
	a.get("/readyz", 204)
	a.contract()
	a.events()
	a.evidence()
	a.imports()
	a.reports()
	a.editions()
	a.deadLetters()
	a.deliveries()
	a.administration()
	a.operations(func(path, method string, operation place) {
		id := operation.value["operationId"].(string)
		statuses := a.answered[id]
		slices.Sort(statuses)
		t.Logf("%-20s %-6s %-36s %v", id, method, path, slices.Compact(statuses))
		if !slices.ContainsFunc(statuses, func(status int) bool { return status < 300 }) {
			t.Errorf("%s %s was never asked with success", method, path)
		}
	})
}

func (a *openAPI) get(path string, want int) []byte {
	a.t.Helper()
	return a.do(call{method: http.MethodGet, path: path, want: want})
}

func (a *openAPI) post(path, mediaType, body string, want int) []byte {
	a.t.Helper()
	return a.do(call{method: http.MethodPost, path: path, mediaType: mediaType, body: body, want: want})
}

// into reads an answer.
func into[T any](a *openAPI, body []byte) T {
	a.t.Helper()
	var value T
	if err := json.Unmarshal(body, &value); err != nil {
		a.t.Fatalf("%v: %s", err, body)
	}
	return value
}

// contract reads the documents themselves; every schema must compile where it
// is served.
func (a *openAPI) contract() {
	a.t.Helper()
	a.get("/v1/openapi.yaml", 200)
	a.get("/v1/openapi.json", 200)
	list := into[struct {
		Schemas []struct{ Name, Kind, URL string }
	}](a, a.get("/v1/schemas", 200))
	kinds := map[string]int{}
	for _, s := range list.Schemas {
		kinds[s.Kind]++
		a.get(s.URL+".json", 200)
		if a.get(s.URL, 200); s.Kind == "definitions" {
			continue
		}
		if _, err := a.compiler.Compile(a.server.HTTP + s.URL + ".json"); err != nil {
			a.t.Errorf("%s: %v", s.Name, err)
		}
	}
	if kinds["event"] != 18 || kinds["report"] != 3 || kinds["definitions"] != 1 {
		a.t.Errorf("schemas: %v", kinds)
	}
	a.get("/v1/schemas/project.imagined.v1", 404)
	// The document's own schemas compile, used or not.
	schemas, _ := a.at(a.root(), "components", "schemas")
	for name := range schemas.value {
		a.schemaAt(place{schemas.pointer + "/" + name, nil})
	}

	for _, on := range []string{"", "?on=2025-10-31"} {
		m := into[struct {
			Hash  string
			Rules json.RawMessage
		}](a, a.get("/v1/method"+on, 200))
		if sum := sha256.Sum256(m.Rules); m.Hash != hex.EncodeToString(sum[:]) {
			a.t.Errorf("the hash %s is not that of %s", m.Hash, m.Rules)
		}
	}
	a.get("/v1/method?on=yesterday", 422)
}

// events sends the small golden case in every way that the document names.
func (a *openAPI) events() {
	a.t.Helper()
	lines := bytes.Split(bytes.TrimSpace(smallEvents(a.t, 278)), []byte("\n"))
	one, list, rest := string(lines[0]), bytes.Join(lines[1:20], []byte(",")), bytes.Join(lines[20:], []byte("\n"))
	const cloudEvent, jsonLines = "application/cloudevents+json", "application/x-ndjson"
	a.post("/v1/events", cloudEvent, one, 201)
	again := into[receipt](a, a.post("/v1/events", "application/json", one, 200))
	if !again.Duplicate || again.Seq != 1 {
		a.t.Errorf("sent again: %+v", again)
	}
	receipts := into[[]receipt](a, a.post("/v1/events", "application/cloudevents-batch+json", "["+string(list)+"]", 200))
	if len(receipts) != 19 || receipts[18].Seq != 20 {
		a.t.Errorf("receipts of the list: %+v", receipts)
	}
	if answers := bytes.Count(a.post("/v1/events?wait=true", jsonLines, string(rest), 200), []byte("\n")); answers != len(lines)-20 {
		a.t.Errorf("%d receipts of lines", answers)
	}
	a.post("/v1/events?wait=5", jsonLines, string(lines[30]), 200)
	// Some bad events among good ones: each its own receipt.
	bad := strings.Replace(one, `"specversion"`, `"specversions"`, 1)
	mixed := into[[]receipt](a, a.do(call{method: http.MethodPost, path: "/v1/events", mediaType: "application/cloudevents-batch+json", body: "[" + one + "," + bad + "]", want: 200}.unchecked(a)))
	if len(mixed) != 2 || string(mixed[0].Error) != "null" || string(mixed[1].Error) == "null" {
		a.t.Errorf("receipts of good and bad: %s %s", mixed[0].Error, mixed[1].Error)
	}
	a.post("/v1/events", cloudEvent, bad, 422)
	a.post("/v1/events", cloudEvent, "{", 400)
	a.post("/v1/events", cloudEvent, event(map[string]any{"district": "nowhere"}, nil), 422)
	a.post("/v1/events?wait=perhaps", cloudEvent, one, 422)
	a.post("/v1/events", "application/pdf", one, 415)
	a.post("/v1/events", cloudEvent, `{"data":"`+strings.Repeat("x", 300<<10)+`"}`, 413)
}

// unchecked gives a call whose body is known to break the document.
func (c call) unchecked(a *openAPI) call {
	a.t.Helper()
	if _, operation := a.operationOf(c.method, c.path); accepts(a.requestSchema(operation, c.mediaType), c.body) == nil {
		a.t.Errorf("the document accepts %s", c.body)
	}
	c.brokenBody = true
	return c
}

func (a *openAPI) requestSchema(operation place, mediaType string) *jsonschema.Schema {
	a.t.Helper()
	schema, found := a.at(operation, "requestBody", "content", mediaType, "schema")
	if !found {
		a.t.Fatalf("no body of type %s", mediaType)
	}
	return a.schemaAt(schema)
}

const sheetMapping = `
source: /offices/xiuwu/sheet
sender: xiuwu
file: {encoding: utf-8}
dates: [YYYY-MM-DD]
project: {column: 编号}
name: {column: 名称}
total_investment: {column: 总投资}
`

// sheets is a form with a small sheet, one of whose rows is refused.
func (a *openAPI) sheets() (mediaType, body string) {
	a.t.Helper()
	var form bytes.Buffer
	parts := multipart.NewWriter(&form)
	for _, part := range [][2]string{{"mapping", sheetMapping}, {"snapshot_date", "2025-11-01"}} {
		if err := parts.WriteField(part[0], part[1]); err != nil {
			a.t.Fatal(err)
		}
	}
	file, err := parts.CreateFormFile("file", "台账.csv")
	if err == nil {
		_, err = file.Write([]byte("编号,名称,总投资\nX-1,企业12有限公司项目,12000\nX-2,企业13有限公司项目,不详\n"))
	}
	if err := errors.Join(err, parts.Close()); err != nil {
		a.t.Fatal(err)
	}
	return parts.FormDataContentType(), form.String()
}

// evidence keeps a file, gives it back, and refuses what is none.
func (a *openAPI) evidence() {
	a.t.Helper()
	const file = "%PDF-1.7\nmade up\n"
	address := "/v1/evidence?name=" + url.QueryEscape("../验收 意见.pdf")
	var first string
	for range 2 {
		kept := into[struct {
			SHA256, Name, URI string
			Size              int
		}](a, a.post(address, "application/octet-stream", file, 201))
		sum := sha256.Sum256([]byte(file))
		if kept.SHA256 != hex.EncodeToString(sum[:]) || kept.Name != "验收 意见.pdf" || kept.URI != "/evidence/"+kept.SHA256 || kept.Size != len(file) {
			a.t.Errorf("kept %+v", kept)
		}
		first = kept.SHA256
	}
	if got := a.get("/v1/evidence/"+first, 200); string(got) != file {
		a.t.Errorf("%q came back", got)
	}
	a.get("/v1/evidence/"+strings.Repeat("0", 64), 404)
	a.get("/v1/evidence/passwd", 404)
	a.post(address, "application/octet-stream", "<html>", 422)
	a.post(address, "application/octet-stream", "%PDF-"+strings.Repeat(" ", 20<<20), 413)
}

func (a *openAPI) imports() {
	a.t.Helper()
	mediaType, form := a.sheets()
	type numbers struct {
		ID                          string
		Planned, Published, Refused any
	}
	made := into[numbers](a, a.post("/v1/imports/previews", mediaType, form, 201))
	preview := "/v1/imports/previews/" + made.ID
	a.get(preview, 200)
	a.get(preview+"/errors.xlsx", 200)
	confirmed := into[numbers](a, a.post(preview+"/confirm?wait=true", "", "", 200))
	a.t.Logf("previewed: %v planned; confirmed: %v published, %v refused", made.Planned, confirmed.Published, confirmed.Refused)
	a.get(preview, 200)
	a.do(call{method: http.MethodDelete, path: preview, want: 204})
	a.get(preview, 404)
	a.post("/v1/imports/previews?progress=true", mediaType, form, 200)
	for _, query := range []string{"?dry_run=true", "?wait=true", "?progress=true", ""} {
		a.post("/v1/imports"+query, mediaType, form, 200)
	}
	a.post("/v1/imports?dry_run=perhaps", mediaType, form, 422)
	a.post("/v1/imports", "application/json", "{}", 400)
	a.get("/v1/imports/template.xlsx?district=xiuwu", 200)
	a.get("/v1/imports/template.yaml?district=xiuwu", 200)
	a.get("/v1/imports/template.yaml?district=nowhere", 422)
}

func (a *openAPI) reports() {
	a.t.Helper()
	known := into[struct {
		Known uint64 `json:"known_seq"`
	}](a, a.get("/v1/watermark", 200)).Known
	for _, query := range []string{"", "?as_of=2025-10-31", "?as_of=2025-10-31&known=200", "?known=2025-12-31", "?as_of=2025-10-31&format=csv", "?as_of=2025-10-31&format=ndjson", "?as_of=2025-10-31&limit=5&after=P-0002&district=xiuwu&light=green&status=smooth"} {
		a.get("/v1/ledger"+query, 200)
	}
	for _, query := range []string{"?as_of=2025-02-30", "?known=soon", "?format=pdf", "?limit=0", "?light=blue"} {
		a.get("/v1/ledger"+query, 422)
	}
	for _, path := range []string{"2025-W40", "2025-10", "2025-Q3", "2025-H1", "2025", "2025-10?format=md", "2025-10?format=html", "2025-10?format=docx&edition=media",
		"2025-10?format=xlsx", fmt.Sprintf("2025-10?known=%d", known)} {
		a.get("/v1/bulletins/"+path, 200)
	}
	a.get("/v1/bulletins/2025-13", 422)
	a.get("/v1/bulletins/2025-10?format=gif", 422)
	a.get("/v1/bulletins/2025-10?edition=secret", 422)
	first := a.post("/v1/bulletins/2025-09", "", "", 200)
	if again := a.post("/v1/bulletins/2025-09", "", "", 200); !bytes.Equal(first, again) {
		a.t.Error("published again, the bulletin reads differently")
	}
	a.post("/v1/bulletins/2099-01", "", "", 422)
	a.get("/v1/schedule", 200)
	a.get("/v1/assessments/2025", 200)
	a.get("/v1/assessments/2025?format=md", 200)
	a.get("/v1/assessments/never", 422)
	a.post("/v1/assessments/2024", "", "", 200)
	a.post("/v1/query?format=JSONEachRow", "text/plain", "SELECT count() FROM events FINAL", 200)
	a.post("/v1/query", "text/plain", "SELECT nosuch FROM events", 422)
	a.post("/v1/query", "text/plain", "DROP TABLE events", 403)
}

// deadLetters puts messages on the stream past the producers and deals with them.
func (a *openAPI) deadLetters() {
	a.t.Helper()
	stream := a.server.stream()
	for _, body := range []string{"no JSON", "no JSON either"} {
		if _, err := stream.Publish(a.t.Context(), "milepost.events.xiuwu.P-0001.progress.reported", []byte(body)); err != nil {
			a.t.Fatal(err)
		}
	}
	last, err := stream.Stream(a.t.Context(), "MILEPOST_EVENTS")
	if err != nil {
		a.t.Fatal(err)
	}
	a.post(fmt.Sprintf("/v1/events?wait=%d", last.CachedInfo().State.LastSeq), "application/x-ndjson", string(smallEvents(a.t, 1)), 200)
	letters := into[[]struct {
		Seq uint64 `json:"stream_seq"`
	}](a, a.get("/v1/dead-letters", 200))
	if len(letters) != 2 {
		a.t.Fatalf("%d dead letters", len(letters))
	}
	a.get("/v1/dead-letters?limit=1&all=true", 200)
	a.get("/v1/dead-letters?limit=0", 422)
	newest, older := fmt.Sprintf("/v1/dead-letters/%d", letters[0].Seq), fmt.Sprintf("/v1/dead-letters/%d", letters[1].Seq)
	a.get(newest, 200)
	if raw := a.get(newest+"?format=raw", 200); string(raw) != "no JSON either" {
		a.t.Errorf("the message is %q", raw)
	}
	a.get("/v1/dead-letters/1", 404)
	a.get("/v1/dead-letters/first", 422)
	mended := event(map[string]any{"id": "mended-1", "source": "/offices/xiuwu", "district": "xiuwu", "subject": "P-0001"}, nil)
	a.post(newest+"/resend", "", "", 400)
	a.post(newest+"/resend", "application/json", mended, 200)
	a.post(newest+"/resend", "application/json", mended, 409)
	a.post(older+"/discard", "application/json", `{"reason": ""}`, 422)
	a.post(older+"/discard", "application/json", `{"reason": "测试"}`, 200)
	a.get("/v1/dead-letters?all=true", 200)
}

func (a *openAPI) administration() {
	a.t.Helper()
	a.post("/v1/replay?partial=perhaps", "", "", 422)
	if lines := a.post("/v1/replay?partial=false&judge_again=false", "", "", 200); !bytes.Contains(lines, []byte(`"result"`)) {
		a.t.Errorf("the replay ended with %s", lines)
	}
	a.post("/v1/archive?before=2025-01-01&keep_days=3", "", "", 422)
	a.post("/v1/archive?before=once", "", "", 422)
	a.post("/v1/archive?keep_days=-1", "", "", 422)
	a.post("/v1/archive?purge=true", "", "", 422)
	a.post("/v1/archive?keep_days=0&purge=true", "", "", 200)
	a.get("/v1/archive", 200)
	a.post("/v1/archive/verify", "", "", 200)
	a.post("/v1/tokens", "application/json", `{"role":"admin"}`, 403)
	a.post("/v1/backup", "", "", 403)
	a.get("/v1/doctor", 200)
	admin := into[struct{ ID, Token string }](a, []byte(a.server.mustRun(nil, "token", "create", "--role", "admin", "--name", "openapi", "--json")))
	a.get("/v1/ledger", 401)
	a.token = admin.Token
	office := into[struct{ ID, Token string }](a, a.post("/v1/tokens", "application/json", `{"role":"office","name":"山阳","districts":["shanyang"],"expires":"90d"}`, 201))
	a.post("/v1/tokens", "application/json", `{"role":"king"}`, 422)
	a.post("/v1/tokens", "application/json", `{"rule":"office"}`, 400)
	a.get("/v1/tokens", 200)
	if backup := a.post("/v1/backup", "", "", 200); !bytes.Contains(backup, []byte(`"seal"`)) {
		a.t.Error("a backup without a manifest")
	}
	a.token = office.Token
	a.post("/v1/events", "application/cloudevents+json", event(map[string]any{"id": "o-1"}, nil), 201)
	a.post("/v1/events", "application/cloudevents+json", event(map[string]any{"id": "o-2", "district": "xiuwu"}, nil), 403)
	a.get("/v1/tokens", 403)
	a.token = admin.Token
	a.post("/v1/tokens/"+office.ID+"/revoke", "", "", 200)
	a.post("/v1/tokens/nobody/revoke", "", "", 404)
	a.get("/v1/audit", 200)
	a.get("/v1/audit?since=2025-01-01", 200)
	a.get("/v1/audit?since=2025-01-01T00:00:00%2B08:00", 200)
	a.get("/v1/audit?since=once", 422)
}
