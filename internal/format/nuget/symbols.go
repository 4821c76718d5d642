package nuget

import (
	"archive/zip"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// Limits on symbols.
const (
	maxPDBs      = 256      // in a package
	freePDBs     = 64 << 20 // bytes of PDBs, unpacked, that any package may have …
	maxPDBRatio  = 8        // … and beyond that, to each byte of the package
	maxChecksums = 8        // that a debugger takes
)

// Settings of NuGet alone.
const (
	flagSymbols = "nuget_symbol_server_enabled"
	flagUnlist  = "nuget_delete_unlists"
)

// Flags implements format.Flagged.
func (NuGet) Flags() []format.Flag {
	return []format.Flag{
		{Name: flagSymbols, Doc: "debuggers get symbols, without a credential, by the checksum in the program"},
		{Name: flagUnlist, Doc: "nuget delete unlists a version, as nuget.org does, and its files stay"},
	}
}

// symbolMeta is kept with a PDB.
type symbolMeta struct {
	Entry string `json:"entry"` // of the symbol package
}

// receiveSymbols stores the portable PDBs of a symbol package, each as a file of its
// own. The caller releases what it returns, also after an error.
func receiveSymbols(ctx context.Context, c *format.Call, f *registry.Received) (all []*registry.Received, err error) {
	content, err := f.Open(ctx)
	if err != nil {
		return nil, fmt.Errorf("open what was received: %w", err)
	}
	defer content.Close()
	files, _, err := readPackage(content, f.Size())
	if err != nil {
		return nil, err
	}
	pdbs, err := pdbsOf(files, f.Size())
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, file := range pdbs {
		one, at, err := receivePDB(ctx, c, file)
		if one != nil {
			all = append(all, one)
		}
		if err != nil {
			return all, err
		}
		if one == nil || !seen[at] {
			seen[at] = true
			continue
		}
		one.Release() // the same build, in two folders
		all = all[:len(all)-1]
	}
	return all, nil
}

// pdbsOf are the PDBs of a symbol package of a size, in the order of their names.
func pdbsOf(files map[string]*zip.File, size int64) (all []*zip.File, err error) {
	left := max(freePDBs, uint64(size)*maxPDBRatio)
	for _, key := range slices.Sorted(maps.Keys(files)) {
		file := files[key]
		if !strings.HasSuffix(key, ".pdb") || strings.HasSuffix(file.Name, "/") {
			continue
		}
		if len(all) == maxPDBs || file.UncompressedSize64 > left {
			return nil, badArchive("it has too many PDBs, or they unpack to far more than it is")
		}
		left -= file.UncompressedSize64
		all = append(all, file)
	}
	return all, nil
}

// receivePDB stores a PDB under the path that it is asked for by; nil for one that is
// not portable.
func receivePDB(ctx context.Context, c *format.Call, file *zip.File) (one *registry.Received, at string, err error) {
	body, err := file.Open()
	if err != nil {
		return nil, "", badArchive("a PDB in it cannot be unpacked")
	}
	defer body.Close()
	pdb, err := newKeyed(body)
	if err != nil || pdb == nil {
		return nil, "", pdbRefusal(err)
	}
	one, err = c.Hosted.Receive(ctx, registry.Incoming{Path: "symbols.pdb", Size: int64(file.UncompressedSize64), Body: pdb})
	if pdb.err != nil {
		err = pdb.err
	}
	if err != nil {
		return one, "", pdbRefusal(err)
	}
	signature, checksum, err := pdb.key()
	if err != nil {
		return one, "", pdbRefusal(err)
	}
	data, err := json.Marshal(symbolMeta{Entry: file.Name})
	if err != nil {
		return one, "", fmt.Errorf("encode metadata: %w", err)
	}
	at = symbolPath(strings.ToLower(path.Base(file.Name)), signature, checksum)
	one.SetPath(at)
	one.SetMetadata(data)
	return one, at, nil
}

// pdbRefusal tells the sender's faults from ours.
func pdbRefusal(err error) error {
	problem := pdbProblem("")
	corrupt := flate.CorruptInputError(0)
	switch {
	case errors.As(err, &problem):
		return badArchive(string(problem))
	case errors.As(err, &corrupt), errors.Is(err, zip.ErrChecksum), errors.Is(err, zip.ErrFormat), errors.Is(err, io.ErrUnexpectedEOF):
		return badArchive("a PDB in it cannot be unpacked")
	}
	return err
}

func releaseAll(files []*registry.Received) {
	for _, f := range files {
		f.Release()
	}
}

var (
	signaturePattern = regexp.MustCompile(`^[0-9a-f]{32}ffffffff$`)
	checksumPattern  = regexp.MustCompile(`^sha-?256:([0-9a-f]{64})$`)
)

// symbol serves a PDB to a debugger. It has no credential: the checksum, which is in
// the program alone, says that it may. In a group it gets what is for everybody, and
// with a credential what the sender may read.
func (NuGet) symbol(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	if !c.Flag(flagSymbols) {
		return &packhouse.Error{
			Kind: packhouse.Forbidden, Rule: flagSymbols, Message: "403 Forbidden - the symbol server is off",
			Fix: "an Owner of the group can turn it on in its package settings (" + flagSymbols + ")",
		}
	}
	checksums := checksumsOf(r.Header)
	if len(checksums) == 0 {
		return packhouse.InvalidParam("Symbolchecksum", "is missing")
	}
	file, signature := strings.ToLower(c.Arg("file")), strings.ToLower(c.Arg("signature"))
	if !strings.EqualFold(c.Arg("again"), file) || !strings.HasSuffix(file, ".pdb") || !signaturePattern.MatchString(signature) {
		return errAbsent()
	}
	for _, sum := range checksums {
		err := serveSymbol(w, r, c, symbolPath(file, signature, sum))
		if packhouse.KindOf(err) != packhouse.NotFound {
			return err
		}
	}
	return errAbsent()
}

func serveSymbol(w http.ResponseWriter, r *http.Request, c *format.Call, at string) error {
	ref, err := c.Source.Symbol(r.Context(), name, at)
	if err != nil {
		return err
	}
	content, err := c.Source.Open(r.Context(), ref)
	if err != nil {
		return err
	}
	defer content.Close()
	return format.ServeFile(w, r, content)
}

// checksumsOf reads the checksums that a debugger would take, those by SHA-256.
func checksumsOf(h http.Header) (all []string) {
	for _, line := range h.Values("Symbolchecksum") {
		for text := range strings.FieldsFuncSeq(strings.ToLower(line), func(c rune) bool { return strings.ContainsRune(";, ", c) }) {
			m := checksumPattern.FindStringSubmatch(text)
			if m != nil && len(all) < maxChecksums {
				all = append(all, m[1])
			}
		}
	}
	return all
}
