package deploy

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/access"
	"milepost/deploy/embedded/enginetest"
	"milepost/schemas"
)

// TestEveryRoleAtEveryRoute sends a request of each role to each route.
func TestEveryRoleAtEveryRoute(t *testing.T) {
	t.Parallel()
	conn, err := enginetest.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	tokens, err := access.OpenStore(t.Context(), js, time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tokens.Close)
	trail, err := access.OpenTrail(t.Context(), js, time.Now, log)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = trail.Close(context.Background()) })
	guard := access.NewGuard(access.Config{Tokens: tokens, Trail: trail, Rules: accessRules(), Now: time.Now, Log: log},
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }))

	roles := []string{"nobody", "office", "department", "analyst", "editor", "admin"}
	secrets := map[string]string{}
	for _, wish := range []access.Wish{
		{Role: schemas.RoleOffice, Districts: []string{"shanyang"}}, {Role: schemas.RoleDepartment, Departments: []string{"甲局"}, SourcePrefix: "/departments/a"},
		{Role: schemas.RoleAnalyst}, {Role: schemas.RoleEditor}, {Role: schemas.RoleAdmin},
	} {
		_, text, err := tokens.Create(t.Context(), wish, "test", nil)
		if err != nil {
			t.Fatal(err)
		}
		secrets[string(wish.Role)] = text
	}
	// Who is let in, in the order of roles: + is, - is not.
	for _, c := range []struct{ route, admitted string }{
		{"GET /healthz", "++++++"},
		{"GET /readyz", "++++++"},
		{"GET /v1/openapi.json", "++++++"},
		{"GET /v1/schemas/events/project.registered.v1.json", "++++++"},
		{"GET /login", "++++++"},
		{"GET /assets/style.css", "++++++"},
		{"GET /", "-+++++"},
		{"GET /live", "-+++++"},
		{"GET /ledger", "-+++++"},
		{"GET /projects/P-0001", "-+++++"},
		{"GET /report", "-++--+"},
		{"POST /report/progress", "-++--+"},
		{"GET /report/milestone", "-++--+"},
		{"POST /report/milestone", "-++--+"},
		{"GET /report/import/7", "-++--+"},
		{"POST /report/import/7/confirm", "-++--+"},
		{"GET /evidence/7", "-+++++"},
		{"GET /ledger/export", "-+++++"},
		{"GET /projects/P-0001/events/7", "-+++++"},
		{"POST /projects/P-0001/events/7/revoke", "-++--+"},
		{"POST /projects/P-0001/events/7/correct", "-++--+"},
		{"GET /admin", "-----+"},
		{"GET /admin/tokens", "-----+"},
		{"POST /admin/tokens", "-----+"},
		{"POST /admin/tokens/7/revoke", "-----+"},
		{"POST /admin/deliveries/7/again", "-----+"},
		{"POST /admin/dead-letters/7/discard", "-----+"},
		{"GET /bulletins", "---+++"},
		{"POST /query", "---+++"},
		{"GET /bulletins/bulletin-2025-10", "---+++"},
		{"GET /bulletins/bulletin-2025-10/preview", "-+++++"},
		{"POST /bulletins/bulletin-2025-10/draft", "----++"},
		{"POST /bulletins/bulletin-2025-10/approve", "----++"},
		{"POST /bulletins/bulletin-2025-10/return", "----++"},
		{"POST /bulletins/bulletin-2025-10/publish", "----++"},
		{"POST /bulletins/bulletin-2025-10/withdraw", "----++"},
		{"POST /bulletins/bulletin-2025-10/correct", "----++"},
		{"POST /bulletins/bulletin-2025-10/consult", "----++"},
		{"POST /bulletins/bulletin-2025-10/close", "----++"},
		{"GET /answers", "--+--+"},
		{"GET /answers/bulletin-2025-10", "--+--+"},
		{"POST /answers/bulletin-2025-10", "--+--+"},
		{"GET /assessment", "---+++"},
		{"GET /assessment/2025", "---+++"},
		{"GET /assessment/2025/lead/领导甲", "---+++"},
		{"POST /assessment/2025/announce", "----++"},
		{"POST /assessment/2025/finalise", "----++"},
		{"POST /assessment/2025/object", "----++"},
		{"GET /query/dictionary", "---+++"},
		{"GET /elsewhere", "-----+"},
		{"POST /v1/events", "-++--+"},
		{"POST /v1/imports", "-++--+"},
		{"POST /v1/imports/7/confirm", "-++--+"},
		{"POST /v1/evidence", "-++--+"},
		{"GET /v1/evidence/0", "-+++++"},
		{"GET /v1/ledger", "-+++++"},
		{"GET /v1/watermark", "-+++++"},
		{"GET /v1/method", "-+++++"},
		{"GET /v1/bulletins/2025-10", "---+++"},
		{"GET /v1/assessments/2025", "---+++"},
		{"POST /v1/query", "---+++"},
		{"GET /v1/dead-letters", "---+++"},
		{"GET /v1/dead-letters/7", "---+++"},
		{"GET /v1/audit", "---+++"},
		{"GET /v1/schedule", "---+++"},
		{"GET /v1/deliveries", "----++"},
		{"POST /v1/deliveries/bulletin-2025-10/again", "----++"},
		{"POST /v1/bulletins/2025-10", "----++"},
		{"POST /v1/assessments/2025", "----++"},
		{"POST /v1/assessments/2025/announce", "----++"},
		{"POST /v1/assessments/2025/object", "----++"},
		{"GET /v1/editions", "---+++"},
		{"GET /v1/editions/bulletin-2025-10", "---+++"},
		{"GET /v1/editions/bulletin-2025-10/files/bulletin-2025-10.md", "---+++"},
		{"GET /v1/editions/bulletin-2025-10/preview", "-+++++"},
		{"POST /v1/editions/2025-10/draft", "----++"},
		{"POST /v1/editions/bulletin-2025-10/approve", "----++"},
		{"POST /v1/editions/bulletin-2025-10/return", "----++"},
		{"POST /v1/editions/bulletin-2025-10/publish", "----++"},
		{"POST /v1/editions/bulletin-2025-10/withdraw", "----++"},
		{"POST /v1/editions/bulletin-2025-10/correct", "----++"},
		{"POST /v1/editions/bulletin-2025-10/consult", "----++"},
		{"POST /v1/editions/bulletin-2025-10/answer", "--+--+"},
		{"POST /v1/dead-letters/7/resend", "-----+"},
		{"POST /v1/dead-letters/7/discard", "-----+"},
		{"POST /v1/replay", "-----+"},
		{"GET /v1/doctor", "-----+"},
		{"POST /v1/backup", "-----+"},
		{"GET /v1/tokens", "-----+"},
		{"POST /v1/tokens", "-----+"},
		{"POST /v1/tokens/aaaaaaaa/revoke", "-----+"},
		{"DELETE /v1/bulletins/2025-10", "-----+"},
		{"GET /v1/whatever-comes", "-----+"},
	} {
		method, path, _ := strings.Cut(c.route, " ")
		var got strings.Builder
		for _, role := range roles {
			request := httptest.NewRequest(method, path, strings.NewReader(""))
			refused := http.StatusUnauthorized
			if secrets[role] != "" {
				request.Header.Set("Authorization", "Bearer "+secrets[role])
				refused = http.StatusForbidden
			}
			w := httptest.NewRecorder()
			guard.ServeHTTP(w, request)
			switch w.Code {
			case http.StatusNoContent:
				got.WriteByte('+')
			case refused:
				got.WriteByte('-')
			default:
				t.Errorf("%s by %s: %d %s", c.route, role, w.Code, w.Body)
			}
		}
		if got.String() != c.admitted {
			t.Errorf("%s: %s, want %s (%s)", c.route, got.String(), c.admitted, strings.Join(roles, " "))
		}
	}
}
