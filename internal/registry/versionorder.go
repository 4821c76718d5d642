package registry

import (
	"cmp"
	"strings"
)

// The order of version numbers across formats, for cleanups: numbers by value, and
// words that say "before the release" before nothing. It is what SemVer, PEP 440,
// NuGet and Maven have in common; where they differ it is near enough to say which
// versions are the newest.

// before are the words that stand before a release, in their order.
var before = map[string]int{
	"dev": -9, "nightly": -9, "canary": -9, "next": -9, "edge": -9, "experimental": -9, "snapshot": -3, "alpha": -8, "a": -8, "beta": -7, "b": -7, "preview": -6, "pre": -6,
	"milestone": -5, "m": -5, "rc": -4, "c": -4, "cr": -4,
}

// after are the words that mean the release itself or what follows it.
var after = map[string]int{"final": 0, "ga": 0, "release": 0, "sp": 2, "post": 2, "rev": 2, "r": 2}

// compareNumbers orders two version numbers: less than 0 when a is older. It is a
// total order of spellings: two that mean the same are ordered by letter.
func compareNumbers(a, b string) int {
	x, y := partsOf(a), partsOf(b)
	for i := range max(len(x), len(y)) {
		if c := partAt(x, i).compare(partAt(y, i)); c != 0 {
			return c
		}
	}
	return strings.Compare(a, b)
}

// prerelease reports whether a number is of something before a release, by a word
// that is known to say so: in some formats others follow the release (31.1-jre).
func prerelease(number string) bool {
	for _, p := range partsOf(number) {
		if p.rank < unknownBefore {
			return true
		}
	}
	return false
}

// numberPart is a run of digits, which has rank 1, or a word.
type numberPart struct {
	rank  int
	value string // digits without leading zeros, or a word that has no rank of its own
}

// partAt is a part, or what an end of the number counts as.
func partAt(parts []numberPart, i int) numberPart {
	if i < len(parts) {
		return parts[i]
	}
	return numberPart{}
}

func (p numberPart) compare(q numberPart) int {
	return cmp.Or(cmp.Compare(p.rank, q.rank), cmp.Compare(len(p.value)*digits(p), len(q.value)*digits(q)), strings.Compare(p.value, q.value))
}

// digits is 1 for a run of digits, of which a longer one is more.
func digits(p numberPart) int {
	if p.rank == 1 {
		return 1
	}
	return 0
}

// partsOf cuts a number into runs of digits and words. What follows a plus sign is
// about the build, and not of the order. A zero at the end of a run of numbers
// counts as none: 1.0 is 1.
func partsOf(number string) (parts []numberPart) {
	number, _, _ = strings.Cut(strings.ToLower(number), "+")
	number = strings.TrimPrefix(number, "v")
	for len(number) > 0 {
		var run string
		dash := number[0] == '-'
		number = strings.TrimLeft(number, ".-_~")
		if run, number = cutRun(number); run == "" {
			continue
		}
		parts = append(parts, partOf(run, dash))
	}
	return parts
}

// unknownBefore is the rank of what may be before a release.
const unknownBefore = -2

// partOf makes a part of a run. A word that nobody knows stands before the release
// when a dash leads it, as in SemVer, and after it otherwise.
func partOf(run string, dash bool) numberPart {
	if isDigit(run[0]) {
		value := strings.TrimLeft(run, "0")
		if value == "" {
			return numberPart{}
		}
		return numberPart{1, value}
	}
	if rank, ok := before[run]; ok {
		return numberPart{rank: rank}
	}
	if rank, ok := after[run]; ok {
		return numberPart{rank: rank}
	}
	if dash {
		return numberPart{unknownBefore, run}
	}
	return numberPart{3, run}
}

// cutRun cuts off what is all digits, or has none and no separator.
func cutRun(s string) (run, rest string) {
	if s == "" {
		return "", ""
	}
	i := 1
	for i < len(s) && isDigit(s[i]) == isDigit(s[0]) && !strings.ContainsRune(".-_~", rune(s[i])) {
		i++
	}
	return s[:i], s[i:]
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
