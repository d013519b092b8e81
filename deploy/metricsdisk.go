package deploy

import (
	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sys/unix"
)

// diskMetrics tell how much room there is where this process keeps its files: published editions and, with embedded
// engines, everything else.
type diskMetrics struct {
	dir        string
	free, size *prometheus.Desc
}

func newDiskMetrics(dir string) *diskMetrics {
	return &diskMetrics{
		dir:  dir,
		free: prometheus.NewDesc("milepost_disk_free_bytes", "Room left for this process on the file system of its data folder; absent while there is no folder.", nil, nil),
		size: prometheus.NewDesc("milepost_disk_size_bytes", "Size of the file system of its data folder.", nil, nil),
	}
}

// Describe serves prometheus.Collector.
func (m *diskMetrics) Describe(out chan<- *prometheus.Desc) { out <- m.free; out <- m.size }

// Collect serves prometheus.Collector. A folder that does not exist yet has no file system to tell of.
func (m *diskMetrics) Collect(out chan<- prometheus.Metric) {
	var stat unix.Statfs_t
	if unix.Statfs(m.dir, &stat) != nil {
		return
	}
	block := float64(stat.Bsize)
	out <- prometheus.MustNewConstMetric(m.free, prometheus.GaugeValue, float64(stat.Bavail)*block)
	out <- prometheus.MustNewConstMetric(m.size, prometheus.GaugeValue, float64(stat.Blocks)*block)
}
