package maven

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// deploy publishes one file. Each file of a version is a publish of its own, as
// clients send them; metadata names a version once its pom is there.
func deploy(w http.ResponseWriter, r *http.Request, c *format.Call, at coordinates) error {
	if r.ContentLength == 0 && r.Header.Get("Content-Length") == "" {
		return packhouse.InvalidParam("file", "is missing")
	}
	f, err := c.Hosted.Receive(r.Context(), registry.Incoming{
		Path: at.file, Size: r.ContentLength, Body: r.Body, Check: announced(r.Header), Also: allSums,
	})
	if err != nil {
		return err
	}
	defer f.Release()
	if strings.HasSuffix(at.file, ".pom") {
		if err := describe(r, f, at); err != nil {
			return err
		}
	}
	_, err = c.Hosted.Publish(r.Context(), registry.Draft{
		Package: at.name, PackageKey: at.name, Version: at.version, VersionKey: at.version, Files: []*registry.Received{f},
	})
	if err != nil {
		return explain(err, at)
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// announced are the checksums that a client sends along.
func announced(h http.Header) registry.Checksums {
	return registry.Checksums{
		SHA256: h.Get(sums["sha256"].header), SHA512: h.Get(sums["sha512"].header),
		SHA1: h.Get(sums["sha1"].header), MD5: h.Get(sums["md5"].header),
	}
}

// explain names what a refusal is about.
func explain(err error, at coordinates) error {
	e := packhouse.AsError(err)
	if e.Rule != "duplicates" {
		return err
	}
	named := *e
	named.Message = fmt.Sprintf("%s: %s %s has the file %s already", e.Message, at.name, at.version, at.file)
	return &named
}

// describe checks a pom against where it is deployed and keeps with it what pages
// show of it.
func describe(r *http.Request, f *registry.Received, at coordinates) error {
	if f.Size() > maxPom {
		return badPom("is larger than 2 MiB")
	}
	content, err := f.Open(r.Context())
	if err != nil {
		return fmt.Errorf("open what was received: %w", err)
	}
	defer content.Close()
	data, err := io.ReadAll(content)
	if err != nil {
		return fmt.Errorf("read what was received: %w", err)
	}
	p, err := parsePom(data)
	if err != nil {
		return err
	}
	if err := p.check(at); err != nil {
		return err
	}
	about, err := json.Marshal(p.about())
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	f.SetMetadata(about)
	return nil
}
