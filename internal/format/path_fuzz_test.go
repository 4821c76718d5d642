package format

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"packhouse"
)

// What passes is decoded once, can be written down again, and holds nothing that
// anybody could read as another place.
func FuzzParsePath(f *testing.F) {
	for _, s := range []string{
		"/", "/a", "/a/", "/a%2Fb/c", "//", "/..", "/%2e%2e/a", "/a%2f..%2fb", "/%252e", `/a\b`, "/%5c", "/%00", "/%zz", "/%c0%ae", "/a%2f", "/é", "a", "",
		"/api/v4/projects/acme%2Ftools/packages/generic/n/1.0/d%2Ff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, escaped string) {
		p, err := ParsePath(escaped)
		if err != nil {
			if packhouse.KindOf(err) != packhouse.Invalid {
				t.Fatalf("ParsePath(%q): %v is no Invalid", escaped, err)
			}
			return
		}
		var again strings.Builder
		for _, segment := range p.Segments {
			if strings.ContainsAny(segment, "\\\x00\r\n") {
				t.Fatalf("ParsePath(%q): segment %q", escaped, segment)
			}
			for part := range strings.SplitSeq(segment, "/") {
				if part == "" || part == "." || part == ".." {
					t.Fatalf("ParsePath(%q): segment %q has the part %q", escaped, segment, part)
				}
			}
			again.WriteString("/" + url.PathEscape(segment))
		}
		if p.Slash {
			again.WriteString("/")
		}
		q, err := ParsePath(again.String())
		// Encoding makes a path longer, maybe too long.
		if again.Len() <= maxPath && (err != nil || !slices.Equal(q.Segments, p.Segments) || q.Slash != p.Slash) {
			t.Fatalf("ParsePath(%q) = %q, written again as %q = %q, %v", escaped, p.Segments, again.String(), q.Segments, err)
		}
	})
}

// Match loses nothing and invents nothing: what it took apart, put together
// again, is the path.
func FuzzMatch(f *testing.F) {
	for _, pattern := range []string{"/", "/a", "/a/", "/{a}", "/{a...}", "/{a...}/-/{b}", "/x/{a}.info", "/{a}/{b}/{c...}", "/{", "/{a...}/{b...}", ""} {
		for _, path := range []string{"/", "/a", "/a/", "/x/y.info", "/a/b/c/d", "/@s%2fn/-/f", "/a/-/-/b"} {
			f.Add(pattern, path)
		}
	}
	f.Fuzz(func(t *testing.T, pattern, escaped string) {
		compiled, err := Compile(pattern)
		if err != nil {
			return
		}
		path, err := ParsePath(escaped)
		if err != nil {
			return
		}
		args, ok := compiled.Match(path, nil)
		if !ok {
			return
		}
		var parts []string
		for _, s := range compiled.segments {
			value := s.text
			if s.name != "" {
				value, args = args[0].Value+s.text, args[1:]
			}
			parts = append(parts, value)
		}
		if len(args) != 0 || strings.Join(parts, "/") != strings.Join(path.Segments, "/") || compiled.slash && !path.Slash {
			t.Fatalf("Match(%q, %q) = %q", pattern, escaped, parts)
		}
	})
}
