package policy_test

import (
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/policy"
)

func TestTrust(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		trust   *packhouse.Trust
		pkg     string
		refused string // part of the message; "" when it passes
	}{
		{"no job", nil, "x", ""},
		{"all", &packhouse.Trust{}, "x", ""},
		{"format", &packhouse.Trust{Formats: []string{"pypi", "npm"}}, "x", ""},
		{"another format", &packhouse.Trust{Formats: []string{"pypi"}}, "x", "publishes packages of pypi, not of npm"},
		{"name", &packhouse.Trust{Packages: "@acme/*"}, "@acme/x", ""},
		{"name in another case", &packhouse.Trust{Packages: "@Acme/*"}, "@ACME/x", ""},
		{"another name", &packhouse.Trust{Packages: "@acme/*"}, "@acme2/x", "packages that match @acme/*, not @acme2/x"},
		{"not yet known", &packhouse.Trust{Packages: "@acme/*"}, "", ""},
	} {
		if test.trust != nil {
			test.trust.Name, test.trust.Publisher = "release", 7
		}
		err := policy.Standard().Judge(policy.Operation{Format: "npm", Package: test.pkg, Size: 1, Trust: test.trust})
		if (err == nil) != (test.refused == "") {
			t.Errorf("%s: Judge = %v, want %q", test.name, err, test.refused)
			continue
		}
		if e := packhouse.AsError(err); err != nil && (e.Kind != packhouse.Forbidden || !strings.Contains(e.Message, `trusted publisher "release" (7) `+test.refused) && !strings.Contains(e.Message, test.refused)) {
			t.Errorf("%s: Judge = %+v, want %q", test.name, e, test.refused)
		}
	}
}
