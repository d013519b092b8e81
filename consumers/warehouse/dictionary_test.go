package warehouse_test

import (
	"context"
	"strings"
	"testing"
	"unicode"

	"github.com/ClickHouse/clickhouse-go/v2"

	"milepost/consumers/warehouse"
	"milepost/deploy/embedded/enginetest"
)

// TestDictionaryIsWhole reads the data dictionary as an analyst does: every
// column has a label in Chinese and an explanation in English.
func TestDictionaryIsWhole(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	db := enginetest.ClickHouse(t)
	w, err := warehouse.Open(ctx, warehouse.Config{DSN: db.DSN})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if err := w.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	options, err := clickhouse.ParseDSN(db.ReaderDSN)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(options)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	rows, err := conn.Query(ctx, "SELECT relation, name, chinese, english FROM data_dictionary ORDER BY relation, position")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	columns := map[string]int{}
	for rows.Next() {
		var relation, name, chinese, english string
		if err := rows.Scan(&relation, &name, &chinese, &english); err != nil {
			t.Fatal(err)
		}
		columns[relation]++
		if !strings.ContainsFunc(chinese, func(r rune) bool { return unicode.Is(unicode.Han, r) }) || len(english) < 2 {
			t.Errorf("%s.%s: %q %q", relation, name, chinese, english)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	for _, relation := range []string{
		"events", "conflicts", "dead_letters", "dead_letter_actions", "ignored_events", "reporting_delays", "audit", "ledger_current", "ledger(as_of, known)", "figures(period, known)", "rankings(period, known)",
		"assessment(year, known)", "assessment_items(year, known)", "published_figures", "published_editions", "rule_sets", "data_dictionary",
	} {
		if columns[relation] < 2 {
			t.Errorf("%s: %d columns", relation, columns[relation])
		}
	}
}
