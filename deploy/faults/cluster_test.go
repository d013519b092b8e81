package faults

import (
	"context"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go/jetstream"

	"milepost/producers"
	"milepost/schemas"
)

// cluster is three NATS servers in this process, each with files, a client port and a cluster port of its own.
type cluster struct {
	t       *testing.T
	dir     string
	clients []int
	routes  []*url.URL
	nodes   []*natsserver.Server
}

const clusterSize = 3

func startCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{t: t, dir: t.TempDir(), nodes: make([]*natsserver.Server, clusterSize)}
	for range clusterSize {
		c.clients = append(c.clients, freePort(t))
		c.routes = append(c.routes, &url.URL{Scheme: "nats", Host: fmt.Sprintf("127.0.0.1:%d", freePort(t))})
	}
	for i := range clusterSize {
		c.start(i)
	}
	t.Cleanup(func() {
		for i := range clusterSize {
			c.stop(i)
		}
	})
	eventually(t, "the servers chose a leader", func() bool {
		for _, n := range c.nodes {
			if n.JetStreamIsLeader() {
				return len(n.JetStreamClusterPeers()) == clusterSize
			}
		}
		return false
	})
	return c
}

// start runs a server, again perhaps, on its files and ports.
func (c *cluster) start(i int) {
	c.t.Helper()
	var port int
	if _, err := fmt.Sscanf(c.routes[i].Port(), "%d", &port); err != nil {
		c.t.Fatal(err)
	}
	node, err := natsserver.NewServer(&natsserver.Options{
		ServerName: c.name(i), Host: "127.0.0.1", Port: c.clients[i], NoLog: true, NoSigs: true, DisableJetStreamBanner: true,
		JetStream: true, StoreDir: filepath.Join(c.dir, c.name(i)), MaxPayload: 1 << 20,
		Cluster: natsserver.ClusterOpts{Name: "faults", Host: "127.0.0.1", Port: port}, Routes: c.routes,
	})
	if err != nil {
		c.t.Fatal(err)
	}
	node.Start()
	if !node.ReadyForConnections(20 * time.Second) {
		c.t.Fatalf("NATS server %s did not start", c.name(i))
	}
	c.nodes[i] = node
}

func (c *cluster) stop(i int) {
	c.nodes[i].Shutdown()
	c.nodes[i].WaitForShutdown()
}

func (c *cluster) name(i int) string { return fmt.Sprintf("node-%d", i+1) }

func (c *cluster) addresses() string {
	var all []string
	for _, port := range c.clients {
		all = append(all, fmt.Sprintf("nats://127.0.0.1:%d", port))
	}
	return strings.Join(all, ",")
}

// leader gives the server that leads the stream, or false while there is none that all know.
func (c *cluster) leader(js jetstream.JetStream) (leader int, current bool) {
	ctx, cancel := context.WithTimeout(c.t.Context(), 2*time.Second)
	defer cancel()
	stream, err := js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return 0, false
	}
	state := stream.CachedInfo().Cluster
	current = state != nil && len(state.Replicas) == clusterSize-1
	if state == nil || state.Leader == "" {
		return 0, false
	}
	for _, r := range state.Replicas {
		current = current && r.Current && !r.Offline
	}
	for i := range clusterSize {
		if c.name(i) == state.Leader {
			return i, current
		}
	}
	return 0, false
}

// TestStopLeader stops the server that leads the replicated stream while events flow, and starts it again before it stops
// the next one.
func TestStopLeader(t *testing.T) {
	t.Parallel()
	stops, events := scale(2, 10), scale(6_000, 200_000)
	c := startCluster(t)
	engine := serve(t, append(fixedPorts(t), "--target", "engines", "--nats", c.addresses(), "--data", folder(t))...)
	r := newRig(t, c.addresses(), engine.clickhouse, seed+4)
	eventually(t, "the stream is made, three times", func() bool {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		return producers.EnsureStream(ctx, r.js, producers.StreamConfig{Replicas: clusterSize}) == nil
	})
	to := []string{"--nats", c.addresses(), "--clickhouse", engine.clickhouse, "--data", folder(t)}
	consumer := serve(t, append(to, "--target", "consumers,web")...)
	r.start(publisherLoad(t, r.js), events, ahead(), seed+4)
	var outages []time.Duration
	for i := range stops {
		r.momentToKill(i, stops)
		var leader int
		eventually(t, "all servers have the whole stream", func() bool {
			var current bool
			leader, current = c.leader(r.js)
			return current
		})
		mark, sent := r.watermark(), r.load.last.Load()
		stopped := time.Now()
		c.stop(leader)
		r.kills++
		eventually(t, "publishing and consuming go on with two servers", func() bool {
			return r.complete() || r.load.last.Load() > sent && r.watermark() > max(mark, sent)
		})
		outages = append(outages, time.Since(stopped))
		c.start(leader)
	}
	o := r.finish()
	info, err := r.js.Stream(t.Context(), schemas.StreamName)
	if err != nil || info.CachedInfo().Config.Replicas != clusterSize {
		t.Errorf("the stream is no longer kept %d times (%v)", clusterSize, err)
	}
	o.ledgers(t, consumer.http, days...)
	o.currentLedger(t, r.sql)
	t.Logf("%d leaders stopped; everything flowed on after %v", stops, rounded(outages))
}
