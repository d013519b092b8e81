package deploy

import (
	"fmt"

	"milepost/deploy/embedded/assets"
)

// engineCommand fetches the embedded ClickHouse ahead of the first start, for
// machines that have no network later.
type engineCommand struct{}

// Run prints where the engine is.
func (engineCommand) Run(env *environment) error {
	library, err := assets.Store{Progress: env.streams.Err}.Library(env.ctx)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(env.streams.Out, library)
	return err
}
