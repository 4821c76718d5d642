package registry

import (
	"bytes"
	"context"
	"io"
	"time"

	"packhouse"
	"packhouse/internal/blob"
)

// Content is a file with its bytes, open for reading.
type Content struct {
	located *located

	data      []byte      // of a small file
	blob      blob.Reader // of another
	linker    blob.Linker // nil unless clients are to be sent to the bytes
	downloads *downloads
	now       func() time.Time
}

// File returns the file's record. It is shared and must not be changed.
func (c *Content) File() *packhouse.File { return &c.located.File }

// Derived returns what a format has made of the file's record, such as the
// headers that it is served with. It calls make at least once and keeps the
// result as long as the registry remembers the file.
func (c *Content) Derived(make func() any) any {
	if kept := c.located.derived.Load(); kept != nil {
		return *kept
	}
	made := make()
	c.located.derived.Store(&made)
	return made
}

// Bytes returns a small file as a whole. ok is false for a file that has to be
// read through Reader. The bytes are shared and must not be changed.
func (c *Content) Bytes() (data []byte, ok bool) { return c.data, c.blob == nil }

// Reader reads the file from its start. Where the bytes are in a file of the
// operating system it is an *os.File, so that the network can use sendfile(2).
func (c *Content) Reader() io.ReadSeeker {
	if c.blob == nil {
		return bytes.NewReader(c.data)
	}
	if f, ok := c.blob.(blob.Filer); ok {
		return f.File()
	}
	return c.blob
}

// LinkHeader are the fields of an answer that a link decides.
type LinkHeader = blob.LinkHeader

// Links reports whether a client should be sent to Link instead of being given
// the bytes.
func (c *Content) Links() bool { return c.linker != nil }

// Link returns an address at which whoever has it can read the file for a while.
func (c *Content) Link(ctx context.Context, as LinkHeader) (string, error) {
	address, err := c.linker.Link(ctx, blob.Key(c.located.Blob.Key), as)
	return address, blob.Explain(err)
}

// Part is the blob or manifest of an image that the content is of.
func (c *Content) Part() *packhouse.Part { return &c.located.part }

// Here has the bytes come from here, whether or not clients are to be sent to
// them.
func (c *Content) Here() { c.linker = nil }

// Downloaded counts a download of the file. Those of parts of images are not
// counted.
func (c *Content) Downloaded() {
	if c.located.File.ID == 0 {
		return
	}
	c.downloads.add(c.located.File.ID, c.now())
}

// Close gives up the file.
func (c *Content) Close() error {
	if c.blob == nil {
		return nil
	}
	return c.blob.Close()
}
