package deploy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// openAPI is a running server and the document that it serves; every call is
// held against the document, both ways.
type openAPI struct {
	t        *testing.T
	server   *process
	token    string
	document map[string]any
	address  string // of the document
	compiler *jsonschema.Compiler
	// answered are the statuses that each operation gave.
	answered map[string][]int
}

// fromServer loads the schemas that the document refers to from the server
// itself, and nothing from anywhere else.
type fromServer struct{ base string }

// Load fetches one.
func (l fromServer) Load(address string) (any, error) {
	if !strings.HasPrefix(address, l.base) {
		return nil, fmt.Errorf("%s is not the server's", address)
	}
	response, err := http.Get(address)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", address, response.Status)
	}
	return jsonschema.UnmarshalJSON(response.Body)
}

func readOpenAPI(t *testing.T, server *process) *openAPI {
	t.Helper()
	a := &openAPI{t: t, server: server, address: server.HTTP + "/v1/openapi.json", compiler: jsonschema.NewCompiler(), answered: map[string][]int{}}
	document, err := fromServer{server.HTTP}.Load(a.address)
	if err != nil {
		t.Fatal(err)
	}
	a.document = document.(map[string]any)
	a.compiler.DefaultDraft(jsonschema.Draft2020)
	a.compiler.AssertFormat()
	a.compiler.UseLoader(fromServer{server.HTTP})
	return a
}

// place is a part of the document and its JSON pointer.
type place struct {
	pointer string
	value   map[string]any
}

// at goes on from a place, through references within the document.
func (a *openAPI) at(from place, steps ...string) (place, bool) {
	for _, step := range steps {
		value, found := from.value[step].(map[string]any)
		if !found {
			return place{}, false
		}
		from = place{from.pointer + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step), value}
		if ref, given := value["$ref"].(string); given && strings.HasPrefix(ref, "#/components/") && len(value) == 1 {
			if from, found = a.at(a.root(), strings.Split(strings.TrimPrefix(ref, "#/"), "/")...); !found {
				a.t.Fatalf("%s refers to nothing", ref)
			}
		}
	}
	return from, true
}

func (a *openAPI) root() place { return place{"", a.document} }

func (a *openAPI) schemaAt(p place) *jsonschema.Schema {
	a.t.Helper()
	schema, err := a.compiler.Compile(a.address + "#" + (&url.URL{Fragment: p.pointer}).EscapedFragment())
	if err != nil {
		a.t.Fatalf("%s: %v", p.pointer, err)
	}
	return schema
}

// paths lists the documented paths.
func (a *openAPI) paths() []string {
	var all []string
	for path := range a.document["paths"].(map[string]any) {
		all = append(all, path)
	}
	slices.Sort(all)
	return all
}

var methods = []string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete}

// operations calls do for each operation with its path.
func (a *openAPI) operations(do func(path, method string, operation place)) {
	for _, path := range a.paths() {
		for _, method := range methods {
			if operation, found := a.at(a.root(), "paths", path, strings.ToLower(method)); found {
				do(path, method, operation)
			}
		}
	}
}

// operationOf finds the operation of a request.
func (a *openAPI) operationOf(method, path string) (template string, operation place) {
	a.t.Helper()
	parts := strings.Split(path, "/")
	for _, template := range a.paths() {
		steps := strings.Split(template, "/")
		if len(steps) != len(parts) || slices.ContainsFunc(slices.Collect(indexes(steps)), func(i int) bool {
			return steps[i] != parts[i] && !strings.HasPrefix(steps[i], "{")
		}) {
			continue
		}
		if operation, found := a.at(a.root(), "paths", template, strings.ToLower(method)); found {
			return template, operation
		}
	}
	a.t.Fatalf("%s %s is not documented", method, path)
	return "", place{}
}

func indexes(list []string) func(func(int) bool) {
	return func(yield func(int) bool) {
		for i := range list {
			if !yield(i) {
				return
			}
		}
	}
}

// call is a request and the status that it must get.
type call struct {
	method, path string // with its query
	mediaType    string
	body         string
	want         int
	// brokenBody says that the body breaks the document and is sent all the same.
	brokenBody bool
}

// do sends a call, holds it and its answer against the document, and gives the
// answer's body. A call that must succeed must itself be as documented.
func (a *openAPI) do(c call) []byte {
	a.t.Helper()
	path, query, _ := strings.Cut(c.path, "?")
	template, operation := a.operationOf(c.method, path)
	if c.want < 400 {
		a.checkParameters(template, operation, path, query)
		if !c.brokenBody {
			a.checkRequestBody(operation, c)
		}
	}
	request, err := http.NewRequestWithContext(a.t.Context(), c.method, a.server.HTTP+c.path, strings.NewReader(c.body))
	if err != nil {
		a.t.Fatal(err)
	}
	if c.mediaType != "" {
		request.Header.Set("Content-Type", c.mediaType)
	}
	if a.token != "" {
		request.Header.Set("Authorization", "Bearer "+a.token)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		a.t.Fatal(err)
	}
	if response.StatusCode != c.want {
		a.t.Errorf("%s %s: status %d, want %d\n%s\n%s", c.method, c.path, response.StatusCode, c.want, body, a.server.log)
	}
	id := operation.value["operationId"].(string)
	a.answered[id] = append(a.answered[id], response.StatusCode)
	a.checkResponse(operation, c, response, body)
	return body
}

// checkParameters holds the path's and the query's values against those that
// are documented.
func (a *openAPI) checkParameters(template string, operation place, path, query string) {
	a.t.Helper()
	given, err := url.ParseQuery(query)
	if err != nil {
		a.t.Fatal(err)
	}
	steps, parts := strings.Split(template, "/"), strings.Split(path, "/")
	for i, step := range steps {
		if strings.HasPrefix(step, "{") {
			given.Set("path:"+strings.Trim(step, "{}"), parts[i])
		}
	}
	item, _ := a.at(a.root(), "paths", template)
	for _, from := range []place{item, operation} {
		list, _ := from.value["parameters"].([]any)
		for i := range list {
			parameter, _ := a.at(place{from.pointer + "/parameters", map[string]any{fmt.Sprint(i): list[i]}}, fmt.Sprint(i))
			name := parameter.value["name"].(string)
			if parameter.value["in"] == "path" {
				name = "path:" + name
			}
			values, sent := given[name]
			delete(given, name)
			if !sent {
				if parameter.value["required"] == true {
					a.t.Errorf("%s: %s is required", template, name)
				}
				continue
			}
			schema, _ := a.at(parameter, "schema")
			if err := accepts(a.schemaAt(schema), values[0]); err != nil {
				a.t.Errorf("%s: %s=%s: %v", template, name, values[0], err)
			}
		}
	}
	for name := range given {
		a.t.Errorf("%s: %s is not documented", template, name)
	}
}

// accepts takes a text of an address as what it reads as, or as text.
func accepts(schema *jsonschema.Schema, text string) error {
	err := schema.Validate(text)
	if err == nil {
		return nil
	}
	if value, bad := jsonschema.UnmarshalJSON(strings.NewReader(text)); bad == nil && schema.Validate(value) == nil {
		return nil
	}
	return err
}

func (a *openAPI) checkRequestBody(operation place, c call) {
	a.t.Helper()
	body, documented := a.at(operation, "requestBody")
	if c.body == "" {
		if documented && body.value["required"] == true {
			a.t.Errorf("%s %s: a body is required", c.method, c.path)
		}
		return
	}
	if !documented {
		a.t.Errorf("%s %s: no body is documented", c.method, c.path)
		return
	}
	a.checkContent(body, c, "request", c.mediaType, []byte(c.body))
}

// checkResponse holds status, type and body against what is documented.
func (a *openAPI) checkResponse(operation place, c call, response *http.Response, body []byte) {
	a.t.Helper()
	documented, found := a.at(operation, "responses", fmt.Sprint(response.StatusCode))
	if !found && response.StatusCode >= 400 {
		documented, found = a.at(operation, "responses", "default")
	}
	if !found {
		a.t.Errorf("%s %s: status %d is not documented", c.method, c.path, response.StatusCode)
		return
	}
	headers, _ := a.at(documented, "headers")
	for name, header := range headers.value {
		if header.(map[string]any)["required"] == true && response.Header.Get(name) == "" {
			a.t.Errorf("%s %s: no header %s", c.method, c.path, name)
		}
	}
	if _, hasBody := documented.value["content"]; !hasBody {
		if len(body) > 0 {
			a.t.Errorf("%s %s: a body where none is documented: %s", c.method, c.path, body)
		}
		return
	}
	a.checkContent(documented, c, "response", response.Header.Get("Content-Type"), body)
}

func (a *openAPI) checkContent(documented place, c call, what, mediaType string, body []byte) {
	a.t.Helper()
	kind, _, err := mime.ParseMediaType(mediaType)
	if err != nil {
		a.t.Errorf("%s %s: %s of type %q: %v", c.method, c.path, what, mediaType, err)
		return
	}
	p, found := a.at(documented, "content", kind, "schema")
	if !found {
		a.t.Errorf("%s %s: a %s of type %s is not documented", c.method, c.path, what, kind)
		return
	}
	schema := a.schemaAt(p)
	var values []any
	switch {
	case kind == "application/x-ndjson":
		for line := range bytes.Lines(bytes.TrimSpace(body)) {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(line))
			if err != nil {
				a.t.Errorf("%s %s: a line of the %s: %v: %s", c.method, c.path, what, err, line)
			}
			values = append(values, value)
		}
	case strings.HasSuffix(kind, "json"):
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(body))
		if err != nil {
			a.t.Errorf("%s %s: the %s: %v: %s", c.method, c.path, what, err, body)
		}
		values = append(values, value)
	case kind == "multipart/form-data":
		return // its parts are the importers' own tests'
	default:
		values = append(values, string(body))
	}
	for _, value := range values {
		if err := schema.Validate(value); err != nil {
			text, _ := json.Marshal(value)
			a.t.Errorf("%s %s: the %s is not as documented: %v\n%.500s", c.method, c.path, what, err, text)
		}
	}
}
