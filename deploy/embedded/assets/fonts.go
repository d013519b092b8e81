package assets

import (
	"context"
	"path"
	"path/filepath"
	"strings"
)

// Font is a TrueType font with the name that styles give its family.
type Font struct {
	Family string
	Bold   bool
	Path   string
}

// fontAssets are the manifest's fonts (Open Font License) and their families.
func fontAssets() [][2]string {
	return [][2]string{{"noto-serif-sc", "Noto Serif SC"}, {"noto-sans-sc", "Noto Sans SC"}}
}

// Fonts gives the manifest's Chinese fonts from the cache. Without fetch they are those that are there already; with
// it the missing ones are brought, about 125 MB.
func (s Store) Fonts(ctx context.Context, fetch bool) ([]Font, error) {
	s = s.withDefaults()
	var fonts []Font
	for _, of := range fontAssets() {
		asset, err := entry(of[0])
		if err != nil {
			return nil, err
		}
		dir, there, err := s.cached(asset)
		if err != nil && fetch {
			return nil, err
		}
		if !there && fetch {
			if dir, err = s.Dir(ctx, asset); err != nil {
				return nil, err
			}
			there = true
		}
		if !there {
			continue
		}
		for _, file := range asset.Files {
			if name := path.Base(file.Member); strings.HasSuffix(name, ".ttf") {
				fonts = append(fonts, Font{Family: of[1], Bold: strings.Contains(name, "Bold"), Path: filepath.Join(dir, name)})
			}
		}
	}
	return fonts, nil
}

// cached tells whether the cache has the asset, and where.
func (s Store) cached(asset Asset) (dir string, there bool, err error) {
	cache, err := s.cache()
	if err != nil {
		return "", false, err
	}
	dir = filepath.Join(cache, asset.Name+"-"+asset.Version)
	return dir, complete(dir, asset), nil
}
