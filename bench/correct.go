//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"packhouse/bench/load"
)

// checkAnswers asserts that Packhouse does what is going to be timed: that a
// published file comes back, byte for byte and by the headers that clients
// rely on, that it is listed at once, and that strangers get nothing.
func (l *lab) checkAnswers(ctx context.Context) error {
	s, err := l.reuse(ctx, "P", l.memory)
	if err != nil {
		return err
	}
	if err := s.provide(ctx, smallFile, smallSize); err != nil {
		return err
	}
	content, err := io.ReadAll(load.Body(load.FirstNumber, smallSize))
	if err != nil {
		return err
	}
	want, err := checkOf(smallSize)
	if err != nil {
		return err
	}
	etag := `"` + want.SHA256 + `"`
	file := s.filePath(smallFile)
	none, stranger, wrong := http.Header{}, http.Header{"PRIVATE-TOKEN": nil}, http.Header{"PRIVATE-TOKEN": {"glpat-wrongWRONGwrongWRONG"}}
	for _, c := range []struct {
		method, path string
		header       http.Header
		status       int
		body         []byte // nil for any
		answer       map[string]string
	}{
		{"GET", file, none, 200, content, map[string]string{"ETag": etag, "Content-Length": "4096", "X-Checksum-SHA256": want.SHA256}},
		{"HEAD", file, none, 200, []byte{}, map[string]string{"ETag": etag, "Content-Length": "4096"}},
		{"GET", file, http.Header{"If-None-Match": {etag}}, 304, []byte{}, map[string]string{"ETag": etag}},
		{"GET", file, http.Header{"Range": {"bytes=100-199"}}, 206, content[100:200], map[string]string{"Content-Range": "bytes 100-199/4096"}},
		{"GET", file, stranger, 401, nil, nil},
		{"GET", file, wrong, 401, nil, nil},
		{"PUT", s.versionPath("fixed", "1.0.0", "stranger.bin"), stranger, 401, nil, nil},
		{"GET", s.versionPath("fixed", "1.0.0", "stranger.bin"), none, 404, nil, nil},
	} {
		res, err := s.do(ctx, c.method, c.path, nil, c.header)
		if err != nil {
			return err
		}
		if res.status != c.status {
			return fmt.Errorf("%s %s with %v: answer %d, want %d", c.method, c.path, c.header, res.status, c.status)
		}
		if c.body != nil && !bytes.Equal(res.body, c.body) {
			return fmt.Errorf("%s %s with %v: %d bytes that are not the %d expected", c.method, c.path, c.header, len(res.body), len(c.body))
		}
		for name, value := range c.answer {
			if got := res.header.Get(name); got != value {
				return fmt.Errorf("%s %s with %v: %s is %q, want %q", c.method, c.path, c.header, name, got, value)
			}
		}
	}
	return s.checkListed(ctx)
}

// checkListed asserts that the version that was just published is in the
// project's list of packages.
func (s *server) checkListed(ctx context.Context) error {
	path := fmt.Sprintf("/api/v4/projects/%d/packages?package_type=generic&package_name=fixed", s.project)
	res, err := s.do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return err
	}
	if res.status != http.StatusOK || !strings.Contains(string(res.body), `"1.0.0"`) {
		return fmt.Errorf("GET %s: answer %d without version 1.0.0: %.300s", path, res.status, res.body)
	}
	return nil
}
