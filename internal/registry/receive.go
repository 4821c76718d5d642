package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/policy"
	"packhouse/internal/store"
)

// Incoming is a file on its way in.
type Incoming struct {
	Path  string
	Size  int64 // as announced, in bytes; -1 when unknown
	Body  io.Reader
	Check Checksums
	Also  blob.Hashes // checksums to compute, whether or not the client sent them
}

// Received is a file whose bytes are safe but that belongs to nothing yet.
// Release it when done, published or not.
type Received struct {
	file     store.NewFile
	at       time.Time // on the clock of the wall
	registry *Registry
}

// Size is the number of bytes received.
func (f *Received) Size() int64 { return f.file.Size }

// SHA256 is the digest of the bytes received.
func (f *Received) SHA256() packhouse.Digest { return f.file.SHA256 }

// Open reads the bytes received, as often as needed until Release.
func (f *Received) Open(ctx context.Context) (Bytes, error) {
	if f.file.Blob.Key == "" {
		return inMemory{bytes.NewReader(f.file.Blob.Data)}, nil
	}
	r, err := f.registry.blobs.Open(ctx, blob.Key(f.file.Blob.Key))
	if err != nil {
		return nil, blob.Explain(err)
	}
	if both, ok := r.(Bytes); ok {
		return both, nil
	}
	return &seeking{Reader: r}, nil
}

// Bytes are the bytes of a file, for a parser that jumps about in them.
type Bytes interface {
	io.ReadSeekCloser
	io.ReaderAt
}

type inMemory struct{ *bytes.Reader }

func (inMemory) Close() error { return nil }

// seeking gives ReadAt to a reader that can seek. It serves one goroutine.
type seeking struct{ blob.Reader }

// ReadAt implements io.ReaderAt, but that it moves the position of Read.
func (s *seeking) ReadAt(p []byte, at int64) (int, error) {
	if _, err := s.Seek(at, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(s.Reader, p)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

// SHA512 is the hex SHA-512 of the bytes, "" when it was not asked for.
func (f *Received) SHA512() string { return f.file.SHA512 }

// SHA1 is the hex SHA-1 of the bytes, "" when it was not asked for.
func (f *Received) SHA1() string { return f.file.SHA1 }

// MD5 is the hex MD5 of the bytes, "" when it was not asked for.
func (f *Received) MD5() string { return f.file.MD5 }

// SetMetadata has JSON published with the file: what the format derived from it.
func (f *Received) SetMetadata(metadata []byte) { f.file.Metadata = metadata }

// SetPath names the file, when its name follows from its content.
func (f *Received) SetPath(path string) { f.file.Path = path }

// Release removes the bytes of a file that was not published and ends its
// protection from collection.
func (f *Received) Release() { f.registry.release(f.file.Blob.Key) }

// Receive stores the bytes of a file. It refuses what the rules refuse by size,
// bytes that do not have the announced checksums, and a body that ends early; it
// leaves nothing of what it refuses.
func (h *Hosted) Receive(ctx context.Context, in Incoming) (*Received, error) {
	limit := h.registry.options.Directory.Instance().Size(h.format)
	op := policy.Operation{Format: h.format, Path: in.Path, Size: in.Size, Limit: limit, Trust: h.trust()}
	if err := h.registry.options.Rules.Judge(op); err != nil {
		return nil, err
	}
	want, also, err := in.Check.parse()
	if err != nil {
		return nil, err
	}
	also |= in.Also
	buffer := heads.Get().(*[]byte)
	defer heads.Put(buffer)
	head, whole, err := readHead(in.Body, *buffer)
	if err != nil {
		return nil, unreadable(err)
	}
	if whole {
		return h.inline(in, head, also)
	}
	body := io.MultiReader(bytes.NewReader(head), in.Body)
	info, sums, err := blob.Put(ctx, h.registry.blobs, body, blob.PutOptions{Limit: limit, Want: want, Also: also})
	if err != nil {
		return nil, h.explain(err, limit)
	}
	received := h.received(in.Path, info.Size, sums, store.Blob{Key: string(info.Key)})
	if err := in.Check.match(sums); err != nil {
		received.Release()
		return nil, err
	}
	return received, nil
}

// heads are buffers for the start of a body. A body that leaves room in one is
// small enough to be kept inline.
var heads = sync.Pool{New: func() any { b := make([]byte, InlineLimit+1); return &b }}

// readHead reads the start of a body. whole reports that it ended before the
// buffer was full.
func readHead(body io.Reader, buffer []byte) (head []byte, whole bool, err error) {
	n := 0
	for n < len(buffer) && err == nil {
		var read int
		read, err = body.Read(buffer[n:])
		n += read
	}
	switch {
	case n == len(buffer):
		return buffer, false, nil // whatever comes next, Put reads it
	case errors.Is(err, io.EOF):
		return buffer[:n], true, nil
	}
	return nil, false, err
}

// inline keeps a small file in memory until it is published into the database.
func (h *Hosted) inline(in Incoming, data []byte, also blob.Hashes) (*Received, error) {
	limit := h.registry.options.Directory.Instance().Size(h.format)
	if limit != 0 && int64(len(data)) > limit {
		return nil, policy.TooLarge(h.format, limit)
	}
	if r, ok := h.registry.blobs.Store.(blob.Roomer); ok {
		if err := r.Room(len(data)); err != nil {
			return nil, blob.Explain(err)
		}
	}
	hasher := blob.NewHasher(also)
	if _, err := hasher.Write(data); err != nil {
		return nil, err
	}
	sums := hasher.Sums()
	if err := in.Check.match(sums); err != nil {
		return nil, err
	}
	return h.received(in.Path, int64(len(data)), sums, store.Blob{Data: bytes.Clone(data)}), nil
}

func (h *Hosted) received(path string, size int64, sums blob.Sums, at store.Blob) *Received {
	return &Received{registry: h.registry, at: h.registry.now().Round(0), file: store.NewFile{
		Path: path, Size: size, SHA256: sums.SHA256, MD5: sums.MD5, SHA1: sums.SHA1, SHA512: sums.SHA512, Blob: at,
	}}
}

// explain tells the client's faults from ours.
func (h *Hosted) explain(err error, limit int64) error {
	var read *blob.ReadError
	if errors.As(err, &read) {
		return unreadable(read.Err)
	}
	if packhouse.KindOf(err) == packhouse.TooLarge {
		return policy.TooLarge(h.format, limit)
	}
	return err
}

// unreadable is the refusal of a body that could not be read to its end.
func unreadable(err error) error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "body", Err: err,
		Message: "400 Bad request - the file ended before it was complete",
		Fix:     "send it again; nothing of it was stored",
	}
}
