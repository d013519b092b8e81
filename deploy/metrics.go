package deploy

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"milepost/consumers"
	"milepost/consumers/warehouse"
	"milepost/schemas"
)

// scrapeTimeout bounds what a scrape asks NATS and ClickHouse.
const scrapeTimeout = 3 * time.Second

// metrics are what a process tells Prometheus of itself. Counters begin with the process.
type metrics struct {
	registry     *prometheus.Registry
	batchEvents  prometheus.Histogram
	writeSeconds *prometheus.HistogramVec
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		batchEvents: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "milepost_batch_messages", Help: "Messages in a batch that was written to ClickHouse.",
			Buckets: []float64{1, 10, 100, 1000, 2500, 5000, 10_000},
		}),
		writeSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "milepost_batch_write_seconds", Help: "How long writing a batch to ClickHouse took, by outcome (written, failed).",
			Buckets: []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120},
		}, []string{"outcome"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// wrote is told of each write of the consumer.
func (m *metrics) wrote(messages int, took time.Duration, err error) {
	outcome := "written"
	if err != nil {
		outcome = "failed"
	} else {
		m.batchEvents.Observe(float64(messages))
	}
	m.writeSeconds.WithLabelValues(outcome).Observe(took.Seconds())
}

// watchConsumer shows the counters of a consumer that runs in this process.
func (m *metrics) watchConsumer(c *consumers.Counters) {
	m.registry.MustRegister(m.batchEvents, m.writeSeconds)
	for _, counter := range []struct {
		name, help string
		value      *atomic.Uint64
	}{
		{"milepost_batches_written_total", "Batches written to ClickHouse.", &c.Batches},
		{"milepost_events_written_total", "Events written to ClickHouse, repeated ones included.", &c.Events},
		{"milepost_events_repeated_total", "Events whose identity and content were stored before; those of a backlog are not counted.", &c.Repeated},
		{"milepost_events_conflicting_total", "Events whose identity was used before with other content; those of a backlog are not counted.", &c.Conflicts},
		{"milepost_dead_letters_total", "Messages that became dead letters.", &c.DeadLetters},
		{"milepost_rows_refused_total", "Dead letters that ClickHouse, not the decoder, refused.", &c.Refused},
		{"milepost_batch_retries_total", "Writes that failed and are tried again: ClickHouse away, silent, restarting or full.", &c.Retries},
		{"milepost_positions_retried_total", "Positions that could not be noted at once: NATS away.", &c.PositionRetries},
	} {
		m.registry.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: counter.name, Help: counter.help},
			func() float64 { return float64(counter.value.Load()) }))
	}
}

// engines asks NATS and ClickHouse at each scrape.
type engines struct {
	js        jetstream.JetStream
	applied   *consumers.Applied
	warehouse *warehouse.Warehouse

	now func() time.Time

	natsUp, clickhouseUp, reconnects, last, watermark, lag, lagSeconds *prometheus.Desc
}

func newEngines(js jetstream.JetStream, applied *consumers.Applied, w *warehouse.Warehouse, now func() time.Time) *engines {
	desc := func(name, help string) *prometheus.Desc { return prometheus.NewDesc(name, help, nil, nil) }
	return &engines{
		js: js, applied: applied, warehouse: w, now: now,
		natsUp:       desc("milepost_nats_up", "1 while the connection to NATS stands."),
		clickhouseUp: desc("milepost_clickhouse_up", "1 when ClickHouse answered this scrape."),
		reconnects:   desc("milepost_nats_reconnects_total", "How often the connection to NATS was lost and made again."),
		last:         desc("milepost_stream_last_sequence", "Last sequence of the stream of events."),
		watermark:    desc("milepost_applied_watermark", "Greatest sequence at and below which every message is in the warehouse or the dead letters."),
		lag:          desc("milepost_lag_messages", "Messages of the stream behind the applied watermark."),
		lagSeconds:   desc("milepost_lag_seconds", "How long the oldest message behind the applied watermark has been on the stream; 0 when none is."),
	}
}

// Describe serves prometheus.Collector.
func (e *engines) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{e.natsUp, e.clickhouseUp, e.reconnects, e.last, e.watermark, e.lag, e.lagSeconds} {
		out <- d
	}
}

// Collect serves prometheus.Collector. What does not answer is left out, but for its being up.
func (e *engines) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64) { out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	conn := e.js.Conn()
	gauge(e.natsUp, flag(conn.Status() == nats.CONNECTED))
	out <- prometheus.MustNewConstMetric(e.reconnects, prometheus.CounterValue, float64(conn.Stats().Reconnects))
	gauge(e.clickhouseUp, flag(e.warehouse.Ping(ctx) == nil))
	stream, err := e.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return
	}
	last := stream.CachedInfo().State.LastSeq
	gauge(e.last, float64(last))
	if watermark, err := e.applied.Watermark(ctx); err == nil {
		gauge(e.watermark, float64(watermark))
		gauge(e.lag, float64(last-min(last, watermark)))
		if watermark >= last {
			gauge(e.lagSeconds, 0)
		} else if oldest, err := stream.GetMsg(ctx, watermark+1); err == nil {
			gauge(e.lagSeconds, max(0, e.now().Sub(oldest.Time).Seconds()))
		}
	}
}

func flag(set bool) float64 {
	if set {
		return 1
	}
	return 0
}
