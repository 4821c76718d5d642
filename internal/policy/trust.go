package policy

import (
	"fmt"
	"slices"
	"strings"

	"packhouse"
)

// Trust holds a job to what its trusted publisher vouched for.
type Trust struct{}

// Judge implements Rule. The pattern is compared with the package's key, without
// regard to case as in GitLab's protection rules. An operation whose package is
// not known yet passes; it is judged again when it is.
func (Trust) Judge(op Operation) error {
	t := op.Trust
	switch {
	case t == nil:
		return nil
	case len(t.Formats) > 0 && !slices.Contains(t.Formats, op.Format):
		return untrusted(t, fmt.Sprintf("packages of %s, not of %s", strings.Join(t.Formats, ", "), op.Format))
	case t.Packages == "" || op.Package == "" || packhouse.Matches(strings.ToLower(t.Packages), strings.ToLower(op.Package)):
		return nil
	}
	return untrusted(t, fmt.Sprintf("packages that match %s, not %s", t.Packages, op.Package))
}

func untrusted(t *packhouse.Trust, what string) error {
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "trusted-publisher",
		Message: fmt.Sprintf("403 Forbidden - the trusted publisher %q (%d) publishes %s", t.Name, t.Publisher, what),
		Fix:     "a Maintainer changes package_types or package_name_pattern of the trusted publisher, or makes another one",
	}
}
