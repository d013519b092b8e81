package warehouse

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// Stream is what the warehouse asks of the stream that fills it: it keeps the text of an event only as far as that counts.
// *consumers.Originals is one.
type Stream interface {
	// Watermark is the applied watermark (the specification, §4).
	Watermark(ctx context.Context) (uint64, error)
	// Deliveries gives the accepted events of the sequences, in any order; one that the stream does not hold any more is
	// left out.
	Deliveries(ctx context.Context, sequences []uint64) ([]Delivery, error)
}

// usedIdentity is an identity that was delivered more than once, as far as content_hashes knows.
type usedIdentity struct {
	contents uint64  // how many there are
	first    uint64  // the lowest sequence
	counts   content // the content of the lowest sequence
}

// writeContested finds the identities of the deliveries that were used for more than one content, and records all of
// their contents. It must run after the contents are stored.
//
// Two identities of one hash look like one that was used twice, and are recorded as well. That makes no conflict: each stands
// in contested under its own source and id, by which conflicts are told. What is counted in written goes by the hashes.
func (w *Warehouse) writeContested(ctx context.Context, rows *Rows, written *Written) error {
	used, err := w.usedIdentities(ctx, rows)
	if err != nil {
		return unavailable("look up identities", err)
	}
	if len(used) == 0 {
		return nil
	}
	for i := range rows.Len() {
		u, ok := used[rows.identity(i)]
		switch {
		case !ok || rows.Sequence(i) <= u.first:
		case rows.content(i) == u.counts:
			written.Repeated++
		default:
			written.Conflicting++
		}
	}
	var contested []identity
	for id, u := range used {
		if u.contents > 1 {
			contested = append(contested, id)
		}
	}
	for chunk := range slices.Chunk(contested, lookupChunk) {
		if err := w.recordContested(ctx, identityList(chunk)); err != nil {
			return err
		}
	}
	return nil
}

// recordedAtOnce bounds how many texts are in memory; one may have 256 KiB.
const recordedAtOnce = 256

// recordContested records the contents of the identities that a subquery gives, as far as they are not recorded yet.
func (w *Warehouse) recordContested(ctx context.Context, identities string) error {
	var sequences []uint64
	err := w.each(ctx, "SELECT min(stream_seq) AS first_seq FROM "+contentsTable.table+w.suffix+" WHERE identity IN "+identities+
		" GROUP BY identity, fingerprint HAVING first_seq NOT IN (SELECT stream_seq FROM contested"+w.suffix+")", func(rows driver.Rows) error {
		var sequence uint64
		if err := rows.Scan(&sequence); err != nil {
			return err
		}
		sequences = append(sequences, sequence)
		return nil
	})
	if err != nil {
		return unavailable("look for conflicts", err)
	}
	if len(sequences) > 0 && w.stream == nil {
		return withoutStream()
	}
	slices.Sort(sequences)
	for chunk := range slices.Chunk(sequences, recordedAtOnce) {
		originals, err := w.stream.Deliveries(ctx, chunk)
		if err != nil {
			return err
		}
		if err := w.insertContested(ctx, originals); err != nil {
			return unavailable("record conflicts", err)
		}
	}
	return nil
}

var contestedTable = insertion("contested",
	"source String", "id String", "fingerprint FixedString(16)", "stream_seq UInt64",
	"recorded_at DateTime64(9, 'Asia/Shanghai')", "type String", "project_id String",
	"district String", "actor String", "event String")

func (w *Warehouse) insertContested(ctx context.Context, deliveries []Delivery) error {
	var (
		n            = len(deliveries)
		sources      = make([]string, n)
		ids          = make([]string, n)
		fingerprints = make([][]byte, n)
		sequences    = make([]uint64, n)
		recorded     = make([]time.Time, n)
		types        = make([]string, n)
		projects     = make([]string, n)
		districts    = make([]string, n)
		actors       = make([]string, n)
		events       = make([][]byte, n)
	)
	for i := range deliveries {
		d, e := &deliveries[i], deliveries[i].Event
		sources[i], ids[i], types[i], projects[i], districts[i] = e.Source, e.ID, string(e.Type), e.Subject, e.District
		fingerprints[i], sequences[i], recorded[i], actors[i], events[i] = d.Fingerprint[:], d.Sequence, d.RecordedAt, d.Actor, e.Raw
	}
	return w.insert(ctx, contestedTable, n, sources, ids, fingerprints, sequences, recorded, types, projects, districts, actors, events)
}

// usedIdentities gives what is known of those identities of the deliveries that were delivered more than once.
func (w *Warehouse) usedIdentities(ctx context.Context, delivered *Rows) (map[identity]usedIdentity, error) {
	repeated, err := w.repeatedIdentities(ctx, delivered)
	if err != nil {
		return nil, err
	}
	used := make(map[identity]usedIdentity, len(repeated))
	for chunk := range slices.Chunk(repeated, lookupChunk) {
		err := w.each(ctx, "SELECT identity, uniqExact(fingerprint), min(stream_seq), argMin(fingerprint, stream_seq) FROM "+contentsTable.table+w.suffix+" WHERE identity IN "+
			identityList(chunk)+" GROUP BY identity", func(rows driver.Rows) error {
			var u usedIdentity
			var id, counts uint64
			if err := rows.Scan(&id, &u.contents, &u.first, &counts); err != nil {
				return err
			}
			u.counts = content(counts)
			used[identity(id)] = u
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return used, nil
}

// repeatedIdentities is the lookup that every batch pays which is no backlog's: it reads nothing but the first column of
// the primary key, and its result is empty unless something was delivered twice. Identities come in random order, so that
// a large batch reads all of that column; a single event reads one granule of each part.
func (w *Warehouse) repeatedIdentities(ctx context.Context, delivered *Rows) ([]identity, error) {
	identities := make([]identity, delivered.Len())
	for i := range identities {
		identities[i] = delivered.identity(i)
	}
	var repeated []identity
	for chunk := range slices.Chunk(identities, lookupChunk) {
		err := w.each(ctx, "SELECT identity FROM "+contentsTable.table+w.suffix+" WHERE identity IN "+identityList(chunk)+" GROUP BY identity HAVING count() > 1",
			func(rows driver.Rows) error {
				var id uint64
				if err := rows.Scan(&id); err != nil {
					return err
				}
				repeated = append(repeated, identity(id))
				return nil
			})
		if err != nil {
			return nil, err
		}
	}
	return repeated, nil
}

// identityList writes identities as one literal, which the server reads much faster than one literal each.
func identityList(identities []identity) string {
	var b strings.Builder
	b.Grow(100 + 21*len(identities))
	b.WriteString("(SELECT toUInt64(arrayJoin(splitByChar(',', '")
	var digits [20]byte
	for i, id := range identities {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(strconv.AppendUint(digits[:0], uint64(id), 10))
	}
	b.WriteString("'))))")
	return b.String()
}
