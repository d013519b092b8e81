package consumers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/consumers/archive"
	"milepost/schemas"
)

// ArchiveConfig says what of the stream goes into an archive. JetStream, Dir and Now must be given.
type ArchiveConfig struct {
	JetStream jetstream.JetStream
	// Dir is the folder of the archive.
	Dir string
	// Before bounds what is archived and purged: the messages that the stream took before this moment. The zero time is no
	// bound of what is archived; nothing is purged without one.
	Before time.Time
	// Purge takes off the stream what is archived.
	Purge bool
	// SegmentMessages is how many messages a segment holds at the most, by default archive.SegmentMessages.
	SegmentMessages int
	// Version is that of Milepost.
	Version string
	Now     func() time.Time
	// Log receives what is tried again, by default nothing.
	Log *slog.Logger
}

// ArchiveResult says what was done.
type ArchiveResult struct {
	// Segments are the new ones, Archived how many messages they hold.
	Segments []archive.Segment `json:"segments"`
	Archived uint64            `json:"archived"`
	// Last is the sequence that the archive now ends with.
	Last uint64 `json:"last_seq"`
	// Purged is how many messages the stream gave up, PurgedTo the sequence up to which it was asked to.
	Purged   uint64 `json:"purged"`
	PurgedTo uint64 `json:"purged_to"`
	// Kept is how many messages the stream still holds.
	Kept uint64 `json:"kept"`
}

// archiveLease is held while the archive is written, or copied.
const archiveLease = "archive"

// HoldArchive keeps the archive as it is, and the stream from being purged, until release is called or the context that it
// gives ends. It fails with the code conflict while somebody archives.
func HoldArchive(ctx context.Context, js jetstream.JetStream) (held context.Context, release func(), err error) {
	return holdLease(ctx, js, archiveLease)
}

// Archive brings messages of the stream, in the order of their sequences, into segments of an archive, and takes off the
// stream what the archive holds, if that is wanted. It goes no further than the applied watermark, and leaves the message
// of the watermark on the stream, by which the warehouse knows its stream again. Events about editions stay, too: whoever
// publishes reads them, and the stream itself compares with the last of them.
//
// Purging comes after the segments concerned were read back from the disk, while no replay and no backup runs. Whatever
// ends it early loses nothing; it is simply begun again. Nothing is archived twice. A stream that refuses to be purged is
// left alone with the code conflict.
func Archive(ctx context.Context, c ArchiveConfig) (*ArchiveResult, error) {
	if c.JetStream == nil || c.Dir == "" || c.Now == nil {
		return nil, errors.New("consumers: JetStream, Dir and Now must be given")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	if c.Purge && c.Before.IsZero() {
		return nil, &schemas.Error{Code: schemas.Invalid, Field: "purge", Value: "true", Message: "nothing says how much of the stream stays", Hint: "say by --before or --keep-days what is old; --keep-days 0 purges everything that was archived"}
	}
	ctx, release, err := HoldArchive(ctx, c.JetStream)
	if err != nil {
		return nil, err
	}
	defer release()
	a := &archiving{ArchiveConfig: c}
	if err := a.run(ctx); err != nil {
		if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
			err = fmt.Errorf("%w: %w", cause, err)
		}
		return nil, err
	}
	return &a.result, nil
}

// archiving is one run.
type archiving struct {
	ArchiveConfig
	archive   *archive.Archive
	stream    jetstream.Stream
	watermark uint64
	result    ArchiveResult
}

func (a *archiving) run(ctx context.Context) (err error) {
	if a.archive, err = archive.Open(a.Dir); err != nil {
		return err
	}
	if a.stream, err = a.JetStream.Stream(ctx, schemas.StreamName); err != nil {
		return streamAway("read", err)
	}
	if a.Purge && a.stream.CachedInfo().Config.DenyPurge {
		return &schemas.Error{
			Code: schemas.Conflict, Field: "stream", Value: schemas.StreamName, Message: "the stream refuses to be purged, as it was made; NATS cannot take that back",
			Hint: "archive without --purge; or take a backup and restore it with --allow-purge, which makes the stream anew with its sequences",
		}
	}
	if a.watermark, err = NewApplied(a.JetStream).Watermark(ctx); err != nil {
		return err
	}
	if err := sameStream(ctx, a.stream, a.archive); err != nil {
		return err
	}
	if err := a.write(ctx); err != nil {
		return err
	}
	a.result.Last = a.archive.Last()
	if a.Purge {
		if err := a.purge(ctx); err != nil {
			return err
		}
	}
	info, err := a.stream.Info(ctx)
	if err != nil {
		return streamAway("read", err)
	}
	a.result.Kept = info.State.Msgs
	return nil
}

// write brings into the archive what it lacks.
func (a *archiving) write(ctx context.Context) (err error) {
	upTo := min(a.watermark, a.stream.CachedInfo().State.LastSeq)
	last := a.archive.Last()
	if last >= upTo {
		return nil
	}
	writer, err := a.archive.NewWriter(a.SegmentMessages, a.Version, a.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, writer.Abort()) }()
	reader := &replayReader{js: a.JetStream, log: a.Log}
	defer reader.close(ctx)
	for old := true; old && last < upTo; {
		records, end, err := reader.next(ctx, last, upTo)
		if err != nil {
			return err
		}
		for _, one := range records {
			if old = a.Before.IsZero() || one.recordedAt.Before(a.Before); !old {
				break
			}
			if err := writer.Append(ctx, &archive.Message{Sequence: one.sequence, Subject: one.subject, Header: one.header, Data: one.data, Time: one.recordedAt}); err != nil {
				return err
			}
		}
		if old && (len(records) == 0 || records[len(records)-1].sequence < end) {
			return lacks(last+1, end)
		}
		last = end
	}
	if err := writer.Finish(ctx); err != nil {
		return err
	}
	a.result.Segments = writer.Made()
	for _, s := range a.result.Segments {
		a.result.Archived += s.Messages
	}
	return nil
}

// lacks says that neither the stream nor the archive has messages that were there.
func lacks(first, last uint64) error {
	return &schemas.Error{
		Code: schemas.Conflict, Message: fmt.Sprintf("neither the archive nor the stream holds all of the sequences %d to %d", first, last),
		Hint: "bring the missing segments back from a backup of the archive, see that archive_dir names its folder, or restore the stream from its backup",
	}
}

// purge takes off the stream what is older than the bound, as far as that is archived and applied.
func (a *archiving) purge(ctx context.Context) error {
	upTo, err := a.olderUpTo(ctx)
	if err != nil || upTo == 0 {
		return err
	}
	before, err := a.stream.Info(ctx)
	if err != nil {
		return streamAway("read", err)
	}
	first := before.State.FirstSeq
	if first > upTo {
		return nil
	}
	// What the stream is to give up was written by this run or by another one, on a disk that may have failed since.
	if err := a.archive.VerifyBetween(ctx, first, upTo); err != nil {
		return err
	}
	// A replay would take what vanishes under it for what never was.
	ctx, release, err := holdLease(ctx, a.JetStream, replayLease)
	if err != nil {
		return err
	}
	defer release()
	if err := a.notePurge(ctx, upTo); err != nil {
		return err
	}
	for _, filter := range purgedSubjects() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := a.stream.Purge(ctx, jetstream.WithPurgeSubject(filter), jetstream.WithPurgeSequence(upTo+1)); err != nil {
			return streamAway("purged", err)
		}
	}
	after, err := a.stream.Info(ctx)
	if err != nil {
		return streamAway("read", err)
	}
	a.result.PurgedTo = upTo
	// What came in between is no purged message.
	came := after.State.LastSeq - before.State.LastSeq
	a.result.Purged = before.State.Msgs + came - after.State.Msgs
	return nil
}

// purgedKey is where the stream's metadata say up to which sequence it was purged, so that an archive that lacks some of it is
// noticed, also one that is empty.
const purgedKey = "milepost_purged"

func purgedUpTo(stream jetstream.Stream) uint64 {
	// What is not there, or no number, stands for nothing.
	upTo, _ := strconv.ParseUint(stream.CachedInfo().Config.Metadata[purgedKey], 10, 64)
	return upTo
}

// notePurge writes it down, before it is so.
func (a *archiving) notePurge(ctx context.Context, upTo uint64) error {
	if upTo <= purgedUpTo(a.stream) {
		return nil
	}
	config := a.stream.CachedInfo().Config
	metadata := map[string]string{purgedKey: strconv.FormatUint(upTo, 10)}
	for key, value := range config.Metadata {
		if key != purgedKey {
			metadata[key] = value
		}
	}
	config.Metadata = metadata
	if _, err := a.JetStream.UpdateStream(ctx, config); err != nil {
		return streamAway("purged", err)
	}
	return nil
}

// purgedSubjects are those of the events that nobody reads from the stream once they are applied. Messages on subjects of no
// type stay as well; there are few.
func purgedSubjects() (subjects []string) {
	for _, t := range schemas.Types() {
		if !t.System() {
			subjects = append(subjects, "milepost.events.*.*."+strings.TrimSuffix(string(t), ".v1"))
		}
	}
	return subjects
}

// olderUpTo gives the last sequence that may be purged, 0 for none.
func (a *archiving) olderUpTo(ctx context.Context) (uint64, error) {
	if a.watermark == 0 {
		return 0, nil
	}
	segments := a.archive.Segments()
	var upTo uint64
	i := slices.IndexFunc(segments, func(s archive.Segment) bool { return !s.LastTime.Before(a.Before) })
	if i < 0 {
		upTo = a.archive.Last()
	} else {
		cursor := a.archive.After(segments[i].First - 1)
		defer cursor.Close()
		upTo = segments[i].First - 1
		for {
			m, err := cursor.Next(ctx)
			if errors.Is(err, io.EOF) || err == nil && !m.Time.Before(a.Before) {
				break
			}
			if err != nil {
				return 0, err
			}
			upTo = m.Sequence
		}
	}
	return min(upTo, a.watermark-1), nil
}

// sameStream refuses an archive that is that of another stream: what both hold must be the same.
func sameStream(ctx context.Context, stream jetstream.Stream, held *archive.Archive) error {
	state := stream.CachedInfo().State
	another := func(sequence uint64) error {
		return &schemas.Error{
			Code: schemas.Conflict, Field: "archive_dir", Value: held.Dir(), Message: fmt.Sprintf("the archive is that of another stream: sequence %d of it is another message", sequence),
			Hint: "name the folder of this installation's archive; nothing was changed",
		}
	}
	if held.Last() == 0 {
		return nil
	}
	if held.Last() > state.LastSeq {
		return another(state.LastSeq + 1)
	}
	// The last message that both may hold, and the first.
	for _, sequence := range []uint64{held.Last(), state.FirstSeq} {
		if sequence > held.Last() {
			continue
		}
		there, err := stream.GetMsg(ctx, sequence)
		if errors.Is(err, jetstream.ErrMsgNotFound) {
			continue
		}
		if err != nil {
			return streamAway("read", err)
		}
		cursor := held.After(sequence - 1)
		here, err := cursor.Next(ctx)
		cursor.Close()
		if err != nil {
			return err
		}
		if !here.Time.Equal(there.Time) || here.Subject != there.Subject || !slices.Equal(here.Data, there.Data) {
			return another(sequence)
		}
	}
	return nil
}
