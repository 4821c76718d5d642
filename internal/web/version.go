package web

import (
	"html/template"
	"net/http"
	"strconv"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/store"
)

// Bounds of the page of a version.
const (
	shownFiles    = 100
	shownVersions = 50
)

// clientTexts are the snippets of one client.
type clientTexts struct {
	Client string
	Texts  []format.Snippet
}

type fileRow struct {
	packhouse.File
	Link string
}

type versionRow struct {
	Number, Link string
	At           time.Time
	Current      bool
	Tags         []string
}

// versionPage is what the page of a version shows.
type versionPage struct {
	Kind, Name, Number string
	By                 string
	At                 time.Time
	Pipeline           *packhouse.Pipeline
	Downloaded         time.Time
	About              about
	Readme             template.HTML
	Clients            []clientTexts
	Files              []fileRow
	FileCount          int
	Versions           []versionRow
	VersionCount       int
	Tags               []string
	Size               int64
	API                string
}

// id reads a parameter of the path that is an id.
func (q *request) id(name, missing string) (int64, error) {
	n, err := strconv.ParseInt(q.Arg(name), 10, 64)
	if err != nil || n < 1 {
		return 0, packhouse.Errorf(packhouse.NotFound, "%s", missing)
	}
	return n, nil
}

// version shows one version of a package.
func (p *Protocol) version(q *request) error {
	id, err := q.id("package_id", "404 Package Not Found")
	if err != nil {
		return err
	}
	var v *packhouse.Version
	data := versionPage{}
	err = p.Store.View(q.Context(), func(tx *store.Tx) error {
		if v, err = tx.Version(q.Context(), q.Target.ID, id); err != nil {
			return err
		}
		if v.Status != packhouse.StatusDefault { // as the API has it
			return packhouse.Errorf(packhouse.NotFound, "404 Package Not Found")
		}
		files, total, err := tx.Files(q.Context(), id, store.Page{Limit: shownFiles})
		if err != nil {
			return err
		}
		data.addFiles(q, files, total)
		data.Downloaded, err = tx.LastDownload(q.Context(), id)
		return err
	})
	if err != nil {
		return err
	}
	data.Kind, data.Name, data.Number, data.At, data.Pipeline, data.By = v.Package.Format, v.Package.Name, v.Number, v.CreatedAt, v.Pipeline, p.publisher(v)
	data.About = aboutOf(v.Metadata)
	data.Readme = readme(data.About.text())
	if err := data.addVersions(q, v); err != nil {
		return err
	}
	data.Clients = p.clients(q, v, data.Files)
	crumbs := append(p.crumbs(q), crumb{Name: "Packages", Link: q.tabs("")[1].Link})
	return p.show(q, "version", frame{
		Title: data.Name + " " + data.Number, Crumbs: crumbs, Tabs: q.tabs("Packages"), Data: data,
		API: "/api/v4/projects/" + itoa(q.Target.ID) + "/packages/" + itoa(id),
	})
}

func (d *versionPage) addFiles(q *request, files []packhouse.File, total int) {
	d.FileCount = total
	at := placeLink(q.Base().EscapedPath(), q.Target) + "/-/package_files/"
	for _, f := range files {
		d.Files = append(d.Files, fileRow{f, at + itoa(f.ID) + "/download"})
		d.Size += f.Size
	}
}

// addVersions adds the newest versions of the package, and what tags point to them.
func (d *versionPage) addVersions(q *request, v *packhouse.Version) error {
	listing, err := q.Source.Package(q.Context(), v.Package.Format, v.Package.Key)
	if packhouse.KindOf(err) == packhouse.NotFound {
		return nil // removed since
	}
	if err != nil {
		return err
	}
	tags := map[int64][]string{}
	for _, t := range listing.Tags {
		tags[t.VersionID] = append(tags[t.VersionID], t.Name)
	}
	d.Tags = tags[v.ID]
	at := placeLink(q.Base().EscapedPath(), q.Target) + "/-/packages/"
	for i := len(listing.Releases) - 1; i >= 0; i-- {
		one := &listing.Releases[i].Version
		if one.Status != packhouse.StatusDefault {
			continue
		}
		if d.VersionCount++; len(d.Versions) < shownVersions {
			d.Versions = append(d.Versions, versionRow{one.Number, at + itoa(one.ID), one.CreatedAt, one.ID == v.ID, tags[one.ID]})
		}
	}
	return nil
}

// clients are the texts to copy, by client.
func (p *Protocol) clients(q *request, v *packhouse.Version, files []fileRow) (list []clientTexts) {
	top, _, _ := strings.Cut(q.Target.Path, "/")
	place := format.SnippetPlace{
		Base: strings.TrimSuffix(q.Base().String(), "/"), ProjectID: q.Target.ID, Group: top, Package: v.Package.Name, Version: v.Number,
	}
	if len(files) > 0 {
		place.File = files[0].Path
	}
	at := map[string]int{}
	for _, s := range p.Snippets(v.Package.Format, place) {
		i, known := at[s.Client]
		if !known {
			i = len(list)
			at[s.Client], list = i, append(list, clientTexts{Client: s.Client})
		}
		list[i].Texts = append(list[i].Texts, s)
	}
	return list
}

// download answers with a file.
func (p *Protocol) download(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	q := &request{Call: c, Request: r, w: w}
	id, err := q.id("file_id", "404 File Not Found")
	if err != nil {
		return err
	}
	var version int64
	err = p.Store.View(r.Context(), func(tx *store.Tx) (err error) {
		version, err = tx.VersionOfFile(r.Context(), id)
		return err
	})
	if err != nil {
		return err
	}
	content, err := p.Registry.OpenFile(r.Context(), c.Target.ID, version, id)
	if err != nil {
		return err
	}
	defer content.Close()
	w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'")
	return format.ServeFile(w, r, content)
}
