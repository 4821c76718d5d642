package format

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
	"unicode/utf8"

	"github.com/klauspost/compress/gzip"

	"packhouse"
)

// Limits on the archives of all formats. They bound what one publish costs, whatever
// it holds.
const (
	MaxEntries   = 50_000
	maxEntryName = 1024     // bytes
	maxRatio     = 50       // unpacked bytes to packed ones …
	freeUnpacked = 64 << 20 // … beyond this many
)

// UnpackedLimit is how many bytes an archive of a size may unpack to.
func UnpackedLimit(size int64) int64 { return max(freeUnpacked, size*maxRatio) }

// EntryName checks the name of an archive's entry and takes the slash from its end.
// A problem is what is wrong with it, for a sentence about the archive; "" when it
// is fit.
func EntryName(name string) (clean, problem string) {
	clean = strings.TrimSuffix(name, "/")
	switch {
	case len(name) > maxEntryName:
		return "", "the name of an entry is too long"
	case !utf8.ValidString(name):
		return "", "the name of an entry is not UTF-8"
	case strings.ContainsFunc(name, func(c rune) bool { return c < 0x20 || c == 0x7f || c == '\\' }):
		return "", "the name of an entry has a control character or backslash"
	case clean == "" || path.Clean("/" + clean)[1:] != clean || len(clean) > 1 && clean[1] == ':':
		return "", fmt.Sprintf("the name %q could lead out of it", name)
	}
	return clean, ""
}

// ReadTarGz reads a tar file packed with gzip to its end, entry by entry, within
// UnpackedLimit and until ctx is done; rest then reads what follows the last entry,
// up to the checksum of gzip. bad makes the refusal of the archive from a problem;
// refusals of entry and rest are returned as they are. That the archive itself could
// not be read is no refusal.
func ReadTarGz(ctx context.Context, r io.Reader, size int64, bad func(problem string) error,
	entry func(*tar.Header, io.Reader) error, rest func(io.Reader) error,
) error {
	from := &packed{r: r}
	z, err := gzip.NewReader(from)
	if err != nil {
		if from.failed != nil {
			return from.failed
		}
		return bad("it is not compressed with gzip")
	}
	defer z.Close()
	b := &bounded{ctx: ctx, r: z, left: UnpackedLimit(size)}
	err = readTar(b, entry)
	if err == nil {
		err = rest(b)
	}
	var refusal *packhouse.Error
	switch {
	case err == nil:
		return nil
	case from.failed != nil:
		return from.failed
	case b.failed == errBomb:
		return bad("it " + errBomb.Error())
	case b.failed != nil:
		return b.failed
	case errors.As(err, &refusal):
		return err
	}
	return bad("it is no tar file, or a broken one")
}

func readTar(r io.Reader, entry func(*tar.Header, io.Reader) error) error {
	in := tar.NewReader(r)
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = entry(h, in)
		}
		if err != nil {
			return err
		}
	}
}

// packed remembers that reading what is stored failed, which is no fault of the
// archive.
type packed struct {
	r      io.Reader
	failed error
}

// Read implements io.Reader.
func (s *packed) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.failed = err
	}
	return n, err
}

// bounded ends a stream that unpacks to too much, or whose request is over.
type bounded struct {
	ctx    context.Context
	r      io.Reader
	left   int64
	failed error
}

var errBomb = errors.New("unpacks to far more than it is")

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.failed = b.ctx.Err(); b.failed != nil {
		return 0, b.failed
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		b.failed = errBomb
		return 0, errBomb
	}
	return n, err
}
