//go:build linux

package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"packhouse/bench/load"
	"packhouse/bench/report"
)

// reading is how a client asks for the index document of a package.
type reading struct {
	*ecosystem
	versions int
	header   map[string]string
	method   string                            // GET if empty
	known    bool                              // with the ETag of what the client has
	file     func(letter, mount string) string // asked for instead of the document; nil for the document
}

// make gives the samplers: of Packhouse and peers, which have the package, and of
// nginx, which has the bytes that Packhouse answers with.
func (d reading) make(ctx context.Context, l *lab, letter string) (sampler, error) {
	holder := letter
	if letter == "N" {
		holder = "P"
	}
	s, err := l.reuse(ctx, holder, l.memory)
	if err != nil {
		return nil, err
	}
	name := fmt.Sprintf("read-%d", d.versions)
	if err := d.fill(ctx, l, s, name, d.versions); err != nil {
		return nil, err
	}
	path := d.document(s.letter, d.mount(s), name)
	if d.file != nil {
		path = d.file(s.letter, d.mount(s))
	}
	return d.at(ctx, l, letter, s, path)
}

// at gives the sampler of an address that s has, or of a copy of its bytes.
func (d reading) at(ctx context.Context, l *lab, letter string, s *server, path string) (sampler, error) {
	header := http.Header{"Accept-Encoding": {"identity"}}
	for name, value := range d.header {
		header.Set(name, value)
	}
	res, err := s.do(ctx, http.MethodGet, path, nil, header)
	if err != nil {
		return nil, err
	}
	last := numbered(int64(d.versions - 1))
	if res.status != http.StatusOK || d.file == nil && header.Get("Accept-Encoding") == "identity" && !bytes.Contains(res.body, []byte(last)) {
		return nil, fmt.Errorf("%s: GET %s: answer %d, want one with version %s: %.300s", s.Name, path, res.status, last, res.body)
	}
	spec := load.Spec{
		Kind: load.Repeat, Connections: 16, Warmup: warmup, Requests: max(50, min(1000, 1<<30/max(1, len(res.body)))),
		Request: load.Request{Method: http.MethodGet, Path: path, Header: maps.Clone(d.header)},
		Status:  http.StatusOK, Length: int64(len(res.body)),
	}
	etag := res.header.Get("ETag")
	if _, ok := peers[letter]; ok {
		spec.Length = -1   // some answer in chunks
		spec.Requests = 50 // and some take seconds for one
	}
	if letter == "N" {
		if s, etag, err = l.copied(ctx, d.ecosystem.name+strings.ReplaceAll(path, "/", "_"), res.body); err != nil {
			return nil, err
		}
		spec.Request.Path = "/" + d.ecosystem.name + strings.ReplaceAll(path, "/", "_")
	}
	if d.method != "" {
		spec.Request.Method = d.method
	}
	if d.known {
		spec.Status, spec.Length = http.StatusNotModified, -1
		spec.Request.Header = map[string]string{"If-None-Match": etag}
		maps.Copy(spec.Request.Header, d.header)
	}
	return func(ctx context.Context) (report.Sample, error) {
		result, err := l.load(ctx, s, spec)
		return requestSample(result), err
	}, nil
}

// copied has nginx serve those bytes, and returns the ETag that it gives them.
func (l *lab) copied(ctx context.Context, file string, data []byte) (*server, string, error) {
	if err := os.WriteFile(filepath.Join(l.files(), file), data, 0o644); err != nil {
		return nil, "", err
	}
	s, err := l.reuse(ctx, "N", l.memory)
	if err != nil {
		return nil, "", err
	}
	res, err := s.do(ctx, http.MethodGet, "/"+file, nil, http.Header{"Accept-Encoding": {"identity"}})
	if err != nil {
		return nil, "", err
	}
	if res.status != http.StatusOK || !bytes.Equal(res.body, data) {
		return nil, "", fmt.Errorf("nginx answers %d with other bytes than it was given", res.status)
	}
	return s, res.header.Get("ETag"), nil
}
