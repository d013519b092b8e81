package warehouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"milepost/schemas"
)

// PublishedEdition is a published bulletin or finalised assessment.
type PublishedEdition struct {
	// Seq is the publication's stream sequence.
	Seq uint64
	schemas.Publication
}

// EditionsWithoutFigures lists the publications with a sequence up to known
// whose printed figures are not stored, by sequence; those that could be read
// also when one could not.
func (w *Warehouse) EditionsWithoutFigures(ctx context.Context, known uint64) ([]PublishedEdition, error) {
	var editions []PublishedEdition
	var undecoded error
	err := w.each(ctx, fmt.Sprintf(`SELECT stream_seq, type, data FROM events FINAL
WHERE type IN ('bulletin.published.v1', 'assessment.finalised.v1') AND district = 'city' AND stream_seq <= %d
AND stream_seq NOT IN (SELECT published_seq FROM published_figure_cuts) ORDER BY stream_seq`, known), func(rows driver.Rows) error {
		var seq uint64
		var kind, text string
		if err := rows.Scan(&seq, &kind, &text); err != nil {
			return err
		}
		data, err := schemas.DecodeData(schemas.Type(kind), []byte(text))
		if err != nil {
			undecoded = fmt.Errorf("stored publication %d: %w", seq, err)
		} else if publication, ok := data.(*schemas.Publication); ok {
			editions = append(editions, PublishedEdition{Seq: seq, Publication: *publication})
		}
		return nil
	})
	if err != nil {
		return nil, unavailable("look for editions without figures", err)
	}
	return editions, undecoded
}

// StorePublished keeps what an edition printed in published_figures, for ever.
// Storing it again, also by another replica, changes nothing.
func (w *Warehouse) StorePublished(ctx context.Context, edition PublishedEdition, figures []schemas.ModelFigure) error {
	at := w.now()
	err := w.insertFigures(ctx, "published_figure_rows", figures, []cell{
		{"kind", edition.Kind}, {"period", edition.Period}, {"issue_no", edition.Number}, {"published_seq", edition.Seq},
		{"known_seq", edition.KnownSeq}, {"rules_hash", edition.RulesHash}, {"stored_at", at},
	})
	if err != nil {
		return err
	}
	err = w.conn.Exec(ctx, "INSERT INTO published_figure_cuts (published_seq, figures, stored_at) SELECT {seq:UInt64}, {figures:UInt64}, fromUnixTimestamp64Milli({at:Int64})",
		named("seq", edition.Seq), named("figures", uint64(len(figures))), named("at", at.UnixMilli()))
	if err != nil {
		return unavailable("record the figures of an edition", err)
	}
	return nil
}
