package generic

import (
	"path"
	"strings"
	"testing"

	"packhouse"
)

// Whatever passes as a name, a version and a path is one part, or clean parts,
// of plain characters, so it stands in a URL and a header as it is.
func FuzzNames(f *testing.F) {
	for _, s := range []string{
		"", ".", "..", "...", "a", "A.b_c-d+e", "1.2.3", "1..2", "v1/2", "a/b/c", "a//b", "/a", "a/", "../a", "a/../b", "a/./b", "~a", "a~", "a~b", "@", "a@b",
		"a b", "a\x00b", "a\nb", "a\\b", "a%2fb", "é", "\xff", strings.Repeat("a", 255), strings.Repeat("a", 256), strings.Repeat("a/", 512), ".well-known/x",
	} {
		f.Add(s)
	}
	naming := New().Naming()
	f.Fuzz(func(t *testing.T, s string) {
		for what, check := range map[string]func(string) (string, error){"name": naming.Package, "version": naming.Version} {
			key, err := check(s)
			switch {
			case err != nil && packhouse.KindOf(err) != packhouse.Invalid:
				t.Errorf("%s %q: %v is no Invalid", what, s, err)
			case err == nil && (key != s || !plain(s, "") || len(s) > 255 || s == "." || s == ".."):
				t.Errorf("%s %q passes as %q", what, s, key)
			case err == nil && what == "version" && strings.Contains(s, ".."):
				t.Errorf("version %q passes", s)
			}
		}
		err := checkFile(s)
		if err != nil && packhouse.KindOf(err) != packhouse.Invalid {
			t.Errorf("file %q: %v is no Invalid", s, err)
		}
		if err == nil && (path.Clean("/"+s) != "/"+s || s == "" || strings.HasPrefix(s, "/") || !plain(s, "/~@") || len(s) > 1024) {
			t.Errorf("file %q passes", s)
		}
	})
}

// plain says with another algorithm what only does.
func plain(s, more string) bool {
	return s != "" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-+"+more) == ""
}
