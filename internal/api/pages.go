package api

import (
	"fmt"
	"net/url"
	"strings"

	"packhouse"
)

// Bounds of GitLab's offset pages.
const (
	defaultPerPage = 20
	maxPerPage     = 100
	maxOffset      = 50_000
	// maxTotal is how many rows a list may have to be counted for its clients.
	maxTotal = 10_000
)

// window reads page and per_page.
func (q *request) window() (page, perPage int, err error) {
	p, err := q.params.number("page", 1)
	if err != nil {
		return 0, 0, err
	}
	n, err := q.params.number("per_page", defaultPerPage)
	if err != nil {
		return 0, 0, err
	}
	if p < 1 {
		return 0, 0, packhouse.InvalidParam("page", "does not have a valid value")
	}
	if n < 1 {
		return 0, 0, packhouse.InvalidParam("per_page", "does not have a valid value")
	}
	n = min(n, maxPerPage)
	if p > maxOffset/n+1 {
		e := packhouse.Errorf(packhouse.NotAllowed, "Offset pagination has a maximum allowed offset of %d for requests that return objects", maxOffset)
		e.Fix = "narrow the list with filters"
		return 0, 0, e
	}
	return int(p), int(n), nil
}

// page answers with a part of a list that is in memory.
func (q *request) page(total int, item func(i int) any) (any, error) {
	page, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	q.pageHeaders(page, perPage, total)
	list := []any{}
	for i := (page - 1) * perPage; i < total && i < page*perPage; i++ {
		list = append(list, item(i))
	}
	return list, nil
}

// pageHeaders tells a client where in a list it is, and the addresses of the
// other pages. They repeat the request's filters and have no commas or
// semicolons, at which client-go would split them.
func (q *request) pageHeaders(page, perPage, total int) {
	pages := max(1, (total+perPage-1)/perPage)
	set := func(name, value string) { q.header["X-"+name] = []string{value} }
	set("Page", fmt.Sprint(page))
	set("Per-Page", fmt.Sprint(perPage))
	set("Next-Page", "")
	set("Prev-Page", "")
	var links []string
	link := func(rel string, to int) {
		links = append(links, fmt.Sprintf(`<%s>; rel="%s"`, q.pageLink(to, perPage), rel))
	}
	if page > 1 {
		set("Prev-Page", fmt.Sprint(page-1))
		link("prev", page-1)
	}
	if page < pages {
		set("Next-Page", fmt.Sprint(page+1))
		link("next", page+1)
	}
	link("first", 1)
	if total <= maxTotal {
		set("Total", fmt.Sprint(total))
		set("Total-Pages", fmt.Sprint(pages))
		link("last", pages)
	}
	q.header["Link"] = []string{strings.Join(links, ", ")}
}

// openHeaders is pageHeaders for a list that nobody counts.
func (q *request) openHeaders(page, perPage int, more bool) {
	set := func(name, value string) { q.header["X-"+name] = []string{value} }
	set("Page", fmt.Sprint(page))
	set("Per-Page", fmt.Sprint(perPage))
	set("Next-Page", "")
	set("Prev-Page", "")
	links := []string{fmt.Sprintf(`<%s>; rel="first"`, q.pageLink(1, perPage))}
	if page > 1 {
		set("Prev-Page", fmt.Sprint(page-1))
		links = append(links, fmt.Sprintf(`<%s>; rel="prev"`, q.pageLink(page-1, perPage)))
	}
	if more {
		set("Next-Page", fmt.Sprint(page+1))
		links = append(links, fmt.Sprintf(`<%s>; rel="next"`, q.pageLink(page+1, perPage)))
	}
	q.header["Link"] = []string{strings.Join(links, ", ")}
}

// keysetHeaders gives the address of the next page of a list in keyset order,
// which differs in what mark sets. GitLab gives nothing else there.
func (q *request) keysetHeaders(perPage int, more bool, mark func(url.Values)) {
	if !more {
		return
	}
	link := q.linkWith(func(v url.Values) {
		v.Set("pagination", "keyset")
		v.Set("per_page", fmt.Sprint(perPage))
		v.Del("page")
		mark(v)
	})
	q.header["Link"] = []string{fmt.Sprintf(`<%s>; rel="next"`, link)}
}

func (q *request) pageLink(page, perPage int) string {
	return q.linkWith(func(v url.Values) {
		v.Set("page", fmt.Sprint(page))
		v.Set("per_page", fmt.Sprint(perPage))
	})
}

// linkWith is the address of the request, with its query changed and without
// credentials.
func (q *request) linkWith(change func(url.Values)) string {
	query := url.Values{}
	for name, values := range q.URL.Query() {
		if !strings.HasSuffix(name, "_token") {
			query[name] = values
		}
	}
	change(query)
	u := *q.Base()
	u.Path, u.RawPath = u.Path+q.URL.Path, ""
	if raw := q.URL.EscapedPath(); raw != q.URL.Path {
		u.RawPath = q.Base().EscapedPath() + raw
	}
	u.RawQuery = query.Encode()
	return u.String()
}
