package nuget

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// resources are the entries of the service index: a type, and the address below
// the mount. Those that change something are for projects alone.
var resources = []struct {
	kind, path string
	project    bool
}{
	{"SearchQueryService", "/query", false},
	{"SearchQueryService/3.0.0-beta", "/query", false},
	{"SearchQueryService/3.0.0-rc", "/query", false},
	{"SearchQueryService/3.5.0", "/query", false},
	{"SearchAutocompleteService", "/autocomplete", false},
	{"SearchAutocompleteService/3.0.0-beta", "/autocomplete", false},
	{"SearchAutocompleteService/3.0.0-rc", "/autocomplete", false},
	{"SearchAutocompleteService/3.5.0", "/autocomplete", false},
	{"RegistrationsBaseUrl", "/metadata/", false},
	{"RegistrationsBaseUrl/3.0.0-beta", "/metadata/", false},
	{"RegistrationsBaseUrl/3.0.0-rc", "/metadata/", false},
	{"RegistrationsBaseUrl/3.4.0", "/metadata/", false},
	{"RegistrationsBaseUrl/3.6.0", "/metadata/", false},
	{"PackageBaseAddress/3.0.0", "/download/", false},
	{"ReadmeUriTemplate/6.13.0", "/download/{lower_id}/{lower_version}/readme", false},
	{"PackagePublish/2.0.0", "", true},
	{"SymbolPackagePublish/4.9.0", "/symbolpackage", true},
	{"LegacyGallery/2.0.0", "/v2", false},
}

type resource struct {
	ID   string `json:"@id"`
	Type string `json:"@type"`
}

// service answers with the service index: where everything is. It depends on the
// address alone.
func (NuGet) service(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	base := baseOf(c)
	index := struct {
		Version   string     `json:"version"`
		Resources []resource `json:"resources"`
	}{Version: "3.0.0"}
	for _, one := range resources {
		if !one.project || c.Target.Level == packhouse.Project {
			index.Resources = append(index.Resources, resource{base + one.path, one.kind})
		}
	}
	format.ServeDocument(w, r, registry.NewDocument("application/json", mustJSON(index)))
	return nil
}

// baseOf is the address that links begin with. They stay in the project or group
// that was asked, so that the same credential fits.
func baseOf(c *format.Call) string {
	return strings.TrimSuffix(c.Base().String(), "/") + c.Mount()
}

// mustJSON encodes values of which it is known that they can be encoded.
func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Errorf("encode document: %w", err))
	}
	return data
}
