package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"milepost/schemas"
	"milepost/web"
)

func ask(t *testing.T, handler http.Handler, path string) (status int, mediaType, body string) {
	t.Helper()
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w.Code, w.Header().Get("Content-Type"), w.Body.String()
}

// The document and every schema read, and refer to each other by where they are
// served.
func TestContractIsServed(t *testing.T) {
	t.Parallel()
	contract, err := web.NewContract()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][2]string{
		"/v1/openapi.yaml":                        {"application/yaml", "openapi: 3.1.0"},
		"/v1/openapi.json":                        {"application/json", `"openapi": "3.1.0"`},
		"/v1/schemas":                             {"application/json", `"url":"/v1/schemas/progress.reported.v1"`},
		"/v1/schemas/progress.reported.v1":        {"application/schema+json", `"$id": "progress.reported.v1.json"`},
		"/v1/schemas/common.json":                 {"application/schema+json", `"$defs"`},
		"/v1/schemas/ledger":                      {"application/schema+json", "Ledger 台账"},
		"/v1/schemas/..%2f..%2fasyncapi.yaml":     {"application/problem+json", "no such schema"},
		"/v1/schemas/examples%2fx.json":           {"application/problem+json", "no such schema"},
		"/v1/schemas/progress.reported.v1.json.x": {"application/problem+json", "no such schema"},
	} {
		status, mediaType, body := ask(t, contract, path)
		if mediaType != want[0] || !strings.Contains(body, want[1]) || (status == http.StatusOK) == strings.Contains(mediaType, "problem") {
			t.Errorf("%s: %d %s %.200s", path, status, mediaType, body)
		}
	}
	for _, typ := range schemas.Types() {
		if status, _, body := ask(t, contract, "/v1/schemas/"+string(typ)); status != http.StatusOK || strings.Contains(body, "milepost.example") {
			t.Errorf("%s: %d", typ, status)
		}
	}
}
