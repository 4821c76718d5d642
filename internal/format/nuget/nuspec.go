package nuget

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"packhouse"
	"packhouse/internal/format"
)

// Limits on a nuspec.
const (
	maxNuspec       = 1 << 20 // bytes
	maxText         = 4000    // bytes of one text that documents show
	maxDependencies = 2000
)

// manifest is what documents say of a version. It is kept with the package's file.
type manifest struct {
	ID            string   `json:"id"`
	Version       string   `json:"version"` // normalised, with the build part
	Title         string   `json:"title,omitempty"`
	Authors       string   `json:"authors,omitempty"`
	Description   string   `json:"description,omitempty"`
	Summary       string   `json:"summary,omitempty"`
	Tags          string   `json:"tags,omitempty"`
	Language      string   `json:"language,omitempty"`
	ProjectURL    string   `json:"project_url,omitempty"`
	LicenseURL    string   `json:"license_url,omitempty"`
	License       string   `json:"license,omitempty"` // an expression
	IconURL       string   `json:"icon_url,omitempty"`
	ReleaseNotes  string   `json:"release_notes,omitempty"`
	Copyright     string   `json:"copyright,omitempty"`
	MinClient     string   `json:"min_client,omitempty"`
	AcceptLicense bool     `json:"accept_license,omitempty"`
	LicenseFile   string   `json:"license_file,omitempty"` // names of entries
	IconFile      string   `json:"icon_file,omitempty"`
	ReadmeFile    string   `json:"readme_file,omitempty"`
	Types         []string `json:"types,omitempty"`
	Groups        []group  `json:"groups,omitempty"`
}

type group struct {
	Framework    string       `json:"framework,omitempty"`
	Dependencies []dependency `json:"dependencies,omitempty"`
}

type dependency struct {
	ID    string `json:"id"`
	Range string `json:"range"`
}

// nuspec is the XML. What has to be there once is a list, so that a second one,
// which another reader might prefer, is seen.
type nuspec struct {
	XMLName  xml.Name
	Metadata []struct {
		MinClient    string   `xml:"minClientVersion,attr"`
		ID           []string `xml:"id"`
		Version      []string `xml:"version"`
		Title        string   `xml:"title"`
		Authors      string   `xml:"authors"`
		Description  string   `xml:"description"`
		Summary      string   `xml:"summary"`
		Tags         string   `xml:"tags"`
		Language     string   `xml:"language"`
		ProjectURL   string   `xml:"projectUrl"`
		LicenseURL   string   `xml:"licenseUrl"`
		IconURL      string   `xml:"iconUrl"`
		ReleaseNotes string   `xml:"releaseNotes"`
		Copyright    string   `xml:"copyright"`
		Accept       string   `xml:"requireLicenseAcceptance"`
		Icon         string   `xml:"icon"`
		Readme       string   `xml:"readme"`
		License      struct {
			Type string `xml:"type,attr"`
			Text string `xml:",chardata"`
		} `xml:"license"`
		Types []struct {
			Name string `xml:"name,attr"`
		} `xml:"packageTypes>packageType"`
		Dependencies struct {
			Plain  []xmlDependency `xml:"dependency"`
			Groups []struct {
				Framework    string          `xml:"targetFramework,attr"`
				Dependencies []xmlDependency `xml:"dependency"`
			} `xml:"group"`
		} `xml:"dependencies"`
	} `xml:"metadata"`
}

type xmlDependency struct {
	ID      string `xml:"id,attr"`
	Version string `xml:"version,attr"`
}

// parseNuspec reads a nuspec. It refuses DTDs, and so all entities that are not
// XML's own.
func parseNuspec(data []byte) (*manifest, error) {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if len(data) > maxNuspec || !utf8.Valid(data) {
		return nil, badNuspec("is too large, or not UTF-8")
	}
	var x nuspec
	if err := format.DecodeXML(data, &x, nil); err != nil {
		return nil, badNuspec(err.Error())
	}
	if x.XMLName.Local != "package" || len(x.Metadata) != 1 {
		return nil, badNuspec("is not one of a package")
	}
	m := &x.Metadata[0]
	if len(m.ID) != 1 || len(m.Version) != 1 {
		return nil, badNuspec("needs one id and one version")
	}
	out := &manifest{ID: strings.TrimSpace(m.ID[0])}
	if _, err := idKey(out.ID); err != nil {
		return nil, err
	}
	v, err := parseVersion(strings.TrimSpace(m.Version[0]))
	if err != nil {
		return nil, err
	}
	out.Version = v.full()
	for to, from := range map[*string]string{
		&out.Title: m.Title, &out.Authors: m.Authors, &out.Description: m.Description, &out.Summary: m.Summary, &out.Tags: m.Tags,
		&out.Language: m.Language, &out.ReleaseNotes: m.ReleaseNotes, &out.Copyright: m.Copyright, &out.MinClient: m.MinClient,
	} {
		*to = shorten(from)
	}
	for to, from := range map[*string]string{&out.ProjectURL: m.ProjectURL, &out.LicenseURL: m.LicenseURL, &out.IconURL: m.IconURL} {
		*to = webAddress(from)
	}
	out.AcceptLicense = strings.EqualFold(strings.TrimSpace(m.Accept), "true")
	out.IconFile, out.ReadmeFile = entryOf(m.Icon), entryOf(m.Readme)
	switch m.License.Type {
	case "expression":
		out.License = shorten(m.License.Text)
	case "file":
		out.LicenseFile = entryOf(m.License.Text)
	}
	for _, t := range m.Types {
		out.Types = append(out.Types, shorten(t.Name))
	}
	if len(m.Dependencies.Plain) > 0 {
		out.Groups = append(out.Groups, group{Dependencies: nil})
		if out.Groups[0].Dependencies, err = dependenciesOf(m.Dependencies.Plain); err != nil {
			return nil, err
		}
	}
	count := len(m.Dependencies.Plain) + len(m.Dependencies.Groups) + len(out.Types)
	for _, g := range m.Dependencies.Groups {
		list, err := dependenciesOf(g.Dependencies)
		if err != nil {
			return nil, err
		}
		count += len(list)
		out.Groups = append(out.Groups, group{Framework: shorten(g.Framework), Dependencies: list})
	}
	if count > maxDependencies {
		return nil, badNuspec("has too many dependencies")
	}
	return out, nil
}

func badNuspec(problem string) error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "nuspec", Message: "the nuspec " + problem,
		Fix: "pack it again with dotnet pack or nuget pack",
	}
}

// shorten cuts a text to what documents show of it. Control characters, which
// XML 1.0 cannot say, go.
func shorten(text string) string {
	text = strings.TrimSpace(strings.Map(func(c rune) rune {
		if unicode.IsControl(c) && c != '\n' && c != '\t' || c == 0xfffe || c == 0xffff {
			return -1
		}
		return c
	}, text))
	if len(text) <= maxText {
		return text
	}
	return strings.ToValidUTF8(text[:maxText], "")
}

// webAddress keeps an address that is safe to follow.
func webAddress(text string) string {
	text = shorten(text)
	lower := strings.ToLower(text)
	if !strings.HasPrefix(lower, "https://") && !strings.HasPrefix(lower, "http://") {
		return ""
	}
	return text
}

// entryOf is the name of an entry as nuspecs write it, in either slash.
func entryOf(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll(shorten(text), `\`, "/"), "./")
}

func dependenciesOf(list []xmlDependency) (all []dependency, err error) {
	for _, d := range list {
		id := strings.TrimSpace(d.ID)
		if _, err := idKey(id); err != nil {
			return nil, badNuspec("depends on what is no id")
		}
		r, err := rangeOf(d.Version)
		if err != nil {
			return nil, err
		}
		all = append(all, dependency{id, r})
	}
	return all, nil
}

var rangePattern = regexp.MustCompile(`^[\[(] *([0-9A-Za-z.+*-]*) *(?:(,) *([0-9A-Za-z.+*-]*) *)?[\])]$`)

// rangeOf writes a version range in brackets: a bare version is the lowest one.
func rangeOf(text string) (string, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return "(, )", nil
	}
	if _, err := parseVersion(text); err == nil || isNumber(text) {
		return "[" + text + ", )", nil
	}
	m := rangePattern.FindStringSubmatch(text)
	if m == nil || len(text) > 3*maxVersion || m[1]+m[3] == "" && m[2] == "" {
		return "", badNuspec("has a dependency whose version is no version range")
	}
	if m[2] == "" {
		return text[:1] + m[1] + text[len(text)-1:], nil
	}
	return text[:1] + m[1] + ", " + m[3] + text[len(text)-1:], nil
}
