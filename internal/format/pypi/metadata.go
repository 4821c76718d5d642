package pypi

import (
	"bytes"
	"regexp"
	"strings"
	"unicode/utf8"

	"packhouse"
)

// coreMetadata is what is needed of a METADATA or PKG-INFO file (core metadata
// specification).
type coreMetadata struct {
	metadataVersion, name, version, requiresPython string
}

// Limits on a metadata file.
const (
	maxMetadata = 2 << 20 // bytes
	maxHeaders  = 20_000  // lines before the body
)

var metadataVersionPattern = regexp.MustCompile(`^[12]\.[0-9]$`)

// parseMetadata reads the header of a metadata file: lines of "Name: value",
// continued by lines that begin with white space, up to an empty line.
func parseMetadata(data []byte) (m coreMetadata, err error) {
	if len(data) > maxMetadata {
		return m, badArchive("the metadata is larger than 2 MiB")
	}
	if !utf8.Valid(data) || bytes.IndexByte(data, 0) >= 0 {
		return m, badArchive("the metadata is not UTF-8 text")
	}
	once := map[string]*string{
		"metadata-version": &m.metadataVersion, "name": &m.name, "version": &m.version, "requires-python": &m.requiresPython,
	}
	seen := map[string]bool{}
	var last *string
	rest, lines := string(data), 0
	for rest != "" {
		var line string
		line, rest, _ = strings.Cut(rest, "\n")
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			break
		}
		if lines++; lines > maxHeaders {
			return m, badArchive("the metadata has too many lines before its body")
		}
		if line[0] == ' ' || line[0] == '\t' {
			if lines == 1 || last != nil {
				return m, badArchive("the metadata continues a field that has one line")
			}
			continue
		}
		field, value, ok := strings.Cut(line, ":")
		if !ok || !validField(field) {
			return m, badArchive("the metadata has a line that is no field")
		}
		field = strings.ToLower(field)
		if last = once[field]; last == nil {
			continue
		}
		if seen[field] {
			return m, badArchive("the metadata has the field " + field + " twice")
		}
		seen[field], *last = true, strings.TrimSpace(value)
	}
	return m, m.check()
}

func validField(name string) bool {
	for i := range len(name) {
		if c := name[i]; !alphanumeric(c) && c != '-' && c != '_' {
			return false
		}
	}
	return name != ""
}

func (m coreMetadata) check() error {
	if !metadataVersionPattern.MatchString(m.metadataVersion) {
		return badArchive("the metadata has no valid Metadata-Version")
	}
	if !validName(m.name) {
		return badArchive("the metadata has no valid Name")
	}
	if _, err := parseVersion(m.version); err != nil {
		return badArchive("the metadata has no valid Version")
	}
	return checkRequiresPython(m.requiresPython)
}

var specifierPattern = regexp.MustCompile(`^(===|~=|==|!=|<=|>=|<|>)[ \t]*([^ \t]+)$`)

// checkRequiresPython checks a list of version specifiers (PEP 440). pip passes
// over what it cannot read, and then installs what does not run.
func checkRequiresPython(text string) error {
	bad := packhouse.InvalidParam("requires_python", "is invalid")
	bad.Fix = "write version specifiers as PEP 440 has them, such as >=3.9,<4"
	if len(text) > maxName {
		return bad
	}
	if text == "" {
		return nil
	}
	for one := range strings.SplitSeq(strings.TrimSuffix(text, ","), ",") {
		m := specifierPattern.FindStringSubmatch(strings.TrimSpace(one))
		if m == nil {
			return bad
		}
		number := m[2]
		if m[1] == "==" || m[1] == "!=" {
			number = strings.TrimSuffix(number, ".*")
		}
		v, err := parseVersion(number)
		if err != nil || m[1] == "~=" && len(v.release)+v.zeros < 2 {
			return bad
		}
	}
	return nil
}
