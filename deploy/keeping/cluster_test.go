package keeping

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers"
	"milepost/deploy/embedded/enginetest"
	"milepost/producers"
	"milepost/schemas"
)

const startTimeout = 30 * time.Second

// cluster starts three NATS servers in this process and gives a connection to one of them.
func cluster(t *testing.T) *nats.Conn {
	t.Helper()
	var routes []*url.URL
	for range 3 {
		free, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		routes = append(routes, &url.URL{Scheme: "nats", Host: free.Addr().String()})
		if err := free.Close(); err != nil {
			t.Fatal(err)
		}
	}
	var nodes []*natsserver.Server
	for i, route := range routes {
		var port int
		if _, err := fmt.Sscan(route.Port(), &port); err != nil {
			t.Fatal(err)
		}
		node, err := natsserver.NewServer(&natsserver.Options{
			ServerName: fmt.Sprintf("node-%d", i+1), Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
			JetStream: true, StoreDir: filepath.Join(t.TempDir(), "nats"), MaxPayload: 1 << 20,
			Cluster: natsserver.ClusterOpts{Name: "keeping", Host: "127.0.0.1", Port: port}, Routes: routes,
		})
		if err != nil {
			t.Fatal(err)
		}
		node.Start()
		t.Cleanup(func() { node.Shutdown(); node.WaitForShutdown() })
		if !node.ReadyForConnections(startTimeout) {
			t.Fatalf("NATS server %d did not start", i+1)
		}
		nodes = append(nodes, node)
	}
	await(t, "a leader", func() bool {
		return slices.ContainsFunc(nodes, func(n *natsserver.Server) bool { return n.JetStreamIsLeader() && len(n.JetStreamClusterPeers()) == 3 })
	})
	conn, err := nats.Connect(nodes[0].ClientURL(), nats.MaxReconnects(-1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	return conn
}

// await asks again until it is so.
func await(t *testing.T, what string, so func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for deadline := time.After(startTimeout); !so(); {
		select {
		case <-again.C:
		case <-deadline:
			t.Fatalf("no %s in %v", what, startTimeout)
		}
	}
}

// TestAStreamGoesIntoACluster copies a stream of one server, with a gap, into three: its sequences, its times and what its
// consumer had acknowledged are the same there, and it goes on behind its end.
func TestAStreamGoesIntoACluster(t *testing.T) {
	t.Parallel()
	from, err := enginetest.NATS(t).Connect()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(from.Close)
	box, err := jetstream.New(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := producers.EnsureStream(t.Context(), box, producers.StreamConfig{}); err != nil {
		t.Fatal(err)
	}
	subject := "milepost.events.shanyang.P-0001.progress.reported"
	for i := range 300 {
		if _, err := box.Publish(t.Context(), subject, fmt.Appendf(nil, "event %d", i+1), jetstream.WithMsgID(fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	durable, err := box.CreateConsumer(t.Context(), schemas.StreamName, jetstream.ConsumerConfig{Durable: "W", AckPolicy: jetstream.AckExplicitPolicy})
	if err != nil {
		t.Fatal(err)
	}
	taken, err := durable.Fetch(100)
	if err != nil {
		t.Fatal(err)
	}
	for message := range taken.Messages() {
		if err := message.DoubleAck(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var snapshot bytes.Buffer
	s, err := snapshotStream(t.Context(), from, schemas.StreamName, true, &snapshot)
	if err != nil {
		t.Fatal(err)
	}
	if s.Last != 300 || s.Messages != 300 {
		t.Fatalf("the snapshot: %+v", s)
	}

	to := cluster(t)
	servers, err := jetstream.New(to)
	if err != nil {
		t.Fatal(err)
	}
	if err := restoreStream(t.Context(), to, &s, 3, false, bytes.NewReader(snapshot.Bytes())); err != nil {
		t.Fatal(err)
	}
	was, err := box.Stream(t.Context(), schemas.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := servers.Stream(t.Context(), schemas.StreamName)
	if err != nil {
		t.Fatal(err)
	}
	if info := stream.CachedInfo(); info.Config.Replicas != 3 || !info.Config.DenyDelete || info.State.LastSeq != 300 {
		t.Errorf("the stream of the cluster: %+v", info)
	}
	for _, sequence := range []uint64{1, 150, 300} {
		want, err := was.GetMsg(t.Context(), sequence)
		if err != nil {
			t.Fatal(err)
		}
		got, err := stream.GetMsg(t.Context(), sequence)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got.Data, want.Data) || !got.Time.Equal(want.Time) || got.Subject != want.Subject {
			t.Errorf("message %d: %+v, want %+v", sequence, got, want)
		}
	}
	await(t, "consumer with its acknowledgements", func() bool {
		consumer, err := stream.Consumer(t.Context(), "W")
		return err == nil && consumer.CachedInfo().AckFloor.Stream == 100
	})
	await(t, "event behind the end", func() bool {
		asking, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		ack, err := servers.Publish(asking, subject, []byte("event 301"), jetstream.WithMsgID("next"))
		return err == nil && ack.Sequence == 301
	})

	// Old events leave the servers, too: all of them, one after the other.
	if err := consumers.SetPosition(t.Context(), servers, 301); err != nil {
		t.Fatal(err)
	}
	archived, err := consumers.Archive(t.Context(), consumers.ArchiveConfig{
		JetStream: servers, Dir: filepath.Join(t.TempDir(), "archive"), Before: time.Now().Add(time.Hour), Purge: true, Now: time.Now,
	})
	if err != nil || archived.Archived != 301 || archived.Purged != 300 || archived.Kept != 1 {
		t.Errorf("archived in the cluster: %+v, %v", archived, err)
	}
	if replicated, err := consumers.Covered(t.Context(), servers, filepath.Join(t.TempDir(), "nothing")); err == nil || replicated != nil {
		t.Error("the cluster's stream is whole without its archive")
	}

	// Half a snapshot makes no stream.
	half := s
	half.Name = "HALF"
	half.Config = bytes.ReplaceAll(s.Config, []byte(schemas.StreamName), []byte("HALF"))
	half.Config = bytes.ReplaceAll(half.Config, []byte("milepost.events"), []byte("half.events"))
	if err := restoreStream(t.Context(), to, &half, 3, false, bytes.NewReader(snapshot.Bytes()[:snapshot.Len()/2])); schemas.CodeOf(err) != schemas.Unavailable {
		t.Errorf("half a snapshot was taken: %v", err)
	}
}
