package producers

import (
	"context"
	"errors"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/schemas"
)

// Replicas gives on how many servers the stream of events is kept.
// Its errors are of code Unavailable.
func Replicas(ctx context.Context, js jetstream.JetStream) (int, error) {
	stream, err := js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return 0, unavailable(err)
	}
	return max(1, stream.CachedInfo().Config.Replicas), nil
}

// FollowReplicas has the project's other streams, buckets and object stores kept
// on as many servers as the stream of events: who chose three for the events
// would lose the schedule, the drafts or the archive with one server otherwise.
// What an administrator keeps on more stays. Names of what was changed come back,
// also with an error, which is of code Unavailable.
func FollowReplicas(ctx context.Context, js jetstream.JetStream) (changed []string, err error) {
	want, err := Replicas(ctx, js)
	if err != nil || want == 1 {
		return nil, err
	}
	var failures []error
	list := js.ListStreams(ctx)
	for info := range list.Info() {
		config := info.Config
		if !ours(config.Name) || config.Replicas >= want {
			continue
		}
		config.Replicas = want
		if _, err := js.UpdateStream(ctx, config); err != nil {
			failures = append(failures, &schemas.Error{Code: schemas.Unavailable, Message: "a stream is not kept on as many servers as the events", Field: "nats_replicas", Value: config.Name,
				Hint: "see that all servers of the cluster run, with room; or change it by nats stream edit --replicas", Err: err})
			continue
		}
		changed = append(changed, config.Name)
	}
	if err := list.Err(); err != nil {
		failures = append(failures, unavailable(err))
	}
	return changed, errors.Join(failures...)
}

// ours tells whether the stream, or the bucket that stands on it, is the
// project's. A stream's name has no more to go by.
func ours(name string) bool {
	for _, bucket := range []string{"KV_", "OBJ_"} {
		name = strings.TrimPrefix(name, bucket)
	}
	return strings.HasPrefix(name, "MILEPOST_")
}
