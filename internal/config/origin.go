package config

import (
	"fmt"
	"strconv"
	"strings"
)

// Origin is where the value of an option came from. The zero Origin is the
// default.
type Origin struct {
	Flag     string // its name without dashes; "" when it was no flag
	Variable string // of the environment; "" when it was none
	File     string // as it was named; "" when it was no file
	Line     int    // in File, from 1; 0 for the file as a whole
}

// String says the origin to a person: "flag --listen", "environment variable
// PACKHOUSE_LISTEN", "packhouse.yaml:3" or "default". It is always one line.
func (o Origin) String() string {
	switch {
	case o.Flag != "":
		return "flag --" + o.Flag
	case o.Variable != "":
		return "environment variable " + o.Variable
	case o.File != "":
		name := o.File
		if strings.ContainsFunc(name, func(r rune) bool { return !strconv.IsPrint(r) }) {
			name = strconv.Quote(name)
		}
		if o.Line == 0 {
			return name
		}
		return fmt.Sprintf("%s:%d", name, o.Line)
	}
	return "default"
}

// Origins holds the origin of each option by its name. An option that is not in
// it has its default.
type Origins map[string]Origin

// Variable returns the name of the environment variable of an option. An empty
// variable counts as absent.
//
// Kubernetes sets variables of its own for a service called "packhouse":
// PACKHOUSE_PORT, PACKHOUSE_PORT_…, PACKHOUSE_SERVICE_…. So unknown variables are
// no error, and no option may be called port or service.
func Variable(option string) string {
	return "PACKHOUSE_" + strings.ToUpper(strings.ReplaceAll(option, "-", "_"))
}
