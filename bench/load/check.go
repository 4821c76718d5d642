//go:build linux

package load

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
)

// check makes the request once, by the book, and holds the whole answer
// against what it has to be.
func (s Spec) check() error {
	res, err := s.get(s.Request.path(s.Request.First))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, res.Body)
	if err != nil {
		return fmt.Errorf("GET %s: %w", s.Request.Path, err)
	}
	sum, etag := hex.EncodeToString(hash.Sum(nil)), res.Header.Get("ETag")
	switch want := s.Check; {
	case n != want.Size || res.ContentLength != want.Size:
		err = fmt.Errorf("%d bytes and Content-Length %d, want %d", n, res.ContentLength, want.Size)
	case sum != want.SHA256:
		err = fmt.Errorf("SHA-256 %s, want %s", sum, want.SHA256)
	case etag == "" || want.ETag != "" && etag != want.ETag:
		err = fmt.Errorf("ETag %s, want %s", etag, want.ETag)
	default:
		return nil
	}
	return fmt.Errorf("GET %s: %w", s.Request.Path, err)
}

// readBack fetches some of the files that were just sent, spread over all of
// them, the first and the last included. What was acknowledged has to be there.
func (s Spec) readBack(sent int64) error {
	for i := range int64(s.Readback) {
		n := s.Request.First
		if s.Readback > 1 {
			n += (sent - 1) * i / int64(s.Readback-1)
		}
		if err := s.readBackOne(n); err != nil {
			return fmt.Errorf("read back %s: %w", s.Request.path(n), err)
		}
	}
	return nil
}

func (s Spec) readBackOne(n int64) error {
	res, err := s.get(s.Request.path(n))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	want, err := io.ReadAll(Body(n, s.Request.Body))
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%d bytes, not the %d bytes that were sent", len(got), len(want))
	}
	return nil
}

// get fetches a path with the request's headers. An answer other than 200 is
// an error.
func (s Spec) get(path string) (*http.Response, error) {
	req, err := http.NewRequest(http.MethodGet, "http://"+s.Address+path, nil)
	if err != nil {
		return nil, err
	}
	for name, value := range s.Request.Header {
		req.Header[name] = []string{value}
	}
	req.Header.Set("Accept-Encoding", "identity") // lengths are those of the file
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		_ = res.Body.Close()
		return nil, fmt.Errorf("GET %s: answer %d, want 200", path, res.StatusCode)
	}
	return res, nil
}
