package ledger_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"

	"milepost/consumers/ledger"
	"milepost/schemas"
)

// facts reads events as the warehouse would hand them over: accepted ones, the
// lowest sequence (here: line) of each identity.
func facts(t *testing.T, path string, limit uint64) (map[string][]ledger.Fact, []ledger.Fact) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	validator := schemas.NewValidator(schemas.DefaultRules())
	projects := map[string][]ledger.Fact{}
	var all []ledger.Fact
	seen := map[string]bool{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for seq := uint64(1); lines.Scan() && seq <= limit; seq++ {
		e, _, err := validator.Decode(slices.Clone(lines.Bytes()))
		if err != nil {
			t.Logf("line %d is a dead letter: %v", seq, err)
			continue
		}
		if seen[e.EventID()] {
			continue
		}
		seen[e.EventID()] = true
		f := ledger.Fact{Seq: seq, Source: e.Source, ID: e.ID, Type: e.Type, District: e.District, Time: e.Time, Data: e.Data}
		projects[e.Subject] = append(projects[e.Subject], f)
		all = append(all, f)
	}
	return projects, all
}

func byProject(projects map[string][]ledger.Fact) iter.Seq2[ledger.Project, error] {
	return func(yield func(ledger.Project, error) bool) {
		for id, facts := range projects {
			if !yield(ledger.Project{ID: id, Facts: func() ([]ledger.Fact, error) { return facts, nil }}, nil) {
				return
			}
		}
	}
}

// TestGoldenLedgers compares every field of the golden ledger files.
func TestGoldenLedgers(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../testdata/golden/*/ledger-*.json")
	if err != nil || len(files) < 12 {
		t.Fatalf("golden ledgers: %d files, %v", len(files), err)
	}
	name := regexp.MustCompile(`ledger-(\d{4}-\d\d-\d\d)(?:-known-(\d+))?\.json`)
	for _, path := range files {
		t.Run(filepath.Base(filepath.Dir(path))+"/"+filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			parts := name.FindStringSubmatch(path)
			asOf, err := schemas.ParseDate(parts[1])
			if err != nil {
				t.Fatal(err)
			}
			known := uint64(1 << 62)
			if parts[2] != "" {
				known, _ = strconv.ParseUint(parts[2], 10, 64)
			}
			projects, all := facts(t, filepath.Join(filepath.Dir(path), "events.ndjson"), known)
			rules := schemas.DefaultRules()
			ledgers, err := ledger.Assemble(rules, ledger.NewKnown(known, all), []schemas.Cut{schemas.LedgerCut(asOf, known)}, byProject(projects))
			if err != nil {
				t.Fatal(err)
			}
			l := ledgers[0]
			rows := make([]schemas.LedgerRow, len(l.Standings))
			for i := range l.Standings {
				rows[i] = l.Standings[i].Row(rules, asOf)
			}
			got, err := json.Marshal(rows)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, difference := range compare(t, want, got) {
				t.Error(difference)
			}
		})
	}
}

// compare lists where got lacks or contradicts a field of want.
func compare(t *testing.T, want, got []byte) []string {
	t.Helper()
	var w, g any
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatal(err)
	}
	var out []string
	differences("", w, g, &out)
	return out
}

func differences(path string, want, got any, out *[]string) {
	switch w := want.(type) {
	case map[string]any:
		g, ok := got.(map[string]any)
		if !ok {
			*out = append(*out, fmt.Sprintf("%s: want an object, got %v", path, got))
			return
		}
		for key, value := range w {
			if member, ok := g[key]; ok {
				differences(path+"/"+key, value, member, out)
			} else {
				*out = append(*out, path+"/"+key+": missing")
			}
		}
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			*out = append(*out, fmt.Sprintf("%s: want %d items, got %d", path, len(w), len(g)))
			return
		}
		for i := range w {
			differences(fmt.Sprintf("%s/%d", path, i), w[i], g[i], out)
		}
	default:
		if want != got {
			*out = append(*out, fmt.Sprintf("%s: want %v, got %v", path, want, got))
		}
	}
}
