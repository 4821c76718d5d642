package nuget

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"
	"io"
	"slices"
	"strings"

	"packhouse/internal/registry"
)

// A portable PDB is metadata (ECMA-335, II.24.2): a root with the places of streams,
// one of which, #Pdb, begins with the id of the build.
const (
	pdbMagic   = "BSJB"
	pdbStream  = "#Pdb"
	idSize     = 20
	guidSize   = 16
	maxPDBHead = 4096 // bytes that the root may take; it has six streams, of short names
	maxStreams = 32
)

// pdbProblem says what is wrong with a PDB, for a sentence about the archive.
type pdbProblem string

// Error implements error.
func (p pdbProblem) Error() string { return string(p) }

// idOffset finds where in a PDB its id is. head is how the PDB begins: the first
// maxPDBHead bytes, or all of it.
func idOffset(head []byte) (int64, error) {
	const bad = pdbProblem("a PDB in it is broken")
	le := binary.LittleEndian
	if len(head) < 20 {
		return 0, bad
	}
	version := int64(le.Uint32(head[12:]))
	at := 16 + version
	if version > 255 || version%4 != 0 || at+4 > int64(len(head)) {
		return 0, bad
	}
	streams := int(le.Uint16(head[at+2:]))
	rest := head[at+4:]
	found := int64(-1)
	for range min(streams, maxStreams+1) {
		if len(rest) < 12 {
			return 0, bad
		}
		offset, size := int64(le.Uint32(rest)), int64(le.Uint32(rest[4:]))
		name, _, ok := bytes.Cut(rest[8:min(len(rest), 8+32)], []byte{0})
		padded := (len(name)/4 + 1) * 4
		if !ok || len(rest) < 8+padded {
			return 0, bad
		}
		rest = rest[8+padded:]
		if string(name) != pdbStream {
			continue
		}
		if found >= 0 || size < idSize {
			return 0, bad
		}
		found = offset
	}
	root := int64(len(head) - len(rest))
	if streams > maxStreams || found < root {
		return 0, bad
	}
	return found, nil
}

// keyed reads a PDB through and takes from it what debuggers know it by.
type keyed struct {
	r    io.Reader
	at   int64 // bytes read
	from int64 // where the id is
	id   [idSize]byte
	sum  hash.Hash // of the PDB with zeros for the id
	err  error     // of r, but io.EOF
}

// newKeyed begins to read a PDB. Without an error and a reader, what r reads is no
// portable PDB: those that Windows alone has are known by something else.
func newKeyed(r io.Reader) (*keyed, error) {
	head := make([]byte, maxPDBHead)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
		return nil, err
	}
	head = head[:n]
	if !bytes.HasPrefix(head, []byte(pdbMagic)) {
		return nil, nil
	}
	from, err := idOffset(head)
	if err != nil {
		return nil, err
	}
	return &keyed{r: io.MultiReader(bytes.NewReader(head), r), from: from, sum: sha256.New()}, nil
}

// Read implements io.Reader.
func (k *keyed) Read(p []byte) (int, error) {
	n, err := k.r.Read(p)
	if err != nil && err != io.EOF {
		k.err = err
	}
	start, end := max(k.from, k.at), min(k.from+idSize, k.at+int64(n))
	if start >= end { // no part of the id
		k.sum.Write(p[:n])
	} else {
		k.sum.Write(p[:start-k.at])
		copy(k.id[start-k.from:], p[start-k.at:end-k.at])
		k.sum.Write(make([]byte, end-start))
		k.sum.Write(p[end-k.at : n])
	}
	k.at += int64(n)
	return n, err
}

// key is what the PDB is known by, once it has been read to its end.
func (k *keyed) key() (signature, checksum string, err error) {
	if k.at < k.from+idSize {
		return "", "", pdbProblem("a PDB in it ends too early")
	}
	return signatureOf(k.id), hex.EncodeToString(k.sum.Sum(nil)), nil
}

// signatureOf writes an id as debuggers ask for it: as a GUID, whose first three
// numbers are kept with their lowest byte first, and the age that portable PDBs have.
func signatureOf(id [idSize]byte) string {
	guid := id[:guidSize]
	for _, number := range [][]byte{guid[0:4], guid[4:6], guid[6:8]} {
		slices.Reverse(number)
	}
	return hex.EncodeToString(guid) + portableAge
}

// portableAge stands where other PDBs have a number.
const portableAge = "ffffffff"

// symbolPath is the path of a PDB among the files of its version. It says all that a
// debugger knows.
func symbolPath(file, signature, checksum string) string {
	return registry.SymbolRoot + strings.Join([]string{file, signature, checksum, file}, "/")
}
