package nuget

import (
	"iter"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// Limits on a search.
const (
	defaultHits = 20
	maxHits     = 100
	maxSkip     = 10_000
	maxQuery    = 1024 // bytes
)

// question is what a search asks for.
type question struct {
	words      []string
	skip, take int
	prerelease bool
}

func parseQuestion(q url.Values) (question, error) {
	text := strings.ToLower(q.Get("q"))
	if len(text) > maxQuery {
		return question{}, packhouse.InvalidParam("q", "is invalid")
	}
	ask := question{words: strings.Fields(text), take: defaultHits, prerelease: !strings.EqualFold(q.Get("prerelease"), "false")}
	for _, one := range []struct {
		name string
		into *int
		min  int
	}{{"skip", &ask.skip, 0}, {"take", &ask.take, 1}} {
		if q.Get(one.name) == "" {
			continue
		}
		n, err := strconv.ParseUint(q.Get(one.name), 10, 31)
		if err != nil || int(n) < one.min || one.name == "skip" && n > maxSkip {
			return ask, packhouse.InvalidParam(one.name, "does not have a valid value")
		}
		*one.into = int(n)
	}
	ask.take = min(ask.take, maxHits)
	return ask, nil
}

// hit is a package that a search found, with the versions that it may show.
type hit struct {
	newest *entry
	all    []*entry
}

// find answers a question. Packages are found by their ids, in the order of these;
// the names of all are kept in memory until one is added or removed.
func find(r *http.Request, c *format.Call, ask question) (hits []hit, total int, err error) {
	keys, err := allKeys(r, c)
	if err != nil {
		return nil, 0, err
	}
	for key := range strings.SplitSeq(keys, "\n") {
		if key == "" || !matches(key, ask.words) {
			continue
		}
		if total++; len(hits) >= ask.take {
			continue
		}
		l, err := c.Source.Package(r.Context(), name, key)
		if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
			return nil, 0, err
		}
		var one hit
		if err == nil {
			one = shownOf(entriesOf(l), ask.prerelease)
		}
		if one.newest == nil {
			total--
			continue
		}
		if total > ask.skip {
			hits = append(hits, one)
		}
	}
	return hits, total, nil
}

func shownOf(all []*entry, prerelease bool) hit {
	h := hit{newest: newest(all, prerelease)}
	for _, e := range all {
		if e.listed && (prerelease || !e.version.prerelease()) {
			h.all = append(h.all, e)
		}
	}
	return h
}

// allKeys lists the keys of all packages, a line each.
func allKeys(r *http.Request, c *format.Call) (string, error) {
	d, err := c.Source.Catalog(r.Context(), name, "keys", func(all iter.Seq2[packhouse.Package, error]) (*registry.Document, error) {
		var keys []string
		for p, err := range all {
			if err != nil {
				return nil, err
			}
			keys = append(keys, p.Key)
		}
		slices.Sort(keys)
		return registry.NewDocument("text/plain", []byte(strings.Join(slices.Compact(keys), "\n"))), nil
	})
	if err != nil {
		return "", err
	}
	return string(d.Body), nil
}

// matches reports whether an id has all words in it. "packageid:x" asks for exactly
// one id; other words with a colon ask for what is not kept here.
func matches(key string, words []string) bool {
	for _, word := range words {
		kind, value, ok := strings.Cut(word, ":")
		switch {
		case ok && kind == "packageid":
			if key != value {
				return false
			}
		case ok && kind == "id":
			if !strings.Contains(key, value) {
				return false
			}
		case !ok && !strings.Contains(key, word):
			return false
		}
	}
	return true
}

type searchResult struct {
	ID           string          `json:"@id"`
	Type         string          `json:"@type"`
	Registration string          `json:"registration"`
	Name         string          `json:"id"`
	Version      string          `json:"version"`
	Title        string          `json:"title"`
	Description  string          `json:"description"`
	Summary      string          `json:"summary"`
	Authors      string          `json:"authors"`
	Tags         string          `json:"tags"`
	ProjectURL   string          `json:"projectUrl,omitempty"`
	LicenseURL   string          `json:"licenseUrl,omitempty"`
	IconURL      string          `json:"iconUrl,omitempty"`
	Downloads    int             `json:"totalDownloads"`
	Verified     bool            `json:"verified"`
	Types        []packageType   `json:"packageTypes"`
	Versions     []searchVersion `json:"versions"`
}

type packageType struct {
	Name string `json:"name"`
}

type searchVersion struct {
	ID        string `json:"@id"`
	Version   string `json:"version"`
	Downloads int    `json:"downloads"`
}

// search finds packages: nuget search, and the pages of IDEs.
func (NuGet) search(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	ask, err := parseQuestion(r.URL.Query())
	if err != nil {
		return err
	}
	hits, total, err := find(r, c, ask)
	if err != nil {
		return err
	}
	base := baseOf(c)
	data := []searchResult{}
	for _, h := range hits {
		data = append(data, h.result(base))
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{"totalHits": total, "data": data})
	return nil
}

func (h hit) result(base string) searchResult {
	m, leaf := h.newest.manifest, newLeaf(base, h.newest)
	shown := &leaf.CatalogEntry
	one := searchResult{
		ID: leaf.Registration, Type: "Package", Registration: leaf.Registration, Name: m.ID, Version: shown.Version, Title: m.Title,
		Description: m.Description, Summary: shown.Summary, Authors: m.Authors, Tags: m.Tags, ProjectURL: m.ProjectURL,
		LicenseURL: shown.LicenseURL, IconURL: shown.IconURL, Verified: true, Types: []packageType{},
	}
	if one.Title == "" {
		one.Title = m.ID
	}
	for _, t := range m.Types {
		one.Types = append(one.Types, packageType{t})
	}
	if len(one.Types) == 0 {
		one.Types = append(one.Types, packageType{"Dependency"})
	}
	for _, e := range h.all {
		one.Versions = append(one.Versions, searchVersion{ID: registrationOf(base, e) + e.key + ".json", Version: e.version.full()})
	}
	return one
}

// autocomplete completes an id, or lists the versions of one.
func (NuGet) autocomplete(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	query := r.URL.Query()
	ask, err := parseQuestion(query)
	if err != nil {
		return err
	}
	data := []string{}
	if id := query.Get("id"); id != "" {
		key, err := idKey(id)
		if err != nil {
			return err
		}
		l, err := c.Source.Package(r.Context(), name, key)
		if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
			return err
		}
		if err == nil {
			for _, e := range shownOf(entriesOf(l), ask.prerelease).all {
				data = append(data, e.version.String())
			}
		}
		format.WriteJSON(w, http.StatusOK, map[string]any{"totalHits": len(data), "data": data})
		return nil
	}
	hits, total, err := find(r, c, ask)
	if err != nil {
		return err
	}
	for _, h := range hits {
		data = append(data, h.newest.manifest.ID)
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{"totalHits": total, "data": data})
	return nil
}
