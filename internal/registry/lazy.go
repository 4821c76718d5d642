package registry

import (
	"errors"
	"io"

	"packhouse/internal/blob"
)

// lazy is a blob that is opened when its first byte is read: most answers about
// a file whose readers are sent elsewhere need none. It serves one goroutine.
type lazy struct {
	open   func() (blob.Reader, error)
	size   int64
	at     int64       // where the first Read begins
	reader blob.Reader // nil until then
}

// Size implements blob.Reader.
func (l *lazy) Size() int64 { return l.size }

// Read implements io.Reader.
func (l *lazy) Read(p []byte) (int, error) {
	if l.reader == nil {
		reader, err := l.open()
		if err != nil {
			return 0, err
		}
		l.reader = reader
		if _, err := reader.Seek(l.at, io.SeekStart); err != nil {
			return 0, err
		}
	}
	return l.reader.Read(p)
}

// Seek implements io.Seeker.
func (l *lazy) Seek(offset int64, whence int) (int64, error) {
	if l.reader != nil {
		return l.reader.Seek(offset, whence)
	}
	switch whence {
	case io.SeekCurrent:
		offset += l.at
	case io.SeekEnd:
		offset += l.size
	}
	if offset < 0 {
		return l.at, errors.New("seek before the start of a file")
	}
	l.at = offset
	return offset, nil
}

// Close implements io.Closer.
func (l *lazy) Close() error {
	if l.reader == nil {
		return nil
	}
	return l.reader.Close()
}
