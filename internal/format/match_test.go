package format

import (
	"slices"
	"testing"
)

func TestMatch(t *testing.T) {
	for _, test := range []struct {
		pattern, path string
		want          Args
		ok            bool
	}{
		{"/", "/", nil, true},
		{"/", "/a", nil, false},
		{"/files", "/files", nil, true},
		{"/files", "/files/", nil, true},
		{"/files/", "/files/", nil, true},
		{"/files/", "/files", nil, false},
		{"/files", "/Files", nil, false},
		{"/files", "/file", nil, false},
		{"/{name}/{version}/{path...}", "/n/1/a/b/c", Args{{"name", "n"}, {"version", "1"}, {"path", "a/b/c"}}, true},
		{"/{name}/{version}/{path...}", "/n/1/a%2Fb", Args{{"name", "n"}, {"version", "1"}, {"path", "a/b"}}, true},
		{"/{name}/{version}/{path...}", "/n/1", nil, false},
		{"/{name...}/-/{file}", "/@scope/name/-/f.tgz", Args{{"name", "@scope/name"}, {"file", "f.tgz"}}, true},
		{"/{name...}/-/{file}", "/@scope%2fname/-/f.tgz", Args{{"name", "@scope/name"}, {"file", "f.tgz"}}, true},
		{"/{name...}/-/{file}", "/a/-/-/f", Args{{"name", "a/-"}, {"file", "f"}}, true},
		{"/{name...}/-/{file}", "/-/f", nil, false},
		{"/{name...}/-/{file}", "/a/f", nil, false},
		{"/{module...}/@v/{v}.info", "/example.org/m/@v/v1.0.0.info", Args{{"module", "example.org/m"}, {"v", "v1.0.0"}}, true},
		{"/{module...}/@v/{v}.info", "/m/@v/.info", nil, false},
		{"/{module...}/@v/{v}.info", "/m/@v/v1.mod", nil, false},
		{"/-/{a...}", "/-/x/y", Args{{"a", "x/y"}}, true},
		{"/a%2Fb", "/a%2Fb", nil, false}, // a literal is text, not an encoding
	} {
		pattern, err := Compile(test.pattern)
		if err != nil {
			t.Fatalf("Compile(%q): %v", test.pattern, err)
		}
		path, err := ParsePath(test.path)
		if err != nil {
			t.Fatalf("ParsePath(%q): %v", test.path, err)
		}
		args, ok := pattern.Match(path, nil)
		if ok != test.ok || ok && !slices.Equal(args, test.want) {
			t.Errorf("Match(%q, %q) = %v, %v, want %v, %v", test.pattern, test.path, args, ok, test.want, test.ok)
		}
	}
}

func TestCompileRefuses(t *testing.T) {
	for _, pattern := range []string{
		"", "a", "//", "/a//b", "/{", "/{}", "/{a", "/a}", "/x{a}", "/{...}", "/{a...}.info", "/{a...}/{b...}", "/{a}{b}", "/{a}.{b}", "/{a}}",
	} {
		if p, err := Compile(pattern); err == nil {
			t.Errorf("Compile(%q) = %+v, want an error", pattern, p)
		}
	}
}
