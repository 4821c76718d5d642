package pypi

import (
	"bytes"
	"cmp"
	"html"
	"iter"
	"net/http"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// apiVersion is that of the simple repository API, in both forms.
const apiVersion = "1.4"

// page lists the files of one project.
func (PyPI) page(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	key, err := normalise(c.Arg("name"))
	if err != nil {
		return err
	}
	mediaType, base := chooseType(r.Header["Accept"]), baseOf(c)
	w.Header().Set("Vary", "Accept")
	d, err := c.Source.Document(r.Context(), "pypi", key, mediaType+" "+base, func(l *registry.Listing) (*registry.Document, error) {
		p := newPage(key, l)
		if len(p.links) == 0 {
			return nil, errAbsent()
		}
		if mediaType == typeJSON {
			return registry.NewDocument(mediaType, p.json(base)), nil
		}
		return registry.NewDocument(mediaType, p.html(base)), nil
	})
	if err != nil {
		return err
	}
	format.ServeDocument(w, r, d)
	return nil
}

// index lists the names of all projects.
func (PyPI) index(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	mediaType, base := chooseType(r.Header["Accept"]), baseOf(c)
	w.Header().Set("Vary", "Accept")
	d, err := c.Source.Catalog(r.Context(), "pypi", mediaType+" "+base, func(all iter.Seq2[packhouse.Package, error]) (*registry.Document, error) {
		var keys []string
		for p, err := range all {
			if err != nil {
				return nil, err
			}
			keys = append(keys, p.Key)
		}
		slices.Sort(keys)
		keys = slices.Compact(keys)
		if mediaType == typeJSON {
			return registry.NewDocument(mediaType, indexJSON(keys)), nil
		}
		return registry.NewDocument(mediaType, indexHTML(keys, base)), nil
	})
	if err != nil {
		return err
	}
	format.ServeDocument(w, r, d)
	return nil
}

// baseOf is the address that links begin with. They stay in the project or group
// that was asked, so that the same credential fits.
func baseOf(c *format.Call) string {
	return strings.TrimSuffix(c.Base().String(), "/") + c.Mount() + "/"
}

// page is a project page before it has a form.
type page struct {
	key      string
	versions []version
	links    []link
}

// newPage collects what can be downloaded, by version and file name. Of files of
// one name in several projects the newest is listed.
func newPage(key string, l *registry.Listing) *page {
	p := &page{key: key}
	releases := make([]*entry, 0, len(l.Releases))
	newest := map[string]int64{}
	for _, release := range l.Releases {
		e, ok := release.Entry.(*entry)
		if !ok || release.Version.Status != packhouse.StatusDefault {
			continue
		}
		releases = append(releases, e)
		for i := range e.links {
			name := strings.ToLower(e.links[i].name)
			newest[name] = max(newest[name], e.links[i].id)
		}
	}
	slices.SortStableFunc(releases, func(a, b *entry) int { return a.version.compare(b.version) })
	for len(releases) > 0 {
		v, first := releases[0].version, len(p.links)
		for len(releases) > 0 && releases[0].version.compare(v) == 0 {
			for _, one := range releases[0].links {
				if newest[strings.ToLower(one.name)] == one.id {
					p.links = append(p.links, one)
				}
			}
			releases = releases[1:]
		}
		if len(p.links) > first {
			p.versions = append(p.versions, v)
			slices.SortFunc(p.links[first:], func(a, b link) int { return cmp.Compare(a.name, b.name) })
		}
	}
	return p
}

func (p *page) html(base string) []byte {
	var b bytes.Buffer
	base = html.EscapeString(base)
	writeHead(&b, "Links for "+p.key)
	b.WriteString("<h1>Links for " + p.key + "</h1>\n")
	for i := range p.links {
		b.WriteString("<a ")
		if p.links[i].provenance {
			b.WriteString(`data-provenance="` + base + p.links[i].path + provenanceEnding + `" `)
		}
		b.WriteString(`href="` + base + p.links[i].path + p.links[i].htmlRest)
	}
	b.WriteString("</body></html>\n")
	return b.Bytes()
}

func (p *page) json(base string) []byte {
	var b bytes.Buffer
	numbers := make([]string, 0, len(p.versions))
	for _, v := range p.versions {
		numbers = append(numbers, v.String())
	}
	b.WriteString(`{"meta":{"api-version":"` + apiVersion + `"},"name":"` + p.key + `","versions":`)
	b.Write(mustJSON(numbers))
	b.WriteString(`,"project-status":{"status":"active"},"files":[`)
	quoted := mustJSON(base)
	start := string(quoted[:len(quoted)-1])
	for i := range p.links {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteByte('{')
		if p.links[i].provenance {
			b.WriteString(`"provenance":` + start + p.links[i].path + provenanceEnding + `",`)
		}
		b.WriteString(`"url":` + start + p.links[i].path + p.links[i].jsonRest)
	}
	b.WriteString("]}\n")
	return b.Bytes()
}

func indexHTML(keys []string, base string) []byte {
	var b bytes.Buffer
	base = html.EscapeString(base)
	writeHead(&b, "Simple index")
	for _, key := range keys {
		b.WriteString(`<a href="` + base + `simple/` + key + `/">` + key + "</a><br>\n")
	}
	b.WriteString("</body></html>\n")
	return b.Bytes()
}

func indexJSON(keys []string) []byte {
	var b bytes.Buffer
	b.WriteString(`{"meta":{"api-version":"` + apiVersion + `"},"projects":[`)
	for i, key := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"name":"` + key + `"}`)
	}
	b.WriteString("]}\n")
	return b.Bytes()
}

func writeHead(b *bytes.Buffer, title string) {
	b.WriteString(`<!DOCTYPE html>` + "\n" + `<html><head><meta name="pypi:repository-version" content="` + apiVersion +
		`"><title>` + title + "</title></head><body>\n")
}
