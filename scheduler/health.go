package scheduler

import (
	"context"
	"time"
)

// JobHealth is how a job does, for those who watch.
type JobHealth struct {
	Job string
	// Failing tells that the last run failed and is tried again.
	Failing bool
	// Succeeded is when the last run that was no failure ended; zero before the
	// first.
	Succeeded time.Time
}

// Health tells who holds the lease, empty for nobody, and how the jobs do by the
// record of their runs. Errors are of code Unavailable.
func (s *Scheduler) Health(ctx context.Context) (holder string, jobs []JobHealth, err error) {
	if s.c.Lease != nil {
		held, err := s.c.Lease.Holding(ctx)
		if err != nil {
			return "", nil, err
		}
		holder = held.Holder
	}
	if s.c.Runs == nil {
		return holder, nil, nil
	}
	var names []string
	for _, job := range s.c.Jobs {
		names = append(names, job.Name())
	}
	if s.c.Assessment != nil {
		names = append(names, assessmentJob)
	}
	for _, notice := range s.c.Notices {
		names = append(names, string(notice.Notice))
	}
	for _, name := range names {
		runs, err := s.c.Runs.Last(ctx, name)
		if err != nil {
			return "", nil, err
		}
		health := JobHealth{Job: name, Failing: len(runs) > 0 && runs[0].Result == Failed}
		for _, run := range runs {
			if run.Result.settled() && run.Result != Missed && run.Ended.After(health.Succeeded) {
				health.Succeeded = run.Ended
			}
		}
		jobs = append(jobs, health)
	}
	return holder, jobs, nil
}
