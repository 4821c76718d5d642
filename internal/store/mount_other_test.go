//go:build !linux

package store_test

import "testing"

// mountSmall reports that there is no tmpfs to mount here.
func mountSmall(*testing.T, string) bool { return false }
