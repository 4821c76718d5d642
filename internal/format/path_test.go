package format

import (
	"slices"
	"strings"
	"testing"

	"packhouse"
)

func TestParsePath(t *testing.T) {
	for _, test := range []struct {
		escaped string
		want    []string
		slash   bool
	}{
		{"/", nil, true},
		{"/a", []string{"a"}, false},
		{"/a/", []string{"a"}, true},
		{"/a/b.c/-/d", []string{"a", "b.c", "-", "d"}, false},
		{"/acme%2Ftools/f", []string{"acme/tools", "f"}, false},
		{"/acme%2ftools/f", []string{"acme/tools", "f"}, false},
		{"/@scope%2fname", []string{"@scope/name"}, false},
		{"/%41%2d%7E", []string{"A-~"}, false},
		{"/a+b", []string{"a+b"}, false},
		{"/a%2Bb%20c", []string{"a+b c"}, false},
		{"/a%25b", []string{"a%b"}, false},
		{"/%252e%252e", []string{"%2e%2e"}, false}, // decoded once: no dots yet
		{"/.../..a/a..", []string{"...", "..a", "a.."}, false},
		{"/.a", []string{".a"}, false},
		{"/%C3%A9", []string{"é"}, false},
		{"/%ff", []string{"\xff"}, false},
	} {
		p, err := ParsePath(test.escaped)
		if err != nil || !slices.Equal(p.Segments, test.want) || p.Slash != test.slash {
			t.Errorf("ParsePath(%q) = %q, slash %v, %v, want %q, slash %v", test.escaped, p.Segments, p.Slash, err, test.want, test.slash)
		}
	}
}

func TestParsePathRefuses(t *testing.T) {
	for _, escaped := range []string{
		"", "a", "*", "//", "//a", "/a//b", "/a//", "/.", "/..", "/./a", "/a/./b", "/a/..", "/../a", "/%2e", "/%2E%2e", "/.%2e/a", "/a%2f..%2fb", "/..%2fa",
		"/a%2f", "/%2fa", "/a%2f%2fb", "/%2f", "/a%2f.", "/a%2F%2e%2E", `/a\b`, "/a%5cb", "/%00", "/a%00", "/a%0ab", "/a%0d", "/%09", "/%1f", "/%7f", "/\x01",
		"/%", "/%2", "/%zz", "/a%", "/a%g0", "/%%", "/" + strings.Repeat("a", maxPath),
	} {
		p, err := ParsePath(escaped)
		if err == nil || packhouse.KindOf(err) != packhouse.Invalid {
			t.Errorf("ParsePath(%.80q) = %q, %v, want an Invalid", escaped, p.Segments, err)
		}
	}
}
