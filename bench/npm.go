//go:build linux

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"packhouse/bench/load"
	"packhouse/bench/report"
)

// npm is what npm publish and npm install say.
var npm = &ecosystem{
	name:   "npm",
	mounts: map[string]string{"V": "", "G": "/api/packages/bench/npm"},
	publish: func(mount, name, version string, n int64) []load.Made {
		return []load.Made{npmPublish(mount, name, version, content(n, smallSize))}
	},
	document: func(_, mount, name string) string { return mount + "/" + name },
}

// npmPublish is the request of npm publish for a package of one file beside its
// package.json.
func npmPublish(mount, name, version string, data []byte) load.Made {
	manifest := map[string]any{
		"name": name, "version": version, "description": "a package of the benchmark", "main": "index.js", "license": "MIT",
		"keywords": []string{"bench", "packages"}, "dependencies": map[string]string{"left-pad": "^1.3.0", "once": "~1.4.0"},
		"scripts": map[string]string{"test": "node test.js"}, "engines": map[string]string{"node": ">=18"},
	}
	packed := npmPack(manifest, data)
	sha1sum, sha512sum := sha1.Sum(packed), sha512.Sum512(packed)
	file := name + "-" + version + ".tgz"
	manifest["_id"] = name + "@" + version
	manifest["dist"] = map[string]string{
		"shasum":    hex.EncodeToString(sha1sum[:]),
		"integrity": "sha512-" + base64.StdEncoding.EncodeToString(sha512sum[:]),
		"tarball":   "http://registry.example.com/" + name + "/-/" + file,
	}
	body := encode(map[string]any{
		"_id": name, "name": name, "dist-tags": map[string]string{"latest": version}, "versions": map[string]any{version: manifest},
		"_attachments": map[string]any{file: map[string]any{"content_type": "application/octet-stream", "data": packed, "length": len(packed)}},
	})
	return load.Made{Method: "PUT", Path: mount + "/" + name, Header: map[string]string{"Content-Type": "application/json"}, Body: body}
}

// npmPack is the tarball of npm pack. It is not compressed, as random bytes
// cannot be.
func npmPack(manifest map[string]any, data []byte) []byte {
	var packed bytes.Buffer
	zipped, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
	must(err)
	archive := tar.NewWriter(zipped)
	for _, entry := range []struct {
		name string
		data []byte
	}{{"package/package.json", encode(manifest)}, {"package/index.js", data}} {
		must(archive.WriteHeader(&tar.Header{Name: entry.name, Mode: 0o644, Size: int64(len(entry.data))}))
		_, err = archive.Write(entry.data)
		must(err)
	}
	must(archive.Close())
	must(zipped.Close())
	return packed.Bytes()
}

// npmTarball is the address of a version's tarball.
func npmTarball(mount, name, version string) string {
	return fmt.Sprintf("%s/%s/-/%s-%s.tgz", mount, name, name, version)
}

func encode(value any) []byte {
	data, err := json.Marshal(value)
	must(err)
	return data
}

// must is for what cannot fail, because it is in memory.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

var abbreviated = map[string]string{"Accept": "application/vnd.npm.install-v1+json"}

func npmOperations() []operation {
	doc := func(versions int, header map[string]string) reading {
		return reading{ecosystem: npm, versions: versions, header: header}
	}
	head, known, tarball := doc(10, nil), doc(10, nil), doc(10, nil)
	head.method, known.known = "HEAD", true
	tarball.file = func(_, mount string) string { return npmTarball(mount, "read-10", numbered(5)) }
	return []operation{
		{"npm packument, 10 versions", "P", "N", doc(10, nil).make, cpu(2)},
		{"npm packument, 10 versions, known", "P", "N", known.make, cpu(1)},
		{"npm packument, 10 versions, HEAD", "P", "N", head.make, cpu(1)},
		{"npm packument, 1,000 versions", "P", "N", doc(1000, nil).make, cpu(1.1)},
		{"npm packument, 1,000 versions, gzip", "P", "N", doc(1000, zipped).make, cpu(1.1)},
		{"npm packument, 10,000 versions", "P", "N", doc(10_000, nil).make, cpu(1.1)},
		{"npm packument, 1,000 versions, abbreviated", "P", "N", doc(1000, abbreviated).make, cpu(1.1)},
		{"npm tarball", "P", "N", tarball.make, cpu(2)},
		{"npm packument, 10 versions", "P", "V", doc(10, nil).make, times(10)},
		{"npm tarball", "P", "V", tarball.make, times(10)},
		{"npm packument, 1,000 versions", "P", "G", doc(1000, nil).make, times(10)},
		{"npm publish, c1", "P", "F", npm.publishing(1), share(0.3)},
		{"npm publish, c32", "P", "F", npm.publishing(32), publishes(300, 0.6)},
		{"npm publish, c1", "P", "V", npm.publishing(1), nil},
		{"npm publish, c32", "P", "V", npm.publishing(32), times(10)},
		{"npm publish, c32", "P", "G", npm.publishing(32), times(10)},
		{"npm publish, version 10,001 beside the first", "P", "p", npm.growing, cpu(2)},
		{"npm publish, 100 MiB", "P", "S", npm.large, []report.Bound{
			{Metric: report.Growth, Limit: 16},
			{Metric: report.Throughput, Relative: true, AtLeast: true, Limit: 0.3, Quiet: true},
		}},
		{"npm packument of a group of 1,000 projects beside a project", "P", "p", npm.grouped, cpu(1.3)},
	}
}
