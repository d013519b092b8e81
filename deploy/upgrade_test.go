package deploy_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"milepost/consumers/warehouse"
)

// TestUpgradeFromAnOlderSchema gives the golden case to tables as an older version made them, before contents took the
// place of deliveries, and starts this version on them: the figures are the same, though nothing is consumed again.
func TestUpgradeFromAnOlderSchema(t *testing.T) {
	t.Parallel()
	const older = 3
	engines := serve(t, "--target", "engines")
	rules := writeFile(t, "milepost.yaml", "bulletins: {monthly: off, quarterly: off, half_yearly: off, assessment: off, formats: [md]}\n")
	roles := []string{"--config", rules, "--nats", engines.NATS, "--target", "producers,consumers,web,scheduler"}
	first := serve(t, append(roles, "--clickhouse", engines.CH)...)
	files := goldenFiles(t, "small")
	events, err := os.ReadFile(filepath.Join(goldenDir("small"), "events.ndjson"))
	if err != nil {
		t.Fatal(err)
	}
	known := publishInSteps(t, first, events, files)
	hashes := "SELECT count(), sum(cityHash64(identity, fingerprint, stream_seq)) FROM content_hashes FINAL"
	delivered := first.mustRun(nil, "query", hashes, "--format", "tsv")
	if code := first.terminate(); code != 0 {
		t.Fatalf("exit %d\n%s", code, first.log)
	}

	engines.writeSQL("CREATE DATABASE older")
	w, err := warehouse.Open(t.Context(), warehouse.Config{DSN: strings.TrimSuffix(engines.writerDSN(), "/default") + "/older"})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.MigrateTo(t.Context(), older); err != nil {
		t.Fatal(err)
	}
	for table, columns := range map[string]string{"events": "*, toFixedString('', 16)", "contested": "*", "dead_letters": "*"} {
		engines.writeSQL("INSERT INTO older." + table + " SELECT " + columns + " FROM default." + table)
	}
	// Of the older version's hashes, which had 16 bytes, only the first 8 matter.
	const longer = "toFixedString(reinterpretAsFixedString(%[1]s), 16) AS %[1]s"
	engines.writeSQL("INSERT INTO older.deliveries (identity, fingerprint, stream_seq) SELECT " + fmt.Sprintf(longer, "identity") + ", " + fmt.Sprintf(longer, "fingerprint") +
		", stream_seq FROM default.content_hashes")

	upgraded := serve(t, append(roles, "--clickhouse", engines.CH+"/older")...)
	newest, err := warehouse.NewestSchema()
	if err != nil {
		t.Fatal(err)
	}
	if schema, err := w.Schema(t.Context()); err != nil || schema != newest || newest <= older {
		t.Errorf("the schema is %d, %v", schema, err)
	}
	for _, f := range files {
		compareGolden(t, upgraded, f, known[f.lines])
	}
	if got := upgraded.mustRun(nil, "query", hashes, "--format", "tsv"); got != delivered || strings.HasPrefix(got, "0") {
		t.Errorf("what was delivered was %s and is %s", delivered, got)
	}
	// What was delivered before the upgrade is still known as delivered.
	again := upgraded.publish(events)
	if last := greatestSeq(again); last < known[0] {
		t.Errorf("sent again: up to %d", last)
	}
	for _, f := range files {
		compareGolden(t, upgraded, f, known[f.lines])
	}
}
