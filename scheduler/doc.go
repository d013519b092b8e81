// Package scheduler publishes bulletins: for every kind and period that is due
// and missing, oldest first, once (the specification, §9). It drafts the
// assessment of a year that ended, and finalises it when a person asks for it
// (§10). Cron only says that now would be a good time; what is published is
// decided by the stream, to which one of any number of replicas appends the
// edition first.
package scheduler
