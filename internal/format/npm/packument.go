package npm

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// latest is the tag that a client means who names none.
const latest = "latest"

// The forms of a packument, by media type.
const (
	typeFull  = "application/json"
	typeShort = "application/vnd.npm.install-v1+json"
)

// packument serves the document of a package, or the manifest of one version.
func (NPM) packument(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, rest, err := splitPath(c.Arg("name"))
	if err != nil {
		return err
	}
	from, err := source(c, name)
	if err != nil {
		return err
	}
	w.Header().Set("Vary", "Accept")
	if rest != "" {
		return oneVersion(w, r, c, from, name, rest)
	}
	full, base, hidden := !wantsShort(r.Header["Accept"]), baseOf(r, c), c.Target.Level == packhouse.Project
	mediaType := typeShort
	if full {
		mediaType = typeFull
	}
	d, err := from.Document(r.Context(), "npm", name, mediaType+" "+base, func(l *registry.Listing) (*registry.Document, error) {
		v := newView(name, l, hidden)
		if len(v.versions) == 0 {
			return nil, errNotFound()
		}
		body, err := v.render(r.Context(), from, base, full)
		if err != nil {
			return nil, err
		}
		return registry.NewDocument(mediaType, body), nil
	})
	if err != nil {
		return notFound(err)
	}
	format.ServeDocument(w, r, d)
	return nil
}

// oneVersion serves a manifest, by the number or the tag of its version.
func oneVersion(w http.ResponseWriter, r *http.Request, c *format.Call, from registry.Source, name, which string) error {
	l, err := from.Package(r.Context(), "npm", name)
	if err != nil {
		return notFound(err)
	}
	v := newView(name, l, c.Target.Level == packhouse.Project)
	number := which
	if tagged, ok := v.tags[which]; ok {
		number = tagged
	}
	p := v.byKey[withoutBuild(number)]
	if p == nil {
		return errNotFound()
	}
	var b bytes.Buffer
	p.entry.write(&b, baseOf(r, c), true)
	format.ServeDocument(w, r, registry.NewDocument(typeFull, b.Bytes()))
	return nil
}

// source is what a name is looked for in. The instance knows scopes that are the
// path of a top-level group or of a person, and finds what is below that.
func source(c *format.Call, name string) (registry.Source, error) {
	if c.Target.Level != packhouse.Instance {
		return c.Source, nil
	}
	scope, _ := splitScope(name)
	if scope == "" {
		e := errNotFound().(*packhouse.Error)
		e.Fix = "at the address of the whole instance the scope names a top-level group; ask a project or a group for " + name
		return nil, e
	}
	return c.Below(scope), nil
}

// baseOf is the address that links begin with. They stay in the project or group
// that was asked, written as it was, so that the same credential fits: clients
// compare the path that they have one for letter by letter.
func baseOf(r *http.Request, c *format.Call) string {
	asked, end := r.URL.EscapedPath(), 0
	for range strings.Count(c.Mount(), "/") {
		end++
		if next := strings.IndexByte(asked[end:], '/'); next >= 0 {
			end += next
		} else {
			end = len(asked)
		}
	}
	return strings.TrimSuffix(c.Base().String(), "/") + asked[:end] + "/"
}

// escapeName writes a name as one segment of a path.
func escapeName(name string) string { return url.PathEscape(name) }

// wantsShort reports whether a client would rather have the abbreviated form.
func wantsShort(accept []string) bool {
	short, full := -1.0, 0.0
	for _, line := range accept {
		for one := range strings.SplitSeq(line, ",") {
			kind, params, _ := strings.Cut(one, ";")
			switch q := format.Quality(params); strings.ToLower(strings.TrimSpace(kind)) {
			case typeShort:
				short = max(short, q)
			case typeFull:
				full = max(full, q)
			}
		}
	}
	return short > 0 && short >= full
}

// view is a package as one level shows it.
type view struct {
	name     string
	versions []*pick // oldest first
	byKey    map[string]*pick
	tags     map[string]string // numbers by name; always with latest
	revision string
}

// pick is the version that stands for its number. Of one number in several projects
// it is the newest, which a download finds as well.
type pick struct {
	release *registry.Release
	entry   *entry
}

// newView chooses what is shown. Hidden versions are shown by their project alone.
func newView(name string, l *registry.Listing, hidden bool) *view {
	v := &view{name: name, byKey: map[string]*pick{}, tags: map[string]string{}, revision: revisionOf(l)}
	for _, release := range l.Releases { // oldest first
		e, ok := release.Entry.(*entry)
		status := release.Version.Status
		if !ok || !status.Downloadable() || !hidden && status == packhouse.StatusHidden {
			continue
		}
		v.byKey[release.Version.Key] = &pick{release, e}
	}
	for _, release := range l.Releases {
		if p := v.byKey[release.Version.Key]; p != nil && p.release == release {
			v.versions = append(v.versions, p)
		}
	}
	for _, tag := range l.Tags {
		if release := l.Release(tag.VersionID); release != nil && v.byKey[release.Version.Key] != nil {
			v.tags[tag.Name] = v.byKey[release.Version.Key].entry.number
		}
	}
	if v.tags[latest] == "" {
		v.findLatest()
	}
	return v
}

// findLatest points latest at the highest release, else at the highest prerelease.
func (v *view) findLatest() {
	var best *entry
	for _, p := range v.versions {
		if best == nil || higher(p.entry.version, best.version) {
			best = p.entry
		}
	}
	if best != nil {
		v.tags[latest] = best.number
	}
}

// revisionOf names a state of a package: any change of it gives another.
func revisionOf(l *registry.Listing) string {
	h := sha256.New()
	newest := int64(0)
	for _, release := range l.Releases {
		why := ""
		if e, ok := release.Entry.(*entry); ok {
			why = e.deprecated
		}
		newest = max(newest, release.Version.ID)
		fmt.Fprintf(h, "%d %s %q\n", release.Version.ID, release.Version.Status, why)
	}
	for _, tag := range l.Tags {
		fmt.Fprintf(h, "%q %d\n", tag.Name, tag.Seq)
	}
	return strconv.FormatInt(newest, 10) + "-" + hex.EncodeToString(h.Sum(nil)[:8])
}

// modified is when what is shown changed last.
func (v *view) modified() time.Time {
	var last time.Time
	for _, p := range v.versions {
		for _, at := range []time.Time{p.release.Version.CreatedAt, p.entry.changed} {
			if at.After(last) {
				last = at
			}
		}
	}
	return last
}

// rootKeys are what a full document repeats of its latest version.
var rootKeys = []string{"description", "homepage", "keywords", "repository", "author", "bugs", "license", "contributors"}

func (v *view) render(ctx context.Context, from registry.Source, base string, full bool) ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	if full {
		fmt.Fprintf(&b, `"_id":%q,"_rev":%q,`, v.name, v.revision)
	}
	fmt.Fprintf(&b, `"name":%q,"dist-tags":%s,"versions":{`, v.name, mustJSON(v.tags))
	for i, p := range v.versions {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", p.entry.number)
		p.entry.write(&b, base, full)
	}
	b.WriteString(`},"time":`)
	v.writeTimes(&b)
	if !full {
		fmt.Fprintf(&b, `,"modified":%q}`, stamp(v.modified()))
		return b.Bytes(), nil
	}
	if err := v.writeRoot(ctx, &b, from); err != nil {
		return nil, err
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

func stamp(t time.Time) string { return t.UTC().Format(format.Time) }

// writeTimes says when versions were published. Clients that wait some days before
// they take a version need it.
func (v *view) writeTimes(b *bytes.Buffer) {
	created := slices.MinFunc(v.versions, func(a, b *pick) int {
		return a.release.Version.CreatedAt.Compare(b.release.Version.CreatedAt)
	})
	fmt.Fprintf(b, `{"created":%q,"modified":%q`, stamp(created.release.Version.CreatedAt), stamp(v.modified()))
	for _, p := range v.versions {
		fmt.Fprintf(b, `,%q:%q`, p.entry.number, stamp(p.release.Version.CreatedAt))
	}
	b.WriteByte('}')
}

// writeRoot writes what a full document says of the package by its latest version.
func (v *view) writeRoot(ctx context.Context, b *bytes.Buffer, from registry.Source) error {
	shown := v.byKey[withoutBuild(v.tags[latest])]
	metadata, err := from.Metadata(ctx, shown.release)
	gone := packhouse.KindOf(err) == packhouse.NotFound // deleted meanwhile; the next request sees it
	if err != nil && !gone {
		return err
	}
	if gone {
		return nil
	}
	a, err := readAbout(metadata)
	if err != nil {
		return err
	}
	for _, key := range rootKeys {
		if value, there := a.Manifest[key]; there {
			fmt.Fprintf(b, `,%q:%s`, key, value)
		}
	}
	fmt.Fprintf(b, `,"maintainers":%s,"readme":%s,"readmeFilename":%s`, mustJSON(people(a.Publisher)), mustJSON(a.Readme), mustJSON(a.ReadmeFile))
	return nil
}

func people(name string) []map[string]string {
	if name == "" {
		return []map[string]string{}
	}
	return []map[string]string{{"name": name}}
}
