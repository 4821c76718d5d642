package pypi

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"packhouse"
)

// version is a version number taken apart (PEP 440). Numbers are kept as decimal
// digits without leading zeros, since nothing bounds them.
type version struct {
	epoch   string
	release []string // without trailing zeros
	zeros   int      // how many were left out
	pre     label
	post    label
	dev     label
	local   []string // lower case
}

// label is a part such as "rc1". The zero label is absent.
type label struct{ word, number string }

// versionPattern is that of PEP 440, appendix B, for the whole string and with
// no white space around it.
var versionPattern = regexp.MustCompile(`^(?i:v?(?:([0-9]+)!)?([0-9]+(?:\.[0-9]+)*)` +
	`(?:[-_.]?(alpha|a|beta|b|preview|pre|c|rc)[-_.]?([0-9]+)?)?` +
	`(?:(?:-([0-9]+))|(?:[-_.]?(post|rev|r)[-_.]?([0-9]+)?))?` +
	`(?:[-_.]?(dev)[-_.]?([0-9]+)?)?` +
	`(?:\+([a-z0-9]+(?:[-_.][a-z0-9]+)*))?)$`)

// preWords are the spellings of pre-releases.
var preWords = map[string]string{"alpha": "a", "a": "a", "beta": "b", "b": "b", "c": "rc", "rc": "rc", "pre": "rc", "preview": "rc"}

func parseVersion(text string) (version, error) {
	var m []string
	if len(text) <= maxName && ascii(text) { // folding knows letters beyond ASCII
		m = versionPattern.FindStringSubmatch(text)
	}
	if m == nil {
		e := packhouse.Errorf(packhouse.Invalid, "Validation failed: Version is invalid")
		e.Fix = "write versions as PEP 440 has them, such as 1.2.3, 1.2rc1 or 1.2.post1"
		return version{}, e
	}
	v := version{epoch: number(m[1])}
	for part := range strings.SplitSeq(m[2], ".") {
		v.release = append(v.release, number(part))
	}
	whole := len(v.release)
	for len(v.release) > 1 && v.release[len(v.release)-1] == "0" {
		v.release = v.release[:len(v.release)-1]
	}
	v.zeros = whole - len(v.release)
	if m[3] != "" {
		v.pre = label{preWords[strings.ToLower(m[3])], number(m[4])}
	}
	switch {
	case m[5] != "":
		v.post = label{"post", number(m[5])}
	case m[6] != "":
		v.post = label{"post", number(m[7])}
	}
	if m[8] != "" {
		v.dev = label{"dev", number(m[9])}
	}
	if m[10] != "" {
		v.local = localParts(m[10])
	}
	return v, nil
}

func localParts(text string) []string {
	parts := strings.FieldsFunc(strings.ToLower(text), func(c rune) bool { return c == '-' || c == '_' || c == '.' })
	for i, part := range parts {
		if digits(part) {
			parts[i] = number(part)
		}
	}
	return parts
}

// number writes digits without leading zeros; none is 0.
func number(text string) string {
	if text = strings.TrimLeft(text, "0"); text == "" {
		return "0"
	}
	return text
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func ascii(s string) bool {
	for i := range len(s) {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}

// key is the canonical form without trailing zeros of the release: equal
// versions have equal keys.
func (v version) key() string { return v.text(0) }

// String is the canonical form as pip shows it: "1.0rc1".
func (v version) String() string { return v.text(v.zeros) }

func (v version) text(zeros int) string {
	var b strings.Builder
	if v.epoch != "0" {
		b.WriteString(v.epoch + "!")
	}
	b.WriteString(strings.Join(v.release, "."))
	b.WriteString(strings.Repeat(".0", zeros))
	b.WriteString(v.pre.word + v.pre.number)
	for _, l := range []label{v.post, v.dev} {
		if l.word != "" {
			b.WriteString("." + l.word + l.number)
		}
	}
	if v.local != nil {
		b.WriteString("+" + strings.Join(v.local, "."))
	}
	return b.String()
}

// compare orders versions as PEP 440 does.
func (v version) compare(w version) int {
	return cmp.Or(
		compareNumbers(v.epoch, w.epoch),
		slices.CompareFunc(v.release, w.release, compareNumbers),
		v.stage().compare(w.stage()),
		v.post.compare(w.post),
		latest(v.dev).compare(latest(w.dev)),
		slices.CompareFunc(v.local, w.local, compareLocal),
	)
}

// stage orders what comes before a release: 1.dev0 < 1a1 < 1rc1 < 1.
func (v version) stage() label {
	switch {
	case v.pre.word != "":
		return v.pre
	case v.post.word == "" && v.dev.word != "":
		return label{} // before every pre-release
	}
	return label{word: "~"} // after every one
}

// latest has an absent development label come after all that are there.
func latest(l label) label {
	if l.word == "" {
		return label{word: "~"}
	}
	return l
}

func (l label) compare(m label) int {
	return cmp.Or(cmp.Compare(l.word, m.word), compareNumbers(l.number, m.number))
}

func compareNumbers(a, b string) int {
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// compareLocal puts numbers after words.
func compareLocal(a, b string) int {
	switch x, y := digits(a), digits(b); {
	case x && y:
		return compareNumbers(a, b)
	case x:
		return 1
	case y:
		return -1
	}
	return cmp.Compare(a, b)
}

func versionKey(text string) (string, error) {
	v, err := parseVersion(text)
	if err != nil {
		return "", err
	}
	return v.key(), nil
}
