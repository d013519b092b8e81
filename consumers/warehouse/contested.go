package warehouse

import (
	"context"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"milepost/schemas"
)

// usedIdentity is an identity that was delivered more than once, as far as deliveries knows.
type usedIdentity struct {
	contents uint64              // how many there are
	first    uint64              // the lowest sequence
	counts   schemas.Fingerprint // the content of the lowest sequence
}

// writeContested finds the identities of the deliveries that were used for more than one content, and copies all of
// their contents from deliveries to contested. It must run after the deliveries are stored.
func (w *Warehouse) writeContested(ctx context.Context, deliveries []Delivery, written *Written) error {
	used, err := w.usedIdentities(ctx, deliveries)
	if err != nil {
		return unavailable("look up identities", err)
	}
	if len(used) == 0 {
		return nil
	}
	for i := range deliveries {
		d := &deliveries[i]
		u, ok := used[identityOf(d.Event)]
		switch {
		case !ok || d.Sequence <= u.first:
		case d.Fingerprint == u.counts:
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
		if err := w.conn.Exec(ctx, w.copyContested(chunk)); err != nil {
			return unavailable("record conflicts", err)
		}
	}
	return nil
}

func (w *Warehouse) copyContested(identities []identity) string {
	const columns = "source, id, fingerprint, stream_seq, recorded_at, type, project_id, district, actor, event"
	return "INSERT INTO contested" + w.suffix + " (" + columns + ") SELECT " + columns +
		" FROM deliveries" + w.suffix + " FINAL WHERE identity IN " + identityList(identities)
}

// usedIdentities gives what is known of those identities of the deliveries that were delivered more than once.
func (w *Warehouse) usedIdentities(ctx context.Context, deliveries []Delivery) (map[identity]usedIdentity, error) {
	repeated, err := w.repeatedIdentities(ctx, deliveries)
	if err != nil {
		return nil, err
	}
	used := make(map[identity]usedIdentity, len(repeated))
	for chunk := range slices.Chunk(repeated, lookupChunk) {
		err := w.each(ctx, "SELECT identity, uniqExact(fingerprint), min(stream_seq), argMin(fingerprint, stream_seq) FROM deliveries"+w.suffix+" WHERE identity IN "+
			identityList(chunk)+" GROUP BY identity", func(rows driver.Rows) error {
			var u usedIdentity
			var id, counts string
			if err := rows.Scan(&id, &u.contents, &u.first, &counts); err != nil {
				return err
			}
			copy(u.counts[:], counts)
			used[identity([]byte(id))] = u
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return used, nil
}

// repeatedIdentities is the lookup that every batch pays: it reads nothing but the first column of the primary key, and
// its result is empty unless something was delivered twice. Measured on top of 300,000 stored events (embedded engine, two
// cores): 36 ms for a batch of 5,000, a fifth of what the batch takes; 7 ms for one event.
func (w *Warehouse) repeatedIdentities(ctx context.Context, deliveries []Delivery) ([]identity, error) {
	identities := make([]identity, len(deliveries))
	for i := range deliveries {
		identities[i] = identityOf(deliveries[i].Event)
	}
	var repeated []identity
	for chunk := range slices.Chunk(identities, lookupChunk) {
		err := w.each(ctx, "SELECT identity FROM deliveries"+w.suffix+" WHERE identity IN "+identityList(chunk)+" GROUP BY identity HAVING count() > 1",
			func(rows driver.Rows) error {
				var id string
				if err := rows.Scan(&id); err != nil {
					return err
				}
				repeated = append(repeated, identity([]byte(id)))
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
	b.WriteString("(SELECT toFixedString(unhex(arrayJoin(splitByChar(',', '")
	for i := range identities {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(hex.EncodeToString(identities[i][:]))
	}
	b.WriteString("'))), 16))")
	return b.String()
}
