package bench

import (
	"testing"

	"milepost/schemas"
)

// sample is a thousand events of the mix, in turns of which a function is
// measured: one event alone would teach the branch predictor its own way.
func sample(b *testing.B) []*schemas.Event {
	b.Helper()
	const every = 40
	var events []*schemas.Event
	i := 0
	for e, err := range Events(1000 * every) {
		if err != nil {
			b.Fatal(err)
		}
		if i%(every+1) == 0 { // all steps of a life
			events = append(events, e)
		}
		i++
	}
	return events
}

// each measures a function by the event.
func each(b *testing.B, measured func(e *schemas.Event) error) {
	events := sample(b)
	bytes := 0
	for _, e := range events {
		bytes += len(e.Raw)
	}
	b.SetBytes(int64(bytes / len(events)))
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if err := measured(events[i%len(events)]); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// BenchmarkDecode is what the consumers do with a message.
func BenchmarkDecode(b *testing.B) {
	v := schemas.NewValidator(schemas.DefaultRules())
	each(b, func(e *schemas.Event) error {
		_, _, err := v.Decode(e.Raw)
		return err
	})
}

// BenchmarkValidate is what the producers do with one.
func BenchmarkValidate(b *testing.B) {
	v, err := schemas.NewSchemaValidator(schemas.DefaultRules())
	if err != nil {
		b.Fatal(err)
	}
	each(b, func(e *schemas.Event) error {
		_, _, err := v.Validate(e.Raw)
		return err
	})
}

// BenchmarkFingerprint is done by both.
func BenchmarkFingerprint(b *testing.B) {
	each(b, func(e *schemas.Event) error {
		_, err := schemas.FingerprintOf(e.Raw)
		return err
	})
}

// BenchmarkPackData makes the column from which the ledger is judged.
func BenchmarkPackData(b *testing.B) {
	each(b, func(e *schemas.Event) error {
		_, err := schemas.PackData(e.Data)
		return err
	})
}
