//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"packhouse/bench/load"
)

// pypi is what twine upload and pip say.
var pypi = &ecosystem{
	name:   "pypi",
	mounts: map[string]string{"Y": "", "G": "/api/packages/bench/pypi"},
	publish: func(mount, name, version string, n int64) []load.Made {
		return []load.Made{pypiUpload(mount, name, version, content(n, smallSize))}
	},
	document: func(_, mount, name string) string { return mount + "/simple/" + name + "/" },
}

// pypiUpload is the request of twine upload for a wheel of one module.
func pypiUpload(mount, name, version string, data []byte) load.Made {
	wheel := pypiWheel(name, version, data)
	digest := sha256.Sum256(wheel)
	const boundary = "0123456789abcdef"
	var b bytes.Buffer
	for _, field := range [][2]string{
		{"name", name}, {"version", version}, {":action", "file_upload"}, {"protocol_version", "1"}, {"filetype", "bdist_wheel"},
		{"pyversion", "py3"}, {"metadata_version", "2.1"}, {"summary", "a package of the benchmark"}, {"requires_python", ">=3.8"},
		{"sha256_digest", hex.EncodeToString(digest[:])},
	} {
		fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", boundary, field[0], field[1])
	}
	fmt.Fprintf(&b, "--%s\r\nContent-Disposition: form-data; name=\"content\"; filename=%q\r\nContent-Type: application/octet-stream\r\n\r\n", boundary, pypiFile(name, version))
	b.Write(wheel)
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	if mount == "" {
		mount = "/"
	}
	return load.Made{Method: "POST", Path: mount, Header: map[string]string{"Content-Type": "multipart/form-data; boundary=" + boundary}, Body: b.Bytes()}
}

// pypiWheel is a wheel. Nothing in it is compressed, as random bytes cannot be.
func pypiWheel(name, version string, data []byte) []byte {
	info := strings.ReplaceAll(name, "-", "_") + "-" + version + ".dist-info/"
	entries := []struct{ name, text string }{
		{"module.py", string(data)},
		{info + "METADATA", "Metadata-Version: 2.1\nName: " + name + "\nVersion: " + version + "\nSummary: a package of the benchmark\nRequires-Python: >=3.8\nRequires-Dist: six\n"},
		{info + "WHEEL", "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n"},
		{info + "RECORD", ""},
	}
	for _, entry := range entries {
		entries[3].text += entry.name + ",,\n"
	}
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, entry := range entries {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: entry.name, Method: zip.Store})
		must(err)
		_, err = w.Write([]byte(entry.text))
		must(err)
	}
	must(archive.Close())
	return b.Bytes()
}

func pypiFile(name, version string) string {
	return strings.ReplaceAll(name, "-", "_") + "-" + version + "-py3-none-any.whl"
}

func pypiOperations() []operation {
	page := func(files int, header map[string]string) reading {
		return reading{ecosystem: pypi, versions: files, header: header}
	}
	head, known := page(10, nil), page(10, nil)
	head.method, known.known = "HEAD", true
	return []operation{
		{"PyPI simple page, 10 files", "P", "N", page(10, nil).make, cpu(2)},
		{"PyPI simple page, 10 files, known", "P", "N", known.make, cpu(1)},
		{"PyPI simple page, 10 files, HEAD", "P", "N", head.make, cpu(1)},
		{"PyPI simple page, 10 files, JSON", "P", "N", page(10, simpleJSON).make, cpu(2)},
		{"PyPI simple page, 5,000 files", "P", "N", page(5000, nil).make, cpu(1.1)},
		{"PyPI simple page, 5,000 files, gzip", "P", "N", page(5000, zipped).make, cpu(1.1)},
		{"PyPI simple page, 10 files", "P", "Y", page(10, nil).make, times(10)},
		{"PyPI upload, c1", "P", "F", pypi.publishing(1), share(0.3)},
		{"PyPI upload, c32", "P", "F", pypi.publishing(32), publishes(300, 0.6)},
		{"PyPI upload, c32", "P", "G", pypi.publishing(32), times(10)},
		{"PyPI upload, c32", "P", "Y", pypi.publishing(32), nil},
		{"PyPI upload, version 10,001 beside the first", "P", "p", pypi.growing, cpu(2)},
		{"PyPI simple page of a group of 1,000 projects beside a project", "P", "p", pypi.grouped, cpu(1.3)},
		{"PyPI simple index of a group of 1,000 projects beside a project", "P", "p", pypi.groupIndex, cpu(1.3)},
		{"PyPI simple index of a group of 1,000 projects", "P", "N", pypi.groupIndex, nil},
	}
}

var simpleJSON = map[string]string{"Accept": "application/vnd.pypi.simple.v1+json"}
