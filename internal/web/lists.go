package web

import (
	"net/url"
	"slices"
	"strconv"
	"time"

	"packhouse"
	"packhouse/internal/store"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// packageRow is a version in a list.
type packageRow struct {
	Kind, Name, Number, Link string
	Status                   packhouse.Status
	Project, ProjectLink     string
	By                       string
	At                       time.Time
	Pipeline                 *packhouse.Pipeline
}

func (p *Protocol) rows(q *request, versions []packhouse.Version) (list []packageRow) {
	for i := range versions {
		v := &versions[i]
		home := packhouse.Target{Level: packhouse.Project, ID: v.Package.ProjectID}
		home.Path = p.Directory.PathOf(home)
		row := packageRow{
			Kind: v.Package.Format, Name: v.Package.Name, Number: v.Number, Status: v.Status, At: v.CreatedAt, Pipeline: v.Pipeline,
			Project: home.Path, ProjectLink: placeLink(q.Base().EscapedPath(), home), By: p.publisher(v),
		}
		if v.Status == packhouse.StatusDefault {
			row.Link = row.ProjectLink + "/-/packages/" + itoa(v.ID)
		}
		list = append(list, row)
	}
	return list
}

// publisher is the name of who published a version; "" for a deploy token.
func (p *Protocol) publisher(v *packhouse.Version) string {
	if u := p.Directory.User(v.CreatorID); u != nil {
		return u.Username
	}
	return ""
}

func (p *Protocol) versionsAfter(q *request, f store.VersionFilter, page store.KeysetPage) (list []packhouse.Version, err error) {
	err = p.Store.View(q.Context(), func(tx *store.Tx) (err error) {
		list, err = tx.VersionsAfter(q.Context(), f, page)
		return err
	})
	return list, err
}

// filter is what a list is narrowed to, as its form has it.
type filter struct {
	Name, Kind, Version, Status, Sort string
	Kinds, Statuses                   []string
}

// statuses are what can be chosen.
var statuses = []string{"default", "hidden", "error"}

func (p *Protocol) filter(q *request) (filter, error) {
	v := q.URL.Query()
	f := filter{
		Name: v.Get("q"), Kind: v.Get("type"), Version: v.Get("version"), Status: v.Get("status"), Sort: v.Get("sort"),
		Kinds: p.Formats, Statuses: statuses,
	}
	for _, one := range []struct {
		name, value string
		known       []string
	}{{"status", f.Status, statuses}, {"sort", f.Sort, []string{"asc", "desc"}}} {
		if one.value != "" && !slices.Contains(one.known, one.value) {
			return f, packhouse.InvalidParam(one.name, "does not have a valid value")
		}
	}
	if len(f.Name)+len(f.Kind)+len(f.Version) > 1000 {
		return f, packhouse.InvalidParam("q", "is too long")
	}
	return f, nil
}

// position is where in a list a page is: from an id on, or up to one.
type position struct{ after, back int64 }

func (q *request) position() (at position, err error) {
	for name, into := range map[string]*int64{"after": &at.after, "back": &at.back} {
		text := q.URL.Query().Get(name)
		if text == "" {
			continue
		}
		if *into, err = strconv.ParseInt(text, 10, 64); err != nil || *into < 1 {
			return at, packhouse.InvalidParam(name, "does not have a valid value")
		}
	}
	return at, nil
}

// page finds the rows of a page, and whether there are some before and after it.
func (p *Protocol) page(q *request, f store.VersionFilter, at position, down bool) (list []packhouse.Version, before, after bool, err error) {
	window := store.KeysetPage{After: at.after, Limit: pageRows + 1, Descending: down}
	if at.back > 0 {
		window.After, window.Descending = at.back, !down
	}
	list, err = p.versionsAfter(q, f, window)
	more := len(list) > pageRows
	list = list[:min(len(list), pageRows)]
	if at.back > 0 {
		slices.Reverse(list)
		return list, more, true, err
	}
	return list, at.after > 0, more, err
}

// with is the address of the page with its query changed.
func (q *request) with(changes ...string) string {
	v := url.Values{}
	for _, name := range []string{"q", "type", "version", "status", "sort"} {
		if value := q.URL.Query().Get(name); value != "" {
			v.Set(name, value)
		}
	}
	for i := 0; i < len(changes); i += 2 {
		v.Set(changes[i], changes[i+1])
	}
	return "?" + v.Encode()
}

// packages lists the versions of a project, or those that the reader may read of a
// group or of all.
func (p *Protocol) packages(q *request) error {
	f, err := p.filter(q)
	if err != nil {
		return err
	}
	at, err := q.position()
	if err != nil {
		return err
	}
	wanted := store.VersionFilter{ProjectIDs: p.readable(q), Format: f.Kind, Name: f.Name, Number: f.Version}
	if f.Status != "" {
		wanted.Statuses = []packhouse.Status{packhouse.Status(f.Status)}
	}
	versions, before, after, err := p.page(q, wanted, at, f.Sort != "asc")
	if err != nil {
		return err
	}
	var data struct {
		Filter                 filter
		Rows                   []packageRow
		Previous, Next         string
		Wide, Narrowed         bool
		PreviousText, NextText string
	}
	data.Filter, data.Rows, data.Wide = f, p.rows(q, versions), q.Target.Level != packhouse.Project
	data.Narrowed = f.Name+f.Kind+f.Version+f.Status != "" || at != position{}
	data.PreviousText, data.NextText = "Newer", "Older"
	if f.Sort == "asc" {
		data.PreviousText, data.NextText = "Older", "Newer"
	}
	if before && len(versions) > 0 {
		data.Previous = q.with("back", itoa(versions[0].ID))
	}
	if after && len(versions) > 0 {
		data.Next = q.with("after", itoa(versions[len(versions)-1].ID))
	}
	page := frame{Title: "Packages", Query: f.Name, Data: data}
	if q.Target.Level != packhouse.Instance {
		page.Title, page.Crumbs, page.Tabs, page.Query = "Packages · "+q.Target.Path, p.crumbs(q), q.tabs("Packages"), ""
		page.API = "/api/v4/" + q.Target.Level.String() + "s/" + itoa(q.Target.ID) + "/packages"
	}
	return p.show(q, "packages", page)
}
