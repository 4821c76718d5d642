package pypi

import (
	"strings"

	"packhouse/internal/format"
)

// The forms of a document (PEP 691), by media type.
const (
	typeText = "text/html; charset=utf-8"
	typeHTML = "application/vnd.pypi.simple.v1+html"
	typeJSON = "application/vnd.pypi.simple.v1+json"
)

// acceptable are the media types that clients ask for.
var acceptable = map[string]string{
	"text/html": typeText, "text/*": typeText, "*/*": typeText,
	typeHTML: typeHTML, "application/vnd.pypi.simple.latest+html": typeHTML,
	typeJSON: typeJSON, "application/vnd.pypi.simple.latest+json": typeJSON, "application/*": typeJSON,
}

// chooseType finds the form that a client likes best. Of forms that it likes as
// much, JSON wins over HTML and HTML over what any browser takes. Where nothing
// fits it is HTML, which every client reads.
func chooseType(accept []string) string {
	best, weight := typeText, 0.0
	rank := map[string]int{typeJSON: 2, typeHTML: 1}
	for _, line := range accept {
		for one := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(one, ";")
			chosen, known := acceptable[strings.ToLower(strings.TrimSpace(name))]
			q := format.Quality(params)
			if known && (q > weight || q == weight && q > 0 && rank[chosen] > rank[best]) {
				best, weight = chosen, q
			}
		}
	}
	return best
}
