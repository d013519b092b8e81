package deploy_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestMetricsTellOfThePipeline looks at what a scrape says after events, a repetition, a conflict and a refused row.
func TestMetricsTellOfThePipeline(t *testing.T) {
	t.Parallel()
	p := serve(t)
	p.writeSQL("ALTER TABLE events ADD CONSTRAINT known CHECK project_id != 'P-0666'")
	p.mustRun(strings.NewReader(registration("P-0001", nil)+"\n"+registration("P-0666", nil)+"\n"), "publish", "--wait")
	status, text := p.get(p.HTTP + "/metrics")
	if status != 200 {
		t.Fatalf("status %d: %s", status, text)
	}
	for name, want := range map[string]float64{
		"milepost_events_written_total": 1, "milepost_rows_refused_total": 1, "milepost_dead_letters_total": 1, "milepost_batch_retries_total": 0,
		"milepost_nats_up": 1, "milepost_clickhouse_up": 1, "milepost_stream_last_sequence": 2, "milepost_applied_watermark": 2, "milepost_lag_messages": 0,
	} {
		if line := fmt.Sprintf("\n%s %v\n", name, want); !strings.Contains(text, line) {
			t.Errorf("no line %q", strings.TrimSpace(line))
		}
	}
	if !strings.Contains(text, `milepost_batch_write_seconds_count{outcome="written"}`) {
		t.Error("writes are not timed")
	}
}
