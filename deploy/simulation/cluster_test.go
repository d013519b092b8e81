package simulation

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	natsclient "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/producers"
)

const (
	clusterSize  = 3
	startTimeout = 30 * time.Second
)

// cluster starts three NATS servers in this process and gives a connection to
// each; the stream and the bucket of the schedule are kept by all three.
func cluster(t *testing.T) ([]jetstream.JetStream, jetstream.KeyValueConfig) {
	t.Helper()
	var routes []*url.URL
	for range clusterSize {
		routes = append(routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", freePort(t))})
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
			Cluster: natsserver.ClusterOpts{Name: "simulation", Host: "127.0.0.1", Port: port}, Routes: routes,
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
	// The servers choose a leader first, and take streams of three after.
	ready := func() bool {
		return slices.ContainsFunc(nodes, func(n *natsserver.Server) bool {
			return n.JetStreamIsLeader() && len(n.JetStreamClusterPeers()) == clusterSize
		})
	}
	for deadline := time.Now().Add(startTimeout); !ready(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the NATS servers chose no leader")
		}
	}
	var connections []jetstream.JetStream
	for _, node := range nodes {
		conn, err := natsclient.Connect(node.ClientURL(), natsclient.MaxReconnects(-1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(conn.Close)
		js, err := jetstream.New(conn, jetstream.WithDefaultTimeout(5*time.Second))
		if err != nil {
			t.Fatal(err)
		}
		connections = append(connections, js)
	}
	var err error
	for deadline := time.Now().Add(startTimeout); time.Now().Before(deadline); {
		if err = producers.EnsureStream(t.Context(), connections[0], producers.StreamConfig{Replicas: clusterSize}); err == nil {
			return connections, jetstream.KeyValueConfig{Bucket: "SCHEDULE", Replicas: clusterSize}
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("the cluster takes no stream: %v", err)
	return nil, jetstream.KeyValueConfig{}
}

func freePort(t *testing.T) int {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return listener.Addr().(*net.TCPAddr).Port
}

// subjectOf splits the subject of a numbering, such as _month-2025.
func subjectOf(subject string) (kind, year string) {
	kind, year, _ = strings.Cut(strings.TrimPrefix(subject, "_"), "-")
	return kind, year
}
