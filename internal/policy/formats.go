package policy

import (
	"fmt"

	"packhouse"
)

// Formats refuses to publish what a project, a group above it or the instance does
// not admit. What is there already stays, and can be read and deleted.
type Formats struct{}

// Judge implements Rule.
func (Formats) Judge(op Operation) error {
	if op.Verb != Push || op.Refusing == nil {
		return nil
	}
	where := "the instance"
	if op.Refusing.Level != packhouse.Instance {
		where = fmt.Sprintf("the %s %s", op.Refusing.Level, op.Refusing.Path)
	}
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: "format",
		Message: fmt.Sprintf("403 Forbidden - %s does not admit packages of the format %s", where, op.Format),
		Fix:     "publish elsewhere, or have its Owner change allowed_package_formats in its package settings",
	}
}
