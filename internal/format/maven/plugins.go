package maven

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// plugin says by which prefix a plugin of a group is called: "mvn my:goal".
type plugin struct {
	Name       string `xml:"name,omitempty" json:"name,omitempty"`
	Prefix     string `xml:"prefix" json:"prefix"`
	ArtifactID string `xml:"artifactId" json:"artifact_id"`
}

// keepPlugins keeps the prefixes that a client says the plugins of a group have:
// each as a hidden version, without files, of a package with the group's name. A
// prefix is found by the group alone then, however many artifacts it has.
func keepPlugins(r *http.Request, c *format.Call, group string, all []plugin) error {
	if len(all) > maxHinted {
		return packhouse.Errorf(packhouse.Invalid, "the metadata has more than %d plugins", maxHinted)
	}
	known, err := pluginsOf(r, c.Source, group)
	if err != nil {
		return err
	}
	for _, p := range all {
		if !only(p.ArtifactID, "._-+") || !only(p.Prefix, "._-+") || len(p.ArtifactID)+len(p.Prefix) > maxName || strings.Contains(p.ArtifactID, "..") {
			return packhouse.Errorf(packhouse.Invalid, "the metadata has a plugin whose artifactId or prefix is invalid")
		}
		p.Name = shorten(p.Name)
		if slices.Contains(known, p) {
			continue
		}
		if err := forgive(keepPlugin(r, c, group, p)); err != nil {
			return err
		}
	}
	return nil
}

func keepPlugin(r *http.Request, c *format.Call, group string, p plugin) error {
	data, err := json.Marshal(said{Plugin: &p})
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	_, err = c.Hosted.Publish(r.Context(), registry.Draft{
		Package: group, PackageKey: group, Version: p.ArtifactID, VersionKey: p.ArtifactID,
		Status: packhouse.StatusHidden, Metadata: data,
	})
	if err != nil {
		return err
	}
	// It may have been there, with another prefix.
	return c.Hosted.Edit(r.Context(), group, func(e *registry.Edit) error {
		v, err := e.Version(p.ArtifactID)
		if err != nil || string(v.Metadata) == string(data) {
			return err
		}
		return e.SetMetadata(v, data)
	})
}

// pluginsOf are the prefixes kept for a group, by artifact id.
func pluginsOf(r *http.Request, from registry.Source, group string) ([]plugin, error) {
	l, err := from.Package(r.Context(), name, group)
	if err != nil {
		if isAbsent(err) {
			return nil, nil
		}
		return nil, err
	}
	return pluginsIn(l), nil
}

func pluginsIn(l *registry.Listing) (list []plugin) {
	for _, release := range l.Releases {
		if e, ok := release.Entry.(*entry); ok && e.plugin != nil {
			list = append(list, *e.plugin)
		}
	}
	slices.SortFunc(list, func(a, b plugin) int { return strings.Compare(a.ArtifactID, b.ArtifactID) })
	return slices.CompactFunc(list, func(a, b plugin) bool { return a.ArtifactID == b.ArtifactID })
}

// withPlugins makes the metadata of a group with plugins, and of the artifact that has
// the same path, if there is one. Plugins are left out that are not there any more.
func withPlugins(r *http.Request, from registry.Source, hidden bool, at coordinates) (*registry.Document, error) {
	l, err := from.Package(r.Context(), name, at.name)
	if err != nil {
		return nil, err
	}
	var live []plugin
	for _, p := range pluginsIn(l) {
		of, err := from.Package(r.Context(), name, at.name+"/"+p.ArtifactID)
		switch {
		case err != nil && !isAbsent(err):
			return nil, err
		case err == nil && indexOf(at.name, shown(of, hidden)) != nil:
			live = append(live, p)
		}
	}
	m := indexOf(at.name, shown(l, hidden))
	if m == nil && len(live) == 0 {
		return nil, errAbsent()
	}
	if m == nil {
		m = new(metadata)
	}
	if len(live) > 0 {
		m.Plugins = &plugins{live}
	}
	return m.render()
}
