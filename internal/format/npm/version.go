package npm

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"packhouse"
)

// Limits of node-semver: longer versions and larger numbers are none to clients.
const (
	maxVersion = 256
	maxNumber  = 1<<53 - 1
)

// parseVersion reads a version of SemVer 2.0.0, strictly.
func parseVersion(number string) (*semver.Version, error) {
	v, err := semver.StrictNewVersion(number)
	if err != nil || len(number) > maxVersion || v.Major() > maxNumber || v.Minor() > maxNumber || v.Patch() > maxNumber ||
		!safePrerelease(v.Prerelease()) {
		return nil, &packhouse.Error{
			Kind: packhouse.Invalid, Rule: "version", Message: "Validation failed: Version should follow SemVer: https://semver.org",
			Fix: "a version has three numbers, as 1.2.3, 1.2.3-beta.1",
		}
	}
	return v, nil
}

// safePrerelease reports whether the numbers of a prerelease fit into those of
// JavaScript, which compares them.
func safePrerelease(text string) bool {
	for part := range strings.SplitSeq(text, ".") {
		if len(part) > 16 && strings.Trim(part, "0123456789") == "" {
			return false
		}
	}
	return true
}

// versionKey is the version without build metadata, which clients do not look at.
func versionKey(number string) (string, error) {
	v, err := parseVersion(number)
	if err != nil {
		return "", err
	}
	return keyOf(v), nil
}

func keyOf(v *semver.Version) string {
	key, _, _ := strings.Cut(v.Original(), "+")
	return key
}

// cleanVersion is what clients publish of the version in a package.json.
func cleanVersion(number string) string { return strings.TrimLeft(strings.TrimSpace(number), "=v") }

// higher reports whether a version stands above another for "latest" where nobody
// has said: any release above all prereleases.
func higher(a, b *semver.Version) bool {
	if stable := a.Prerelease() == ""; stable != (b.Prerelease() == "") {
		return stable
	}
	return a.GreaterThan(b)
}

// tagPattern has what encodeURIComponent leaves alone, which npm asks of tags.
var tagPattern = regexp.MustCompile(`^[A-Za-z0-9\-_.!~*'()]{1,255}$`)

// checkTag refuses names that no client could install by: with one that is a range
// of versions, the range is meant.
func checkTag(name string) error {
	_, err := semver.NewConstraint(name)
	if err == nil || !tagPattern.MatchString(name) || name == "." || name == ".." {
		e := packhouse.InvalidParam("tag", "is invalid")
		e.Fix = "a tag has letters, digits, \"-\", \"_\" and \".\", and is no version or range of versions"
		return e
	}
	return nil
}
