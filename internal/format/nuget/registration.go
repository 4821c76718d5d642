package nuget

import (
	"net/http"
	"strings"

	"packhouse/internal/format"
)

// How the registration of a package is cut: in one piece with everything in it, or
// into pages with addresses of their own.
const (
	inlined  = 512 // versions up to which it is in one piece
	pageSize = 64
)

type registrationIndex struct {
	ID    string             `json:"@id"`
	Type  []string           `json:"@type"`
	Count int                `json:"count"`
	Items []registrationPage `json:"items"`
}

type registrationPage struct {
	ID     string             `json:"@id"`
	Type   string             `json:"@type"`
	Count  int                `json:"count"`
	Lower  string             `json:"lower"`
	Upper  string             `json:"upper"`
	Parent string             `json:"parent,omitempty"`
	Items  []registrationLeaf `json:"items,omitempty"`
}

type registrationLeaf struct {
	ID             string       `json:"@id"`
	Type           string       `json:"@type"`
	Listed         bool         `json:"listed"`
	Published      string       `json:"published"`
	PackageContent string       `json:"packageContent"`
	Registration   string       `json:"registration"`
	CatalogEntry   catalogEntry `json:"catalogEntry"`
}

type catalogEntry struct {
	ID               string            `json:"@id"`
	Type             string            `json:"@type"`
	Name             string            `json:"id"`
	Version          string            `json:"version"`
	Title            string            `json:"title,omitempty"`
	Authors          string            `json:"authors"`
	Description      string            `json:"description"`
	Summary          string            `json:"summary"`
	Tags             string            `json:"tags"`
	Language         string            `json:"language,omitempty"`
	ProjectURL       string            `json:"projectUrl,omitempty"`
	LicenseURL       string            `json:"licenseUrl,omitempty"`
	License          string            `json:"licenseExpression,omitempty"`
	IconURL          string            `json:"iconUrl,omitempty"`
	ReadmeURL        string            `json:"readmeUrl,omitempty"`
	MinClient        string            `json:"minClientVersion,omitempty"`
	Listed           bool              `json:"listed"`
	Published        string            `json:"published"`
	Accept           bool              `json:"requireLicenseAcceptance"`
	PackageContent   string            `json:"packageContent"`
	Hash             string            `json:"packageHash,omitempty"`
	HashAlgorithm    string            `json:"packageHashAlgorithm,omitempty"`
	Size             int64             `json:"packageSize"`
	DependencyGroups []dependencyGroup `json:"dependencyGroups,omitempty"`
}

type dependencyGroup struct {
	ID           string            `json:"@id"`
	Type         string            `json:"@type"`
	Framework    string            `json:"targetFramework,omitempty"`
	Dependencies []shownDependency `json:"dependencies,omitempty"`
}

type shownDependency struct {
	ID           string `json:"@id"`
	Type         string `json:"@type"`
	Name         string `json:"id"`
	Range        string `json:"range"`
	Registration string `json:"registration"`
}

// registration answers with all versions of a package, or the pages that they are
// on.
func (NuGet) registration(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	base := baseOf(c)
	return serve(w, r, c, "registration "+base, func(all []*entry) (any, error) {
		at := registrationOf(base, all[0])
		index := registrationIndex{ID: at + "index.json", Type: []string{"catalog:CatalogRoot", "PackageRegistration", "catalog:Permalink"}}
		if len(all) <= inlined {
			page := newPage(base, all, true)
			page.ID = at + "index.json#page/" + page.Lower + "/" + page.Upper
			index.Items = append(index.Items, page)
		} else {
			for start := 0; start < len(all); start += pageSize {
				index.Items = append(index.Items, newPage(base, all[start:min(start+pageSize, len(all))], false))
			}
		}
		index.Count = len(index.Items)
		return index, nil
	})
}

// page answers with one page of a registration that is cut into some. What is no
// page now was none, or has moved with a publish; the index has its new address.
func (NuGet) page(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	lower, err := versionKey(c.Arg("lower"))
	if err != nil {
		return err
	}
	upper, err := versionKey(c.Arg("upper"))
	if err != nil {
		return err
	}
	base := baseOf(c)
	return serve(w, r, c, "page "+lower+" "+upper+" "+base, func(all []*entry) (any, error) {
		first, last := at(all, lower), at(all, upper)
		if first < 0 || last < first || last-first >= pageSize {
			return nil, errAbsent()
		}
		return newPage(base, all[first:last+1], true), nil
	})
}

func at(all []*entry, key string) int {
	for i, e := range all {
		if e.key == key {
			return i
		}
	}
	return -1
}

// leaf answers with one version.
func (NuGet) leaf(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	key, err := versionKey(c.Arg("version"))
	if err != nil {
		return err
	}
	base := baseOf(c)
	return serve(w, r, c, "leaf "+key+" "+base, func(all []*entry) (any, error) {
		i := at(all, key)
		if i < 0 {
			return nil, errAbsent()
		}
		return newLeaf(base, all[i]), nil
	})
}

func registrationOf(base string, e *entry) string {
	return base + "/metadata/" + strings.ToLower(e.manifest.ID) + "/"
}

func downloadOf(base string, e *entry) string {
	return base + "/download/" + strings.ToLower(e.manifest.ID) + "/" + e.key + "/"
}

func newPage(base string, all []*entry, full bool) registrationPage {
	at := registrationOf(base, all[0])
	page := registrationPage{Type: "catalog:CatalogPage", Count: len(all), Lower: all[0].key, Upper: all[len(all)-1].key, Parent: at + "index.json"}
	page.ID = at + "page/" + page.Lower + "/" + page.Upper + ".json"
	if full {
		for _, e := range all {
			page.Items = append(page.Items, newLeaf(base, e))
		}
	}
	return page
}

func newLeaf(base string, e *entry) registrationLeaf {
	m, at := e.manifest, registrationOf(base, e)
	below := downloadOf(base, e)
	leaf := registrationLeaf{
		ID: at + e.key + ".json", Type: "Package", Listed: e.listed, Published: e.published.UTC().Format(timeLayout),
		PackageContent: below + fileName(strings.ToLower(m.ID), e.key, packageEnding), Registration: at + "index.json",
	}
	summary := m.Summary
	if summary == "" {
		summary = m.Description
	}
	leaf.CatalogEntry = catalogEntry{
		ID: leaf.ID, Type: "PackageDetails", Name: m.ID, Version: e.version.full(), Title: m.Title, Authors: m.Authors,
		Description: m.Description, Summary: summary, Tags: m.Tags, Language: m.Language, ProjectURL: m.ProjectURL,
		LicenseURL: m.LicenseURL, License: m.License, IconURL: m.IconURL, MinClient: m.MinClient, Listed: e.listed,
		Published: leaf.Published, Accept: m.AcceptLicense, PackageContent: leaf.PackageContent, Hash: e.hash, Size: e.size,
	}
	shown := &leaf.CatalogEntry
	if e.hash != "" {
		shown.HashAlgorithm = "SHA512"
	}
	if m.IconFile != "" {
		shown.IconURL = below + "icon"
	}
	if m.LicenseFile != "" {
		shown.LicenseURL = below + "license"
	}
	if m.ReadmeFile != "" {
		shown.ReadmeURL = below + "readme"
	}
	for _, g := range m.Groups {
		group := dependencyGroup{ID: leaf.ID + "#dependencygroup", Type: "PackageDependencyGroup", Framework: g.Framework}
		if g.Framework != "" {
			group.ID += "/" + strings.ToLower(g.Framework)
		}
		for _, d := range g.Dependencies {
			key := strings.ToLower(d.ID)
			group.Dependencies = append(group.Dependencies, shownDependency{
				ID: group.ID + "/" + key, Type: "PackageDependency", Name: d.ID, Range: d.Range, Registration: base + "/metadata/" + key + "/index.json",
			})
		}
		shown.DependencyGroups = append(shown.DependencyGroups, group)
	}
	return leaf
}
