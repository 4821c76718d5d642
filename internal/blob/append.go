package blob

import (
	"context"
	"fmt"
	"hash"
	"io"
	"sync"

	"packhouse"
)

const (
	// bufferSize is one read, one write and one step of hashing. It fits a
	// core's second-level cache, so what was just read is hashed and written
	// without a trip to main memory.
	bufferSize = 256 << 10
	// ringSize is the number of buffers of an upload that is longer than one:
	// enough for reader and hashes to drift apart a little, 1 MiB in all.
	ringSize = 4
)

// buffers are shared by all uploads, so memory follows the number of uploads
// that run at once and not of those that ever ran.
var buffers = sync.Pool{New: func() any { return new([bufferSize]byte) }}

// ReadError is a failure of the reader that Put or Append reads from: a client
// that went away, a body longer than its declared length. The store is not to
// blame and holds what was read before.
type ReadError struct {
	Err error
}

// Error returns the reader's text behind what was being done.
func (e *ReadError) Error() string { return "read the bytes to store: " + e.Err.Error() }

// Unwrap returns the reader's error.
func (e *ReadError) Unwrap() error { return e.Err }

// Append reads r to its end and adds the bytes to u and, once, to h. It returns
// the number of bytes added in this call. Bytes are read in large buffers;
// from the second one on each checksum is computed in a goroutine of its own
// while the next bytes are read and written. Append has no goroutine left when
// it returns.
//
// limit is the largest total h.Size() that is accepted, 0 for any: what goes
// over it is a packhouse.Error of Kind TooLarge and is not written. A failure
// of r is a *ReadError. A failure of u has its meaning put in front, as Explain
// does. When ctx is done Append stops before the next Read with ctx.Err(); it
// does not interrupt a Read that blocks.
//
// After an error of r, the limit or ctx, u and h hold the same bytes and may be
// kept for a later session. After an error of u only Abort is of use.
func Append(ctx context.Context, u Upload, h *Hasher, r io.Reader, limit int64) (int64, error) {
	before := h.size
	a := appender{upload: u, hasher: h, limit: limit}
	defer a.stop()
	for {
		c := a.next()
		n, end := fill(ctx, r, c.buffer[:])
		c.bytes = c.buffer[:n]
		if end == nil {
			a.start()
		}
		if err := a.add(c); err != nil {
			return h.size - before, err
		}
		if end == io.EOF {
			return h.size - before, nil
		}
		if end != nil {
			return h.size - before, end
		}
	}
}

// fill reads until buf is full. It returns io.EOF at the end of r, a *ReadError
// or ctx.Err(). io.ReadFull would not do: it says io.ErrUnexpectedEOF for a
// stream that ends inside buf, which is also what an HTTP body says when the
// client went away.
func fill(ctx context.Context, r io.Reader, buf []byte) (n int, err error) {
	const patience = 100 // empty reads in a row, as bufio has it
	for empty := 0; n < len(buf); {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		got, err := r.Read(buf[n:])
		n += got
		if err == io.EOF {
			return n, io.EOF
		}
		if err != nil {
			return n, &ReadError{Err: err}
		}
		if empty++; got > 0 {
			empty = 0
		}
		if empty == patience {
			return n, &ReadError{Err: io.ErrNoProgress}
		}
	}
	return n, nil
}

// chunk is a buffer on its way through write and checksums.
type chunk struct {
	buffer *[bufferSize]byte
	bytes  []byte         // the part of buffer that was read
	hashed sync.WaitGroup // checksums that are not done with bytes
}

// appender is one run of Append.
type appender struct {
	upload Upload
	hasher *Hasher
	limit  int64

	ring  [ringSize]chunk
	count int            // chunks begun
	lanes []chan *chunk  // one for each checksum; none for a short body
	ends  sync.WaitGroup // of the goroutines behind the lanes
}

// next returns the chunk to read into, once its former bytes are hashed.
func (a *appender) next() *chunk {
	c := &a.ring[a.count%ringSize]
	a.count++
	c.hashed.Wait()
	if c.buffer == nil {
		c.buffer = buffers.Get().(*[bufferSize]byte)
	}
	return c
}

// start begins hashing beside writing, unless it did already.
func (a *appender) start() {
	if a.lanes != nil {
		return
	}
	for _, one := range a.hasher.all {
		lane := make(chan *chunk, ringSize)
		a.lanes = append(a.lanes, lane)
		a.ends.Go(func() { hashChunks(one, lane) })
	}
}

// hashChunks adds chunks to one checksum until the lane is closed.
func hashChunks(one hash.Hash, lane <-chan *chunk) {
	for c := range lane {
		one.Write(c.bytes)
		c.hashed.Done()
	}
}

// add writes and hashes the bytes of c, or refuses them when they go over the
// limit. Hashing may still go on when it returns.
func (a *appender) add(c *chunk) error {
	if a.limit > 0 && a.hasher.size+int64(len(c.bytes)) > a.limit {
		return tooLarge(a.limit)
	}
	if len(c.bytes) == 0 {
		return nil
	}
	if a.lanes == nil {
		_, _ = a.hasher.Write(c.bytes) // never fails
	} else {
		c.hashed.Add(len(a.lanes))
		for _, lane := range a.lanes {
			lane <- c
		}
		a.hasher.size += int64(len(c.bytes))
	}
	n, err := a.upload.Write(c.bytes)
	if err == nil && n != len(c.bytes) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return Explain(err)
	}
	return nil
}

// stop waits for the checksums and gives the buffers back.
func (a *appender) stop() {
	for _, lane := range a.lanes {
		close(lane)
	}
	a.ends.Wait()
	for i := range a.ring {
		if buffer := a.ring[i].buffer; buffer != nil {
			buffers.Put(buffer)
		}
	}
}

func tooLarge(limit int64) error {
	return &packhouse.Error{
		Kind:    packhouse.TooLarge,
		Message: "File is too large",
		Rule:    "size",
		Fix:     fmt.Sprintf("send at most %d bytes, or ask an administrator for a higher limit", limit),
	}
}
