package pypi_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

func wheelAttack(name, archive string) attack {
	return form("wheel: "+name, upload("lib", "1.0", good, archive)...)
}

func sdistAttack(name, archive string) attack {
	return form("sdist: "+name, upload("lib", "1.0", "lib-1.0.tar.gz", archive)...)
}

// hostileMetadata are METADATA files in wheels that are well otherwise.
func hostileMetadata() (all []attack) {
	const head = "Metadata-Version: 2.1\nName: lib\nVersion: 1.0\n"
	for _, text := range []string{
		"", "\n" + head, " " + head, "x\n", head + "x\n", head + "x y: z\n", head + "é: z\n", head + ": z\n", head + "\x00: z\n", head + "Summary: \x00\n", head + "Summary: \xff\n", "\ufeff" + head,
		"Name: lib\nVersion: 1.0\n", "Metadata-Version: 2.1\nVersion: 1.0\n", "Metadata-Version: 2.1\nName: lib\n", "Metadata-Version: 9.9\nName: lib\nVersion: 1.0\n",
		"Metadata-Version: 2\nName: lib\nVersion: 1.0\n", "Metadata-Version: two\nName: lib\nVersion: 1.0\n", head + "Name: lib\n", head + "Version: 1.0\n", head + "version: 2.0\n", head + "Metadata-Version: 2.2\n",
		"Metadata-Version: 2.1\nName: lib\n  ber\nVersion: 1.0\n", "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n", "Metadata-Version: 2.1\nName: lib\nVersion: 1.0.1\n",
		"Metadata-Version: 2.1\nName: ../lib\nVersion: 1.0\n", "Metadata-Version: 2.1\nName: lib\nVersion: x\n", "Metadata-Version: 2.1\nName: l\u0456b\nVersion: 1.0\n",
		head + "Requires-Python: 3\n", head + "Requires-Python: >=3.8\nRequires-Python: <3\n", head + "Requires-Python: >=3\n  ,<4\n", head + "Requires-Python: " + strings.Repeat(">=3,", 100) + "\n",
		head + "Requires-Python: >=x\n", head + "Requires-Python: ~=3\n", head + `Requires-Python: >=3"><script>` + "\n", head + strings.Repeat("Classifier: x\n", 30_000), head + strings.Repeat(" \n", 30_000),
		strings.Repeat("a", 3<<20), head + "\n" + strings.Repeat("a", 3<<20), strings.Repeat("a:b\n", 600_000),
	} {
		all = append(all, wheelAttack(fmt.Sprintf("metadata %.60q", text), zipped(wheelItems("lib-1.0", text))))
	}
	return all
}

// hostileWheels are zip files in order that are no wheels in order.
func hostileWheels() (all []attack) {
	meta := metadata("lib", "1.0")
	plain := wheelItems("lib-1.0", meta)
	drop := func(ending string) (items []item) {
		for _, i := range plain {
			if !strings.HasSuffix(i.name, ending) {
				items = append(items, i)
			}
		}
		return items
	}
	record := func(text string) []item { return append(drop("/RECORD"), item{"lib-1.0.dist-info/RECORD", text}) }
	full := plain[len(plain)-1].content
	for name, items := range map[string][]item{
		"no metadata": drop("/METADATA"), "no WHEEL": drop("/WHEEL"), "no RECORD": drop("/RECORD"), "no dist-info": {{"mod.py", ""}},
		"two dist-infos":         append(wheelItems("lib-1.0", meta), item{"other-1.0.dist-info/METADATA", meta}),
		"two in case":            append(wheelItems("lib-1.0", meta), item{"LIB-1.0.DIST-INFO/METADATA", meta}),
		"dist-info of another":   wheelItems("other-1.0", meta),
		"dist-info of a version": wheelItems("lib-1.1", meta),
		"dist-info below":        {{"a/lib-1.0.dist-info/METADATA", meta}},
		"dist-info is a file":    {{"lib-1.0.dist-info", meta}},
		"empty RECORD":           record(""), "RECORD without a file": record(strings.Replace(full, "mod.py,,\n", "", 1)),
		"RECORD with more": record(full + "evil.py,,\n"), "RECORD twice": record(full + "mod.py,,\n"), "RECORD of two columns": record("mod.py,\n"),
		"RECORD of four": record(strings.ReplaceAll(full, ",,", ",,,")), "RECORD with a quote": record("\"mod.py,,\n"), "RECORD with a path": record(full + "../mod.py,,\n"),
		"RECORD of NUL": record(strings.Repeat("\x00", 1000)), "RECORD of one line": record(strings.Repeat("a", 4<<20)), "large RECORD": record(full + strings.Repeat("a,,\n", 2_000_000)),
		"RECORD of other names": record(full + strings.Repeat(",,\n", 100_000)),
		"unlisted":              append(wheelItems("lib-1.0", meta), item{"evil.pth", "import os"}),
		"unlisted signature":    append(wheelItems("lib-1.0", meta), item{"RECORD.jws", "x"}),
	} {
		all = append(all, wheelAttack(name, zipped(items)))
	}
	return all
}

// hostileZips are zip files that nobody should unpack.
func hostileZips() (all []attack) {
	meta := metadata("lib", "1.0")
	plain := zipped(wheelItems("lib-1.0", meta))
	for _, name := range []string{
		"../evil.py", "../../etc/passwd", "/etc/passwd", "a/../../evil", "a/../b", "./a", "a/./b", "a//b", "//a", `..\evil`, `a\b`, `C:\evil`, "C:evil", "c:/evil", "a\x00b", "a\nb", "a\x7f",
		"\xff", "", "/", ".", "..", strings.Repeat("a", 2000), strings.Repeat("a/", 600) + "b", "mod.py", "mod.py/evil", "lib-1.0.dist-info/METADATA", "lib-1.0.dist-info/METADATA/x",
	} {
		all = append(all, wheelAttack(fmt.Sprintf("entry %.30q", name), zipped(wheelItems("lib-1.0", meta, item{name, "x"}))))
	}
	for name, edit := range map[string]func(*zip.FileHeader){
		"link":                func(h *zip.FileHeader) { h.SetMode(fs.ModeSymlink | 0o777) },
		"device":              func(h *zip.FileHeader) { h.SetMode(fs.ModeDevice | 0o600) },
		"folder":              func(h *zip.FileHeader) { h.SetMode(fs.ModeDir | 0o755) },
		"encrypted":           func(h *zip.FileHeader) { h.Flags |= 1 },
		"bzip2":               func(h *zip.FileHeader) { h.Method = 12 },
		"zstd":                func(h *zip.FileHeader) { h.Method = 93 },
		"deflate that is not": func(h *zip.FileHeader) { h.Method = zip.Deflate },
		"comment":             func(h *zip.FileHeader) { h.Comment = "x" },
		"second name":         func(h *zip.FileHeader) { h.Extra = []byte{0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, 'x'} },
		"broken extra":        func(h *zip.FileHeader) { h.Extra = []byte{9, 9, 200, 0} },
		"short extra":         func(h *zip.FileHeader) { h.Extra = []byte{9} },
		"wrong checksum":      func(h *zip.FileHeader) { h.CRC32++ },
		"too small":           func(h *zip.FileHeader) { h.UncompressedSize64 = 1 },
		"too large":           func(h *zip.FileHeader) { h.UncompressedSize64 = 1 << 40 },
		"packed too large":    func(h *zip.FileHeader) { h.CompressedSize64 = 1 << 30 },
		"sizes of a bomb":     func(h *zip.FileHeader) { h.Method, h.UncompressedSize64 = zip.Deflate, 1<<62 },
	} {
		all = append(all, wheelAttack(name, zipped(wheelItems("lib-1.0", meta), edit)))
	}
	end := len(plain) - 22
	patch := func(at int, b ...byte) string { return plain[:at] + string(b) + plain[at+len(b):] }
	directory := int(binary.LittleEndian.Uint32([]byte(plain[end+16:])))
	for name, archive := range map[string]string{
		"empty": "", "text": "no archive", "one byte": "P", "signature": "PK\x03\x04", "end alone": plain[end:], "an empty zip": zipped(nil), "a tar": sdistOf("lib", "1.0"),
		"something before": "#!/bin/sh\n" + plain, "something after": plain + "x", "another before": zipped([]item{{"evil.py", "x"}}) + plain, "another after": plain + zipped([]item{{"evil.py", "x"}}),
		"twice": plain + plain, "comment at the end": patch(end+20, 1, 0) + "x", "comment that is not there": patch(end+20, 9, 0), "fewer entries": patch(end+8, 1, 0, 1, 0), "more entries": patch(end+8, 9, 0, 9, 0),
		"no entries": patch(end+8, 0, 0, 0, 0), "two disks": patch(end+4, 1, 0, 1, 0), "directory elsewhere": patch(end+16, 0, 0, 0, 0), "directory far away": patch(end+16, 255, 255, 255, 255),
		"long directory": patch(end+12, 255, 255, 255, 127), "cut": plain[:len(plain)-5], "cut in the middle": plain[:len(plain)/2], "without the start": plain[30:],
		"other name in front": strings.Replace(plain, "mod.py", "evi.py", 1), "other name in the directory": plain[:directory] + strings.Replace(plain[directory:], "mod.py", "evi.py", 1),
		"other size in front": patch(22, 9, 0, 0, 0), "other checksum in front": patch(14, 9, 9, 9, 9), "other method in front": patch(8, 8, 0), "descriptor in front": patch(6, 8, 0),
		"overlapping": overlapping(plain, directory), "hidden between": hidden(plain, directory), "deflate bomb": bomb(200 << 20), "many entries": many(60_000), "many folders": manyFolders(),
		"as many as allowed": many(49_000),
	} {
		all = append(all, wheelAttack(name, archive))
	}
	return all
}

// overlapping has the second entry of the directory point at the first's bytes.
func overlapping(plain string, directory int) string {
	second := directory + 46 + len("mod.py")
	return plain[:second+42] + "\x00\x00\x00\x00" + plain[second+46:]
}

// hidden puts a file between the entries and the directory that the directory
// does not list: who reads on from header to header finds it.
func hidden(plain string, directory int) string {
	one := zipped([]item{{"evil.py", "x"}})
	one = one[:strings.Index(one, "PK\x01\x02")]
	b := []byte(plain[:directory] + one + plain[directory:])
	binary.LittleEndian.PutUint32(b[len(b)-6:], uint32(directory+len(one)))
	return string(b)
}

// bomb is a wheel whose METADATA unpacks to n bytes.
func bomb(n int64) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	w.RegisterCompressor(zip.Deflate, func(out io.Writer) (io.WriteCloser, error) { return flate.NewWriter(out, flate.BestSpeed) })
	for _, i := range wheelItems("lib-1.0", "") {
		out, err := w.CreateHeader(&zip.FileHeader{Name: i.name, Method: zip.Deflate})
		if err == nil && strings.HasSuffix(i.name, "/METADATA") {
			_, err = io.CopyN(out, zeros{}, n)
		} else if err == nil {
			_, err = io.WriteString(out, i.content)
		}
		if err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func many(n int) string {
	items := make([]item, n)
	for i := range items {
		items[i] = item{fmt.Sprintf("f%d", i), ""}
	}
	return zipped(items)
}

// manyFolders has few entries of which each makes hundreds of folders.
func manyFolders() string {
	items := make([]item, 2000)
	for i := range items {
		items[i] = item{fmt.Sprint(i) + strings.Repeat("/a", 400), ""}
	}
	return zipped(items)
}

// hostileSdists are tar files that nobody should unpack.
func hostileSdists() (all []attack) {
	meta := metadata("lib", "1.0")
	const info = "lib-1.0/PKG-INFO"
	with := func(name string, h tar.Header, content ...string) {
		h.Name = strings.Replace(h.Name, "TOP", "lib-1.0", 1)
		all = append(all, sdistAttack(name, tarred([]*tar.Header{{Name: info}, &h}, append([]string{meta}, content...)...)))
	}
	for _, name := range []string{
		"../evil", "/etc/passwd", "TOP/../evil", "TOP/../../evil", "TOP/a/../b", "./TOP/a", "TOP/./a", "TOP//a", "//a", `TOP\a`, `TOP/..\a`, "C:/a", "evil", "evil/a", "TOP/a\nb", "TOP/a\x7f",
		"TOP/" + strings.Repeat("a", 2000), "lib-1.0/PKG-INFO", "lib-1.0/PKG-INFO/a", "TOP", "..", ".", "TOP/\xff",
	} {
		with(fmt.Sprintf("entry %.30q", name), tar.Header{Name: name})
	}
	for _, target := range []string{"/etc/passwd", "../../evil", "../..", "a/../../../evil", `..\evil`, "..", "a/../..", "b/../../../lib-1.0", "/"} {
		with("symbolic link to "+target, tar.Header{Name: "TOP/link", Typeflag: tar.TypeSymlink, Linkname: target})
	}
	for _, target := range []string{"/etc/passwd", "../evil", "evil", "lib-1.0/../evil", `lib-1.0\..\evil`, "./lib-1.0/../../evil", ".."} {
		with("hard link to "+target, tar.Header{Name: "TOP/link", Typeflag: tar.TypeLink, Linkname: target})
	}
	for _, kind := range []byte{tar.TypeChar, tar.TypeBlock, tar.TypeFifo, 'Z'} {
		with("kind "+string(kind), tar.Header{Name: "TOP/x", Typeflag: kind})
	}
	plain := sdistOf("lib", "1.0")
	top := func(headers []*tar.Header, contents ...string) string { return tarred(headers, contents...) }
	for name, archive := range map[string]string{
		"empty": "", "text": "no archive", "a wheel": wheelOf("lib", "1.0"), "no entries": top(nil), "gzip of text": gzipped("no tar file"), "gzip of nothing": gzipped(""), "cut": plain[:len(plain)-10],
		"without its checksum": plain[:len(plain)-8], "wrong checksum": plain[:len(plain)-8] + "\x00\x00\x00\x00" + plain[len(plain)-4:], "something after": plain + "x", "garbage after": plain + strings.Repeat("\xff", 100),
		"no PKG-INFO": top([]*tar.Header{{Name: "lib-1.0/setup.py"}}, "x"), "PKG-INFO deeper": top([]*tar.Header{{Name: "lib-1.0/lib.egg-info/PKG-INFO"}}, meta), "PKG-INFO at the top": top([]*tar.Header{{Name: "PKG-INFO"}}, meta),
		"PKG-INFO is a folder":  top([]*tar.Header{{Name: info, Typeflag: tar.TypeDir}}),
		"PKG-INFO is a link":    top([]*tar.Header{{Name: "lib-1.0/a"}, {Name: info, Typeflag: tar.TypeSymlink, Linkname: "a"}}, meta),
		"PKG-INFO twice":        top([]*tar.Header{{Name: info}, {Name: info}}, meta, meta),
		"PKG-INFO large":        top([]*tar.Header{{Name: info}}, meta+strings.Repeat("a", 3<<20)),
		"PKG-INFO of another":   top([]*tar.Header{{Name: info}}, metadata("other", "1.0")),
		"PKG-INFO of a version": top([]*tar.Header{{Name: info}}, metadata("lib", "1.1")),
		"two tops":              top([]*tar.Header{{Name: info}, {Name: "other/a"}}, meta, "x"),
		"below a link":          top([]*tar.Header{{Name: info}, {Name: "lib-1.0/l", Typeflag: tar.TypeSymlink, Linkname: "m"}, {Name: "lib-1.0/l/evil"}}, meta, "", "x"),
		"through a link":        top([]*tar.Header{{Name: info}, {Name: "lib-1.0/a/l", Typeflag: tar.TypeSymlink, Linkname: ".."}, {Name: "lib-1.0/m", Typeflag: tar.TypeSymlink, Linkname: "a/l/../../evil"}}, meta),
		"a path by PAX":         top([]*tar.Header{{Name: info}, {Name: "lib-1.0/" + strings.Repeat("a/", 80) + "../../evil", Format: tar.FormatPAX}}, meta),
		"a bomb":                gzipped(tarHead(info) + strings.Repeat("\x00", 100<<20)),
		"a large bomb":          gzipped(strings.Repeat("\x00", 150<<20)),
		"a size that is not":    gzipped(tarHead(info)),
		"many entries":          manyTarred(60_000),
		"gzip of a gzip":        gzipped(plain),
		"entries after the end": plain + gzipped(tarHead("../evil")) + "x",
	} {
		all = append(all, sdistAttack(name, archive))
	}
	for name, archive := range map[string]string{
		"no PKG-INFO": zipped([]item{{"lib-1.0/setup.py", "x"}}), "two tops": zipped([]item{{info, meta}, {"other/x", ""}}), "of another": zipped([]item{{info, metadata("other", "1.0")}}),
		"traversal": zipped([]item{{info, meta}, {"lib-1.0/../evil", ""}}), "a tar": plain,
	} {
		all = append(all, form("zipped sdist: "+name, upload("lib", "1.0", "lib-1.0.zip", archive)...))
	}
	return all
}

func gzipped(text string) string {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err == nil {
		_, err = io.WriteString(w, text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err)
	}
	return b.String()
}

// tarHead is the header of a file of 200 MiB, without the file.
func tarHead(name string) string {
	var b bytes.Buffer
	if err := tar.NewWriter(&b).WriteHeader(&tar.Header{Name: name, Size: 200 << 20, Mode: 0o644}); err != nil {
		panic(err)
	}
	return b.String()
}

func manyTarred(n int) string {
	headers := make([]*tar.Header, n)
	for i := range headers {
		headers[i] = &tar.Header{Name: fmt.Sprintf("lib-1.0/f%d", i)}
	}
	return tarred(headers)
}
