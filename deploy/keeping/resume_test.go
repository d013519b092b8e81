package keeping

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/deploy/embedded/enginetest"
	"milepost/producers"
	"milepost/schemas"
)

// TestAnInterruptedRestoreIsBegunAgain finds half a stream in the target: what an attempt with the same backup left is made
// anew, what anybody else made is left alone.
func TestAnInterruptedRestoreIsBegunAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	server := func(events int) jetstream.JetStream {
		conn, err := enginetest.NATS(t).Connect()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		js, err := jetstream.New(conn)
		if err != nil {
			t.Fatal(err)
		}
		for i := range events {
			if i == 0 {
				if err := producers.EnsureStream(ctx, js, producers.StreamConfig{}); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := js.Publish(ctx, "milepost.events.a.b.c", []byte{byte(i)}); err != nil {
				t.Fatal(err)
			}
		}
		return js
	}
	dir := filepath.Join(t.TempDir(), "backup")
	folder, err := NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := &Manifest{Seal: "this backup", Sequence: 9}
	if _, err := put(folder, streamFile(schemas.StreamName), func(w io.Writer) error {
		s, err := snapshotStream(ctx, server(9).Conn(), schemas.StreamName, true, w)
		m.Streams = []Stream{s}
		return err
	}); err != nil {
		t.Fatal(err)
	}

	target := server(4) // half of it
	attempt := func() (*restore, bool, error) {
		r := &restore{Target: Target{Conn: target.Conn(), Progress: func(string) {}}, manifest: m, dir: dir}
		whole, err := r.examine(ctx)
		return r, whole, err
	}
	if _, _, err := attempt(); schemas.CodeOf(err) != schemas.Conflict {
		t.Fatalf("a stream of somebody else: %v", err)
	}
	bucket, err := target.CreateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: progressBucket})
	if err != nil {
		t.Fatal(err)
	}
	for step, seal := range map[string]string{"": "", begunStep(&m.Streams[0]): "another backup"} {
		if step != "" {
			if _, err := bucket.PutString(ctx, step, seal); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := attempt(); schemas.CodeOf(err) != schemas.Conflict {
			t.Errorf("half of %q: %v", seal, err)
		}
	}
	if _, err := bucket.PutString(ctx, begunStep(&m.Streams[0]), m.Seal); err != nil {
		t.Fatal(err)
	}
	r, whole, err := attempt()
	if err != nil || whole {
		t.Fatalf("half of our own: whole %v, %v", whole, err)
	}
	if err := r.stream(ctx, &m.Streams[0]); err != nil {
		t.Fatal(err)
	}
	if found, err := r.look(ctx, &m.Streams[0]); err != nil || found != equal {
		t.Errorf("after the second attempt: %v, %v", found, err)
	}
	// The server goes on, and a third attempt must not take that away.
	if _, err := target.Publish(ctx, "milepost.events.a.b.c", []byte("new")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := attempt(); schemas.CodeOf(err) != schemas.Conflict {
		t.Errorf("a stream that has gone on: %v", err)
	}
}
