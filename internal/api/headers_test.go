package api

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

type here struct{}

func (here) Named(string) (packhouse.Target, string, bool)                  { return packhouse.Target{}, "", false }
func (here) Below(*format.Call, string) registry.Source                     { return registry.Nothing{} }
func (here) Flag(*format.Call, string) bool                                 { return false }
func (here) In(*format.Call, int64, authz.Action) (*registry.Hosted, error) { return nil, nil }
func (here) Explain(packhouse.Actor, string, *url.URL) format.Explanation {
	return format.Explanation{}
}
func (here) Decide(_ *format.Call, t packhouse.Target, _ authz.Action) (packhouse.Target, error) {
	return t, nil
}
func (here) Base() *url.URL    { return &url.URL{Scheme: "https", Host: "pkgs.example.net"} }
func (here) ImageHost() string { return "pkgs.example.net" }

// Of a list of more than 10,000 clients are not told how many there are, nor
// which page is the last, and they still find the next one.
func TestTotalIsOmitted(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		page, total                 int
		next, prev, totals, allRels string
	}{
		{1, 0, "", "", "0 1", "first last"},
		{1, 10_000, "2", "", "10000 100", "next first last"},
		{100, 10_000, "", "99", "10000 100", "prev first last"},
		{101, 10_000, "", "100", "10000 100", "prev first last"}, // past the end
		{1, 10_001, "2", "", " ", "next first"},
		{100, 10_001, "101", "99", " ", "prev next first"},
		{101, 10_001, "", "100", " ", "prev first"},
	} {
		call := format.NewCall(nil, here{}, nil)
		q := &request{Request: httptest.NewRequest("GET", "/api/v4/x?a=b", nil), Call: &call, header: http.Header{}}
		q.pageHeaders(test.page, 100, test.total)
		var rels []string
		for part := range strings.SplitSeq(q.header.Get("Link"), ", ") {
			_, rel, _ := strings.Cut(part, `rel="`)
			rels = append(rels, strings.TrimSuffix(rel, `"`))
		}
		got := q.header.Get("X-Total") + " " + q.header.Get("X-Total-Pages")
		if got != test.totals || q.header.Get("X-Next-Page") != test.next || q.header.Get("X-Prev-Page") != test.prev || strings.Join(rels, " ") != test.allRels {
			t.Errorf("page %d of %d: %v", test.page, test.total, q.header)
		}
	}
}
