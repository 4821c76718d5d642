package terraform

import (
	"encoding/json"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// providerPrefix begins the names of providers, of their packages and of their files.
// A module has a slash in its name and a provider has none, so that the two never meet.
const providerPrefix = "terraform-provider-"

// maxProvider bounds the name of a provider, in bytes.
const maxProvider = 64

// providerName is what clients take for a provider in an address
// (terraform-registry-address, ParseProviderPart), without letters beyond ASCII.
var providerName = regexp.MustCompile(`\A[0-9a-z]+(?:-[0-9a-z]+)*\z`)

// providerRoutes are those of the provider registry protocol
// (https://developer.hashicorp.com/terraform/internals/provider-registry-protocol),
// and those to publish and download in projects.
func (t Terraform) providerRoutes() []format.Route {
	const (
		registry = "/providers/v1/{namespace}/{type}"
		file     = "/providers/{name}/{version}/{file}"
	)
	return []format.Route{
		{Level: packhouse.Instance, Method: "GET", Path: registry + "/versions", Action: authz.ReadPackages, Handle: t.providerVersions},
		{Level: packhouse.Instance, Method: "GET", Path: registry + "/{version}/download/{os}/{arch}", Action: authz.ReadPackages, Handle: t.providerDownload},
		{Level: packhouse.Instance, Method: "GET", Path: registry + "/{version}/{file}", Action: authz.ReadPackages, Handle: t.grantedProviderFile, Access: providerGranted},
		{Level: packhouse.Project, Method: "PUT", Path: file, Action: authz.PublishPackages, Handle: t.publishProvider},
		{Level: packhouse.Project | packhouse.Group, Method: "GET", Path: file, Action: authz.ReadPackages, Handle: t.providerFile},
	}
}

// providerKey is the key of a provider's package, "terraform-provider-acme".
func providerKey(provider string) (string, error) {
	if len(provider) <= maxProvider && providerName.MatchString(provider) && !strings.HasPrefix(provider, "terraform-") {
		return providerPrefix + provider, nil
	}
	e := packhouse.InvalidParam("provider_name", "is invalid")
	e.Fix = "use up to 64 lower-case letters and digits, with single hyphens inside, without terraform- in front"
	return "", e
}

// isProvider reports whether a package is a provider's.
func isProvider(key string) bool {
	return strings.HasPrefix(key, providerPrefix) && !strings.Contains(key, "/")
}

// providerEntry is what the registry's documents say of a version of a provider.
type providerEntry struct {
	version   *semver.Version // nil until all of the version is there
	protocols []string
	platforms []platform
	key       string // the id of the signing key
}

// platform is what a provider is built for.
type platform struct {
	OS   string `json:"os"`
	Arch string `json:"arch"`
}

func (e *providerEntry) semver() *semver.Version { return e.version }

// entryOfProvider derives what documents say of a version and its files.
func entryOfProvider(v *packhouse.Version, files []packhouse.File) (any, int) {
	e := &providerEntry{protocols: []string{"5.0"}} // as the public registry has it without a manifest
	stem := v.Package.Key + "_" + v.Number
	size := 256
	for _, f := range files {
		var kept held
		_ = json.Unmarshal(f.Metadata, &kept) // we wrote it
		switch part := partOf(stem, f.Path); part.kind {
		case zipPart:
			e.platforms = append(e.platforms, part.platform)
			size += 64
		case manifestPart:
			e.protocols = kept.Protocols
		case keyPart:
			e.key = kept.KeyID
		}
	}
	if len(missing(stem, files)) == 0 {
		e.version, _ = semver.StrictNewVersion(v.Number)
	}
	return e, size
}
