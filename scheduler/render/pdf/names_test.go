package pdf

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"milepost/schemas"
)

// rareNames are characters that names of people and firms have and many fonts
// lack.
const rareNames = "喆堃镕昇"

// one is a font that is there.
type one struct{ face Face }

func (o one) Faces(context.Context, bool) ([]Face, error) { return []Face{o.face}, nil }

// cachedFonts are the fonts that were fetched to this machine; nothing is
// fetched here.
func cachedFonts(t *testing.T) []string {
	t.Helper()
	cache := os.Getenv("MILEPOST_CACHE")
	if cache == "" {
		if user, err := os.UserCacheDir(); err == nil {
			cache = filepath.Join(user, "milepost", "assets")
		}
	}
	found, err := filepath.Glob(filepath.Join(cache, "noto-*", "*.ttf"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// On a machine without fonts of its own, each font prints rare characters of
// names, or they are refused by name: none is printed as a box. The made font,
// which has one of them, and every fetched font are held to it.
func TestRareCharactersOfNamesArePrintedOrNamed(t *testing.T) {
	t.Parallel()
	made := filepath.Join(t.TempDir(), "made.ttf")
	if err := os.WriteFile(made, madeFont(), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range append(cachedFonts(t), made) {
		needed := map[rune]bool{}
		for _, r := range rareNames {
			needed[r] = true
		}
		subset, has, err := subsetFile(path, 0, needed)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if path == made && (!has['喆'] || has['堃'] || has['镕'] || has['昇']) || path != made && len(subset) < 1000 {
			t.Errorf("%s has %v in %d bytes", path, has, len(subset))
		}
		p := New(Options{Fonts: one{Face{Family: "One", Path: path}}})
		p.charset = func() (runeSet, bool) { return runeSet{{' ', '~'}}, true }
		prepared, err := p.fontStyle(t.Context(), "<head></head><body>"+rareNames)
		refused := schemas.CodeOf(err) == schemas.Unavailable
		if !refused && (err != nil || !strings.Contains(prepared, "@font-face")) {
			t.Errorf("%s: %v", path, err)
		}
		for _, r := range rareNames {
			if named := refused && strings.ContainsRune(err.Error(), r); named == has[r] {
				t.Errorf("%s: %c stands in the font: %v, refused: %v", path, r, has[r], err)
			}
		}
	}
}
