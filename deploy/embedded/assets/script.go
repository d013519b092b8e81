package assets

import (
	"context"
	"os"
	"path"
	"path/filepath"
)

// Script finds the manifest's script of that name ("htmx", or "axe" for tests), or fetches it, and gives its text. The
// order of places is that of Library, without the environment variable.
func (s Store) Script(ctx context.Context, name string) ([]byte, error) {
	asset, err := entry(name)
	if err != nil {
		return nil, err
	}
	s = s.withDefaults()
	file := path.Base(asset.Files[0].Member)
	if beside := filepath.Join(s.Beside, file); s.Beside != "" {
		if text, err := os.ReadFile(beside); err == nil {
			return text, nil
		}
	}
	dir, err := s.Dir(ctx, asset)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(dir, file))
}
