package bench

import (
	"iter"

	"milepost/deploy/histories"
	"milepost/schemas"
)

// Events yields the n events of [histories.Uniform]: of real shape, over three
// years, with random ids. The same n gives the same events.
func Events(n int) iter.Seq2[*schemas.Event, error] { return histories.Uniform(n) }
