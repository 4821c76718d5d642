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

// ParsePath splits an escaped path at its slashes and decodes each segment
// exactly once. A segment may decode to text with slashes ("acme%2Flib" is one
// segment, and one name). What could climb out of where it belongs, or be read
// differently by somebody else, is refused as packhouse.Invalid: an empty part,
// ".", "..", a backslash, a NUL or other control character, a bad escape.
func ParsePath(escaped string) (Path, error) {
	var p Path
	if len(escaped) > maxPath {
		return p, packhouse.Errorf(packhouse.Invalid, "400 Bad request - the path is longer than %d bytes", maxPath)
	}
	rest, ok := strings.CutPrefix(escaped, "/")
	if !ok {
		return p, badPath("does not begin with a slash")
	}
	if rest == "" {
		p.Slash = true
		return p, nil
	}
	rest, p.Slash = strings.CutSuffix(rest, "/")
	p.Segments = make([]string, 0, strings.Count(rest, "/")+1)
	for raw := range strings.SplitSeq(rest, "/") {
		segment := raw
		if strings.IndexByte(raw, '%') >= 0 {
			var err error
			if segment, err = url.PathUnescape(raw); err != nil {
				return p, badPath("has a broken percent-encoding")
			}
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
	for part := range strings.SplitSeq(s, "/") {
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
