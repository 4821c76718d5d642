package house_test

import (
	"os"
	"syscall"
	"testing"
)

// readOnly makes a folder in which this process cannot write: by its mode, or
// for the superuser, whom modes do not stop, by a mount. Where neither works it
// is a folder of the kernel's.
func readOnly(t *testing.T, dir string) string {
	t.Helper()
	must(t, os.Mkdir(dir, 0o500))
	if os.Geteuid() != 0 {
		return dir
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_RDONLY, "size=4k"); err != nil {
		t.Logf("no mount here: %v", err)
		return "/sys/kernel/packhouse"
	}
	t.Cleanup(func() { must(t, syscall.Unmount(dir, 0)) })
	return dir
}
