package producers

import (
	"context"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// EditionSubjects lists the subjects that events on editions have, such as
// _month-2025: one for each kind and year. Errors are of code Unavailable.
func EditionSubjects(ctx context.Context, js jetstream.JetStream) ([]string, error) {
	stream, err := js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return nil, unreadable(err)
	}
	var subjects []string
	seen := map[string]bool{}
	for _, types := range []string{"bulletin", "assessment"} {
		info, err := stream.Info(ctx, jetstream.WithSubjectFilter("milepost.events."+schemas.CityDistrict+".*."+types+".*"))
		if err != nil {
			return nil, unreadable(err)
		}
		for name := range info.State.Subjects {
			// milepost.events.city.<subject>.<type>
			if parts := strings.Split(name, "."); len(parts) > 3 && !seen[parts[3]] {
				seen[parts[3]] = true
				subjects = append(subjects, parts[3])
			}
		}
	}
	return subjects, nil
}
