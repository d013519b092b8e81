package deploy

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"
	"golang.org/x/sys/unix"

	"milepost/consumers"
	"milepost/scheduler/deliver"
)

// examineArchive looks whether the stream and its archive together hold everything. It reads manifests, not messages.
func (a *App) examineArchive(ctx context.Context, info *jetstream.StreamInfo, found *diagnoses) {
	const do = "see that archive_dir names the folder of the archive, bring its segments back from a backup, or restore the whole: milepost restore"
	state := info.State
	whole := state.FirstSeq <= 1 && state.NumDeleted == 0
	held, err := consumers.Covered(ctx, a.js, a.config.ArchiveFolder())
	switch {
	case err != nil && whole:
		// Nothing needs the archive yet, but something is wrong with it.
		found.ok("stream", "%d events up to sequence %d, %.1f MiB", state.Msgs, state.LastSeq, float64(state.Bytes)/(1<<20))
		found.fail("archive", do, "%v", err)
	case err != nil:
		found.fail("stream", do, "it does not hold everything: it begins at %d and lacks %d messages behind that", state.FirstSeq, state.NumDeleted)
		found.fail("archive", do, "%v", err)
	case held.Last() == 0:
		found.ok("stream", "%d events up to sequence %d, %.1f MiB", state.Msgs, state.LastSeq, float64(state.Bytes)/(1<<20))
	default:
		found.ok("stream", "%d events up to sequence %d, %.1f MiB; the archive has those before", state.Msgs, state.LastSeq, float64(state.Bytes)/(1<<20))
		found.ok("archive", "%d segments up to sequence %d without a gap, %.1f MiB in %s; milepost archive verify reads them", len(held.Segments()), held.Last(), float64(held.Bytes())/(1<<20), held.Dir())
		examineRoom("archive disk", held.Dir(), found)
	}
	if a.config.ArchiveKeepDays > 0 && info.Config.DenyPurge {
		found.warn("archive", "take a backup and restore it with --allow-purge, or leave archive_keep_days out", "archive_keep_days is %d, but the stream refuses to be purged, as it was made", a.config.ArchiveKeepDays)
	}
	if err := consumers.NewApplied(a.js).Gone(ctx); err != nil {
		found.fail("lag", "let a process with the role consumers reach the archive, or milepost replay", "%v", err)
	}
}

// examineRoom looks at the disk of a folder.
func examineRoom(check, dir string, found *diagnoses) {
	var stat unix.Statfs_t
	if err := unix.Statfs(dir, &stat); err != nil {
		found.fail(check, "check the file system", "%s: %v", dir, err)
		return
	}
	free, gib := stat.Bavail*uint64(stat.Bsize), func(n uint64) float64 { return float64(n) / (1 << 30) }
	total := stat.Blocks * uint64(stat.Bsize)
	const do = "make room, or move the folder to a larger disk"
	switch {
	case free < leastRoom:
		found.fail(check, do, "%.1f GiB free of %.1f", gib(free), gib(total))
	case free < scantRoom:
		found.warn(check, do, "%.1f GiB free of %.1f", gib(free), gib(total))
	default:
		found.ok(check, "%.1f GiB free of %.1f", gib(free), gib(total))
	}
}

// examineTargets looks for targets of deliveries that fail, and those that were paused for it.
func (a *App) examineTargets(ctx context.Context, found *diagnoses) {
	if a.courier == nil {
		return // only a server that runs knows them
	}
	targets, err := a.courier.Health(ctx)
	if err != nil {
		found.fail("deliveries", "check NATS", "%v", err)
		return
	}
	tellTargets(targets, found)
}

func tellTargets(targets []deliver.TargetHealth, found *diagnoses) {
	failing := 0
	for _, t := range targets {
		switch {
		case t.PausedAt != nil:
			failing++
			found.fail("deliveries", "mend it, then milepost deliver --again ID --target "+t.Target+"; milepost deliveries lists what waits", "the target %s is paused after %d failures: %s", t.Target, t.Failures, t.Error)
		case t.Failures > 0:
			failing++
			found.warn("deliveries", "see milepost deliveries; it is tried again by itself", "the target %s failed %d times: %s", t.Target, t.Failures, t.Error)
		}
	}
	if failing == 0 && len(targets) > 0 {
		found.ok("deliveries", "%d targets, none failing", len(targets))
	}
}
