package nuget

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// feedPage is how many entries an answer of the old feed has; the next ones are
// linked.
const feedPage = 100

// feedQuery is a call of the old feed: OData as far as clients use it. Options that
// are not known are passed over.
type feedQuery struct {
	function   string // "Packages", "FindPackagesById", "Search"
	id         string // "" for all
	version    string // "" for all
	term       string
	latest     bool // the newest of each package alone
	prerelease bool
	skip, top  int
	one        bool // one entry and no feed
}

var (
	callPattern    = regexp.MustCompile(`^(Packages|FindPackagesById|Search)(?:\((.*)\))?$`)
	keyPattern     = regexp.MustCompile(`^Id='((?:[^']|'')*)', *Version='((?:[^']|'')*)'$`)
	idFilter       = regexp.MustCompile(`(?i)(?:tolower\( *Id *\)|\bId) +eq +'((?:[^']|'')*)'`)
	versionFilter  = regexp.MustCompile(`(?i)\b(?:Normalized)?Version +eq +'((?:[^']|'')*)'`)
	absoluteFilter = regexp.MustCompile(`\bIsAbsoluteLatestVersion\b`)
	latestFilter   = regexp.MustCompile(`\bIsLatestVersion\b`)
)

func parseFeed(call string, q url.Values) (f feedQuery, err error) {
	m := callPattern.FindStringSubmatch(call)
	if m == nil {
		return f, errAbsent()
	}
	f = feedQuery{function: m[1], prerelease: true, top: feedPage}
	if m[2] != "" {
		k := keyPattern.FindStringSubmatch(m[2])
		if k == nil || f.function != "Packages" {
			return f, badFeed("the call")
		}
		f.id, f.version, f.one = unquote(k[1]), unquote(k[2]), true
		return f, f.check()
	}
	filter := q.Get("$filter")
	if len(filter) > maxQuery || len(q.Get("searchTerm")) > maxQuery {
		return f, badFeed("a parameter")
	}
	f.latest = absoluteFilter.MatchString(filter)
	if latestFilter.MatchString(filter) {
		f.latest, f.prerelease = true, false
	}
	switch f.function {
	case "FindPackagesById":
		if f.id = unquoted(q.Get("id")); f.id == "" {
			return f, badFeed("id")
		}
	case "Search":
		f.term = strings.ToLower(unquoted(q.Get("searchTerm")))
		f.prerelease = strings.EqualFold(q.Get("includePrerelease"), "true")
	}
	if m := idFilter.FindStringSubmatch(filter); m != nil && f.id == "" {
		f.id = unquote(m[1])
	}
	if m := versionFilter.FindStringSubmatch(filter); m != nil {
		f.version = unquote(m[1])
	}
	for _, one := range []struct {
		name string
		into *int
		most int
	}{{"$skip", &f.skip, maxSkip}, {"$top", &f.top, feedPage}} {
		if q.Get(one.name) == "" {
			continue
		}
		n, err := strconv.ParseUint(q.Get(one.name), 10, 31)
		if err != nil {
			return f, badFeed(one.name)
		}
		*one.into = min(int(n), one.most)
	}
	return f, f.check()
}

// check normalises the id and the version.
func (f *feedQuery) check() (err error) {
	if f.id != "" || f.one {
		if f.id, err = idKey(f.id); err != nil {
			return err
		}
	}
	if f.version != "" || f.one {
		f.version, err = versionKey(f.version)
	}
	return err
}

func badFeed(what string) error {
	return packhouse.Errorf(packhouse.Invalid, "%s does not have a valid value", what)
}

func unquote(s string) string { return strings.ReplaceAll(s, "''", "'") }

// unquoted takes a string of OData with or without its quotes.
func unquoted(s string) string {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return unquote(s[1 : len(s)-1])
	}
	return s
}

// entries finds what a call is about. more says that there is a next page.
func (f *feedQuery) entries(r *http.Request, c *format.Call) (list []feedEntry, total int, err error) {
	if f.id == "" {
		return f.searched(r, c)
	}
	l, err := c.Source.Package(r.Context(), name, f.id)
	if err != nil {
		if packhouse.KindOf(err) == packhouse.NotFound && !f.one {
			err = nil
		}
		return nil, 0, err
	}
	all := marked(l)
	for i := range all {
		e := &all[i]
		if f.version != "" && e.key != f.version || f.latest && !e.isLatest(f.prerelease) || !f.prerelease && e.version.prerelease() {
			continue
		}
		if total++; total > f.skip && len(list) < f.top {
			list = append(list, *e)
		}
	}
	if f.one && len(list) == 0 {
		return nil, 0, errAbsent()
	}
	return list, total, nil
}

// searched lists the newest version of each package.
func (f *feedQuery) searched(r *http.Request, c *format.Call) (list []feedEntry, total int, err error) {
	hits, total, err := find(r, c, question{words: strings.Fields(f.term), skip: f.skip, take: f.top, prerelease: f.prerelease})
	for _, h := range hits {
		list = append(list, feedEntry{entry: h.newest, latest: !h.newest.version.prerelease(), absolute: true})
	}
	return list, total, err
}

// feedEntry is a version with what only the old feed says of it.
type feedEntry struct {
	*entry
	latest, absolute bool // the newest one without a prerelease, of all
}

func (e *feedEntry) isLatest(prerelease bool) bool {
	if prerelease {
		return e.absolute
	}
	return e.latest
}

func marked(l *registry.Listing) []feedEntry {
	all := entriesOf(l)
	stable, any := newest(all, false), newest(all, true)
	list := make([]feedEntry, 0, len(all))
	for _, e := range all {
		list = append(list, feedEntry{entry: e, latest: e == stable, absolute: e == any})
	}
	return list
}

// feed answers a call of the old feed. What matches nothing is an empty feed; one
// version that is asked for by its key is an entry, or absent.
func (NuGet) feed(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	f, err := parseFeed(c.Arg("call"), r.URL.Query())
	if err != nil {
		return err
	}
	list, total, err := f.entries(r, c)
	if err != nil {
		return err
	}
	x := newFeed(baseOf(c))
	if f.one {
		x.entry(&list[0], true)
		writeXML(w, r, "application/atom+xml;type=entry;charset=utf-8", x.Bytes())
		return nil
	}
	next := ""
	if end := f.skip + len(list); len(list) > 0 && end < total && end < maxSkip {
		query := r.URL.Query()
		query.Set("$skip", strconv.Itoa(end))
		next = baseOf(c) + "/v2/" + f.function + "()?" + query.Encode()
	}
	x.feed(f.function, list, total, next)
	writeXML(w, r, "application/atom+xml;type=feed;charset=utf-8", x.Bytes())
	return nil
}

// feedCount answers with how many entries a call has.
func (NuGet) feedCount(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	f, err := parseFeed(c.Arg("call"), r.URL.Query())
	if err != nil {
		return err
	}
	_, total, err := f.entries(r, c)
	if err != nil {
		return err
	}
	writeXML(w, r, "text/plain;charset=utf-8", []byte(strconv.Itoa(total)))
	return nil
}

// feedDownload serves a package by the link of its entry.
func (NuGet) feedDownload(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	key, number, err := named(c)
	if err != nil {
		return err
	}
	return serveFile(w, r, c, key, number, packageEnding)
}

// feedService answers with the service document of the old feed.
func (NuGet) feedService(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	writeXML(w, r, "application/xml;charset=utf-8", []byte(xmlHead+`<service xmlns="http://www.w3.org/2007/app" xmlns:atom="http://www.w3.org/2005/Atom" xml:base="`+
		escape(baseOf(c)+"/v2")+`"><workspace><atom:title type="text">Default</atom:title><collection href="Packages"><atom:title type="text">Packages</atom:title></collection></workspace></service>`))
	return nil
}

// feedSchema answers with the schema, in which clients look for Search.
func (NuGet) feedSchema(w http.ResponseWriter, r *http.Request, _ *format.Call) error {
	writeXML(w, r, "application/xml;charset=utf-8", []byte(feedSchema))
	return nil
}

func writeXML(w http.ResponseWriter, r *http.Request, mediaType string, body []byte) {
	w.Header().Set("Dataserviceversion", "2.0;")
	format.ServeDocument(w, r, registry.NewDocument(mediaType, body))
}
