package h1

import "testing"

// FuzzSameAsNetHTTP sends anything to both servers. The seeds are the table of
// TestSameAsNetHTTP, so a mutation starts from something that means something.
func FuzzSameAsNetHTTP(f *testing.F) {
	for i, tc := range cases() {
		if i%5 == 0 && len(tc.raw) < 1000 {
			f.Add(tc.raw)
		}
	}
	p := newPair(f)
	f.Fuzz(func(t *testing.T, raw string) { p.compare(t, raw) })
}
