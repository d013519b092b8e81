package producers

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"milepost/schemas"
)

// A record is its length and its checksum, four bytes each, and the event.
const recordHeader = 8

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendRecord frames an event. The checksum covers the length, so that a disk's
// zeros are no record.
func appendRecord(to, event []byte) []byte {
	start := len(to)
	to = binary.LittleEndian.AppendUint32(to, uint32(len(event)))
	to = append(to, 0, 0, 0, 0)
	to = append(to, event...)
	binary.LittleEndian.PutUint32(to[start+4:], checksum(to[start:start+4], event))
	return to
}

func checksum(length, event []byte) uint32 {
	// An empty record would have a checksum that a run of equal bytes could
	// have, too, were it not inverted.
	return ^crc32.Update(crc32.Update(0, castagnoli, length), castagnoli, event)
}

// errRecord tells that the bytes at hand are no whole record.
var errRecord = errors.New("not a whole record")

// recordReader reads the records of a file.
type recordReader struct {
	source *bufio.Reader
	offset int64 // behind the last whole record
}

func newRecordReader(r io.Reader) *recordReader {
	return &recordReader{source: bufio.NewReaderSize(r, 8<<10)}
}

// skipTo begins at an offset of the file.
func (r *recordReader) skipTo(file io.ReadSeeker, offset int64) error {
	if _, err := file.Seek(offset, io.SeekStart); err != nil {
		return err
	}
	r.source.Reset(file)
	r.offset = offset
	return nil
}

// next gives the next event; io.EOF at the end, errRecord where no whole record
// is.
func (r *recordReader) next() ([]byte, error) {
	var header [recordHeader]byte
	if _, err := io.ReadFull(r.source, header[:]); err != nil {
		return nil, tornAt(err)
	}
	length := binary.LittleEndian.Uint32(header[:4])
	if length > schemas.MaxEventBytes {
		return nil, errRecord
	}
	event := make([]byte, length)
	if _, err := io.ReadFull(r.source, event); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, tornAt(err)
	}
	if binary.LittleEndian.Uint32(header[4:]) != checksum(header[:4], event) {
		return nil, errRecord
	}
	r.offset += recordHeader + int64(length)
	return event, nil
}

func tornAt(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errRecord
	}
	return err
}

// spoolPosition says up to where the events are done: all files before the
// segment's, and that one up to the offset.
type spoolPosition struct {
	segment uint64
	offset  int64
}

const (
	positionName  = "sent.position"
	positionBytes = 20
)

// readPosition reads the position; one that does not read is that of nothing
// done: what was done is then sent again, and recognised.
func readPosition(dir string) (spoolPosition, error) {
	text, err := os.ReadFile(filepath.Join(dir, positionName))
	if errors.Is(err, fs.ErrNotExist) {
		return spoolPosition{}, nil
	}
	if err != nil {
		return spoolPosition{}, err
	}
	if len(text) != positionBytes || binary.LittleEndian.Uint32(text[16:]) != checksum(text[:4], text[4:16]) {
		return spoolPosition{}, nil
	}
	return spoolPosition{binary.LittleEndian.Uint64(text), int64(binary.LittleEndian.Uint64(text[8:]))}, nil
}

// position replaces the position at once, durably.
func (f flush) position(dir string, p spoolPosition) error {
	text := binary.LittleEndian.AppendUint64(nil, p.segment)
	text = binary.LittleEndian.AppendUint64(text, uint64(p.offset))
	text = binary.LittleEndian.AppendUint32(text, checksum(text[:4], text[4:16]))
	path := filepath.Join(dir, positionName)
	if err := f.write(path+".new", text); err != nil {
		return err
	}
	if err := os.Rename(path+".new", path); err != nil {
		return err
	}
	return f.folder(dir)
}

// flush makes what was written to a file durable.
type flush func(*os.File) error

// write writes a file anew.
func (f flush) write(path string, text []byte) error {
	return f.writeFile(path, os.O_TRUNC, text)
}

// add adds to a file, which it makes when there is none.
func (f flush) add(path string, text []byte) error {
	return errors.Join(f.writeFile(path, os.O_APPEND, text), f.folder(filepath.Dir(path)))
}

func (f flush) writeFile(path string, mode int, text []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|mode, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = f(file)
	}
	return errors.Join(err, file.Close())
}

// folder makes the names in a folder durable.
func (f flush) folder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f(folder), folder.Close())
}
