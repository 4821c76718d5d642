package format

import (
	"net/url"
	"strings"

	"packhouse"
)

// Path is the path of a request, split and decoded once. Nobody looks at the
// raw path after this.
type Path struct {
	Segments []string
	Slash    bool // it ended with a slash
}

// maxPath bounds the length of a path, in bytes as sent.
const maxPath = 8 << 10

// PathOf is ParsePath of a request's URL.
func PathOf(u *url.URL) (Path, error) {
	if u.RawPath == "" && len(u.Path) <= maxPath {
		// The path was written in the default encoding, which escapes no slash
		// (see url.URL), so splitting what it decoded to gives the same segments.
		return splitPath(u.Path, func(segment string) (string, error) { return segment, nil })
	}
	if u.RawPath != "" {
		return ParsePath(u.RawPath)
	}
	return ParsePath(u.EscapedPath())
}

// ParsePath splits an escaped path at its slashes and decodes each segment
// exactly once. A segment may decode to text with slashes ("acme%2Flib" is one
// segment, and one name). What could climb out of where it belongs, or be read
// differently by somebody else, is refused as packhouse.Invalid: an empty part,
// ".", "..", a backslash, a NUL or other control character, a bad escape.
func ParsePath(escaped string) (Path, error) {
	if len(escaped) > maxPath {
		return Path{}, packhouse.Errorf(packhouse.Invalid, "400 Bad request - the path is longer than %d bytes", maxPath)
	}
	return splitPath(escaped, func(raw string) (string, error) {
		if strings.IndexByte(raw, '%') < 0 {
			return raw, nil
		}
		segment, err := url.PathUnescape(raw)
		if err != nil {
			return "", badPath("has a broken percent-encoding")
		}
		return segment, nil
	})
}

// splitPath splits a path and decodes and checks its segments.
func splitPath(path string, decode func(string) (string, error)) (p Path, err error) {
	rest, ok := strings.CutPrefix(path, "/")
	if !ok {
		return p, badPath("does not begin with a slash")
	}
	if rest == "" {
		p.Slash = true
		return p, nil
	}
	rest, p.Slash = strings.CutSuffix(rest, "/")
	p.Segments = make([]string, 0, strings.Count(rest, "/")+1)
	for more := true; more; {
		var segment string
		segment, rest, more = strings.Cut(rest, "/")
		if segment, err = decode(segment); err != nil {
			return p, err
		}
		if err := checkSegment(segment); err != nil {
			return p, err
		}
		p.Segments = append(p.Segments, segment)
	}
	return p, nil
}

// checkSegment looks at what a segment decoded to, part by part where that
// holds slashes.
func checkSegment(s string) error {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c == 0x7f || c == '\\' {
			return badPath("has a control character or backslash")
		}
	}
	for more := true; more; {
		var part string
		part, s, more = strings.Cut(s, "/")
		switch part {
		case "":
			return badPath("has an empty part")
		case ".", "..":
			return badPath("has a part that is . or ..")
		}
	}
	return nil
}

func badPath(problem string) error {
	return &packhouse.Error{Kind: packhouse.Invalid, Rule: "path", Message: "400 Bad request - the path " + problem}
}
