package terraform

import (
	"encoding/json"

	"github.com/Masterminds/semver/v3"

	"packhouse"
)

// entry is what the registry's documents say of a version.
type entry struct {
	version *semver.Version // nil if it cannot be read, which does not happen
	root    *listedModule
	below   []listedModule
}

func (e *entry) semver() *semver.Version { return e.version }

// listedModule is a module in the documents.
type listedModule struct {
	Path         string       `json:"path,omitempty"`
	Providers    []provider   `json:"providers"`
	Dependencies []dependency `json:"dependencies"`
}

func listed(f *folder) listedModule {
	m := listedModule{Path: f.Path, Providers: f.Providers, Dependencies: f.Dependencies}
	if m.Providers == nil {
		m.Providers = []provider{}
	}
	if m.Dependencies == nil {
		m.Dependencies = []dependency{}
	}
	return m
}

// Entry implements registry.Indexer.
func (Terraform) Entry(v *packhouse.Version, files []packhouse.File) (any, int) {
	if isProvider(v.Package.Key) {
		return entryOfProvider(v, files)
	}
	e := &entry{}
	e.version, _ = semver.StrictNewVersion(v.Number)
	var a about
	_ = json.Unmarshal(v.Metadata, &a) // we wrote it; without it the version is listed plainly
	root := listed(&a.folder)
	e.root = &root
	size := 128
	for i := range a.Submodules {
		e.below = append(e.below, listed(&a.Submodules[i]))
	}
	for _, m := range append(e.below, root) {
		size += 64 + 128*(len(m.Providers)+len(m.Dependencies))
	}
	return e, size
}
