//go:build !linux

package house_test

import (
	"os"
	"testing"
)

// readOnly makes a folder in which this process cannot write.
func readOnly(t *testing.T, dir string) string {
	t.Helper()
	must(t, os.Mkdir(dir, 0o500))
	return dir
}
