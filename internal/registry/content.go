package registry

import (
	"bytes"
	"io"
	"time"

	"packhouse"
	"packhouse/internal/blob"
)

// Content is a file with its bytes, open for reading.
type Content struct {
	Version packhouse.Version
	File    packhouse.File

	data      []byte      // of a small file
	blob      blob.Reader // of another
	downloads *downloads
	now       func() time.Time
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

// Downloaded counts a download of the file.
func (c *Content) Downloaded() { c.downloads.add(c.File.ID, c.now()) }

// Close gives up the file.
func (c *Content) Close() error {
	if c.blob == nil {
		return nil
	}
	return c.blob.Close()
}
