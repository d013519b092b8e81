package deploy

import (
	"fmt"

	"milepost/deploy/embedded/assets"
)

// engineCommand fetches the embedded ClickHouse, and on request fonts, ahead of
// their first use, for machines that have no network later.
type engineCommand struct {
	Fonts bool `help:"Fetch the Chinese fonts for PDF, too (about 125 MB)."`
}

// Run prints where they are.
func (c engineCommand) Run(env *environment) error {
	store := assets.Store{Progress: env.streams.Err}
	library, err := store.Library(env.ctx)
	if err != nil {
		return err
	}
	if _, err = fmt.Fprintln(env.streams.Out, library); err != nil || !c.Fonts {
		return err
	}
	fonts, err := store.Fonts(env.ctx, true)
	if err != nil {
		return err
	}
	for _, font := range fonts {
		if _, err := fmt.Fprintln(env.streams.Out, font.Path); err != nil {
			return err
		}
	}
	return nil
}
