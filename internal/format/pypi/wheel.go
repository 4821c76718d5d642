package pypi

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// readWheel returns METADATA of a wheel. A wheel has one .dist-info folder, named
// as the file is, with METADATA, WHEEL and a RECORD that lists exactly what is in
// the wheel (binary distribution format).
func readWheel(r io.ReaderAt, size int64, d distribution) ([]byte, error) {
	files, t, err := readZip(r, size)
	if err != nil {
		return nil, err
	}
	info, err := distInfo(t, d)
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"METADATA", "WHEEL", "RECORD"} {
		if files[info+"/"+name] == nil {
			return nil, badArchive(info + " has no " + name)
		}
	}
	if err := checkRecord(files, info); err != nil {
		return nil, err
	}
	return readEntry(files[info+"/METADATA"], maxMetadata)
}

// distInfo finds the one .dist-info folder.
func distInfo(t *tree, d distribution) (info string, err error) {
	for folder := range t.folders {
		if !strings.HasSuffix(strings.ToLower(folder), ".dist-info") || path.Dir(folder) != "." {
			continue
		}
		if info != "" {
			return "", badArchive("it has two .dist-info folders")
		}
		info = folder
	}
	stem, ok := strings.CutSuffix(info, ".dist-info")
	if !ok {
		return "", badArchive("it has no .dist-info folder")
	}
	name, number := splitSdist(stem)
	v, err := parseVersion(number)
	if err != nil || !validName(name) || fold(name) != d.pkg || v.key() != d.version {
		return "", badArchive(fmt.Sprintf("its folder %s is not of %s %s", info, d.name, d.number))
	}
	return info, nil
}

// checkRecord compares RECORD with what is there. Signatures of RECORD are in
// neither.
func checkRecord(files map[string]*zip.File, info string) error {
	data, err := readEntry(files[info+"/RECORD"], maxRecord)
	if err != nil {
		return err
	}
	unlisted := map[string]bool{info + "/RECORD.jws": true, info + "/RECORD.p7s": true}
	listed := make(map[string]bool, len(files))
	rows := csv.NewReader(strings.NewReader(string(data)))
	rows.FieldsPerRecord, rows.ReuseRecord = 3, true
	for {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return badArchive("its RECORD cannot be read")
		}
		name := strings.Clone(row[0])
		if listed[name] || files[name] == nil && !unlisted[name] {
			return badArchive(fmt.Sprintf("its RECORD lists %.200q, which is not there or listed twice", name))
		}
		listed[name] = true
	}
	for name := range files {
		if !listed[name] && !unlisted[name] {
			return badArchive(fmt.Sprintf("its RECORD does not list %.200q", name))
		}
	}
	return nil
}
