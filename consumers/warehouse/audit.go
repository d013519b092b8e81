package warehouse

import (
	"context"
	"time"

	"milepost/schemas"
)

// AuditRow is a record of the audit as its stream holds it.
type AuditRow struct {
	schemas.AuditRecord
	Sequence   uint64    // of the audit's stream
	RecordedAt time.Time // when the stream took it
}

var auditTable = insertion("audit_records",
	"at DateTime64(3, 'Asia/Shanghai')", "id String", "audit_seq UInt64", "recorded_at DateTime64(9, 'Asia/Shanghai')",
	"action String", "actor String", "name String", "remote String", "result String", "status UInt16", "code String",
	"target String", "requests UInt64", "published UInt64", "duplicates UInt64", "refused UInt64", "first_seq UInt64",
	"last_seq UInt64")

// WriteAudit stores records and returns when they are durable; storing one again leaves the same. Its errors are of code
// unavailable.
func (w *Warehouse) WriteAudit(ctx context.Context, rows []AuditRow) error {
	var (
		n                         = len(rows)
		at, recorded              = make([]time.Time, n), make([]time.Time, n)
		ids, actions, actors      = make([]string, n), make([]string, n), make([]string, n)
		names, remotes, results   = make([]string, n), make([]string, n), make([]string, n)
		codes, targets            = make([]string, n), make([]string, n)
		statuses                  = make([]uint16, n)
		sequences, requests       = make([]uint64, n), make([]uint64, n)
		published, twice, refused = make([]uint64, n), make([]uint64, n), make([]uint64, n)
		first, last               = make([]uint64, n), make([]uint64, n)
	)
	for i := range rows {
		r := &rows[i]
		at[i], ids[i], sequences[i], recorded[i] = r.At, r.ID, r.Sequence, r.RecordedAt
		actions[i], actors[i], names[i], remotes[i] = r.Action, r.Actor, r.Name, r.Remote
		results[i], statuses[i], codes[i], targets[i] = string(r.Result), uint16(r.Status), string(r.Code), r.Target
		requests[i], published[i], twice[i], refused[i] = r.Requests, r.Published, r.Duplicates, r.Refused
		first[i], last[i] = r.FirstSeq, r.LastSeq
	}
	if err := w.insert(ctx, auditTable, n, at, ids, sequences, recorded, actions, actors, names, remotes, results, statuses, codes,
		targets, requests, published, twice, refused, first, last); err != nil {
		return unavailable("insert the audit", err)
	}
	return nil
}
