package registry_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/registry"
)

func whole(s string) *regexp.Regexp { return regexp.MustCompile(`\A(?:` + s + `)\z`) }

// The choice of tags is GitLab's, on the example of its documentation.
func TestImageTagsChoose(t *testing.T) {
	now := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	const d = 24 * time.Hour
	var tags []packhouse.ImageTag
	for name, age := range map[string]time.Duration{
		"latest": 100 * d, "production-v44": 3 * d, "production-v43": 6 * d, "production-v42": 11 * d,
		"dev-v44": 2 * d, "dev-v43": 5 * d, "dev-v42": 10 * d, "v44": d, "v43": 12 * d, "v42": 20 * d,
	} {
		tags = append(tags, packhouse.ImageTag{Name: name, PushedAt: now.Add(-age)})
	}
	for name, c := range map[string]struct {
		rule registry.ImageTags
		want string
	}{
		"documented":       {registry.ImageTags{Delete: whole(".*"), Keep: whole("production-.*"), KeepN: 1, OlderThan: 7 * d}, "dev-v42 v43 v42"},
		"whole names":      {registry.ImageTags{Delete: whole("v4")}, ""},
		"alternatives":     {registry.ImageTags{Delete: whole("v42|v43")}, "v43 v42"},
		"never latest":     {registry.ImageTags{Delete: whole("latest")}, ""},
		"more than all":    {registry.ImageTags{Delete: whole(".*"), KeepN: 100}, ""},
		"newest of chosen": {registry.ImageTags{Delete: whole("v.*"), KeepN: 2}, "v42"},
		"exactly as old":   {registry.ImageTags{Delete: whole("v43"), OlderThan: 12 * d}, ""},
	} {
		var got []string
		for _, t := range c.rule.Choose(slices.Clone(tags), now) {
			got = append(got, t.Name)
		}
		if s := strings.Join(got, " "); s != c.want {
			t.Errorf("%s: %q go, want %q", name, s, c.want)
		}
	}
}

func TestParseAge(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"1h": time.Hour, "2d": 48 * time.Hour, "1month": 720 * time.Hour, "7 days": 168 * time.Hour, "5s": 5 * time.Second,
		"3min": 3 * time.Minute, "2 weeks": 336 * time.Hour,
		"": 0, "d": 0, "-1d": 0, "0d": 0, "1 fortnight": 0, "999999999y": 0, "1d1d": 0, "9999999999s": 0,
	} {
		if got, err := registry.ParseAge(s); got != want || (err == nil) != (want != 0) {
			t.Errorf("ParseAge(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
}
