package registry

import (
	"context"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"io"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/store"
)

// everyDigest are the checksums of which manifests may be asked by.
const everyDigest = blob.SHA512

func checksumsOf(ref packhouse.PartRef) Checksums {
	if ref.SHA512 != "" {
		return Checksums{SHA512: ref.SHA512}
	}
	if ref.SHA256.IsZero() {
		return Checksums{}
	}
	return Checksums{SHA256: ref.SHA256.String()}
}

// mostUploads is how many uploads somebody may have begun and not finished.
const mostUploads = 2000

// Piece is a part of a blob as a request brings it.
type Piece struct {
	At   int64 // where it belongs, in bytes; -1 for where the last one ended
	Body io.Reader
}

// Misplaced is found in the error of a piece that does not begin where the last one
// ended.
type Misplaced struct{ Size int64 }

// Error says where it would.
func (e *Misplaced) Error() string { return fmt.Sprintf("the upload has %d bytes", e.Size) }

func misplaced(size int64) error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "range", Message: "the part does not begin where the upload ends",
		Fix: "ask for the upload's range and go on from there", Err: &Misplaced{size},
	}
}

func unknownUpload() error {
	return &packhouse.Error{Kind: packhouse.NotFound, Rule: "upload", Message: "the upload is not known here", Fix: "begin a new one"}
}

// owner is who may go on with an upload.
func (h *HostedRepository) owner() string {
	if h.actor.UserID != 0 {
		return fmt.Sprintf("user:%d", h.actor.UserID)
	}
	return fmt.Sprintf("token:%d", h.actor.TokenID)
}

// Begin begins to upload a blob and returns the id by which it goes on. withSHA512
// announces that it will be asked for by its SHA-512. Nothing is stored before a
// piece comes; see uploadID.
func (h *HostedRepository) Begin(ctx context.Context, withSHA512 bool) (id string, err error) {
	if err := h.MayPush(); err != nil {
		return "", err
	}
	key, err := h.registry.store.Secret(ctx, uploadSecret)
	if err != nil {
		return "", err
	}
	return h.newUpload(h.registry.now(), withSHA512).sign(key), nil
}

// Uploaded is how many bytes of an upload have come. packhouse.NotFound: the actor
// has no such upload in this repository.
func (h *HostedRepository) Uploaded(ctx context.Context, id string) (int64, error) {
	u, err := h.upload(ctx, id)
	if err != nil {
		return 0, err
	}
	return u.Size, nil
}

func (h *HostedRepository) upload(ctx context.Context, id string) (u *store.ImageUpload, err error) {
	err = h.registry.store.View(ctx, func(tx *store.Tx) (err error) {
		u, err = tx.ImageUpload(ctx, id)
		return err
	})
	if packhouse.KindOf(err) == packhouse.NotFound {
		return h.begun(ctx, id)
	}
	if err == nil && (u.Ended() || u.ProjectID != h.projectID || u.Repository != h.name || u.Owner != h.owner()) {
		return nil, unknownUpload()
	}
	return u, err
}

// begun is an upload of which nothing has come.
func (h *HostedRepository) begun(ctx context.Context, id string) (*store.ImageUpload, error) {
	key, err := h.registry.store.Secret(ctx, uploadSecret)
	if err != nil {
		return nil, err
	}
	withSHA512, ok := h.verify(key, id)
	if !ok {
		return nil, unknownUpload()
	}
	u := &store.ImageUpload{ID: id, ProjectID: h.projectID, Repository: h.name, Owner: h.owner()}
	also := blob.Hashes(0)
	if withSHA512 {
		also = blob.SHA512
	}
	u.State, err = blob.NewHasher(also).MarshalBinary()
	return u, err
}

// Append adds a piece to an upload and returns how many bytes it has then, once
// they would survive a power cut. What came of a piece whose sender went away
// stays.
//
// packhouse.NotFound: as Uploaded. Misplaced: the piece belongs elsewhere, or
// another one came at the same time.
func (h *HostedRepository) Append(ctx context.Context, id string, p Piece) (int64, error) {
	was, err := h.upload(ctx, id)
	if err != nil {
		return 0, err
	}
	u, hasher, err := h.resume(ctx, was, p.At)
	if err != nil {
		return 0, err
	}
	defer h.registry.blobs.end(u.ID())
	limit := h.limit()
	_, failed := blob.Append(ctx, u, hasher, p.Body, limit)
	lasting := context.WithoutCancel(ctx) // the request may be over; the upload is not
	if failed != nil && !interrupted(ctx, failed) {
		return 0, errors.Join(h.explain(failed, limit), u.Abort(lasting), h.forget(lasting, was))
	}
	is := *was
	is.Upload, is.Size = u.ID(), hasher.Size()
	if is.State, err = hasher.MarshalBinary(); err == nil {
		err = u.Close()
	}
	if err != nil {
		return 0, errors.Join(blob.Explain(err), u.Abort(lasting), h.forget(lasting, was))
	}
	err = h.registry.store.Update(lasting, func(tx *store.Tx) error {
		if was.Upload == "" {
			return tx.AddImageUpload(lasting, &is, mostUploads)
		}
		return tx.MoveImageUpload(lasting, was, &is)
	})
	if packhouse.KindOf(err) == packhouse.NotFound {
		return 0, h.lost(lasting, was, &is)
	}
	if err == nil && failed != nil {
		err = unreadable(failed)
	}
	return is.Size, err
}

// lost ends a piece that came while another one did, which won.
func (h *HostedRepository) lost(ctx context.Context, was, is *store.ImageUpload) error {
	if was.Upload == "" { // ours alone
		if u, err := h.registry.blobs.Resume(ctx, is.Upload); err == nil {
			if err := u.Abort(ctx); err != nil {
				return err
			}
		}
	}
	now, err := h.upload(ctx, was.ID)
	if err != nil {
		return err
	}
	return misplaced(now.Size)
}

// interrupted reports whether an upload can go on after an error: the sender's side
// failed, and what came is whole.
func interrupted(ctx context.Context, err error) bool {
	var read *blob.ReadError
	return errors.As(err, &read) || ctx.Err() != nil && errors.Is(err, ctx.Err())
}

func (h *HostedRepository) limit() int64 {
	return h.registry.options.Directory.Instance().Size(h.format)
}

// resume opens the bytes of an upload to go on at a place. What it returns is under
// way until blobs.end.
func (h *HostedRepository) resume(ctx context.Context, was *store.ImageUpload, at int64) (u blob.Upload, hasher *blob.Hasher, err error) {
	if at >= 0 && at != was.Size {
		return nil, nil, misplaced(was.Size)
	}
	hasher = new(blob.Hasher)
	if err := hasher.UnmarshalBinary(was.State); err != nil {
		return nil, nil, err
	}
	if was.Upload == "" {
		u, err = h.registry.blobs.Create(ctx)
	} else {
		u, err = h.registry.blobs.Resume(ctx, was.Upload)
	}
	switch {
	case errors.Is(err, blob.ErrBusy):
		return nil, nil, misplaced(was.Size)
	case errors.Is(err, blob.ErrNotFound):
		return nil, nil, h.gone(ctx, was)
	case err != nil:
		return nil, nil, blob.Explain(err)
	case u.Size() != was.Size: // a crash came between the bytes and the row, or another piece
		now, err := h.upload(ctx, was.ID)
		if err == nil && now.Size != was.Size {
			defer h.registry.blobs.end(u.ID())
			return nil, nil, errors.Join(misplaced(now.Size), u.Close())
		}
		return nil, nil, errors.Join(h.gone(ctx, was), u.Abort(ctx))
	}
	return u, hasher, nil
}

// gone forgets an upload whose bytes are lost.
func (h *HostedRepository) gone(ctx context.Context, was *store.ImageUpload) error {
	if err := h.forget(ctx, was); err != nil {
		return err
	}
	return unknownUpload()
}

// forget ends an upload, if it has not ended.
func (h *HostedRepository) forget(ctx context.Context, was *store.ImageUpload) error {
	err := h.registry.store.Update(ctx, func(tx *store.Tx) error { return tx.EndImageUpload(ctx, was) })
	if packhouse.KindOf(err) == packhouse.NotFound {
		return nil
	}
	return err
}

// Cancel ends an upload and throws its bytes away. packhouse.NotFound: as Uploaded.
func (h *HostedRepository) Cancel(ctx context.Context, id string) error {
	was, err := h.upload(ctx, id)
	if err != nil {
		return err
	}
	err = h.registry.store.Update(ctx, func(tx *store.Tx) error { return tx.EndImageUpload(ctx, was) })
	if packhouse.KindOf(err) == packhouse.NotFound {
		return unknownUpload()
	}
	if err != nil || was.Upload == "" {
		return err
	}
	if u, err := h.registry.blobs.Resume(ctx, was.Upload); err == nil {
		return u.Abort(ctx)
	}
	return nil // somebody writes to it; the collector removes it
}

// Finish adds the last piece to an upload, which may be empty, and makes it a blob
// of the repository if it has the digest. Else it ends with nothing stored.
//
// packhouse.Invalid: the bytes do not have the digest. Others: as Append.
func (h *HostedRepository) Finish(ctx context.Context, id string, p Piece, digest string, ref packhouse.PartRef) (*packhouse.Part, error) {
	was, err := h.upload(ctx, id)
	if err != nil {
		return nil, err
	}
	end := func(tx *store.Tx) error {
		if was.Upload == "" {
			return nil // nobody knows of it; who sends the same once more is told the same
		}
		if err := tx.EndImageUpload(ctx, was); err != nil {
			return unknownUpload() // another request has finished it
		}
		return nil
	}
	var received *Received
	if was.Upload == "" && p.At <= 0 {
		received, err = h.Receive(ctx, Incoming{Size: -1, Body: p.Body, Check: checksumsOf(ref)})
	} else {
		received, err = h.whole(ctx, was, p, ref)
	}
	if packhouse.KindOf(err) == packhouse.Invalid && packhouse.AsError(err).Rule == "checksum" {
		return nil, errors.Join(err, h.forget(context.WithoutCancel(ctx), was))
	}
	if err != nil {
		return nil, err
	}
	defer received.Release()
	return h.put(ctx, received, &store.NewPart{Digest: digest}, end)
}

// whole stores the bytes of an upload with its last piece.
func (h *HostedRepository) whole(ctx context.Context, was *store.ImageUpload, p Piece, ref packhouse.PartRef) (*Received, error) {
	u, hasher, err := h.resume(ctx, was, p.At)
	if err != nil {
		return nil, err
	}
	limit, lasting := h.limit(), context.WithoutCancel(ctx)
	drop := func(err error) error {
		return errors.Join(err, u.Abort(lasting), h.forget(lasting, was))
	}
	if _, err := blob.Append(ctx, u, hasher, p.Body, limit); err != nil {
		return nil, drop(h.explain(err, limit))
	}
	sums := hasher.Sums()
	if err := checksumsOf(packhouse.PartRef{SHA256: ref.SHA256}).match(sums); err != nil {
		return nil, drop(err)
	}
	info, err := u.Commit(ctx, sums.SHA256)
	if err != nil {
		return nil, drop(blob.Explain(err))
	}
	received := h.received("", info.Size, sums, store.Blob{Key: string(info.Key)})
	if ref.SHA512 != "" && sums.SHA512 == "" {
		if received.file.SHA512, err = received.hash512(ctx); err != nil {
			received.Release()
			return nil, err
		}
		sums.SHA512 = received.file.SHA512
	}
	if err := checksumsOf(ref).match(sums); err != nil {
		received.Release()
		return nil, err
	}
	return received, nil
}

// hash512 reads received bytes for a checksum that nobody had announced.
func (f *Received) hash512(ctx context.Context) (string, error) {
	r, err := f.Open(ctx)
	if err != nil {
		return "", err
	}
	defer r.Close()
	hash := sha512.New()
	if _, err := io.Copy(hash, r); err != nil {
		return "", blob.Explain(err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
