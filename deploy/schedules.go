package deploy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/scheduler"
	"milepost/schemas"
)

// scheduleBucket keeps the lease and the record of runs.
const scheduleBucket = "MILEPOST_SCHEDULE"

// planned fills in when and by whom what is due is run.
func (a *App) planned(ctx context.Context, c *scheduler.Config) error {
	s, err := a.config.Schedules(a.book, a.log)
	if err != nil {
		return err
	}
	bucket, err := scheduleStore(ctx, a.js)
	if err != nil {
		return err
	}
	c.Jobs, c.Assessment, c.AssessmentRule, c.Notices = s.Bulletins, s.Assessment, s.AssessmentRule, s.Notices
	c.Calendar, c.Zone, c.ReportDay, c.Now, c.Log = s.Calendar, s.Zone, s.ReportDay, a.now, a.log
	c.Replica, c.Notifier = replicaName(), a.notifier()
	c.Lease = scheduler.NewLease(bucket, c.Replica, 0, a.now)
	c.Runs = scheduler.NewRunLog(bucket)
	c.SequenceAt = knowledge{a}.SequenceAt
	c.StreamTime = a.streamTime
	return nil
}

func scheduleStore(ctx context.Context, js jetstream.JetStream) (jetstream.KeyValue, error) {
	bucket, err := js.KeyValue(ctx, scheduleBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: scheduleBucket, Description: "Milepost: who runs what is due, and what ran", MaxValueSize: 64 << 10})
	}
	if err != nil {
		return nil, &schemas.Error{Code: schemas.Unavailable, Message: "the record of the schedule cannot be opened", Hint: "check that NATS runs with JetStream", Err: err}
	}
	return bucket, nil
}

// streamTime gives the time of the NATS server's clock.
func (a *App) streamTime(ctx context.Context) (time.Time, error) {
	stream, err := a.js.Stream(ctx, schemas.StreamName)
	if err != nil {
		return time.Time{}, &schemas.Error{Code: schemas.Unavailable, Message: "the stream cannot be read", Hint: "check that NATS runs", Err: err}
	}
	return stream.CachedInfo().TimeStamp, nil
}

// replicaName names this process among those that share a stream.
func replicaName() string {
	host, err := os.Hostname()
	if err != nil {
		host = "host"
	}
	return fmt.Sprintf("%s-%d", host, os.Getpid())
}
