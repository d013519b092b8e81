package deploy

import (
	"context"
	"io"

	"milepost/deploy/embedded/assets"
	"milepost/scheduler/render/pdf"
)

// documentFonts gives printed documents the fonts of the assets' cache.
type documentFonts struct{ progress io.Writer }

// Faces gives the fonts that are there, or fetches them.
func (d documentFonts) Faces(ctx context.Context, fetch bool) ([]pdf.Face, error) {
	fonts, err := assets.Store{Progress: d.progress}.Fonts(ctx, fetch)
	if err != nil {
		return nil, err
	}
	faces := make([]pdf.Face, len(fonts))
	for i, f := range fonts {
		faces[i] = pdf.Face{Family: f.Family, Bold: f.Bold, Path: f.Path}
	}
	return faces, nil
}
