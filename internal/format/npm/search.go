package npm

import (
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// Limits on a search.
const (
	defaultHits = 20
	maxHits     = 250
	maxQuery    = 1024 // bytes
)

// search finds packages by their names: npm search. Every word has to be part of
// the name; the search is over all names, which are kept in memory until one is
// added or removed.
func (NPM) search(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	query := r.URL.Query()
	words := strings.Fields(strings.ToLower(query.Get("text")))
	if len(query.Get("text")) > maxQuery {
		return packhouse.InvalidParam("text", "is invalid")
	}
	size, err := number(query.Get("size"), defaultHits)
	if err != nil {
		return packhouse.InvalidParam("size", "is invalid")
	}
	skip, err := number(query.Get("from"), 0)
	if err != nil {
		return packhouse.InvalidParam("from", "is invalid")
	}
	names, err := allNames(r, c)
	if err != nil {
		return err
	}
	answer := searchAnswer{Objects: []hit{}, Time: stamp(time.Now())}
	for name := range strings.SplitSeq(names, "\n") {
		if !matches(name, words, c.Target.Level == packhouse.Instance) {
			continue
		}
		answer.Total++
		if answer.Total <= skip || len(answer.Objects) >= min(size, maxHits) {
			continue
		}
		v, _, err := viewOf(r, c, name)
		if packhouse.KindOf(err) == packhouse.NotFound && err != nil {
			answer.Total--
			continue
		}
		if err != nil {
			return err
		}
		one, err := v.hit(r, c)
		if err != nil {
			return err
		}
		answer.Objects = append(answer.Objects, one)
	}
	format.WriteJSON(w, http.StatusOK, answer)
	return nil
}

func number(text string, otherwise int) (int, error) {
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}

// allNames lists the names of all packages, a line each.
func allNames(r *http.Request, c *format.Call) (string, error) {
	d, err := c.Source.Catalog(r.Context(), "npm", "names", func(all iter.Seq2[packhouse.Package, error]) (*registry.Document, error) {
		var names []string
		for p, err := range all {
			if err != nil {
				return nil, err
			}
			names = append(names, p.Name)
		}
		slices.Sort(names)
		return registry.NewDocument("text/plain", []byte(strings.Join(slices.Compact(names), "\n"))), nil
	})
	if err != nil {
		return "", err
	}
	return string(d.Body), nil
}

// matches reports whether a name has all words in it. Words such as "scope:acme"
// ask for a scope; others with a colon ask for what is not kept here.
func matches(name string, words []string, scoped bool) bool {
	scope, _ := splitScope(name)
	if name == "" || scoped && scope == "" {
		return false
	}
	lower := strings.ToLower(name)
	for _, word := range words {
		if kind, value, ok := strings.Cut(word, ":"); ok {
			if kind == "scope" && !strings.EqualFold(scope, strings.TrimPrefix(value, "@")) {
				return false
			}
			continue
		}
		if !strings.Contains(lower, word) {
			return false
		}
	}
	return true
}

// searchAnswer is what npm search reads.
type searchAnswer struct {
	Objects []hit  `json:"objects"`
	Total   int    `json:"total"`
	Time    string `json:"time"`
}

type hit struct {
	Package struct {
		Name        string              `json:"name"`
		Scope       string              `json:"scope"`
		Version     string              `json:"version"`
		Description string              `json:"description"`
		Keywords    []string            `json:"keywords"`
		Date        string              `json:"date"`
		Links       map[string]string   `json:"links"`
		Publisher   map[string]string   `json:"publisher"`
		Maintainers []map[string]string `json:"maintainers"`
	} `json:"package"`
	Score struct {
		Final  float64            `json:"final"`
		Detail map[string]float64 `json:"detail"`
	} `json:"score"`
	SearchScore float64 `json:"searchScore"`
}

// hit describes a package by its latest version.
func (v *view) hit(r *http.Request, c *format.Call) (h hit, err error) {
	shown := v.byKey[withoutBuild(v.tags[latest])]
	from, err := source(c, v.name)
	if err != nil {
		return h, err
	}
	metadata, err := from.Metadata(r.Context(), shown.release)
	if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
		return h, err
	}
	a := &about{}
	if metadata != nil {
		if a, err = readAbout(metadata); err != nil {
			return h, err
		}
	}
	p := &h.Package
	p.Name, p.Version, p.Description, p.Date = v.name, shown.entry.number, a.Manifest.text("description"), stamp(v.modified())
	if p.Scope, _ = splitScope(v.name); p.Scope == "" {
		p.Scope = "unscoped"
	}
	p.Keywords = a.Manifest.list("keywords")
	p.Links = map[string]string{"npm": baseOf(r, c) + v.name}
	if home := a.Manifest.text("homepage"); home != "" {
		p.Links["homepage"] = home
	}
	p.Publisher, p.Maintainers = map[string]string{"username": a.Publisher}, []map[string]string{}
	if a.Publisher != "" {
		p.Maintainers = append(p.Maintainers, map[string]string{"username": a.Publisher})
	}
	h.Score.Final, h.SearchScore = 1, 1
	h.Score.Detail = map[string]float64{"quality": 1, "popularity": 1, "maintenance": 1}
	return h, nil
}
