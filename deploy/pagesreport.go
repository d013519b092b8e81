package deploy

import (
	"context"
	"fmt"
	"net/http"

	"milepost/producers/evidence"
	"milepost/producers/imports"
	"milepost/schemas"
	"milepost/web/pages"
)

// pageImports are the spreadsheets of /v1/imports.
type pageImports struct{ a *App }

// Preview reads the form and plans what it would publish.
func (p pageImports) Preview(w http.ResponseWriter, r *http.Request) (*pages.ImportPreview, error) {
	sender, err := p.a.importSender(r)
	if err != nil {
		return nil, err
	}
	q, err := imports.ReadForm(w, r, imports.HandlerOptions{})
	if err != nil {
		return nil, err
	}
	if len(q.Files) == 0 || len(q.Files[0].Text) == 0 {
		return nil, &schemas.Error{Code: schemas.Invalid, Field: "file", Message: "no file was chosen", Hint: "choose a workbook or a CSV file"}
	}
	q.Sender = sender
	if q.District != "" {
		// What was chosen on the page stands for the office of the token.
		if principal := schemas.PrincipalOf(r.Context()); principal != nil && principal.Role != schemas.RoleAdmin {
			if refused := principal.AdmitsSource(schemas.SourceOf(q.District), ""); refused != nil && principal.SourcePrefix == "" {
				return nil, refused
			}
		}
		q.Sender.District = q.District
	}
	made, err := p.a.previews.Make(r.Context(), *q)
	if err != nil {
		return nil, err
	}
	shown := shownPreview(made)
	shown.District = q.Sender.District
	return shown, nil
}

// Find gives a preview.
func (p pageImports) Find(ctx context.Context, id string) (*pages.ImportPreview, error) {
	kept, err := p.a.previews.Get(ctx, id)
	if err != nil {
		return nil, err
	}
	if principal := schemas.PrincipalOf(ctx); principal != nil {
		if refused := principal.AdmitsSource(kept.Source, ""); refused != nil {
			return nil, refused
		}
	}
	return shownPreview(kept), nil
}

// Confirm publishes what was previewed.
func (p pageImports) Confirm(ctx context.Context, r *http.Request, id string) (*pages.ImportResult, error) {
	sender, err := p.a.importSender(r)
	if err != nil {
		return nil, err
	}
	result, err := p.a.previews.Confirm(ctx, id, true, sender, nil)
	if err != nil {
		return nil, err
	}
	return shownResult(result), nil
}

func shownPreview(p *imports.Preview) *pages.ImportPreview {
	shown := &pages.ImportPreview{
		ID: p.ID, Source: p.Source, Snapshots: p.Snapshots, Added: p.Added, Changed: p.Changed, Unchanged: p.Unchanged, Refused: p.RefusedRows,
		Planned: p.Planned, Events: p.Events, Faults: notes(p.Refused), Ignored: p.Ignored, HasErrorsFile: p.HasErrorsFile,
	}
	for _, project := range p.Changes {
		for _, event := range project.Events {
			change := pages.ImportChange{ProjectID: project.ProjectID, Type: event.Type, On: event.Snapshot}
			for _, d := range event.Changes {
				change.What = append(change.What, pages.ImportDifference{What: d.What, From: d.From, To: d.To})
			}
			shown.Changes = append(shown.Changes, change)
		}
	}
	warnings := make([]imports.Fault, 0, len(p.Warnings))
	for _, w := range p.Warnings {
		warnings = append(warnings, imports.Fault{File: w.File, Sheet: w.Sheet, Row: w.Row, Column: w.Column, Value: w.Value, Message: w.Message})
	}
	shown.Warnings = notes(warnings)
	if p.Confirmed != nil {
		shown.Result = shownResult(p.Confirmed)
	}
	return shown
}

func shownResult(r *imports.Result) *pages.ImportResult {
	return &pages.ImportResult{Published: r.Published, Duplicates: r.Duplicates, Failed: r.Failed, LastSeq: r.LastSeq, Faults: notes(r.Errors)}
}

func notes(faults []imports.Fault) []pages.ImportNote {
	list := make([]pages.ImportNote, 0, len(faults))
	for _, f := range imports.InOfficeWords(faults) {
		list = append(list, pages.ImportNote{Place: placeOfNote(f.File, f.Sheet, f.Cell, f.Row), Column: f.Column, Value: f.Value, Message: f.Message, Hint: f.Hint})
	}
	return list
}

// placeOfNote says where in a file something is.
func placeOfNote(file, sheet, cell string, row int) string {
	place := file
	if sheet != "" {
		place += "［" + sheet + "］"
	}
	switch {
	case cell != "":
		place += " " + cell
	case row > 0:
		place += fmt.Sprintf(" 第 %d 行", row)
	}
	return place
}

// evidenceRoutes opens the files that prove milestones, and takes and gives them.
func (a *App) evidenceRoutes(mux *http.ServeMux) error {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	store, err := evidence.Open(ctx, a.js)
	if err != nil {
		return err
	}
	a.evidence = store
	store.Register(mux)
	return nil
}

// pageFiles are the files of evidence.
type pageFiles struct{ store *evidence.Store }

// Keep keeps a file.
func (f pageFiles) Keep(ctx context.Context, name string, content []byte) (pages.StoredFile, error) {
	file, err := f.store.Keep(ctx, name, content)
	return storedFile(file), err
}

// Find tells what is known of a file.
func (f pageFiles) Find(ctx context.Context, sum string) (pages.StoredFile, error) {
	file, err := f.store.Find(ctx, sum)
	return storedFile(file), err
}

// Read gives a file.
func (f pageFiles) Read(ctx context.Context, sum string) (pages.StoredFile, []byte, error) {
	file, content, err := f.store.Read(ctx, sum)
	return storedFile(file), content, err
}

func storedFile(f evidence.File) pages.StoredFile {
	return pages.StoredFile{SHA256: f.SHA256, Name: f.Name, MediaType: f.MediaType, Size: f.Size}
}
