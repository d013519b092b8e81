package deploy

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"milepost/schemas"
	"milepost/web/pages"
)

// pageArchive reads what happened the way an analyst would.
type pageArchive struct{ analyst pages.Analyst }

// maxProjectEvents bounds the events of a project that are read, the latest.
const maxProjectEvents = 5000

// History gives the project's events up to the sequence, each identity once.
func (p pageArchive) History(ctx context.Context, projectID string, known uint64) ([]pages.StoredEvent, error) {
	if strings.ContainsFunc(projectID, notInID) {
		return nil, &schemas.Error{Code: schemas.Invalid, Field: "id", Value: schemas.Shorten(projectID), Message: "not a project id"}
	}
	// Not FINAL: it would merge the whole table for the few rows of a project.
	sql := fmt.Sprintf(`SELECT * FROM (
    SELECT source, id, type, district, actor, ifNull(toString(business_date), '') AS day, toUnixTimestamp64Nano(recorded_at) AS at, stream_seq AS seq, data
    FROM events WHERE project_id = '%s' AND stream_seq <= %d ORDER BY stream_seq LIMIT 1 BY source, id
) ORDER BY seq DESC LIMIT %d`, projectID, known, maxProjectEvents)
	var events []pages.StoredEvent
	err := p.each(ctx, sql, func(line []byte) error {
		var row struct {
			Source, ID, Type, District, Actor, Day, Data string
			At, Seq                                      json.RawMessage
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		at, errAt := strconv.ParseInt(strings.Trim(string(row.At), `"`), 10, 64)
		seq, errSeq := strconv.ParseUint(strings.Trim(string(row.Seq), `"`), 10, 64)
		events = append(events, pages.StoredEvent{
			Source: row.Source, ID: row.ID, Type: row.Type, District: row.District, Actor: row.Actor, BusinessDate: row.Day,
			RecordedAt: time.Unix(0, at), Seq: seq, Data: json.RawMessage(row.Data),
		})
		return errors.Join(errAt, errSeq)
	})
	for i, j := 0, len(events)-1; i < j; i, j = i+1, j-1 {
		events[i], events[j] = events[j], events[i]
	}
	return events, err
}

func notInID(c rune) bool {
	return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' && c != '-'
}

// maxEditions bounds the editions that the archive lists.
const maxEditions = 500

// Editions gives what was published, the latest first.
func (p pageArchive) Editions(ctx context.Context) ([]pages.Edition, error) {
	sql := fmt.Sprintf(`SELECT kind, period, issue_no, formatDateTime(published_at, '%%Y-%%m-%%d %%H:%%i') AS at, toString(known_seq) AS known, remarks
FROM published_editions ORDER BY published_seq DESC LIMIT %d`, maxEditions)
	var editions []pages.Edition
	err := p.each(ctx, sql, func(line []byte) error {
		var row struct {
			Kind, Period, At, Known, Remarks string
			IssueNo                          int `json:"issue_no"`
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		known, err := strconv.ParseUint(row.Known, 10, 64)
		editions = append(editions, pages.Edition{Kind: row.Kind, Period: row.Period, Number: row.IssueNo, PublishedAt: row.At, KnownSeq: known, Remarks: row.Remarks})
		return err
	})
	return editions, err
}

// each calls row with every row of the result as a JSON object.
func (p pageArchive) each(ctx context.Context, sql string, row func(line []byte) error) error {
	var text bytes.Buffer
	if err := p.analyst.Query(ctx, &text, sql, "JSONEachRow"); err != nil {
		return err
	}
	decoder := json.NewDecoder(&text)
	for {
		var line json.RawMessage
		err := decoder.Decode(&line)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = row(line)
		}
		if err != nil {
			return fmt.Errorf("reading what happened: %w", err)
		}
	}
}
