package deploy

import (
	"context"
	"net/http"
	"path/filepath"

	"milepost/producers"
	"milepost/producers/imports"
	"milepost/schemas"
)

// importsHandler serves spreadsheets: /v1/imports and what is below it.
func (a *App) importsHandler() (http.Handler, error) {
	importer, err := imports.NewImporter(imports.Importer{
		Published: sentBefore{a.reader}, Publisher: importPublisher{a}, Stream: knowledge{a}, Applied: a.applied, Rules: a.book.Any(), Now: a.now,
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	objects, err := imports.OpenPreviewStore(ctx, a.js, 0)
	if err != nil {
		return nil, err
	}
	previews, err := imports.NewPreviews(importer, imports.PreviewOptions{Dir: filepath.Join(a.config.Data, "previews"), Objects: objects})
	if err != nil {
		return nil, err
	}
	a.closers = append(a.closers, func(context.Context) error { return previews.Close() })
	a.previews = previews
	return imports.NewHandler(importer, imports.HandlerOptions{Previews: previews, Sender: a.importSender}), nil
}

// importSender tells who sends a spreadsheet: a token of one district speaks
// for its office, so that its sheets need not say whose they are.
func (a *App) importSender(r *http.Request) (imports.Sender, error) {
	p := schemas.PrincipalOf(r.Context())
	if p == nil {
		return imports.Sender{Actor: producers.RemoteActor(r)}, nil
	}
	s := imports.Sender{Actor: p.Actor(), Admit: a.admission(r.Context())}
	if len(p.Districts) == 1 {
		s.District = p.Districts[0]
	}
	return s, nil
}
