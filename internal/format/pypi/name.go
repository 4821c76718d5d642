package pypi

import (
	"strings"

	"packhouse"
)

// maxName bounds names, versions and file names, in bytes.
const maxName = 255

// normalise gives the key of a project name (PEP 503): lower case, and every run
// of "-", "_" and "." is one "-".
func normalise(name string) (string, error) {
	if !validName(name) {
		e := packhouse.Errorf(packhouse.Invalid, "Validation failed: Name is invalid")
		e.Fix = "a name has ASCII letters, digits, \".\", \"_\" and \"-\", and begins and ends with a letter or digit"
		return "", e
	}
	return fold(name), nil
}

// fold is normalise of a name that is known to be valid.
func fold(name string) string {
	var b strings.Builder
	b.Grow(len(name))
	separator := false
	for i := range len(name) {
		c := name[i]
		if c == '-' || c == '_' || c == '.' {
			separator = true
			continue
		}
		if separator {
			b.WriteByte('-')
			separator = false
		}
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		b.WriteByte(c)
	}
	return b.String()
}

// validName is the rule of the core metadata specification for Name.
func validName(name string) bool {
	if name == "" || len(name) > maxName || !alphanumeric(name[0]) || !alphanumeric(name[len(name)-1]) {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !alphanumeric(c) && c != '-' && c != '_' && c != '.' {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9'
}
