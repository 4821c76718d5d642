package policy

import (
	"github.com/dustin/go-humanize"

	"packhouse"
)

// Size refuses files over the limit of their format.
type Size struct{}

// Judge implements Rule. A size that is not known yet passes; the bytes are
// counted as they arrive.
func (Size) Judge(op Operation) error {
	if op.Limit == 0 || op.Size <= op.Limit {
		return nil
	}
	return TooLarge(op.Format, op.Limit)
}

// TooLarge is the refusal of a file over a limit in bytes.
func TooLarge(format string, limit int64) error {
	return &packhouse.Error{
		Kind: packhouse.TooLarge, Rule: "size",
		Message: "File is too large",
		Fix:     "files of this format may have up to " + humanize.IBytes(uint64(limit)) + "; an administrator can raise the limit for " + format,
	}
}
