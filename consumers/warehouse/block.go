package warehouse

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"milepost/schemas"
)

// block gathers rows column by column in the form in which ClickHouse's format Native sends them. It is kept from batch to
// batch, so that its memory has not to be found again for each.
type block struct {
	statement insertStatement
	rows      int
	columns   []column
	heads     []byte
}

// column is the values of one column, each in its wire form, one after the other.
type column struct {
	nulls []byte // one for each row of a Nullable column
	data  []byte
}

func (c *column) text(s string)   { c.data = append(binary.AppendUvarint(c.data, uint64(len(s))), s...) }
func (c *column) bytes(b []byte)  { c.data = append(binary.AppendUvarint(c.data, uint64(len(b))), b...) }
func (c *column) number(n uint64) { c.data = binary.LittleEndian.AppendUint64(c.data, n) }

// date appends to a Nullable(Date32); no date is NULL.
func (c *column) date(d schemas.Date) {
	var days int32
	null := byte(1)
	if d != 0 {
		null, days = 0, d.UnixDays()
	}
	c.nulls = append(c.nulls, null)
	c.data = binary.LittleEndian.AppendUint32(c.data, uint32(days))
}

// size is the length of each value of a column's type in its wire form, 0 when a length precedes each.
func size(typ string) int {
	switch {
	case typ == "Nullable(Date32)":
		return 4
	case typ == "UInt64", strings.HasPrefix(typ, "DateTime64("):
		return 8
	}
	return 0
}

// offset is where the value of a row begins.
func (c *column) offset(typ string, row int) int {
	if n := size(typ); n > 0 {
		return n * row
	}
	at := 0
	for range row {
		length, n := binary.Uvarint(c.data[at:])
		at += n + int(length)
	}
	return at
}

// add appends some rows of another block of the same statement.
func (b *block) add(other *block, from, to int) {
	for i := range b.columns {
		in, out, typ := &other.columns[i], &b.columns[i], b.statement.columns[i].Type
		out.data = append(out.data, in.data[in.offset(typ, from):in.offset(typ, to)]...)
		if in.nulls != nil {
			out.nulls = append(out.nulls, in.nulls[from:to]...)
		}
	}
	b.rows += to - from
}

func newBlock(s insertStatement) *block {
	return &block{statement: s, columns: make([]column, len(s.columns))}
}

func (b *block) reset() {
	b.rows = 0
	for i := range b.columns {
		c := &b.columns[i]
		c.nulls, c.data = c.nulls[:0], c.data[:0]
	}
}

// text gives the block as it is sent. The columns stay where they are: what is sent is made of them part by part.
func (b *block) text() io.Reader {
	heads := binary.AppendUvarint(b.heads[:0], uint64(len(b.columns)))
	heads = binary.AppendUvarint(heads, uint64(b.rows))
	ends := make([]int, len(b.columns)) // of each column's head; the memory of heads may still move
	for i := range b.columns {
		for _, word := range []string{b.statement.columns[i].Name, b.statement.columns[i].Type} {
			heads = append(binary.AppendUvarint(heads, uint64(len(word))), word...)
		}
		ends[i] = len(heads)
	}
	b.heads = heads
	parts := make([]io.Reader, 0, 3*len(b.columns))
	at := 0
	for i := range b.columns {
		for _, part := range [][]byte{heads[at:ends[i]], b.columns[i].nulls, b.columns[i].data} {
			if len(part) > 0 {
				parts = append(parts, bytes.NewReader(part))
			}
		}
		at = ends[i]
	}
	return io.MultiReader(parts...)
}

// asItIs spares the engine to look for rows of one key in each block: merges do that, and readers ask for FINAL.
const asItIs = " SETTINGS optimize_on_insert = 0"

// send inserts the rows as one block.
func (b *block) send(ctx context.Context, w *Warehouse) error {
	if b.rows == 0 {
		return nil
	}
	if w.native {
		values, err := b.values()
		if err != nil {
			return err
		}
		return w.insert(ctx, b.statement, b.rows, values...)
	}
	return w.conn.InsertFormat(ctx, "Native", "INSERT INTO "+b.statement.table+w.suffix+" ("+b.statement.names+")"+asItIs, b.text())
}

// values gives each column as a slice, for the protocol that takes no ready-made blocks.
func (b *block) values() ([]any, error) {
	list := make([]any, len(b.columns))
	for i := range b.columns {
		var ok bool
		if list[i], ok = b.columns[i].values(b.statement.columns[i].Type, b.rows); !ok {
			return nil, fmt.Errorf("column %s of %s is not whole", b.statement.columns[i].Name, b.statement.table)
		}
	}
	return list, nil
}

func (c *column) values(typ string, rows int) (any, bool) {
	switch typ {
	case "String":
		texts, rest := make([]string, rows), c.data
		for i := range texts {
			length, n := binary.Uvarint(rest)
			if n <= 0 || length > uint64(len(rest)-n) {
				return nil, false
			}
			texts[i], rest = string(rest[n:n+int(length)]), rest[n+int(length):]
		}
		return texts, len(rest) == 0
	case "UInt64":
		return eachOf(c.data, rows, 8, binary.LittleEndian.Uint64)
	case "DateTime64(3, 'Asia/Shanghai')":
		return eachOf(c.data, rows, 8, func(b []byte) time.Time { return time.UnixMilli(int64(binary.LittleEndian.Uint64(b))) })
	case "DateTime64(9, 'Asia/Shanghai')":
		return eachOf(c.data, rows, 8, func(b []byte) time.Time { return time.Unix(0, int64(binary.LittleEndian.Uint64(b))) })
	case "Nullable(Date32)":
		dates, ok := eachOf(c.data, rows, 4, func(b []byte) *time.Time {
			midnight := schemas.DateFromUnixDays(int32(binary.LittleEndian.Uint32(b))).Time()
			return &midnight
		})
		for i := range dates {
			if c.nulls[i] == 1 {
				dates[i] = nil
			}
		}
		return dates, ok
	}
	return nil, false
}

func eachOf[T any](data []byte, rows, size int, value func([]byte) T) ([]T, bool) {
	if len(data) != rows*size {
		return nil, false
	}
	list := make([]T, rows)
	for i := range list {
		list[i] = value(data[i*size : (i+1)*size])
	}
	return list, true
}

// speaksNative tells whether the connection speaks ClickHouse's own protocol, which takes no ready-made blocks.
func speaksNative(options *clickhouse.Options) bool { return options.Protocol == clickhouse.Native }
