package terraform

import (
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"packhouse"
)

// Limits on names, in bytes.
const (
	maxName    = 64 // of either half, as the clients have it
	maxVersion = 128
)

// Either half of a module's name: what GitLab takes, lower case with hyphens, and what
// the clients take in addresses (terraform-registry-address: letters, digits, hyphens
// and underscores, the last two not at the ends).
var (
	half = regexp.MustCompile(`\A[0-9A-Za-z](?:[0-9A-Za-z_-]*[0-9A-Za-z])?\z`)
	// addressable is what may stand for the system in a registry address.
	addressable = regexp.MustCompile(`\A[0-9a-z]{1,64}\z`)
)

// moduleKey is the key of a module, "vpc/aws".
func moduleKey(name, system string) (string, error) {
	for param, value := range map[string]string{"module_name": name, "module_system": system} {
		if len(value) > maxName || !half.MatchString(value) {
			e := packhouse.InvalidParam(param, "is invalid")
			e.Fix = "use up to 64 letters and digits, with hyphens or underscores inside"
			return "", e
		}
	}
	return name + "/" + system, nil
}

func packageKey(name string) (string, error) {
	if isProvider(name) {
		return providerKey(strings.TrimPrefix(name, providerPrefix))
	}
	module, system, _ := strings.Cut(name, "/")
	return moduleKey(module, system)
}

// number is a version without the "v" that tags in Git begin with.
func number(version string) string { return strings.TrimPrefix(version, "v") }

// versionKey is a version without build metadata, which does not tell versions apart
// (SemVer 2.0.0, 10).
func versionKey(version string) (string, error) {
	if version == "" {
		return "", packhouse.Errorf(packhouse.Invalid, "Version is empty.")
	}
	v, err := semver.StrictNewVersion(number(version))
	if err != nil || len(version) > maxVersion {
		e := packhouse.InvalidParam("module_version", "is invalid")
		e.Fix = "use a semantic version such as 1.2.0 or 1.2.0-rc.1"
		return "", e
	}
	key, _, _ := strings.Cut(v.String(), "+")
	return key, nil
}

// fileName is what a module's archive is called; kind is "tgz" or "zip".
func fileName(name, system, version, kind string) string {
	return name + "-" + system + "-" + version + "." + kind
}
