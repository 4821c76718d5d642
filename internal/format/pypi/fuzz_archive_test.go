package pypi

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"path"
	"slices"
	"strings"
	"testing"
)

// seedWheel is a wheel of lib 1.0, packed in that way.
func seedWheel(f *testing.F, method uint16) []byte {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, one := range [][2]string{
		{"lib.py", "x = 1\n"}, {"lib-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: lib\nVersion: 1.0\n"}, {"lib-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n"},
		{"lib-1.0.dist-info/RECORD", "lib.py,,\nlib-1.0.dist-info/METADATA,,\nlib-1.0.dist-info/WHEEL,,\nlib-1.0.dist-info/RECORD,,\n"},
	} {
		out, err := w.CreateHeader(&zip.FileHeader{Name: one[0], Method: method})
		if err == nil {
			_, err = io.WriteString(out, one[1])
		}
		if err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	return b.Bytes()
}

// What is accepted as a wheel has harmless names, and anybody's reader finds the
// same in it, from its end or from its start.
func FuzzWheel(f *testing.F) {
	f.Add(seedWheel(f, zip.Store))
	f.Add(seedWheel(f, zip.Deflate))
	d, err := parseFilename("lib-1.0-py3-none-any.whl")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		raw, err := readWheel(bytes.NewReader(data), int64(len(data)), d)
		if refusal(t, err) {
			return
		}
		z, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, one := range z.File {
			if path.Clean("/"+one.Name) != "/"+strings.TrimSuffix(one.Name, "/") || strings.ContainsAny(one.Name, "\\\x00") || slices.Contains(names, one.Name) {
				t.Fatalf("accepted %q", one.Name)
			}
			names = append(names, one.Name)
			if !strings.HasSuffix(one.Name, ".dist-info/METADATA") {
				continue
			}
			r, err := one.Open()
			if err != nil {
				t.Fatal(err)
			}
			if again, err := io.ReadAll(r); err != nil || !bytes.Equal(again, raw) {
				t.Fatalf("metadata %q, read again %q, %v", raw, again, err)
			}
		}
		if n := bytes.Count(data, []byte("PK\x03\x04")); n < len(z.File) {
			t.Fatalf("%d files of which %d have a header", len(z.File), n)
		}
	})
}

// What is accepted as a source distribution unpacks into its own folder.
func FuzzSdist(f *testing.F) {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	const meta = "Metadata-Version: 2.1\nName: lib\nVersion: 1.0\n"
	for _, h := range []*tar.Header{{Name: "lib-1.0/PKG-INFO", Size: int64(len(meta)), Mode: 0o644}, {Name: "lib-1.0/l", Typeflag: tar.TypeSymlink, Linkname: "PKG-INFO"}} {
		err := w.WriteHeader(h)
		if err == nil && h.Size > 0 {
			_, err = io.WriteString(w, meta)
		}
		if err != nil {
			f.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		var packed bytes.Buffer
		z, err := gzip.NewWriterLevel(&packed, gzip.NoCompression)
		if err != nil {
			t.Fatal(err)
		}
		_, err = z.Write(data)
		if err := errors.Join(err, z.Close()); err != nil {
			t.Fatal(err)
		}
		raw, err := readSdist(t.Context(), bytes.NewReader(packed.Bytes()), int64(packed.Len()))
		if refusal(t, err) {
			return
		}
		if len(raw) > maxMetadata {
			t.Fatalf("%d bytes of metadata", len(raw))
		}
		in, top := tar.NewReader(bytes.NewReader(data)), ""
		for {
			h, err := in.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if h.Typeflag == tar.TypeXGlobalHeader {
				continue
			}
			first, _, _ := strings.Cut(h.Name, "/")
			if top == "" {
				top = first
			}
			target := path.Join(path.Dir(h.Name), h.Linkname)
			if h.Typeflag == tar.TypeLink {
				target = path.Clean(h.Linkname)
			}
			inside := h.Linkname == "" || target == top || strings.HasPrefix(target, top+"/")
			if first != top || first == ".." || strings.Contains(h.Name, "..") && slices.Contains(strings.Split(h.Name, "/"), "..") || !inside {
				t.Fatalf("accepted %q -> %q below %q", h.Name, h.Linkname, top)
			}
		}
	})
}
