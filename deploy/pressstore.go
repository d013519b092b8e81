package deploy

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go/jetstream"

	"milepost/scheduler"
	"milepost/schemas"
)

// Drafts and the files of editions are kept where every replica sees them.
const (
	draftsBucket   = "MILEPOST_DRAFTS"
	editionsBucket = "MILEPOST_EDITIONS"
)

// maxDraftBytes keeps a draft below what a message may hold.
const maxDraftBytes = 900_000

// draftStore keeps drafts in a KV bucket by id.
type draftStore struct{ bucket jetstream.KeyValue }

func openDrafts(ctx context.Context, js jetstream.JetStream) (draftStore, error) {
	bucket, err := js.KeyValue(ctx, draftsBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		bucket, err = js.CreateOrUpdateKeyValue(ctx, jetstream.KeyValueConfig{Bucket: draftsBucket, Description: "Milepost: drafts of editions, with what people did and said about them", History: 5})
	}
	if err != nil {
		return draftStore{}, draftsAway(err)
	}
	return draftStore{bucket}, nil
}

func draftsAway(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the drafts cannot be reached", Hint: "check that NATS runs with JetStream", Err: err}
}

// Draft reads one.
func (d draftStore) Draft(ctx context.Context, id string) (schemas.EditionDraft, uint64, error) {
	var draft schemas.EditionDraft
	entry, err := d.bucket.Get(ctx, id)
	if errors.Is(err, jetstream.ErrKeyNotFound) || errors.Is(err, jetstream.ErrInvalidKey) {
		return draft, 0, &schemas.Error{Code: schemas.NotFound, Message: "no draft", Field: "id", Value: schemas.Shorten(id), Hint: "see milepost editions"}
	}
	if err != nil {
		return draft, 0, draftsAway(err)
	}
	if err := json.Unmarshal(entry.Value(), &draft); err != nil {
		return draft, 0, fmt.Errorf("the draft %s does not read: %w", id, err)
	}
	return draft, entry.Revision(), nil
}

// Drafts reads all.
func (d draftStore) Drafts(ctx context.Context) ([]schemas.EditionDraft, error) {
	watcher, err := d.bucket.WatchAll(ctx)
	if err != nil {
		return nil, draftsAway(err)
	}
	defer func() { _ = watcher.Stop() }() // it ends with the context at the latest
	var drafts []schemas.EditionDraft
	for {
		select {
		case entry := <-watcher.Updates():
			if entry == nil { // all were told
				return drafts, nil
			}
			if entry.Operation() != jetstream.KeyValuePut {
				continue
			}
			var draft schemas.EditionDraft
			if err := json.Unmarshal(entry.Value(), &draft); err != nil {
				return nil, fmt.Errorf("the draft %s does not read: %w", entry.Key(), err)
			}
			drafts = append(drafts, draft)
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Save stores the draft over the revision.
func (d draftStore) Save(ctx context.Context, draft schemas.EditionDraft, revision uint64) error {
	text, err := json.Marshal(draft)
	if err != nil {
		return err
	}
	if len(text) > maxDraftBytes {
		return &schemas.Error{Code: schemas.TooLarge, Message: "the draft with all its remarks and answers is too long", Field: "id", Value: draft.ID, Hint: "shorten your paragraphs"}
	}
	if revision == 0 {
		_, err = d.bucket.Create(ctx, draft.ID, text)
	} else {
		_, err = d.bucket.Update(ctx, draft.ID, text, revision)
	}
	var api *jetstream.APIError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrKeyExists),
		errors.As(err, &api) && (api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequence || api.ErrorCode == jetstream.JSErrCodeStreamWrongLastSequenceConstant):
		return &schemas.Error{Code: schemas.Conflict, Message: "another writer changed the draft first", Field: "id", Value: draft.ID, Hint: "look at it again", Err: err}
	}
	return draftsAway(err)
}

// shelf is the folder of published files and, for all replicas, their contents
// by hash in the object store.
type shelf struct {
	*scheduler.Folder
	objects jetstream.ObjectStore
}

func openShelf(ctx context.Context, js jetstream.JetStream, folder *scheduler.Folder) (*shelf, error) {
	objects, err := js.ObjectStore(ctx, editionsBucket)
	if errors.Is(err, jetstream.ErrBucketNotFound) {
		objects, err = js.CreateOrUpdateObjectStore(ctx, jetstream.ObjectStoreConfig{Bucket: editionsBucket, Description: "Milepost: the files of published editions, by SHA-256"})
	}
	if err != nil {
		return nil, archiveAway(err)
	}
	return &shelf{folder, objects}, nil
}

func archiveAway(err error) error {
	return &schemas.Error{Code: schemas.Unavailable, Message: "the archive of editions cannot be reached", Hint: "check that NATS runs with JetStream and has room", Err: err}
}

// Keep stores the contents; what is there already stays.
func (s *shelf) Keep(ctx context.Context, files []scheduler.File) error {
	for _, f := range files {
		sum := sha256.Sum256(f.Content)
		name := hex.EncodeToString(sum[:])
		_, err := s.Kept(ctx, schemas.PublishedFile{Name: f.Name, SHA256: name})
		if err == nil {
			continue
		}
		if schemas.CodeOf(err) != schemas.NotFound {
			return err
		}
		if _, err := s.objects.Put(ctx, jetstream.ObjectMeta{Name: name, Description: f.Name}, bytes.NewReader(f.Content)); err != nil {
			return archiveAway(err)
		}
	}
	return nil
}

// Kept gives the content with the hash; a damaged one counts as not there.
func (s *shelf) Kept(ctx context.Context, file schemas.PublishedFile) ([]byte, error) {
	content, err := s.objects.GetBytes(ctx, file.SHA256)
	missing := errors.Is(err, jetstream.ErrObjectNotFound) || errors.Is(err, jetstream.ErrDigestMismatch)
	if err != nil && !missing {
		return nil, archiveAway(err)
	}
	if sum := sha256.Sum256(content); missing || hex.EncodeToString(sum[:]) != file.SHA256 {
		return nil, &schemas.Error{Code: schemas.NotFound, Message: "the archive lacks the file", Field: "name", Value: schemas.Shorten(file.Name), Hint: "restart the scheduler: it makes missing files again"}
	}
	return content, nil
}
