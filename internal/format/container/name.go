package container

import (
	"regexp"

	"packhouse"
)

// maxName bounds the name of a repository. Clients take at most 255 bytes with the
// host in front.
const maxName = 255

var (
	// names are as the OCI distribution specification has them. RE2 takes time in
	// proportion to the name, whatever it is.
	names = regexp.MustCompile(`\A[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*\z`)
	tags  = regexp.MustCompile(`\A[A-Za-z0-9_][A-Za-z0-9._-]{0,127}\z`)
)

// checkName refuses the name of a repository that is none.
func checkName(name string) error {
	if len(name) > maxName || !names.MatchString(name) {
		return &packhouse.Error{
			Kind: packhouse.Invalid, Rule: "name", Message: "the name of the repository is not valid",
			Fix: "write it in lower case, as host/group/project/image",
		}
	}
	return nil
}

// checkTag refuses a tag that is none.
func checkTag(tag string) error {
	if !tags.MatchString(tag) {
		return &packhouse.Error{
			Kind: packhouse.Invalid, Rule: "tag", Message: "the tag is not valid",
			Fix: "write at most 128 letters, digits, dots, dashes and underscores, and no dot or dash first",
		}
	}
	return nil
}
