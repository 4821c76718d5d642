package config

import (
	"bytes"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"strconv"
	"strings"
)

// commentColumn is where the origins begin, in characters, when the values
// leave room for it.
const commentColumn = 40

// Print writes a configuration as YAML that [Parser.Parse] reads the same
// values from, each with its origin in a comment. Secrets are masked, and
// commented out so that the mask does not become the secret. So is the file
// that the configuration came from.
func Print(w io.Writer, c *Config, origins Origins) error {
	var b bytes.Buffer
	group := ""
	for o := range options(c) {
		if o.group != group {
			if group != "" {
				b.WriteByte('\n')
			}
			group = o.group
			fmt.Fprintf(&b, "# %s\n", strings.TrimSuffix(group, ":"))
		}
		line := o.name + ": " + o.yaml()
		if o.name == configOption || o.secret() {
			line = "# " + line
		}
		fmt.Fprintf(&b, "%-*s # %s\n", commentColumn, line, origins[o.name])
	}
	_, err := w.Write(b.Bytes())
	return err
}

// secret reports whether the option holds a secret that is set.
func (o option) secret() bool {
	return o.value.Type() == reflect.TypeFor[Secret]() && o.value.Len() > 0
}

// yaml writes the option's value.
func (o option) yaml() string {
	text := o.kind.format(o.value.Interface())
	if o.value.Kind() != reflect.Slice {
		return scalar(text)
	}
	items := []string{}
	for item := range strings.SplitSeq(text, ",") {
		if item != "" {
			items = append(items, strconv.Quote(item))
		}
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// plain is text that YAML takes as it stands wherever a value may be.
var plain = regexp.MustCompile(`^[0-9A-Za-z./][0-9A-Za-z./_-]*(:[0-9A-Za-z./_-]+)*$`)

// scalar writes text as a YAML value. The escapes of Go's strings are among
// those of YAML's as long as the text is UTF-8.
func scalar(text string) string {
	if plain.MatchString(text) && !strings.EqualFold(text, "null") {
		return text
	}
	return strconv.Quote(text)
}
