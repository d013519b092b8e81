package warehouse

import (
	"crypto/sha256"
	"encoding/binary"
	"slices"

	"milepost/schemas"
)

// Rows are deliveries in the form in which they are written: a delivery that was added is not needed any more. They are
// used by one goroutine at a time, and can be used again after [Rows.Reset].
type Rows struct {
	events, contents *block
	packed           []byte // the data of one delivery at a time
}

// NewRows gives none.
func NewRows() *Rows { return &Rows{events: newBlock(eventsTable), contents: newBlock(contentsTable)} }

// Reset takes all rows away and keeps their memory.
func (r *Rows) Reset() {
	r.events.reset()
	r.contents.reset()
}

// Expect finds room for so many rows of the size of those that there are. Room that is nearly enough is left alone:
// a batch differs a little from the one before, and large rooms are not found for nothing.
func (r *Rows) Expect(rows int) {
	for _, b := range []*block{r.events, r.contents} {
		if b.rows == 0 || rows <= b.rows {
			continue
		}
		for i := range b.columns {
			c := &b.columns[i]
			if size := len(c.data) * rows / b.rows; cap(c.data) < size*3/4 {
				// A sixteenth more, because they are not all of one size.
				c.data = slices.Grow(c.data, size*17/16-len(c.data))
			}
			if c.nulls != nil {
				c.nulls = slices.Grow(c.nulls, rows-b.rows)
			}
		}
	}
}

// Len is how many there are.
func (r *Rows) Len() int { return r.contents.rows }

// Sequence is the stream's sequence of a row.
func (r *Rows) Sequence(row int) uint64 {
	return binary.LittleEndian.Uint64(r.contents.columns[2].data[8*row:])
}

func (r *Rows) identity(row int) identity {
	return identity(binary.LittleEndian.Uint64(r.contents.columns[0].data[8*row:]))
}

func (r *Rows) content(row int) content {
	return content(binary.LittleEndian.Uint64(r.contents.columns[1].data[8*row:]))
}

var eventsTable = insertion("events",
	"source String", "id String", "type String", "project_id String",
	"district String", "business_date Nullable(Date32)",
	"occurred_at DateTime64(3, 'Asia/Shanghai')", "recorded_at DateTime64(9, 'Asia/Shanghai')",
	"stream_seq UInt64", "actor String", "data String", "fact String", "extensions String")

var contentsTable = insertion("content_hashes", "identity UInt64", "fingerprint UInt64", "stream_seq UInt64")

// Add appends a delivery; with an error nothing is added.
func (r *Rows) Add(d *Delivery) error {
	e := d.Event
	packed, err := schemas.AppendPacked(r.packed[:0], e.Data)
	if err != nil {
		return err
	}
	r.packed = packed
	c := r.events.columns
	c[0].text(e.Source)
	c[1].text(e.ID)
	c[2].text(string(e.Type))
	c[3].text(e.Subject)
	c[4].text(e.District)
	c[5].date(e.BusinessDate())
	c[6].number(uint64(e.Time.UnixMilli()))
	c[7].number(uint64(d.RecordedAt.UnixNano()))
	c[8].number(d.Sequence)
	c[9].text(d.Actor)
	c[10].bytes(e.RawData)
	c[11].bytes(packed)
	c[12].text(e.Extensions)
	r.events.rows++
	c = r.contents.columns
	c[0].number(uint64(identityOf(e)))
	c[1].number(uint64(contentOf(d.Fingerprint)))
	c[2].number(d.Sequence)
	r.contents.rows++
	return nil
}

// add appends some rows of others.
func (r *Rows) add(other *Rows, from, to int) {
	r.events.add(other.events, from, to)
	r.contents.add(other.contents, from, to)
}

// part copies some of the rows.
func (r *Rows) part(from, to int) *Rows {
	p := NewRows()
	p.add(r, from, to)
	return p
}

// identity is the column of that name of content_hashes: a number is looked up many times faster than two texts. Two
// identities may have the same; what is found by it is a suspicion, which the texts of the stream confirm or not.
type identity uint64

// content is the column fingerprint of content_hashes: the first half of the fingerprint of an event.
type content uint64

func identityOf(e *schemas.Event) identity {
	var room [256]byte // of source and id together: no event needs more from the heap
	text := append(append(append(room[:0], e.Source...), ' '), e.ID...)
	sum := sha256.Sum256(text)
	return identity(binary.LittleEndian.Uint64(sum[:]))
}

func contentOf(f schemas.Fingerprint) content { return content(binary.LittleEndian.Uint64(f[:])) }

// The same in SQL, of the columns source and id, and of a fingerprint as contested has it.
const (
	identityInSQL = "reinterpretAsUInt64(substring(SHA256(concat(source, ' ', id)), 1, 8))"
	contentInSQL  = "reinterpretAsUInt64(substring(fingerprint, 1, 8))"
)
