package nuget

import (
	"cmp"
	"regexp"
	"strings"

	"packhouse"
)

// maxVersion is the longest version, in bytes.
const maxVersion = 64

// version is a version in its parts. Numbers stay text, so that none is too large.
type version struct {
	numbers [4]string // without leading zeros
	labels  []string  // of a prerelease
	build   string    // without its plus
}

var versionPattern = regexp.MustCompile(
	`^([0-9]+)\.([0-9]+)(?:\.([0-9]+))?(?:\.([0-9]*))?(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$`)

// parseVersion reads a version of two to four numbers, with prerelease and build
// parts as SemVer 2 has them. Leading zeros are taken, as NuGet takes them.
func parseVersion(text string) (v version, err error) {
	m := versionPattern.FindStringSubmatch(text)
	if m == nil || len(text) > maxVersion {
		e := packhouse.Errorf(packhouse.Invalid, "Validation failed: Version is invalid")
		e.Fix = "a version is such as 1.2.3, 1.2.3.4, 1.2.3-beta.1 or 1.2.3+build"
		return v, e
	}
	for i := range v.numbers {
		v.numbers[i] = strings.TrimLeft(m[i+1], "0")
		if v.numbers[i] == "" {
			v.numbers[i] = "0"
		}
	}
	if m[5] != "" {
		v.labels = strings.Split(m[5], ".")
	}
	v.build = m[6]
	return v, nil
}

// versionKey gives the key of a version: normalised, in lower case.
func versionKey(text string) (string, error) {
	v, err := parseVersion(text)
	if err != nil {
		return "", err
	}
	return v.key(), nil
}

// String is the version normalised: three numbers, or four where the fourth is not
// zero, and no build part.
func (v version) String() string {
	text := strings.Join(v.numbers[:3], ".")
	if v.numbers[3] != "0" {
		text += "." + v.numbers[3]
	}
	if v.prerelease() {
		text += "-" + strings.Join(v.labels, ".")
	}
	return text
}

// full is String with the build part.
func (v version) full() string {
	if v.build == "" {
		return v.String()
	}
	return v.String() + "+" + v.build
}

func (v version) key() string { return strings.ToLower(v.String()) }

func (v version) prerelease() bool { return len(v.labels) > 0 }

// compare orders versions as NuGet does: by SemVer 2 with a fourth number, labels
// in any case of their letters.
func (v version) compare(w version) int {
	for i := range v.numbers {
		if c := compareNumbers(v.numbers[i], w.numbers[i]); c != 0 {
			return c
		}
	}
	if v.prerelease() != w.prerelease() {
		if v.prerelease() {
			return -1
		}
		return 1
	}
	for i := range min(len(v.labels), len(w.labels)) {
		if c := compareLabels(v.labels[i], w.labels[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(v.labels), len(w.labels))
}

func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), strings.Compare(a, b))
}

// compareLabels puts numbers before words.
func compareLabels(a, b string) int {
	first, second := isNumber(a), isNumber(b)
	switch {
	case first && second:
		return compareNumbers(strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0"))
	case first:
		return -1
	case second:
		return 1
	}
	return strings.Compare(strings.ToLower(a), strings.ToLower(b))
}

func isNumber(s string) bool { return strings.Trim(s, "0123456789") == "" }
