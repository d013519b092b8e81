package deploy_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"testing"
)

// goldenFile is a result that the specification demands.
type goldenFile struct {
	path   string
	kind   string // ledger, bulletin or assessment
	period string // for a ledger, its day
	lines  int    // how many lines of the events are known; 0: all
}

func goldenFiles(t *testing.T, name string) []goldenFile {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(goldenDir(name), "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	pattern := regexp.MustCompile(`^(ledger|bulletin|assessment)-(.+?)(?:-known-(\d+))?\.json$`)
	var files []goldenFile
	for _, path := range paths {
		if parts := pattern.FindStringSubmatch(filepath.Base(path)); parts != nil {
			f := goldenFile{path: path, kind: parts[1], period: parts[2]}
			f.lines, _ = strconv.Atoi(parts[3]) // absent: 0
			files = append(files, f)
		}
	}
	if len(files) < 17 {
		t.Fatalf("only %d golden files", len(files))
	}
	return files
}

// TestGoldenCases sends the golden histories the way an office does and
// compares every field of what the commands print.
func TestGoldenCases(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"small", "city"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := goldenFiles(t, name)
			server := serve(t)
			events, err := os.ReadFile(filepath.Join(goldenDir(name), "events.ndjson"))
			if err != nil {
				t.Fatal(err)
			}
			known := publishInSteps(t, server, events, files)
			for _, f := range files {
				compareGolden(t, server, f, known[f.lines])
			}
		})
	}
}

// publishInSteps publishes the events up to each cut that a file wants, and
// gives the greatest sequence after so many lines; 0 lines mean all.
func publishInSteps(t *testing.T, server *process, events []byte, files []goldenFile) map[int]uint64 {
	t.Helper()
	lines := bytes.SplitAfter(events, []byte("\n"))
	var cuts []int
	for _, f := range files {
		if f.lines > 0 && !slices.Contains(cuts, f.lines) {
			cuts = append(cuts, f.lines)
		}
	}
	slices.Sort(cuts)
	known := map[int]uint64{}
	var sent int
	var greatest uint64
	for _, cut := range append(cuts, len(lines)) {
		greatest = max(greatest, greatestSeq(server.publish(bytes.Join(lines[sent:cut], nil))))
		sent = cut
		known[cut] = greatest
	}
	known[0] = greatest
	return known
}

func compareGolden(t *testing.T, server *process, f goldenFile, known uint64) {
	t.Helper()
	args := []string{"bulletin", f.period, "--format", "json"}
	switch f.kind {
	case "ledger":
		args = []string{"ledger", "--as-of", f.period, "--format", "json"}
	case "assessment":
		args = []string{"assess", f.period, "--format", "json"}
	}
	got := server.mustRun(nil, append(args, "--known", strconv.FormatUint(known, 10))...)
	want, err := os.ReadFile(f.path)
	if err != nil {
		t.Fatal(err)
	}
	var w, g any
	if err := json.Unmarshal(want, &w); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(got), &g); err != nil {
		t.Fatalf("%s: %v\n%s", f.path, err, got)
	}
	if m, ok := w.(map[string]any); ok {
		delete(m, "known_seq") // counts lines there
	}
	for _, d := range differences("", w, g) {
		t.Errorf("%s: %s", filepath.Base(f.path), d)
	}
}
