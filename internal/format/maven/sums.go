package maven

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/blob"
	"packhouse/internal/format"
)

// sums are the checksums that a repository has beside each file, by the ending of
// their own.
var sums = map[string]struct {
	digits int
	of     func(blob.Sums) string
	header string
	put    int // status of a checksum that is right, as GitLab has it
}{
	"md5":    {32, func(s blob.Sums) string { return s.MD5 }, "X-Checksum-Md5", http.StatusOK},
	"sha1":   {40, func(s blob.Sums) string { return s.SHA1 }, "X-Checksum-Sha1", http.StatusNoContent},
	"sha256": {64, func(s blob.Sums) string { return s.SHA256.String() }, "X-Checksum-Sha256", http.StatusNoContent},
	"sha512": {128, func(s blob.Sums) string { return s.SHA512 }, "X-Checksum-Sha512", http.StatusNoContent},
}

// allSums are computed of whatever is deployed.
const allSums = blob.MD5 | blob.SHA1 | blob.SHA512

func sumsOf(f *packhouse.File) blob.Sums {
	return blob.Sums{SHA256: f.SHA256, MD5: f.MD5, SHA1: f.SHA1, SHA512: f.SHA512}
}

// setSums puts the checksums where Maven 3.9 and Gradle look before they ask for
// them one by one.
func setSums(h http.Header, s blob.Sums) {
	for _, one := range sums {
		if sum := one.of(s); sum != "" {
			h[one.header] = []string{sum}
		}
	}
}

// writeSum answers with a checksum, as text without an end of line.
func writeSum(w http.ResponseWriter, s blob.Sums, algorithm string) {
	sum := sums[algorithm].of(s)
	h := w.Header()
	h.Set("Content-Type", "text/plain")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Disposition", "attachment")
	h.Set("Cache-Control", "private, max-age=0, must-revalidate")
	h.Set("Vary", "Authorization")
	h.Set("Content-Length", strconv.Itoa(len(sum)))
	w.WriteHeader(http.StatusOK)
	_, _ = io.WriteString(w, sum) // a client that went away needs no answer
}

// readSum reads the checksum that a client sends: hexadecimal digits, perhaps with
// a file name or a line's end behind them.
func readSum(r *http.Request, algorithm string) (string, error) {
	const limit = 4 << 10
	body, err := io.ReadAll(io.LimitReader(r.Body, limit))
	if err != nil {
		return "", &packhouse.Error{Kind: packhouse.Invalid, Rule: "body", Err: err, Message: "the checksum ended before it was complete", Fix: "send it again"}
	}
	sum, _, _ := strings.Cut(strings.TrimSpace(string(body)), " ")
	digits := sums[algorithm].digits
	if len(sum) != digits || strings.Trim(sum, "0123456789abcdefABCDEF") != "" {
		return "", &packhouse.Error{
			Kind: packhouse.Invalid, Rule: "checksum",
			Message: "the body is no " + algorithm, Fix: "send " + strconv.Itoa(digits) + " hexadecimal digits",
		}
	}
	return strings.ToLower(sum), nil
}

// verify compares a checksum that a client sends after a file with that of the
// bytes. It is not kept: those that are served are computed. Where a file was
// deployed several times, each of the copies may be the one that is meant.
func verify(w http.ResponseWriter, r *http.Request, c *format.Call, at coordinates) error {
	sent, err := readSum(r, at.sum)
	if err != nil {
		return err
	}
	content, err := c.Source.Open(r.Context(), at.ref())
	if err != nil {
		return err
	}
	defer content.Close()
	have := sums[at.sum].of(sumsOf(content.File()))
	if have == sent {
		w.WriteHeader(sums[at.sum].put)
		return nil
	}
	l, err := c.Source.Package(r.Context(), name, at.name)
	if err != nil {
		return err
	}
	for _, release := range l.Releases {
		for i := range release.Files {
			f := &release.Files[i]
			if release.Version.Key == at.version && f.Path == at.file && sums[at.sum].of(sumsOf(f)) == sent {
				w.WriteHeader(sums[at.sum].put)
				return nil
			}
		}
	}
	return errMismatch(at, sent, have)
}

func errMismatch(at coordinates, sent, have string) error {
	return &packhouse.Error{
		Kind: packhouse.Conflict, Rule: "checksum",
		Message: "409 Conflict - " + at.file + " has the " + at.sum + " " + have + ", not " + sent,
		Fix:     "it was changed on its way; deploy it again",
	}
}

// isAbsent reports whether an error says that something is not there.
func isAbsent(err error) bool {
	e := (*packhouse.Error)(nil)
	return errors.As(err, &e) && e.Kind == packhouse.NotFound
}
