package warehouse

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"milepost/schemas"
)

// TestABlockIsTheSameBothWays compares what the columns say to a connection that takes no blocks with what a table holds
// after the block came.
func TestABlockIsTheSameBothWays(t *testing.T) {
	w := open(t)
	statement := insertion("kinds", "t String", "n UInt64", "m DateTime64(3, 'Asia/Shanghai')",
		"z DateTime64(9, 'Asia/Shanghai')", "d Nullable(Date32)")
	if err := w.conn.Exec(t.Context(), `CREATE TABLE kinds (t LowCardinality(String), n UInt64, m DateTime64(3, 'Asia/Shanghai'),
z DateTime64(9, 'Asia/Shanghai'), d Nullable(Date32)) ENGINE = MergeTree ORDER BY n`); err != nil {
		t.Fatal(err)
	}
	b := newBlock(statement)
	add := func(text string, n uint64, at time.Time, day schemas.Date) {
		b.columns[0].text(text)
		b.columns[1].number(n)
		b.columns[2].number(uint64(at.UnixMilli()))
		b.columns[3].number(uint64(at.UnixNano()))
		b.columns[4].date(day)
		b.rows++
	}
	at := time.Date(1931, 3, 8, 9, 0, 0, 123456789, schemas.Location)
	for range 2 {
		b.reset() // nothing of the first time may stay
		add("", 1, recordedAt, 0)
		add("项目\x00\"", 1<<63+5, at, schemas.FirstDate)
		add(string(make([]byte, 300)), 3, recordedAt, schemas.LastDate)
		if err := b.send(t.Context(), w); err != nil {
			t.Fatal(err)
		}
	}
	byValues := *w
	byValues.native = true
	if err := b.send(t.Context(), &byValues); err != nil {
		t.Fatal(err)
	}
	got := rows(t, w, "SELECT [hex(t), toString(n), toString(m), toString(z), ifNull(toString(d), 'none'), toString(count())] AS r FROM kinds GROUP BY t, n, m, z, d ORDER BY n")
	want := []string{
		"\t1\t2025-03-08 09:00:00.123\t2025-03-08 09:00:00.123456789\tnone\t3",
		got[1],
		"E9A1B9E79BAE0022\t9223372036854775813\t1931-03-08 09:00:00.123\t1931-03-08 09:00:00.123456789\t1900-01-01\t3",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if len(got[1]) < 600 || got[1][len(got[1])-12:] != "2299-12-31\t3" {
		t.Errorf("the long text: %q", got[1])
	}
	b.columns[1].data = b.columns[1].data[1:]
	if err := b.send(t.Context(), &byValues); err == nil {
		t.Error("a torn column was sent")
	}
}
