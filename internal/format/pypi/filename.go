package pypi

import (
	"strings"

	"packhouse"
)

// kind is a kind of distribution file.
type kind uint8

const (
	wheel kind = iota
	sdistTar
	sdistZip
)

// distribution is what a file name says about the file. Its package and version
// are keys.
type distribution struct {
	kind         kind
	pkg, version string
	name, number string // as they stand in the file name
}

// parseFilename reads the name of a wheel (binary distribution format) or of a
// source distribution, which is "name-version" with an ending. It tells package
// and version from the name alone, so that a download needs nothing else.
func parseFilename(file string) (d distribution, err error) {
	if len(file) > maxName || !ascii(file) {
		return d, badFilename()
	}
	switch {
	case strings.HasSuffix(file, ".whl"):
		parts := strings.Split(strings.TrimSuffix(file, ".whl"), "-")
		if len(parts) != 5 && len(parts) != 6 || !validTags(parts) {
			return d, badFilename()
		}
		d.name, d.number = parts[0], parts[1]
	case strings.HasSuffix(file, ".tar.gz"):
		d.kind = sdistTar
		d.name, d.number = splitSdist(strings.TrimSuffix(file, ".tar.gz"))
	case strings.HasSuffix(file, ".zip"):
		d.kind = sdistZip
		d.name, d.number = splitSdist(strings.TrimSuffix(file, ".zip"))
	default:
		return d, badFilename()
	}
	if d.pkg, err = normalise(d.name); err != nil {
		return d, badFilename()
	}
	if d.version, err = versionKey(d.number); err != nil {
		return d, badFilename()
	}
	return d, nil
}

// splitSdist splits at the last hyphen: a version in a file name has none.
func splitSdist(stem string) (name, number string) {
	at := strings.LastIndexByte(stem, '-')
	if at < 0 {
		return "", ""
	}
	return stem[:at], stem[at+1:]
}

// validTags checks what follows name and version in a wheel's name: a build
// number, which begins with a digit, and the three compatibility tags.
func validTags(parts []string) bool {
	rest := parts[2:]
	if len(rest) == 4 {
		if rest[0] == "" || rest[0][0] < '0' || rest[0][0] > '9' {
			return false
		}
	}
	tags := rest[len(rest)-3:]
	for i, tag := range tags {
		for member := range strings.SplitSeq(tag, ".") {
			if !validTag(member, i == 0) {
				return false
			}
		}
	}
	return !strings.ContainsFunc(rest[0], func(c rune) bool { return !tagRune(c) && c != '.' })
}

// validTag checks one member of a compatibility tag. That of an interpreter is an
// identifier, as packaging has it since 26.3.
func validTag(member string, interpreter bool) bool {
	if member == "" || strings.ContainsFunc(member, func(c rune) bool { return !tagRune(c) }) {
		return false
	}
	return !interpreter || (member[0] < '0' || member[0] > '9') && !strings.Contains(member, "+")
}

func tagRune(c rune) bool { return alphanumeric(byte(c)) || c == '_' || c == '+' }

func badFilename() error {
	e := packhouse.InvalidParam("filename", "is invalid")
	e.Fix = "files are wheels (name-version-python-abi-platform.whl) or source distributions (name-version.tar.gz or .zip)"
	return e
}
