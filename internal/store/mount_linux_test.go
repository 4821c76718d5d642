package store_test

import (
	"syscall"
	"testing"
)

// mountSmall mounts a tmpfs of 8 MiB on dir until the test ends, and reports
// whether this process may do that.
func mountSmall(t *testing.T, dir string) bool {
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		t.Logf("no real volume, standing in for it: mount: %v", err)
		return false
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Errorf("unmount %s: %v", dir, err)
		}
	})
	return true
}
