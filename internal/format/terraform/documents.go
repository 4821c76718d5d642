package terraform

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// module is a module that a registry address names, and where it is looked for.
type module struct {
	namespace, name, system string
	key                     string
	source                  registry.Source
}

// moduleOf finds what a request is about.
func moduleOf(c *format.Call) (*module, error) {
	m := &module{namespace: c.Arg("namespace"), name: c.Arg("name"), system: c.Arg("system")}
	var err error
	if m.key, err = moduleKey(m.name, m.system); err != nil {
		return nil, errNoModule() // nothing is published under such a name
	}
	if m.source, err = below(c, m.namespace); err != nil {
		return nil, errNoModule()
	}
	return m, nil
}

// below is what may be read in a namespace: a top-level group or person, a group's
// number, or a path with __ for each slash, because an address has room for one
// segment.
func below(c *format.Call, namespace string) (registry.Source, error) {
	path := strings.ReplaceAll(namespace, "__", "/")
	if id, err := strconv.ParseInt(namespace, 10, 64); err == nil {
		group, err := c.Decide(packhouse.Group, id, authz.ReadPackages)
		if err != nil {
			return nil, err
		}
		path = group.Path
	}
	return c.Below(path), nil
}

func errNoModule() error {
	return &packhouse.Error{
		Kind: packhouse.NotFound, Rule: "package", Message: "Not Found",
		Fix: "modules are addressed as HOST/GROUP/NAME/SYSTEM, with the top-level group, whatever project they are in",
	}
}

// versions lists the versions of a module (module registry protocol, "list available
// versions").
func (Terraform) versions(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	m, err := moduleOf(c)
	if err != nil {
		return err
	}
	address := c.Base().JoinPath(strings.ReplaceAll(m.namespace, "__", "/")).String()
	d, err := m.source.Document(r.Context(), name, m.key, "versions "+address, func(l *registry.Listing) (*registry.Document, error) {
		return versionsOf(l, address)
	})
	if err != nil {
		return notFound(err)
	}
	format.ServeDocument(w, r, d)
	return nil
}

type listedVersion struct {
	Version    string         `json:"version"`
	Submodules []listedModule `json:"submodules"`
	Root       *listedModule  `json:"root"`
}

func versionsOf(l *registry.Listing, address string) (*registry.Document, error) {
	list := []listedVersion{}
	for _, release := range newestFirst(l) {
		e := release.Entry.(*entry)
		list = append(list, listedVersion{release.Version.Number, append([]listedModule{}, e.below...), e.root})
	}
	if len(list) == 0 {
		return nil, errNoModule()
	}
	body, err := json.Marshal(map[string]any{"modules": []any{map[string]any{"source": address, "versions": list}}})
	if err != nil {
		return nil, fmt.Errorf("encode versions: %w", err)
	}
	return registry.NewDocument("application/json", body), nil
}

// newestFirst lists what can be downloaded, the highest version first and each one
// once: of several projects that have one version, the one that has it for the
// shortest time counts, as everywhere in a group.
func newestFirst(l *registry.Listing) []*registry.Release {
	var list []*registry.Release
	for _, release := range l.Releases {
		if release.Version.Status.Downloadable() && release.Version.Status != packhouse.StatusHidden && semverOf(release) != nil && len(release.Files) > 0 {
			list = append(list, release)
		}
	}
	slices.SortStableFunc(list, func(a, b *registry.Release) int {
		if order := semverOf(b).Compare(semverOf(a)); order != 0 {
			return order
		}
		return int(b.Version.ID - a.Version.ID)
	})
	return slices.CompactFunc(list, func(a, b *registry.Release) bool { return a.Version.Key == b.Version.Key })
}

// semverOf is the version that a release is listed as; nil for one that is not listed.
func semverOf(r *registry.Release) *semver.Version {
	return r.Entry.(interface{ semver() *semver.Version }).semver()
}

// release finds a version; the newest one, pre-releases aside where there are
// others, when number is "".
func (m *module) release(r *http.Request, version string) (*registry.Release, []*registry.Release, error) {
	l, err := m.source.Package(r.Context(), name, m.key)
	if err != nil {
		return nil, nil, notFound(err)
	}
	all := newestFirst(l)
	if version == "" {
		for _, one := range all {
			if one.Entry.(*entry).version.Prerelease() == "" {
				return one, all, nil
			}
		}
		if len(all) > 0 {
			return all[0], all, nil
		}
		return nil, nil, errNoModule()
	}
	key, err := versionKey(version)
	if err != nil {
		return nil, nil, errNoModule()
	}
	for _, one := range all {
		if one.Version.Key == key {
			return one, all, nil
		}
	}
	return nil, nil, errNoModule()
}

// details describes one version, or the newest, for people and interfaces.
func (Terraform) details(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	m, err := moduleOf(c)
	if err != nil {
		return err
	}
	shown, all, err := m.release(r, c.Arg("version"))
	if err != nil {
		return err
	}
	metadata, err := m.source.Metadata(r.Context(), shown)
	if err != nil {
		return notFound(err)
	}
	var a about
	_ = json.Unmarshal(metadata, &a) // without it the version is described plainly
	numbers := []string{}
	for _, one := range all {
		numbers = append(numbers, one.Version.Number)
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{
		"name": m.key, "provider": m.system, "providers": []string{m.system}, "version": shown.Version.Number, "versions": numbers,
		"source": c.Base().JoinPath(strings.ReplaceAll(m.namespace, "__", "/")).String(),
		"root":   described(&a.folder), "submodules": describedAll(a.Submodules), "examples": describedAll(a.Examples),
		"published_at": shown.Version.CreatedAt.UTC().Format(format.Time),
	})
	return nil
}

// described is a module with everything that is known about it.
func described(f *folder) map[string]any {
	return map[string]any{
		"path": f.Path, "readme": f.Readme, "inputs": some(f.Inputs), "outputs": some(f.Outputs),
		"dependencies": some(f.Dependencies), "provider_dependencies": some(f.Providers), "resources": some(f.Resources),
	}
}

func describedAll(list []folder) []any {
	out := []any{}
	for i := range list {
		out = append(out, described(&list[i]))
	}
	return out
}

func some[T any](list []T) []T { return append([]T{}, list...) }

// notFound gives "not found" the words of this format.
func notFound(err error) error {
	if packhouse.KindOf(err) == packhouse.NotFound {
		return errNoModule()
	}
	return err
}
