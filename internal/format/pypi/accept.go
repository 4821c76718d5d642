package pypi

import (
	"strconv"
	"strings"
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
			q := quality(params)
			if known && (q > weight || q == weight && q > 0 && rank[chosen] > rank[best]) {
				best, weight = chosen, q
			}
		}
	}
	return best
}

// quality reads the weight of a media type (RFC 9110, 12.4.2).
func quality(params string) float64 {
	for one := range strings.SplitSeq(params, ";") {
		name, value, _ := strings.Cut(one, "=")
		if !strings.EqualFold(strings.TrimSpace(name), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
