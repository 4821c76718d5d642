package policy

import (
	"packhouse"
	"packhouse/internal/ledger"
)

// Duplicates refuses to publish a file again under the same name where the
// settings say so.
type Duplicates struct{}

// Judge implements Rule.
func (Duplicates) Judge(op Operation) error {
	if op.Copies == 0 {
		return nil
	}
	allowed, err := MayDuplicate(op.Duplicates, op.Package, op.Version)
	if err != nil || allowed {
		return err
	}
	return &packhouse.Error{
		Kind: packhouse.Conflict, Rule: "duplicates",
		Message: "Duplicate package is not allowed",
		Fix: "publish under a new version, or delete the file first; an Owner of the group can allow duplicates in its package settings (" +
			op.Format + "_duplicates_allowed)",
	}
}

// MayDuplicate reads the setting as GitLab does: duplicates are allowed unless
// it says no, and the exception, which must match the whole name or the whole
// version, turns that answer round.
func MayDuplicate(set ledger.Duplicates, name, version string) (bool, error) {
	allowed := set.Allowed == nil || *set.Allowed
	if set.Except == nil {
		return allowed, nil
	}
	re, err := ledger.CompileExcept(*set.Except)
	if err != nil || re == nil {
		return allowed, err
	}
	if re.MatchString(name) || re.MatchString(version) {
		return !allowed, nil
	}
	return allowed, nil
}
