package clickhouse_test

import (
	"os"
	"strings"
	"testing"

	"milepost/deploy/embedded/enginetest"
)

// TestGrantsOfTheExampleRead gives every statement of the example for real servers to the engine's own parser: the
// embedded engine has no users that it could make.
func TestGrantsOfTheExampleRead(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../examples/clickhouse-access.sql")
	if err != nil {
		t.Fatal(err)
	}
	c := reader(t, enginetest.ClickHouse(t))
	kinds := map[string]int{}
	for statement := range strings.SplitSeq(string(text), ";\n") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		read := c.must("SELECT formatQuery({statement:String})", "param_statement", strings.NewReplacer("\\", "\\\\", "\n", "\\n", "\t", "\\t").Replace(statement))
		kinds[strings.Fields(read)[0]]++
	}
	if kinds["CREATE"] != 6 || kinds["GRANT"] != 5 || kinds["ALTER"] != 1 {
		t.Errorf("statements: %v", kinds)
	}
	c.refuses("62", "SELECT formatQuery('GRANT NOTHING ON milepost.* TO analyst')")
}
