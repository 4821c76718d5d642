package packhouse_test

import (
	"testing"

	"packhouse"
)

func TestMatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "a", true},
		{"a", "ab", false},
		{"*", "", true},
		{"*", "a/b", true},
		{"@acme/*", "@acme/button", true},
		{"@acme/*", "@acme2/button", false},
		{"@acme/*", "x@acme/button", false},
		{"a*a", "a", false}, // the two ends do not share a character
		{"a*a", "aa", true},
		{"a*b*c", "abbc", true},
		{"a*b*c", "acb", false},
		{"**", "x", true},
		{"v*", "v1", true},
		{"v*", "refs/v1", false},
		{"a.c", "abc", false},
		{"*ab*ab", "ab", false},
		{"*ab*ab", "abab", true},
	} {
		if got := packhouse.Matches(test.pattern, test.text); got != test.want {
			t.Errorf("Matches(%q, %q) = %v, want %v", test.pattern, test.text, got, test.want)
		}
	}
}
