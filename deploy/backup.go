package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"

	"milepost/deploy/keeping"
	"milepost/schemas"
)

// backupSource is what a backup of this process's installation copies.
func (a *App) backupSource() keeping.Source {
	source := keeping.Source{Conn: a.conn, Warehouse: a.warehouse, Archive: a.config.ArchiveFolder(), Version: Version, Now: a.now}
	if a.embeddedNATS != nil {
		source.Keys = natsKeys(a.config.Data)
	}
	return source
}

// backupRoutes adds the backup, for commands that bring it to a folder.
func (a *App) backupRoutes(mux *http.ServeMux) {
	mux.Handle("POST /v1/backup", &backupDesk{app: a})
}

// backupDesk sends one backup at a time.
type backupDesk struct {
	app  *App
	busy sync.Mutex
}

// ServeHTTP sends the files of a backup as parts of a message, the manifest last, while everything goes on. A client that
// goes away ends it.
func (d *backupDesk) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// A backup holds the keys of the installation: what a nameless sender to a server without tokens may not make, it may
	// not carry away either.
	if p := schemas.PrincipalOf(r.Context()); p == nil || p.ID == "" {
		schemas.WriteProblem(w, &schemas.Error{Code: schemas.Forbidden, Message: "backups are taken by the operator or by an admin", Hint: "run milepost backup on the server's machine as the user who runs it, or send an admin's token"})
		return
	}
	if !d.busy.TryLock() {
		schemas.WriteProblem(w, &schemas.Error{Code: schemas.Conflict, Message: "a backup is being taken", Hint: "wait for its end"})
		return
	}
	defer d.busy.Unlock()
	ctx, leave := d.app.longRuns.join(r.Context())
	defer leave()
	parts := keeping.NewParts(w)
	w.Header().Set("Content-Type", parts.ContentType())
	w.Header().Set("Cache-Control", "no-store")
	_, err := keeping.Backup(ctx, d.app.backupSource(), parts)
	if err := parts.End(d.problem(ctx, err)); err != nil {
		d.app.log.WarnContext(ctx, "a backup did not reach its client", "error", err)
	}
}

// problem is what a client hears of a backup that ended early; its status was sent before.
func (d *backupDesk) problem(ctx context.Context, err error) []byte {
	if err == nil {
		return nil
	}
	d.app.log.WarnContext(ctx, "a backup ended early", "error", err)
	var e *schemas.Error
	if ctx.Err() != nil || !errors.As(err, &e) {
		e = &schemas.Error{Code: schemas.Unavailable, Message: "the backup ended early", Hint: "the server ends, or its log says why; begin again"}
	}
	text, err := json.Marshal(e)
	if err != nil {
		return []byte("{}")
	}
	return text
}
