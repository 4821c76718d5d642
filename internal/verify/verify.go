// Package verify looks through a whole registry for bytes that are missing, extra
// or altered: in its ledger, its tables and its blob store. It changes nothing and
// may run beside a server.
package verify

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/store"
)

// Options say how a registry is looked through. The zero value works.
type Options struct {
	Workers  int              // files read at once; 0 means as many as there are processors
	Progress func(Progress)   // told from one goroutine at a time; may be nil
	Found    func(Problem)    // told of each problem at once, as Progress is; may be nil
	Now      func() time.Time // the clock; nil means time.Now
}

// Progress is how far the reading of bytes is.
type Progress struct {
	Files, AllFiles int64
	Bytes, AllBytes int64
}

// Report is what was looked at, and how many problems there are.
type Report struct {
	Entries  int64 // of the ledger
	Files    int64 // digests whose bytes were read
	Bytes    int64
	Problems int64
}

// Problem is one thing that is not as it should be.
type Problem struct {
	Kind   string // "missing", "extra" or "altered"
	What   string // such as "file 3e23…", "blob 3e23….k2…", "entry 17"
	Detail string
}

// String is one line about the problem.
func (p Problem) String() string { return p.Kind + " " + p.What + ": " + p.Detail }

// fresh is how young a blob has to be for a publish under way to be about to
// refer to it.
const fresh = time.Hour

// Run looks through everything. Problems are no error; an error means that it
// could not look.
func Run(ctx context.Context, s *store.Store, blobs blob.Store, opts Options) (Report, error) {
	if opts.Workers == 0 {
		opts.Workers = runtime.GOMAXPROCS(0)
	}
	if opts.Progress == nil {
		opts.Progress = func(Progress) {}
	}
	if opts.Found == nil {
		opts.Found = func(Problem) {}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	v := &verifier{store: s, blobs: blobs, opts: opts}
	for _, step := range []func(context.Context) error{v.engine, v.ledger, v.missing, v.kept, v.extra} {
		if err := step(ctx); err != nil {
			return v.report, err
		}
	}
	return v.report, nil
}

type verifier struct {
	store *store.Store
	blobs blob.Store
	opts  Options

	mu       sync.Mutex // guards what follows, and is held while the caller is told
	progress Progress
	report   Report
}

func (v *verifier) found(kind, what, detail string, args ...any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Problems++
	v.opts.Found(Problem{kind, what, fmt.Sprintf(detail, args...)})
}

// engine has the database check its own files.
func (v *verifier) engine(ctx context.Context) error {
	if err := v.store.Check(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		v.found("altered", "database", "%v", err)
	}
	return nil
}

const entriesAtOnce = 500

// ledger compares each entry with the digest that was taken when it was written.
func (v *verifier) ledger(ctx context.Context) error {
	var head int64
	for {
		var list []store.Written
		err := v.store.View(ctx, func(tx *store.Tx) (err error) {
			if head, err = tx.Position(ctx); err == nil {
				list, err = tx.Payloads(ctx, v.report.Entries, entriesAtOnce)
			}
			return err
		})
		if err != nil {
			return err
		}
		for _, w := range list {
			for v.report.Entries++; v.report.Entries < w.Seq; v.report.Entries++ {
				v.found("missing", fmt.Sprintf("entry %d", v.report.Entries), "the ledger goes on with %d", w.Seq)
			}
			if sha256.Sum256(w.Payload) != w.Digest {
				v.found("altered", fmt.Sprintf("entry %d", w.Seq), "its digest was %s when it was written", w.Digest)
			}
		}
		if len(list) == 0 {
			break
		}
	}
	if v.report.Entries < head {
		v.found("missing", fmt.Sprintf("entry %d", head), "the ledger ends at %d", v.report.Entries)
	}
	return nil
}

const bytesAtOnce = 500

// missing finds files of which the database does not say where their bytes are.
func (v *verifier) missing(ctx context.Context) error {
	var after packhouse.Digest
	for {
		var list []store.Bytes
		err := v.store.View(ctx, func(tx *store.Tx) (err error) {
			list, err = tx.MissingBytes(ctx, after, bytesAtOnce)
			return err
		})
		if err != nil || len(list) == 0 {
			return err
		}
		for _, b := range list {
			v.found("missing", "file "+b.Digest.String(), "%d bytes of which no row says where they are", b.Size)
			after = b.Digest
		}
	}
}

// kept reads all bytes that the database knows of.
func (v *verifier) kept(ctx context.Context) error {
	err := v.store.View(ctx, func(tx *store.Tx) (err error) {
		v.progress.AllFiles, v.progress.AllBytes, err = tx.KeptTotal(ctx)
		return err
	})
	if err != nil {
		return err
	}
	var workers errgroup.Group
	workers.SetLimit(v.opts.Workers)
	for after := int64(0); ; {
		var list []store.Bytes
		err := v.store.View(ctx, func(tx *store.Tx) (err error) {
			list, err = tx.KeptBytes(ctx, after, bytesAtOnce)
			return err
		})
		if err != nil || len(list) == 0 {
			return errors.Join(err, workers.Wait())
		}
		for _, b := range list {
			workers.Go(func() error { return v.bytes(ctx, b) })
			after = b.ID
		}
		if err := workers.Wait(); err != nil {
			return err
		}
	}
}

// bytes reads those of one digest.
func (v *verifier) bytes(ctx context.Context, b store.Bytes) error {
	what := "file " + b.Digest.String()
	digest, size, err := v.read(ctx, b.Blob)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, blob.ErrNotFound):
		gone, err := v.gone(ctx, b)
		if err != nil {
			return err
		}
		if !gone {
			v.found("missing", what, "blob %s is not in the blob store", b.Blob.Key)
		}
	case errors.Is(err, blob.ErrUnavailable):
		return err // says nothing about the bytes
	case err != nil:
		v.found("altered", what, "cannot be read: %v", err)
	case digest != b.Digest || size != b.Size:
		v.found("altered", what, "%d bytes with the SHA-256 %s are there instead of %d", size, digest, b.Size)
	case !b.Needed:
		v.found("extra", what, "no file has these %d bytes", size)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.report.Files++
	v.report.Bytes += size
	v.progress.Files++
	v.progress.Bytes += b.Size
	v.opts.Progress(v.progress)
	return nil
}

func (v *verifier) read(ctx context.Context, at store.Blob) (d packhouse.Digest, size int64, err error) {
	if at.Key == "" {
		return sha256.Sum256(at.Data), int64(len(at.Data)), nil
	}
	r, err := v.blobs.Open(ctx, blob.Key(at.Key))
	if err != nil {
		return d, 0, err
	}
	defer r.Close()
	h := sha256.New()
	size, err = io.Copy(h, r)
	h.Sum(d[:0])
	return d, size, err
}

// gone reports whether bytes were purged since the database was asked where they
// are.
func (v *verifier) gone(ctx context.Context, b store.Bytes) (bool, error) {
	var there bool
	err := v.store.View(ctx, func(tx *store.Tx) (err error) {
		there, err = tx.HasBlobKey(ctx, b.Blob.Key)
		return err
	})
	return !there, err
}

// extra finds blobs that the database does not know.
func (v *verifier) extra(ctx context.Context) error {
	before := v.opts.Now().Add(-fresh)
	for info, err := range v.blobs.List(ctx, "") {
		if err != nil {
			return err
		}
		if info.ModTime.After(before) {
			continue // a publish may be about to refer to it
		}
		gone, err := v.gone(ctx, store.Bytes{Blob: store.Blob{Key: string(info.Key)}})
		if err != nil {
			return err
		}
		if gone {
			v.found("extra", "blob "+string(info.Key), "%d bytes that no file refers to", info.Size)
		}
	}
	return nil
}
