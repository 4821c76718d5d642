package format

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/binary"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"
)

// Parts of a zip file (APPNOTE.TXT, 4.3).
const (
	localSignature = "PK\x03\x04"
	endSignature   = "PK\x05\x06"
	localSize      = 30
	endSize        = 22

	flagEncrypted  = 1 << 0
	flagDescriptor = 1 << 3
	extraZip64     = 0x0001
	extraUnicode   = 0x7075
)

// maxDirectory bounds the central directory of a zip file, in bytes.
const maxDirectory = 8 << 20

// ZipProblem is an error that says what is wrong with a zip file, for a sentence
// about the archive. Other errors of ReadZip and ReadZipEntry are of reading what
// is stored.
type ZipProblem string

// Error implements error.
func (p ZipProblem) Error() string { return string(p) }

// ReadZip reads the directory of a zip file, gives each entry to entry, and refuses
// a file that unpackers read in different ways: those that go by the central
// directory and those that go by the headers before each file must find the same.
// So the file is exactly its entries one behind the other, then the directory, then
// its end. It unpacks to no more than UnpackedLimit. Errors of entry are returned;
// that judges the names, which are as they were written.
func ReadZip(r io.ReaderAt, size int64, entry func(f *zip.File, folder bool) error) error {
	directory, entries, err := zipEnd(r, size)
	if err != nil {
		return err
	}
	z, err := zip.NewReader(r, size)
	if err != nil || len(z.File) != entries {
		return ZipProblem("it is no zip file, or a broken one")
	}
	var unpacked uint64
	limit := uint64(UnpackedLimit(size))
	for _, f := range z.File {
		folder, err := checkZipEntry(f)
		if err != nil {
			return err
		}
		if unpacked += f.UncompressedSize64; unpacked > limit || f.UncompressedSize64 > limit {
			return ZipProblem("it unpacks to far more than it is")
		}
		if err := entry(f, folder); err != nil {
			return err
		}
	}
	return walkZip(r, z.File, directory)
}

// zipEnd reads the end record, before anything is read of which it says how much
// there is. It must be the end: no comment, nothing behind it.
func zipEnd(r io.ReaderAt, size int64) (directory int64, entries int, err error) {
	end := make([]byte, endSize)
	if size < endSize {
		return 0, 0, ZipProblem("it is no zip file")
	}
	if err := readAt(r, end, size-endSize); err != nil {
		return 0, 0, err
	}
	if string(end[:4]) != endSignature || binary.LittleEndian.Uint16(end[20:]) != 0 {
		return 0, 0, ZipProblem("it is no zip file, or something follows it")
	}
	le := binary.LittleEndian
	entries = int(le.Uint16(end[10:]))
	length, at := int64(le.Uint32(end[12:])), int64(le.Uint32(end[16:]))
	switch {
	case le.Uint32(end[4:]) != 0 || le.Uint16(end[8:]) != le.Uint16(end[10:]):
		return 0, 0, ZipProblem("it is one part of several")
	case entries == 0 || entries > MaxEntries || length > maxDirectory:
		return 0, 0, ZipProblem("it has no entries, or too many")
	case at+length != size-endSize:
		return 0, 0, ZipProblem("its directory is not where it says")
	}
	return at, entries, nil
}

// checkZipEntry looks at what the central directory says of one entry.
func checkZipEntry(f *zip.File) (folder bool, err error) {
	folder = strings.HasSuffix(f.Name, "/")
	switch mode := f.Mode(); {
	case f.Flags&flagEncrypted != 0:
		return false, ZipProblem("it is encrypted")
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return false, ZipProblem("it is compressed in a way that is not for packages")
	case mode&fs.ModeType != 0 && !mode.IsDir() || mode.IsDir() != folder:
		return false, ZipProblem("it has a link or a device")
	case f.Method == zip.Store && f.CompressedSize64 != f.UncompressedSize64, folder && f.UncompressedSize64 != 0:
		return false, ZipProblem("the size of an entry is wrong")
	case f.Comment != "":
		return false, ZipProblem("an entry has a comment")
	}
	_, err = zip64Of(f.Extra)
	return folder, err
}

// walkZip goes from header to header as a reader does that has no directory.
func walkZip(r io.ReaderAt, files []*zip.File, directory int64) error {
	bad := ZipProblem("its directory and its entries disagree")
	type placed struct {
		file *zip.File
		data int64
	}
	order := make([]placed, 0, len(files))
	for _, f := range files {
		data, err := f.DataOffset()
		if err != nil {
			return bad
		}
		order = append(order, placed{f, data})
	}
	slices.SortFunc(order, func(a, b placed) int { return cmp.Compare(a.data, b.data) })
	at := int64(0)
	for _, p := range order {
		next, err := walkEntry(r, p.file, at, p.data, directory)
		if err != nil {
			return err
		}
		at = next
	}
	if at != directory {
		return bad
	}
	return nil
}

// walkEntry compares the header at a position with the directory's entry, and
// returns where the next one begins.
func walkEntry(r io.ReaderAt, f *zip.File, at, data, directory int64) (int64, error) {
	bad := ZipProblem("its directory and its entries disagree")
	length := data - at
	if length < localSize || length > localSize+2*(1<<16) {
		return 0, bad
	}
	header := make([]byte, length)
	if err := readAt(r, header, at); err != nil {
		return 0, err
	}
	le := binary.LittleEndian
	name, extra := int64(le.Uint16(header[26:])), int64(le.Uint16(header[28:]))
	if string(header[:4]) != localSignature || localSize+name+extra != length ||
		string(header[localSize:localSize+name]) != f.Name ||
		le.Uint16(header[6:]) != f.Flags || le.Uint16(header[8:]) != f.Method {
		return 0, bad
	}
	long, err := zip64Of(header[localSize+name:])
	if err != nil {
		return 0, err
	}
	crc, packed, unpacked := le.Uint32(header[14:]), uint64(le.Uint32(header[18:])), uint64(le.Uint32(header[22:]))
	if len(long) >= 16 && packed == 1<<32-1 && unpacked == 1<<32-1 {
		unpacked, packed = le.Uint64(long), le.Uint64(long[8:])
	}
	next := data + int64(f.CompressedSize64)
	if f.CompressedSize64 > uint64(directory) || next > directory {
		return 0, bad
	}
	unsaid := f.Flags&flagDescriptor != 0 && crc == 0 && packed == 0 && unpacked == 0
	if !unsaid && (crc != f.CRC32 || packed != f.CompressedSize64 || unpacked != f.UncompressedSize64) {
		return 0, bad
	}
	if f.Flags&flagDescriptor != 0 {
		return walkDescriptor(r, f, next, long != nil)
	}
	return next, nil
}

// walkDescriptor compares what follows the bytes of an entry whose header was
// written before its size was known.
func walkDescriptor(r io.ReaderAt, f *zip.File, at int64, long bool) (int64, error) {
	want := []byte("PK\x07\x08")
	want = binary.LittleEndian.AppendUint32(want, f.CRC32)
	if long {
		want = binary.LittleEndian.AppendUint64(want, f.CompressedSize64)
		want = binary.LittleEndian.AppendUint64(want, f.UncompressedSize64)
	} else {
		want = binary.LittleEndian.AppendUint32(want, uint32(f.CompressedSize64))
		want = binary.LittleEndian.AppendUint32(want, uint32(f.UncompressedSize64))
	}
	have := make([]byte, len(want))
	if err := readAt(r, have, at); err != nil {
		return 0, err
	}
	if !bytes.Equal(have, want) {
		return 0, ZipProblem("its directory and its entries disagree")
	}
	return at + int64(len(want)), nil
}

// zip64Of finds the sizes in extra fields. It refuses fields that give an entry
// another name, or sizes twice.
func zip64Of(extra []byte) (sizes []byte, err error) {
	for len(extra) > 0 {
		if len(extra) < 4 {
			return nil, ZipProblem("an entry has a broken extra field")
		}
		id, n := binary.LittleEndian.Uint16(extra), int(binary.LittleEndian.Uint16(extra[2:]))
		if extra = extra[4:]; n > len(extra) {
			return nil, ZipProblem("an entry has a broken extra field")
		}
		if id == extraUnicode || id == extraZip64 && sizes != nil {
			return nil, ZipProblem("an entry has two names or two sizes")
		}
		if id == extraZip64 {
			sizes = extra[:n:n]
		}
		extra = extra[n:]
	}
	return sizes, nil
}

// ReadZipEntry unpacks one entry, at most limit bytes, and checks its checksum.
func ReadZipEntry(f *zip.File, limit uint64) ([]byte, error) {
	if f.UncompressedSize64 > limit {
		return nil, ZipProblem("its metadata is too large")
	}
	r, err := f.Open()
	if err != nil {
		return nil, ZipProblem("its metadata cannot be unpacked")
	}
	defer r.Close()
	data, err := io.ReadAll(io.LimitReader(r, int64(limit)+1))
	if err != nil || uint64(len(data)) != f.UncompressedSize64 || crc32.ChecksumIEEE(data) != f.CRC32 {
		return nil, ZipProblem("its metadata cannot be unpacked")
	}
	return data, nil
}

// readAt fills b. A file that ends before is the sender's fault; other errors
// are ours.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return ZipProblem("it ends too early")
	}
	return err
}
