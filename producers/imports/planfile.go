package imports

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"os"

	"milepost/schemas"
)

// planFile keeps the events of a plan on disk, one a line: an import of a
// hundred thousand rows makes more of them than memory should hold.
type planFile struct {
	file   *os.File
	writer *bufio.Writer
	lines  *json.Encoder
	count  int
}

// plannedLine is an event of a plan with the row that it comes from.
type plannedLine struct {
	File  string          `json:"file"`
	Sheet string          `json:"sheet,omitempty"`
	Row   int             `json:"row"`
	ID    string          `json:"id"`
	Raw   json.RawMessage `json:"event"`
}

// newPlanFile makes an empty plan in a folder, "" being that of temporary files.
func newPlanFile(dir string) (*planFile, error) {
	file, err := os.CreateTemp(dir, "plan-*.ndjson")
	if err != nil {
		return nil, noRoom(err)
	}
	// Without a name it goes with the process, however that ends; where a file in
	// use keeps its name, remove takes it away.
	_ = os.Remove(file.Name())
	p := &planFile{file: file, writer: bufio.NewWriterSize(file, 1<<16)}
	p.lines = json.NewEncoder(p.writer)
	p.lines.SetEscapeHTML(false)
	return p, nil
}

func noRoom(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the server cannot keep the import on its disk", Hint: "make room in its data folder and try again", Err: err}
}

func (p *planFile) add(events []PlannedEvent) error {
	for i := range events {
		e := &events[i]
		if err := p.lines.Encode(plannedLine{File: e.File, Sheet: e.Sheet, Row: e.Row, ID: e.ID, Raw: e.Raw}); err != nil {
			return noRoom(err)
		}
	}
	p.count += len(events)
	return nil
}

// seal ends the writing.
func (p *planFile) seal() error {
	if err := p.writer.Flush(); err != nil {
		return noRoom(err)
	}
	p.writer, p.lines = nil, nil
	return nil
}

// all yields the events from the first; it may be asked again.
func (p *planFile) all() iter.Seq2[plannedLine, error] {
	return func(yield func(plannedLine, error) bool) {
		lines := bufio.NewReaderSize(io.NewSectionReader(p.file, 0, 1<<62), 1<<16)
		for {
			text, err := lines.ReadBytes('\n')
			if errors.Is(err, io.EOF) && len(text) == 0 {
				return
			}
			var one plannedLine
			if err == nil {
				err = json.Unmarshal(bytes.TrimSpace(text), &one)
			}
			if err != nil {
				err = noRoom(err)
			}
			if !yield(one, err) || err != nil {
				return
			}
		}
	}
}

// remove closes and deletes the file; nothing is lost with it.
func (p *planFile) remove() {
	_ = p.file.Close()
	_ = os.Remove(p.file.Name())
}
