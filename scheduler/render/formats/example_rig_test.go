package formats

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"milepost/scheduler/bulletin"
	"milepost/scheduler/render"
	"milepost/scheduler/render/document"
	"milepost/schemas"
)

// example is the made-up city's October.
type example struct {
	Model    *schemas.Bulletin `json:"model"`
	Projects map[string]string `json:"projects"`
	Details  *bulletin.Details `json:"details"`
}

func october(t testing.TB) example {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "testdata", "october.json"))
	if err != nil {
		t.Fatal(err)
	}
	var e example
	if err := json.Unmarshal(raw, &e); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *example) names(edition document.Edition) render.Names {
	return render.Names{Rules: schemas.DefaultRules(), Projects: e.Projects, Details: e.Details, Edition: edition}
}

// many repeats the projects of two ledgers under other ids.
type many struct {
	example
	times int
}

// Ledgers gives the ledger of October for its cut, that of September for
// earlier ones.
func (m many) Ledgers(_ context.Context, cuts ...schemas.Cut) ([]*schemas.Ledger, error) {
	var list []*schemas.Ledger
	for _, cut := range cuts {
		source := m.Details.Before
		if cut.AsOf == m.Details.Ledger.AsOf {
			source = m.Details.Ledger
		}
		ledger := *source
		ledger.Standings = nil
		for _, s := range source.Standings {
			for i := range m.times {
				s := s
				s.ProjectID, s.Name = fmt.Sprintf("%s-%d", s.ProjectID, i), fmt.Sprintf("%s第%d期", s.Name, i+1)
				ledger.Standings = append(ledger.Standings, s)
			}
		}
		slices.SortFunc(ledger.Standings, func(a, b schemas.Standing) int { return strings.Compare(a.ProjectID, b.ProjectID) })
		list = append(list, &ledger)
	}
	return list, nil
}

// Survey shows both.
func (m many) Survey(ctx context.Context, cuts []schemas.Cut, observers func() schemas.Observer) ([]*schemas.Ledger, error) {
	list, err := m.Ledgers(ctx, cuts...)
	if err != nil {
		return nil, err
	}
	return list, schemas.Observe(list, observers())
}

// thousand is a city with more than 1,000 projects.
func thousand(t testing.TB) example {
	t.Helper()
	m := many{october(t), 9}
	period, err := schemas.ParsePeriod("2025-10")
	if err != nil {
		t.Fatal(err)
	}
	draft, err := bulletin.NewDraft(t.Context(), m, schemas.DefaultRules(), period, m.Model.KnownSeq, bulletin.WithDetails())
	if err != nil {
		t.Fatal(err)
	}
	if draft.Model.Totals.Projects < 1000 {
		t.Fatalf("only %d projects", draft.Model.Totals.Projects)
	}
	number := 10
	draft.Model.IssueNo = &number
	return example{draft.Model, draft.Projects, draft.Details}
}

func write(t testing.TB, w *Writer, format string, e example, edition document.Edition) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := w.Bulletin(t.Context(), &b, format, e.Model, e.names(edition)); err != nil {
		t.Fatalf("%s: %v", format, err)
	}
	return b.Bytes()
}

func newWriter(t testing.TB, c Config) *Writer {
	t.Helper()
	w, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Errorf("closing: %v", err)
		}
	})
	return w
}
