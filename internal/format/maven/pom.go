package maven

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"golang.org/x/text/encoding/htmlindex"

	"packhouse"
	"packhouse/internal/format"
)

// Limits on a pom.
const (
	maxPom          = 2 << 20 // bytes
	maxText         = 4000    // bytes of one text that is kept
	maxDependencies = 1000
)

// pom is what is read of a project's description (POM 4.0.0). What has to be there
// once is a list, so that a second one, which another reader might prefer, is seen.
type pom struct {
	XMLName      xml.Name
	GroupID      []string        `xml:"groupId"`
	ArtifactID   []string        `xml:"artifactId"`
	Version      []string        `xml:"version"`
	Packaging    string          `xml:"packaging"`
	Name         string          `xml:"name"`
	Description  string          `xml:"description"`
	URL          string          `xml:"url"`
	Licenses     []string        `xml:"licenses>license>name"`
	Dependencies []pomDependency `xml:"dependencies>dependency"`
	Parent       []struct {
		GroupID string `xml:"groupId"`
		Version string `xml:"version"`
	} `xml:"parent"`
}

type pomDependency struct {
	GroupID    string `xml:"groupId"`
	ArtifactID string `xml:"artifactId"`
	Version    string `xml:"version"`
	Scope      string `xml:"scope"`
	Optional   string `xml:"optional"`
}

// about is what is kept with a pom, as the file's metadata.
type about struct {
	Packaging    string       `json:"packaging,omitempty"`
	Name         string       `json:"name,omitempty"`
	Description  string       `json:"description,omitempty"`
	URL          string       `json:"url,omitempty"`
	Licenses     []string     `json:"licenses,omitempty"`
	Dependencies []dependency `json:"dependencies,omitempty"`
}

type dependency struct {
	Name     string `json:"name"` // "com.example:lib"
	Version  string `json:"version,omitempty"`
	Scope    string `json:"scope,omitempty"`
	Optional bool   `json:"optional,omitempty"`
}

func badPom(problem string) error {
	return &packhouse.Error{Kind: packhouse.Invalid, Rule: "pom", Message: "Validation failed: the pom " + problem}
}

// parsePom reads a pom as Maven does: in any encoding that it names, with the named
// characters of HTML, but without a document type.
func parsePom(data []byte) (*pom, error) {
	p := new(pom)
	err := format.DecodeXML(data, p, func(d *xml.Decoder) {
		d.Entity = xml.HTMLEntity
		d.CharsetReader = decode
	})
	if err != nil {
		return nil, badPom(err.Error())
	}
	if p.XMLName.Local != "project" {
		return nil, badPom("has no project in it")
	}
	if len(p.GroupID) > 1 || len(p.ArtifactID) != 1 || len(p.Version) > 1 || len(p.Parent) > 1 {
		return nil, badPom("needs one artifactId, and one groupId and version of its own or of its parent")
	}
	return p, nil
}

// decode reads another encoding than UTF-8.
func decode(charset string, in io.Reader) (io.Reader, error) {
	e, err := htmlindex.Get(charset)
	if err != nil {
		return nil, fmt.Errorf("encoding %q: %w", charset, err)
	}
	return e.NewDecoder().Reader(in), nil
}

// check compares the coordinates in the pom with those of the address. What holds a
// property, such as ${revision}, is only known to Maven and passes.
func (p *pom) check(at coordinates) error {
	group, artifact, version := one(p.GroupID), one(p.ArtifactID), one(p.Version)
	if len(p.Parent) > 0 {
		if group == "" {
			group = strings.TrimSpace(p.Parent[0].GroupID)
		}
		if version == "" {
			version = strings.TrimSpace(p.Parent[0].Version)
		}
	}
	folder, last := cutLast(at.name)
	for _, c := range []struct{ what, in, of string }{
		{"groupId", group, strings.ReplaceAll(folder, "/", ".")}, {"artifactId", artifact, last}, {"version", version, at.version},
	} {
		if c.in == "" {
			return badPom("has no " + c.what)
		}
		if c.in != c.of && !strings.Contains(c.in, "${") {
			e := badPom(fmt.Sprintf("has the %s %.100q, and is deployed as %.100q", c.what, c.in, c.of)).(*packhouse.Error)
			e.Fix = "deploy it to the address of its own coordinates"
			return e
		}
	}
	return nil
}

func one(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return strings.TrimSpace(list[0])
}

func (p *pom) about() *about {
	a := &about{Packaging: shorten(p.Packaging), Name: shorten(p.Name), Description: shorten(p.Description)}
	if u := strings.ToLower(strings.TrimSpace(p.URL)); strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
		a.URL = shorten(p.URL)
	}
	for _, l := range p.Licenses[:min(len(p.Licenses), 20)] {
		a.Licenses = append(a.Licenses, shorten(l))
	}
	for _, d := range p.Dependencies[:min(len(p.Dependencies), maxDependencies)] {
		a.Dependencies = append(a.Dependencies, dependency{
			Name: shorten(d.GroupID) + ":" + shorten(d.ArtifactID), Version: shorten(d.Version),
			Scope: shorten(d.Scope), Optional: strings.TrimSpace(d.Optional) == "true",
		})
	}
	return a
}

// shorten cuts a text to what is kept of it.
func shorten(text string) string {
	text = strings.TrimSpace(text)
	return strings.ToValidUTF8(text[:min(len(text), maxText)], "")
}
