package warehouse

import (
	"context"
	"crypto/sha256"

	"milepost/schemas"
)

// identity is the column of that name: a hash of fixed size is looked up several times faster than two texts.
type identity [16]byte

func identityOf(e *schemas.Event) identity {
	sum := sha256.Sum256([]byte(e.EventID()))
	return identity(sum[:16])
}

var contentsTable = insertion("contents", "identity FixedString(16)", "fingerprint FixedString(16)", "stream_seq UInt64")

func (w *Warehouse) writeContents(ctx context.Context, deliveries []Delivery) error {
	b := w.contentBlocks.take()
	defer w.contentBlocks.giveBack(b)
	for i := range deliveries {
		d := &deliveries[i]
		id := identityOf(d.Event)
		b.columns[0].fixed(id[:])
		b.columns[1].fixed(d.Fingerprint[:])
		b.columns[2].number(d.Sequence)
		b.rows++
	}
	if err := b.send(ctx, w); err != nil {
		return unavailable("insert contents", err)
	}
	return nil
}
