package registry

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"time"

	"packhouse"
)

// ImageTags chooses which tags of a repository of container images go, as GitLab's
// bulk deletion does.
type ImageTags struct {
	// Delete is what the whole name of a tag has to match to go.
	Delete *regexp.Regexp
	// Keep is what the whole name of a tag matches that stays all the same; nil
	// for nothing.
	Keep *regexp.Regexp
	// KeepN is how many of those that match stay, the newest first.
	KeepN int
	// OlderThan is how long ago a tag was last pushed at least; 0 for any time.
	OlderThan time.Duration
}

// latest is the tag that no choice takes.
const latest = "latest"

// Choose returns the tags that go, oldest last. The newest KeepN are counted among
// those that the expressions choose, before their age is looked at.
func (c ImageTags) Choose(tags []packhouse.ImageTag, now time.Time) []packhouse.ImageTag {
	var chosen []packhouse.ImageTag
	for _, t := range tags {
		if t.Name != latest && c.Delete.MatchString(t.Name) && (c.Keep == nil || !c.Keep.MatchString(t.Name)) {
			chosen = append(chosen, t)
		}
	}
	slices.SortFunc(chosen, func(a, b packhouse.ImageTag) int {
		return cmp.Or(b.PushedAt.Compare(a.PushedAt), cmp.Compare(b.Name, a.Name))
	})
	chosen = chosen[min(c.KeepN, len(chosen)):]
	if c.OlderThan == 0 {
		return chosen
	}
	before := now.Add(-c.OlderThan)
	return slices.DeleteFunc(chosen, func(t packhouse.ImageTag) bool { return !t.PushedAt.Before(before) })
}

const day = 24 * time.Hour

// units are the words for spans of time, in the singular.
var units = map[string]time.Duration{
	"s": time.Second, "sec": time.Second, "second": time.Second, "m": time.Minute, "min": time.Minute, "minute": time.Minute,
	"h": time.Hour, "hr": time.Hour, "hour": time.Hour, "d": day, "day": day, "w": 7 * day, "week": 7 * day,
	"mo": 30 * day, "month": 30 * day, "y": 365 * day, "year": 365 * day,
}

var span = regexp.MustCompile(`\A([0-9]{1,9}) ?([a-z]+?)s?\z`)

// ParseAge reads a span of time as GitLab writes it: 1h, 2d, 1month, 7 days. A month
// has 30 days. packhouse.Invalid: it is none, or longer than time is counted.
func ParseAge(s string) (time.Duration, error) {
	if m := span.FindStringSubmatch(s); m != nil {
		unit, known := units[m[2]]
		if !known && m[2] == "" { // the s of seconds was taken for a plural
			unit, known = time.Second, true
		}
		n, err := strconv.ParseInt(m[1], 10, 64)
		if err == nil && known && n > 0 && n <= int64((1<<63-1)/unit) {
			return time.Duration(n) * unit, nil
		}
	}
	return 0, packhouse.Errorf(packhouse.Invalid, "%q is no span of time such as 1h, 7d or 1month", s)
}
