//go:build !linux

package disk

import "testing"

// mountSmall reports that there is no tmpfs to mount here.
func mountSmall(*testing.T, string) bool { return false }
