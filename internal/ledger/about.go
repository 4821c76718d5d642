package ledger

import (
	"strconv"
	"strings"

	"packhouse"
)

// About is the group or project that an event is about, by level and id, or the
// instance. It follows from the event's Object, whose first parts name it; a
// token is about what it is limited to.
func About(e Event) packhouse.Target {
	if put, ok := e.(*TokenPut); ok && put.Token.Target.Level != 0 {
		return packhouse.Target{Level: put.Token.Target.Level, ID: put.Token.Target.ID}
	}
	kind, rest, _ := strings.Cut(e.Object(), "/")
	level := map[string]packhouse.Level{"groups": packhouse.Group, "projects": packhouse.Project}[kind]
	text, _, _ := strings.Cut(rest, "/")
	id, err := strconv.ParseInt(text, 10, 64)
	if level == 0 || err != nil {
		return packhouse.Target{Level: packhouse.Instance}
	}
	return packhouse.Target{Level: level, ID: id}
}
