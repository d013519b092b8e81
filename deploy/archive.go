package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"milepost/consumers"
	"milepost/consumers/archive"
	"milepost/deploy/settings"
	"milepost/schemas"
)

// archiveRoutes adds the archive of the stream's beginning.
func (a *App) archiveRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/archive", a.serveArchiveList)
	mux.HandleFunc("POST /v1/archive", a.serveArchive)
	mux.HandleFunc("POST /v1/archive/verify", a.serveArchiveVerify)
}

// archiveList is the answer to GET /v1/archive.
type archiveList struct {
	Dir      string            `json:"dir"`
	Segments []archive.Segment `json:"segments"`
	// Stream is what the stream itself holds.
	Stream archiveStream `json:"stream"`
}

type archiveStream struct {
	First    uint64 `json:"first_seq"`
	Last     uint64 `json:"last_seq"`
	Messages uint64 `json:"messages"`
	Bytes    uint64 `json:"bytes"`
}

// archiveVerified is the answer to POST /v1/archive/verify when everything is as it was written.
type archiveVerified struct {
	Dir      string `json:"dir"`
	Segments int    `json:"segments"`
	Last     uint64 `json:"last_seq"`
	Bytes    int64  `json:"bytes"`
}

func (a *App) serveArchiveList(w http.ResponseWriter, r *http.Request) {
	held, err := archive.Open(a.config.ArchiveFolder())
	if err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	stream, err := a.js.Stream(r.Context(), schemas.StreamName)
	if err != nil {
		schemas.WriteProblem(w, streamUnavailable(err))
		return
	}
	state := stream.CachedInfo().State
	list := archiveList{Dir: held.Dir(), Segments: held.Segments(), Stream: archiveStream{state.FirstSeq, state.LastSeq, state.Msgs, state.Bytes}}
	if list.Segments == nil {
		list.Segments = []archive.Segment{}
	}
	writeArchive(w, list)
}

// serveArchiveVerify reads every segment; a client that goes away ends it.
func (a *App) serveArchiveVerify(w http.ResponseWriter, r *http.Request) {
	ctx, leave := a.longRuns.join(r.Context())
	defer leave()
	verified, err := verifyArchive(ctx, a.config.ArchiveFolder(), func(dir string) (*archive.Archive, error) {
		return consumers.Covered(ctx, a.js, dir)
	})
	if err != nil {
		schemas.WriteProblem(w, a.archiveError(ctx, err))
		return
	}
	writeArchive(w, verified)
}

func verifyArchive(ctx context.Context, dir string, open func(string) (*archive.Archive, error)) (archiveVerified, error) {
	held, err := open(dir)
	if err != nil {
		return archiveVerified{}, err
	}
	return archiveVerified{Dir: held.Dir(), Segments: len(held.Segments()), Last: held.Last(), Bytes: held.Bytes()}, held.Verify(ctx)
}

// serveArchive answers POST /v1/archive?before=&keep_days=&purge=.
func (a *App) serveArchive(w http.ResponseWriter, r *http.Request) {
	before, err := a.archiveBound(r)
	purge, alsoErr := choice(r, "purge")
	if err := errors.Join(err, alsoErr); err != nil {
		schemas.WriteProblem(w, err)
		return
	}
	ctx, leave := a.longRuns.join(r.Context())
	defer leave()
	result, err := a.archive(ctx, before, purge)
	if err != nil {
		schemas.WriteProblem(w, a.archiveError(ctx, err))
		return
	}
	if result.Segments == nil {
		result.Segments = []archive.Segment{}
	}
	writeArchive(w, result)
}

// archiveBound reads before which moment events are old; the zero time is no bound.
func (a *App) archiveBound(r *http.Request) (time.Time, error) {
	before, days := r.FormValue("before"), r.FormValue("keep_days")
	switch {
	case before != "" && days != "":
		return time.Time{}, &schemas.Error{Code: schemas.Invalid, Field: "keep_days", Value: schemas.Shorten(days), Message: "a date and days at once", Hint: "give one of them"}
	case before != "":
		date, err := schemas.ParseDate(before)
		if err != nil {
			return time.Time{}, &schemas.Error{Code: schemas.Invalid, Field: "before", Value: schemas.Shorten(before), Message: "not a date", Hint: "write YYYY-MM-DD"}
		}
		return date.Start(), nil
	case days != "":
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 || n > settings.MaxKeepDays {
			return time.Time{}, &schemas.Error{Code: schemas.Invalid, Field: "keep_days", Value: schemas.Shorten(days), Message: "not a number of days", Hint: "from 0 to " + strconv.Itoa(settings.MaxKeepDays)}
		}
		return daysBefore(a.now(), n), nil
	case a.config.ArchiveKeepDays > 0:
		return daysBefore(a.now(), a.config.ArchiveKeepDays), nil
	}
	return time.Time{}, nil
}

func (a *App) archive(ctx context.Context, before time.Time, purge bool) (*consumers.ArchiveResult, error) {
	return consumers.Archive(ctx, consumers.ArchiveConfig{
		JetStream: a.js, Dir: a.config.ArchiveFolder(), Before: before, Purge: purge, SegmentMessages: a.config.ArchiveSegmentMessages,
		Version: Version, Now: a.now, Log: a.log,
	})
}

func (a *App) archiveError(ctx context.Context, err error) error {
	a.log.WarnContext(ctx, "the archive", "error", err)
	var e *schemas.Error
	if ctx.Err() != nil || !errors.As(err, &e) {
		return &schemas.Error{Code: schemas.Unavailable, Message: "archiving ended early", Hint: "the server ends, or its log says why; begin again, nothing is lost and nothing archived twice"}
	}
	return err
}

func writeArchive(w http.ResponseWriter, answer any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
}

// How often the scheduler archives, and how long it waits after it could not.
const (
	archiveEvery = 24 * time.Hour
	archiveAgain = time.Hour
)

// archiveOld archives and purges what is older than the configuration keeps, and tells when to do so again.
func (a *App) archiveOld(ctx context.Context) (wait time.Duration) {
	result, err := a.archive(ctx, daysBefore(a.now(), a.config.ArchiveKeepDays), true)
	if err != nil {
		a.log.WarnContext(ctx, "old events stay on the stream, they are archived later", "error", err, "after", archiveAgain)
		return archiveAgain
	}
	a.log.InfoContext(ctx, "old events are archived", "archived", result.Archived, "purged", result.Purged, "up_to", result.Last, "kept", result.Kept)
	return archiveEvery
}

// archiveDaily does so until ctx ends.
func (a *App) archiveDaily(ctx context.Context) error {
	for {
		timer := time.NewTimer(a.archiveOld(ctx))
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// daysBefore is the moment from which on events of the last so many days are.
func daysBefore(now time.Time, days int) time.Time { return now.AddDate(0, 0, -days) }
