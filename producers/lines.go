package producers

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"milepost/schemas"
)

// lineLimit is the longest line that is kept whole: an event with some white
// space around it.
const lineLimit = schemas.MaxEventBytes + 4<<10

// lineReader cuts NDJSON into lines. A byte order mark, carriage returns and
// blank lines are passed over; blank lines count.
type lineReader struct {
	source *bufio.Reader
	number int
	begun  bool
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{source: bufio.NewReaderSize(r, 64<<10)}
}

// more tells whether another line, or a part of it, can be had without
// waiting for the sender.
func (l *lineReader) more() bool { return l.source.Buffered() > 0 }

// next gives the next line that is not blank and its number. Of a line longer
// than lineLimit it gives one byte more than that. At the end it gives io.EOF;
// on any other error the line that was being read is lost, and number is its
// number.
func (l *lineReader) next() (line []byte, number int, err error) {
	for {
		raw, err := l.read()
		if err != nil && (!errors.Is(err, io.EOF) || len(raw) == 0) {
			return nil, l.number, err
		}
		if !l.begun {
			l.begun = true
			raw = bytes.TrimPrefix(raw, []byte("\ufeff"))
		}
		if trimmed := bytes.Trim(raw, " \t\r\n"); len(trimmed) > 0 {
			return trimmed, l.number, nil
		}
	}
}

func (l *lineReader) read() ([]byte, error) {
	l.number++
	var line []byte
	for {
		part, err := l.source.ReadSlice('\n')
		if room := lineLimit + 1 - len(line); len(part) > room {
			part = part[:room]
		}
		line = append(line, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, err
		}
	}
}

// submission makes a line's submission.
func lineSubmission(line []byte, number int) Submission {
	s := Submission{Line: number, Raw: line}
	if len(line) > schemas.MaxEventBytes {
		s.Refused = tooLarge()
	}
	return s
}

func tooLarge() *schemas.Error {
	return &schemas.Error{Code: schemas.TooLarge, Message: "the event is larger than 256 KiB", Hint: "refer to large content by URI instead of enclosing it"}
}
