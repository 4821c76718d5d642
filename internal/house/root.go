package house

import (
	"net/http"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/web"
)

// root joins the protocols that are mounted at the root of the host into one.
type root []format.Protocol

// rootOf joins protocols; those that are nil are left out.
func rootOf(protocols ...format.Protocol) root {
	var r root
	for _, p := range protocols {
		if p != nil {
			r = append(r, p)
		}
	}
	return r
}

// Routes implements format.Protocol.
func (r root) Routes() []format.Route {
	var all []format.Route
	for _, p := range slices.Backward(r) { // who comes to the root itself gets the pages
		all = append(all, p.Routes()...)
	}
	return all
}

// WriteError implements format.Protocol: in the shape of the protocol that has
// the path, else as a page for who reads pages, else in that of the first.
func (r root) WriteError(w http.ResponseWriter, q *http.Request, e *packhouse.Error) {
	shape := r[0]
	for _, p := range r {
		if pages, ok := p.(*web.Protocol); ok && web.WantsPage(q) {
			shape = pages
		}
	}
	for _, p := range r {
		for _, route := range p.Routes() {
			fixed, _, _ := strings.Cut(route.Path, "{")
			if route.Level == packhouse.Instance && fixed != "/" && strings.HasPrefix(q.URL.Path, fixed) {
				shape = p
			}
		}
	}
	shape.WriteError(w, q, e)
}
