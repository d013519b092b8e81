package warehouse

import (
	"regexp"
	"strings"
	"testing"

	migrations "milepost/schemas/clickhouse"
)

// TestEveryMigrationSuitsACluster looks at each statement's text for a cluster: every object is made everywhere, every
// table is replicated, and the engine in the box reads it. That replicas agree takes servers with Keeper.
func TestEveryMigrationSuitsACluster(t *testing.T) {
	w := open(t)
	known, err := readMigrations(migrations.Migrations())
	if err != nil {
		t.Fatal(err)
	}
	known = append(known, migration{name: "the record of migrations", statements: []string{createMigrationTable}})
	makes := regexp.MustCompile(`(?m)^\s*(?:CREATE|DROP|ALTER|RENAME|EXCHANGE|TRUNCATE)\b`)
	tables := 0
	for _, m := range known {
		for i, single := range m.statements {
			text := onCluster(single, "city")
			if onCluster(single, "") != single {
				t.Errorf("%s, statement %d: changed without a cluster", m.name, i+1)
			}
			if got, want := strings.Count(text, " ON CLUSTER `city`"), len(makes.FindAllString(single, -1)); got != want {
				t.Errorf("%s, statement %d: %d of %d objects are made on the cluster\n%.200s", m.name, i+1, got, want, text)
			}
			if engines := strings.Count(single, "\nENGINE = "); engines > 0 {
				tables += engines
				if strings.Count(text, "MergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}'") != engines || strings.Count(text, "\nENGINE = Replicated") != engines {
					t.Errorf("%s, statement %d: not replicated\n%s", m.name, i+1, text)
				}
			}
			var formatted string
			if err := w.conn.QueryRow(t.Context(), "SELECT formatQuery({text:String})", named("text", text)).Scan(&formatted); err != nil {
				t.Errorf("%s, statement %d does not parse: %v", m.name, i+1, err)
			}
		}
	}
	if tables < 20 {
		t.Errorf("only %d tables were looked at", tables)
	}
}

func TestClusterKeepsTheEnginesArguments(t *testing.T) {
	const single = "CREATE TABLE IF NOT EXISTS one (a UInt8)\nENGINE = ReplacingMergeTree(precedence)\nORDER BY a"
	const want = "CREATE TABLE IF NOT EXISTS one ON CLUSTER `c-1` (a UInt8)\nENGINE = ReplicatedReplacingMergeTree('/clickhouse/tables/{shard}/{database}/{table}', '{replica}', precedence)\nORDER BY a"
	if got := onCluster(single, "c-1"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
