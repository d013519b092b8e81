package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"milepost/deploy/access"
	"milepost/schemas"
	"milepost/web"
	"milepost/web/pages"
)

// pageDesk lets editors sign off in a browser: the acts are those of the HTTP
// interface.
type pageDesk struct {
	editionDesk
	archive pageArchive
}

// Printed writes the edition's own file, else what it is or would be printed
// from.
func (d pageDesk) Printed(ctx context.Context, w io.Writer, id, edition, format string) error {
	form := web.Form{Edition: edition, Format: format}
	if p := schemas.PrincipalOf(ctx); p != nil && !p.Role.May(schemas.MayRead) {
		return d.Preview(ctx, w, id, form)
	}
	status, err := d.Edition(ctx, id)
	if err != nil {
		return err
	}
	return d.press.printEdition(ctx, w, status, form)
}

// SpeaksFor gives the departments of a department's token; an admin answers for
// any.
func (d pageDesk) SpeaksFor(ctx context.Context, departments []string) []string {
	speaks := d.speaks(ctx, "")
	if p := schemas.PrincipalOf(ctx); p != nil && p.Role == schemas.RoleAdmin {
		speaks = func(string) bool { return true }
	}
	var own []string
	for _, department := range departments {
		if speaks(department) {
			own = append(own, department)
		}
	}
	return own
}

// Assess makes the year's assessment under the rules in force.
func (d pageDesk) Assess(ctx context.Context, year int, known uint64) (*schemas.Assessment, error) {
	draft, err := d.press.Assess(ctx, year, known, "")
	if err != nil {
		return nil, err
	}
	return draft.Model, nil
}

// Finalise finalises the year once.
func (d pageDesk) Finalise(ctx context.Context, year int) error {
	_, err := d.press.scheduler.Finalise(ctx, year)
	return err
}

// EventsBehind looks the events up by their identity; the project's name is that
// of today.
func (d pageDesk) EventsBehind(ctx context.Context, refs []schemas.EventRef) ([]pages.TracedEvent, error) {
	quote := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	ids := make([]string, 0, len(refs))
	for _, ref := range refs {
		ids = append(ids, "'"+quote.Replace(schemas.EventID(ref.Source, ref.ID))+"'")
	}
	sql := fmt.Sprintf(`SELECT e.*, ifNull(l.name, '') AS project_name FROM (
    SELECT project_id, source, id, type, district, actor, ifNull(toString(business_date), '') AS day, toString(toUnixTimestamp64Nano(recorded_at)) AS at, toString(stream_seq) AS seq, data
    FROM events WHERE event_id IN (%s) ORDER BY stream_seq LIMIT 1 BY source, id
) AS e LEFT ANY JOIN (SELECT project_id, name FROM ledger_current) AS l ON e.project_id = l.project_id ORDER BY toUInt64(e.seq)`, strings.Join(ids, ", "))
	var events []pages.TracedEvent
	err := d.archive.each(ctx, sql, func(line []byte) error {
		var row struct {
			Source, ID, Type, District, Actor, Day, At, Seq, Data string
			ProjectID                                             string `json:"project_id"`
			ProjectName                                           string `json:"project_name"`
		}
		if err := json.Unmarshal(line, &row); err != nil {
			return err
		}
		at, errAt := strconv.ParseInt(row.At, 10, 64)
		seq, errSeq := strconv.ParseUint(row.Seq, 10, 64)
		events = append(events, pages.TracedEvent{ProjectID: row.ProjectID, ProjectName: row.ProjectName, StoredEvent: pages.StoredEvent{
			Source: row.Source, ID: row.ID, Type: row.Type, District: row.District, Actor: row.Actor, BusinessDate: row.Day,
			RecordedAt: time.Unix(0, at), Seq: seq, Data: json.RawMessage(row.Data),
		}})
		return errors.Join(errAt, errSeq)
	})
	return events, err
}

// withMissingPage answers a browser that asks for what is not there with a page
// that says so.
func (a *App) withMissingPage(mux *http.ServeMux) http.Handler {
	if a.pages == nil {
		return mux
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, pattern := mux.Handler(r); pattern == "" && access.WantsPage(r) {
			a.pages.Refuse(w, r, &schemas.Error{Code: schemas.NotFound, Field: "path", Value: schemas.Shorten(r.URL.Path), Message: "no such page"})
			return
		}
		mux.ServeHTTP(w, r)
	})
}
