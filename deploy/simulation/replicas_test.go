package simulation

import (
	"slices"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/producers"
)

// TestEverythingIsKeptOnAsManyServers opens a bucket, a store and a stranger's
// stream with one replica beside a stream of events with three.
func TestEverythingIsKeptOnAsManyServers(t *testing.T) {
	t.Parallel()
	connections, _ := cluster(t)
	js := connections[0]
	if _, err := js.CreateKeyValue(t.Context(), jetstream.KeyValueConfig{Bucket: "MILEPOST_SCHEDULE"}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateObjectStore(t.Context(), jetstream.ObjectStoreConfig{Bucket: "MILEPOST_EDITIONS"}); err != nil {
		t.Fatal(err)
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "OTHERS", Subjects: []string{"others.>"}}); err != nil {
		t.Fatal(err)
	}
	changed, err := producers.FollowReplicas(t.Context(), js)
	slices.Sort(changed)
	if want := []string{"KV_MILEPOST_SCHEDULE", "OBJ_MILEPOST_EDITIONS"}; err != nil || !slices.Equal(changed, want) {
		t.Errorf("changed %v, %v; want %v", changed, err, want)
	}
	for name, want := range map[string]int{"KV_MILEPOST_SCHEDULE": clusterSize, "OBJ_MILEPOST_EDITIONS": clusterSize, "MILEPOST_EVENTS": clusterSize, "OTHERS": 1} {
		stream, err := js.Stream(t.Context(), name)
		if err != nil || stream.CachedInfo().Config.Replicas != want {
			t.Errorf("%s: %v, %+v", name, err, stream.CachedInfo().Config)
		}
	}
	if changed, err := producers.FollowReplicas(t.Context(), js); err != nil || len(changed) != 0 {
		t.Errorf("again: %v, %v", changed, err)
	}
}
