package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers"
	"milepost/consumers/warehouse"
	"milepost/deploy/access"
	"milepost/schemas"
)

// doctorTime bounds what a server is asked.
const doctorTime = 30 * time.Second

// doctorRoutes adds what a server knows of its engines.
func (a *App) doctorRoutes(mux *http.ServeMux) {
	mux.HandleFunc("GET /v1/doctor", func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), doctorTime)
		defer cancel()
		found := a.examine(ctx)
		found = append(found, a.tokensExamined(a.tokens)...)
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(found) // the client may be gone
	})
}

// examine checks the engines that the process is joined to.
func (a *App) examine(ctx context.Context) diagnoses {
	var found diagnoses
	a.examineStream(ctx, &found)
	a.examineWarehouse(ctx, &found)
	a.examineTargets(ctx, &found)
	return found
}

func (a *App) examineStream(ctx context.Context, found *diagnoses) {
	const doNATS = "check that NATS runs with JetStream, its address and its credentials"
	rtt, err := a.conn.RTT()
	if err != nil {
		found.fail("NATS", doNATS, "it does not answer: %v", err)
		return
	}
	found.ok("NATS", "version %s, %v away", a.conn.ConnectedServerVersion(), rtt.Round(time.Microsecond))
	stream, err := a.js.Stream(ctx, schemas.StreamName)
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		found.warn("stream", "milepost serve makes it", "no server ever ran here")
		return
	}
	if err != nil {
		found.fail("stream", doNATS, "%v", err)
		return
	}
	info := stream.CachedInfo()
	a.examineClock(info.TimeStamp, found)
	a.examineArchive(ctx, info, found)
	examineReplicas(info, found)
	a.examineLag(ctx, stream, found)
}

// clockApart is how far the clocks may be apart; ten minutes stop the scheduler.
const (
	clockApart   = 10 * time.Second
	clockTooWide = 10 * time.Minute
)

func (a *App) examineClock(theirs time.Time, found *diagnoses) {
	apart := a.now().Sub(theirs).Abs().Round(time.Second)
	const do = "set the clocks of all servers by NTP: timedatectl set-ntp true"
	switch {
	case apart >= clockTooWide:
		found.fail("clocks", do, "this machine and NATS are %v apart: the scheduler runs nothing", apart)
	case apart >= clockApart:
		found.warn("clocks", do, "this machine and NATS are %v apart", apart)
	default:
		found.ok("clocks", "this machine and NATS agree")
	}
}

func examineReplicas(info *jetstream.StreamInfo, found *diagnoses) {
	replicas := info.Config.Replicas
	if info.Cluster == nil || len(info.Cluster.Replicas) == 0 && info.Cluster.Name == "" {
		found.ok("replicas", "one NATS server; its backup is the second copy")
		return
	}
	if replicas < 3 {
		found.warn("replicas", "give the stream three: nats stream edit "+schemas.StreamName+" --replicas 3", "the stream of a cluster is kept by %d servers", replicas)
	}
	behind := 0
	for _, peer := range info.Cluster.Replicas {
		if peer.Offline || !peer.Current {
			behind++
			found.fail("replicas", "start the server again, or wait until it has caught up", "%s is offline or behind", peer.Name)
		}
	}
	if info.Cluster.Leader == "" {
		found.fail("replicas", "start enough servers for a majority", "the stream has no leader")
	} else if behind == 0 && replicas >= 3 {
		found.ok("replicas", "%d servers, all current, led by %s", replicas, info.Cluster.Leader)
	}
}

// wideLag is from how many messages on people wait for what they published.
const wideLag = 10_000

func (a *App) examineLag(ctx context.Context, stream jetstream.Stream, found *diagnoses) {
	const do = "start a process with the role consumers, and look into its log"
	last := stream.CachedInfo().State.LastSeq
	applied := consumers.NewApplied(a.js)
	watermark, err := applied.Watermark(ctx)
	if err != nil {
		found.fail("lag", do, "%v", err)
		return
	}
	carried, err := applied.Carried(ctx)
	if err != nil {
		found.fail("lag", do, "%v", err)
		return
	}
	behind := last - min(last, watermark)
	switch {
	case behind > 0 && !carried:
		found.fail("lag", do, "%d events are not in the warehouse, and no consumer runs", behind)
	case behind > wideLag:
		found.warn("lag", "look whether ClickHouse is slow, and at milepost_lag_messages", "%d events are not in the warehouse yet", behind)
	default:
		found.ok("lag", "%d events behind, applied up to %d", behind, watermark)
	}
}

func (a *App) examineWarehouse(ctx context.Context, found *diagnoses) {
	h, err := a.warehouse.Health(ctx)
	if err != nil {
		found.fail("ClickHouse", "check that ClickHouse runs, its address and its password", "%v", err)
		return
	}
	found.ok("ClickHouse", "version %s", h.Version)
	newest, err := warehouse.NewestSchema()
	switch {
	case err != nil:
		found.fail("schema", "take a whole build of Milepost", "%v", err)
	case h.Schema == 0:
		found.warn("schema", "milepost serve makes it", "no server ever ran here")
		return
	case h.Schema < newest:
		found.warn("schema", "the next start brings it up to date; take a backup before", "the tables have schema %d, this version %d", h.Schema, newest)
	case h.Schema > newest:
		found.fail("schema", "start the version of Milepost that wrote it; going back is not possible", "the tables have schema %d, this version knows %d", h.Schema, newest)
	default:
		found.ok("schema", "%d", h.Schema)
	}
	if h.OpenDeadLetters > 0 {
		found.warn("dead letters", "milepost deadletters, then resend or discard", "%d messages could not be accepted, and nothing was done about them", h.OpenDeadLetters)
	} else {
		found.ok("dead letters", "none open")
	}
	switch {
	case h.ReadOnly > 0:
		found.fail("ClickHouse replicas", "check Keeper: SELECT * FROM system.replicas WHERE is_readonly", "%d of %d tables take nothing", h.ReadOnly, h.Replicated)
	case h.Delay > uint64(time.Hour/time.Second):
		found.warn("ClickHouse replicas", "look at system.replication_queue", "the slowest table is %d s behind", h.Delay)
	case h.Replicated > 0:
		found.ok("ClickHouse replicas", "%d tables, at most %d s behind", h.Replicated, h.Delay)
	}
}

// soon is how long before their end tokens are warned of.
const soon = 14 * 24 * time.Hour

func (a *App) tokensExamined(store *access.Store) (found diagnoses) {
	if !store.Used() {
		found.warn("tokens", "milepost token create --role admin", "none: everybody on this machine may do everything")
		return found
	}
	now := a.now()
	admins, valid := 0, 0
	for _, token := range store.List() {
		if token.State(now) != "valid" {
			continue
		}
		valid++
		if token.Expires != nil && token.Expires.Sub(now) < soon {
			found.warn("tokens", "make its holder a new one: milepost token create", "%s %s (%s) ends on %s", token.Role, token.ID, token.Name, schemas.DateOf(*token.Expires))
		}
		if token.Role == schemas.RoleAdmin {
			admins++
		}
	}
	if admins == 0 {
		found.warn("tokens", "milepost token create --role admin, as the user who runs the server", "no admin has a valid one")
	} else if len(found) == 0 {
		found.ok("tokens", "%d valid, %d of them admins'", valid, admins)
	}
	return found
}
