package store

import (
	"context"
	"time"

	"packhouse"
)

// ImageUpload is a blob of an image on its way in, which may come in several
// requests.
type ImageUpload struct {
	ID         string
	ProjectID  int64
	Repository string
	Owner      string
	Upload     string // of the blob store; "" while nothing has come
	Size       int64
	State      []byte // of the checksums
}

// Ended reports whether the upload was finished or cancelled.
func (u *ImageUpload) Ended() bool { return u.Size == ended }

// ended is the size of an upload that has ended. It has no owner, so that it does
// not count as one of theirs.
const ended = -1

// AddImageUpload remembers an upload of which something has come, unless its owner has
// as many as most already.
//
// packhouse.TooMany: they have. packhouse.NotFound: somebody else has begun with it, or
// ended it.
func (tx *Tx) AddImageUpload(ctx context.Context, u *ImageUpload, most int) error {
	var open int
	if err := tx.row(ctx, `SELECT COUNT(*) FROM (SELECT 1 FROM image_uploads WHERE owner = $1 LIMIT $2) AS open`, []any{u.Owner, most}, &open); err != nil {
		return err
	}
	if open >= most {
		return &packhouse.Error{Kind: packhouse.TooMany, Rule: "uploads", Message: "too many uploads are begun and not finished", Fix: "finish or cancel some of them; those that are left alone end after a day"}
	}
	return tx.change(ctx, "upload not found", `
		INSERT INTO image_uploads (id, project_id, repository, owner, upload, size, state, touched_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (id) DO NOTHING`,
		u.ID, u.ProjectID, u.Repository, u.Owner, u.Upload, u.Size, notNil(u.State), tx.now.UnixMicro())
}

func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}

// ImageUpload finds an upload by its id. One that has ended is Ended.
// packhouse.NotFound: nothing has come of such an upload.
func (tx *Tx) ImageUpload(ctx context.Context, id string) (*ImageUpload, error) {
	u := &ImageUpload{ID: id}
	known, err := found(tx.row(ctx, `SELECT project_id, repository, owner, upload, size, state FROM image_uploads WHERE id = $1`, []any{id},
		&u.ProjectID, &u.Repository, &u.Owner, &u.Upload, &u.Size, &u.State))
	return u, orMissing(known, err, "upload not found")
}

// MoveImageUpload takes an upload from what it was to what it is. packhouse.NotFound:
// it is not as it was, because somebody else has moved it.
func (tx *Tx) MoveImageUpload(ctx context.Context, was, is *ImageUpload) error {
	return tx.change(ctx, "upload not found", `
		UPDATE image_uploads SET upload = $4, size = $5, state = $6, touched_at = $7 WHERE id = $1 AND upload = $2 AND size = $3`,
		was.ID, was.Upload, was.Size, is.Upload, is.Size, notNil(is.State), tx.now.UnixMicro())
}

// EndImageUpload ends an upload, of which something may have come, so that nobody
// goes on with it. packhouse.NotFound: it has ended.
func (tx *Tx) EndImageUpload(ctx context.Context, u *ImageUpload) error {
	return tx.change(ctx, "upload not found", `
		INSERT INTO image_uploads (id, project_id, repository, owner, upload, size, state, touched_at)
		VALUES ($1, $2, $3, '', '', $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET owner = '', upload = '', size = $4, state = $5, touched_at = $6 WHERE image_uploads.size <> $4`,
		u.ID, u.ProjectID, u.Repository, ended, []byte{}, tx.now.UnixMicro())
}

// ExpireImageUploads forgets uploads that were left alone since before a time.
func (tx *Tx) ExpireImageUploads(ctx context.Context, before time.Time) error {
	_, err := tx.exec(ctx, `DELETE FROM image_uploads WHERE touched_at < $1`, before.UnixMicro())
	return err
}

// HasUpload reports whether an upload of the blob store is to be continued.
func (tx *Tx) HasUpload(ctx context.Context, upload string) (bool, error) {
	var one int
	return found(tx.row(ctx, `SELECT 1 FROM image_uploads WHERE upload = $1 AND upload <> ''`, []any{upload}, &one))
}
