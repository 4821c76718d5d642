package registry

import (
	"testing"

	"pgregory.net/rapid"
)

func TestVersionOrder(t *testing.T) {
	for _, list := range [][]string{
		{"1.0.0-alpha.1", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.9.0", "1.10.0", "2.0.0-canary.1", "2.0.0"},
		{"1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.1"},
		{"1.0-alpha-1", "1.0-beta-1", "1.0-m2", "1.0-rc1", "1.0-SNAPSHOT", "1.0", "1.0-sp", "1.1"},
		{"v1.2.3", "v1.2.10", "v1.20.0", "20260101", "20260102"},
	} {
		for i := range list {
			for j := range list {
				if got := compareNumbers(list[i], list[j]); (got < 0) != (i < j) || (got > 0) != (i > j) {
					t.Errorf("compareNumbers(%q, %q) = %d", list[i], list[j], got)
				}
			}
		}
	}
	for number, want := range map[string]bool{"1.0-SNAPSHOT": true, "1.0rc1": true, "1.0.0-canary.4": true, "1.0": false, "31.1-jre": false, "1.0.post1": false, "1.0.0+beta": false} {
		if got := prerelease(number); got != want {
			t.Errorf("prerelease(%q) = %v, want %v", number, got, want)
		}
	}
}

// The order is a total one, whatever is published.
func TestVersionOrderIsTotal(t *testing.T) {
	number := rapid.OneOf(rapid.StringMatching(`v?[0-9]{0,2}([.-]?(0|00|1|10|a|b|rc|SNAPSHOT|x|sp|\+x)){0,4}`), rapid.String())
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := number.Draw(t, "a"), number.Draw(t, "b"), number.Draw(t, "c")
		ab, ba, bc, ac := compareNumbers(a, b), compareNumbers(b, a), compareNumbers(b, c), compareNumbers(a, c)
		if ab*ba > 0 || (ab == 0) != (a == b) || ab < 0 && bc < 0 && ac >= 0 {
			t.Fatalf("order of %q, %q, %q: %d %d %d %d", a, b, c, ab, ba, bc, ac)
		}
	})
}
