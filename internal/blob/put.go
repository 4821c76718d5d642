package blob

import (
	"context"
	"errors"
	"fmt"
	"io"

	"packhouse"
)

// PutOptions says what Put checks and computes. The zero value accepts any
// bytes and computes SHA-256 alone.
type PutOptions struct {
	Limit int64            // largest size accepted, in bytes; 0 for any
	Want  packhouse.Digest // the SHA-256 that the client announced; zero when it did not
	Also  Hashes           // checksums to compute besides SHA-256
}

// Put stores what r delivers until its end and returns how it is stored and its
// checksums. Once it returns without an error the blob would survive a power
// cut. Memory does not grow with the size; see Append for how the bytes flow
// and what stops them.
//
// Errors: a packhouse.Error of Kind TooLarge over the limit, Invalid when the
// bytes are not the wanted ones, Full when the store has no room, Unavailable
// when it is broken or cannot be reached; a *ReadError when r failed; ctx.Err(); otherwise a failure
// of the store. After an error Put removes what it wrote, even when ctx is done.
// Should that fail too, the error says so, and List or Uploads finds the rest.
func Put(ctx context.Context, s Store, r io.Reader, opts PutOptions) (Info, Sums, error) {
	u, err := s.Create(ctx)
	if err != nil {
		return Info{}, Sums{}, Explain(err)
	}
	h := NewHasher(opts.Also)
	if _, err := Append(ctx, u, h, r, opts.Limit); err != nil {
		return Info{}, Sums{}, discard(ctx, u, err)
	}
	sums := h.Sums()
	if err := check(u, h, sums, opts.Want); err != nil {
		return Info{}, Sums{}, discard(ctx, u, err)
	}
	info, err := u.Commit(ctx, sums.SHA256)
	if err != nil {
		return Info{}, Sums{}, withdraw(ctx, s, u, sums.SHA256, Explain(err))
	}
	return info, sums, nil
}

// check compares what was hashed with what the client announced and with what
// the store says it took.
func check(u Upload, h *Hasher, sums Sums, want packhouse.Digest) error {
	if !want.IsZero() && want != sums.SHA256 {
		return &packhouse.Error{
			Kind:    packhouse.Invalid,
			Message: fmt.Sprintf("checksum mismatch: SHA-256 %s was sent, the bytes have %s", want, sums.SHA256),
			Rule:    "checksum",
			Fix:     "send the file again; if it fails again, compute the checksum from the same file",
		}
	}
	if u.Size() != h.Size() {
		return fmt.Errorf("upload %s holds %d bytes after %d were written", u.ID(), u.Size(), h.Size())
	}
	return nil
}

// discard aborts u because of err and returns err. The request may be over, the
// clean-up is not.
func discard(ctx context.Context, u Upload, err error) error {
	if failed := u.Abort(context.WithoutCancel(ctx)); failed != nil {
		return errors.Join(err, fmt.Errorf("abort upload %s: %w", u.ID(), failed))
	}
	return err
}

// withdraw removes what a failed Commit may have left: the upload, or the blob
// when only the answer was lost. The key holds the upload's id, so nobody else
// can have been given it.
func withdraw(ctx context.Context, s Store, u Upload, d packhouse.Digest, err error) error {
	err = discard(ctx, u, err)
	key := NewKey(d, u.ID())
	if failed := s.Delete(context.WithoutCancel(ctx), key); failed != nil {
		return errors.Join(err, fmt.Errorf("delete blob %s: %w", key, failed))
	}
	return err
}

// Explain gives an error of a Store the meaning that it has for the person whose
// bytes could not be stored or read: ErrFull becomes Kind Full, ErrBroken,
// ErrUnavailable and ErrAltered become Unavailable, each with the error as its cause. Other
// errors, and those of the reader, are returned as they are. Put and Append
// apply it themselves.
func Explain(err error) error {
	var read *ReadError
	switch {
	case errors.As(err, &read):
		return err
	case errors.Is(err, ErrFull):
		return &packhouse.Error{
			Kind:    packhouse.Full,
			Message: "no space left to store this file",
			Fix:     "ask an administrator to free or add space, then send it again",
			Err:     err,
		}
	case errors.Is(err, ErrBroken):
		return &packhouse.Error{
			Kind:    packhouse.Unavailable,
			Message: "files cannot be stored at the moment",
			Fix:     "ask an administrator to check the storage and restart the server",
			Err:     err,
		}
	case errors.Is(err, ErrUnavailable), errors.Is(err, ErrAltered):
		return &packhouse.Error{
			Kind:    packhouse.Unavailable,
			Message: "the storage of files cannot be reached at the moment",
			Fix:     "try again in a moment; if it stays so, ask an administrator to look at the storage",
			Err:     err,
		}
	}
	return err
}
