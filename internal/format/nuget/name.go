package nuget

import (
	"strings"

	"packhouse"
)

// maxID is the longest id, in bytes, as the public gallery has it.
const maxID = 100

// idKey gives the key of an id: its lower case.
func idKey(id string) (string, error) {
	ok := id != "" && len(id) <= maxID && strings.Trim(id, ".") != ""
	for i := 0; ok && i < len(id); i++ {
		c := id[i]
		ok = c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-+._", c) >= 0
	}
	if !ok {
		e := packhouse.Errorf(packhouse.Invalid, "Validation failed: Name is invalid")
		e.Fix = `an id has at most 100 ASCII letters, digits, ".", "_", "-" and "+"`
		return "", e
	}
	return strings.ToLower(id), nil
}
