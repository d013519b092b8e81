package deploy

import (
	"context"
	"math"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"milepost/scheduler"
	"milepost/scheduler/deliver"
)

// scheduleMetrics asks the records of runs and deliveries at each scrape: what
// they tell is of the installation, not of this process, and is the same from
// every replica.
type scheduleMetrics struct {
	scheduler *scheduler.Scheduler
	courier   *deliver.Courier

	lease, failing, succeeded             *prometheus.Desc
	deliveries, failures, paused, waiting *prometheus.Desc
}

func newScheduleMetrics(s *scheduler.Scheduler, c *deliver.Courier) *scheduleMetrics {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc(name, help, labels, nil)
	}
	return &scheduleMetrics{
		scheduler: s, courier: c,
		lease:      desc("milepost_schedule_lease", "1 for the replica that runs what is due at this moment; absent while nobody does.", "holder"),
		failing:    desc("milepost_schedule_job_failing", "1 while the last run of the job failed and is tried again.", "job"),
		succeeded:  desc("milepost_schedule_job_last_success_timestamp_seconds", "When the last run of the job that did not fail ended; absent before the first.", "job"),
		deliveries: desc("milepost_deliveries", "Deliveries by target and state: waiting, sending, delivered, failed (given up), dropped (withdrawn before).", "target", "state"),
		failures:   desc("milepost_delivery_failures_in_a_row", "Attempts to the target that failed since the last success.", "target"),
		paused:     desc("milepost_delivery_target_paused", "1 while the target is paused after too many failures.", "target"),
		waiting:    desc("milepost_delivery_oldest_waiting_seconds", "Age of the oldest delivery to the target that has not arrived and is not given up; 0 when nothing waits.", "target"),
	}
}

// Describe serves prometheus.Collector.
func (m *scheduleMetrics) Describe(out chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{m.lease, m.failing, m.succeeded, m.deliveries, m.failures, m.paused, m.waiting} {
		out <- d
	}
}

// Collect serves prometheus.Collector. What does not answer is left out.
func (m *scheduleMetrics) Collect(out chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	gauge := func(d *prometheus.Desc, v float64, labels ...string) {
		out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	if holder, jobs, err := m.scheduler.Health(ctx); err == nil {
		if holder != "" {
			gauge(m.lease, 1, holder)
		}
		for _, job := range jobs {
			gauge(m.failing, flag(job.Failing), job.Job)
			if !job.Succeeded.IsZero() {
				gauge(m.succeeded, float64(job.Succeeded.Unix()), job.Job)
			}
		}
	}
	targets, err := m.courier.Health(ctx)
	if err != nil {
		return
	}
	for _, t := range targets {
		for state, n := range t.States {
			gauge(m.deliveries, float64(n), t.Target, string(state))
		}
		gauge(m.failures, float64(t.Failures), t.Target)
		gauge(m.paused, flag(t.PausedAt != nil), t.Target)
		gauge(m.waiting, math.Max(0, t.OldestWaiting.Seconds()), t.Target)
	}
}

// builds times how long models of editions and assessments take to build.
type builds struct{ seconds *prometheus.HistogramVec }

func newBuilds(registry *prometheus.Registry) builds {
	b := builds{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name: "milepost_edition_build_seconds", Help: "How long this process took to build the model of a bulletin or assessment, by kind.",
		Buckets: []float64{0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
	}, []string{"kind"})}
	registry.MustRegister(b.seconds)
	return b
}

// done is deferred with the time of the beginning.
func (b builds) done(kind string, begun time.Time) {
	b.seconds.WithLabelValues(kind).Observe(time.Since(begun).Seconds())
}
