// Package operate tests what an operator meets: a full disk, TLS, a proxy,
// large files, a stop in the middle of an upload.
package operate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"syscall"
	"testing"
	"time"

	"packhouse/test/packhousetest"
)

// A small disk: uploads are refused when it is full, what is there stays whole,
// deleting works, and then there is room again.
func TestFullDisk(t *testing.T) {
	for _, size := range []int{10_000, 1 << 20} { // in the database, and beside it
		t.Run(fmt.Sprintf("files of %d bytes", size), func(t *testing.T) {
			s := packhousetest.Start(t, packhousetest.FreeAddress(t), smallDisk(t), "--purge-every", "1s", "--retention", "0s", "--reserve", "16MiB")
			c := newClient(t, s)
			body := bytes.Repeat([]byte("packhouse!"), size/10)
			stored := 0
			status := 201
			for status == 201 {
				body[0], body[1] = byte(stored), byte(stored>>8) // no two alike
				status, _ = c.do("PUT", c.file(fmt.Sprint(stored), "f"), bytes.NewReader(body))
				if stored++; stored > 20_000 {
					t.Fatal("the disk does not fill up")
				}
			}
			if status != http.StatusInsufficientStorage {
				t.Fatalf("PUT on a full disk = %d, want 507", status)
			}
			if stored--; stored == 0 {
				t.Fatal("nothing fitted on the disk")
			}
			if status, got := c.do("GET", c.file("0", "f"), nil); status != 200 || len(got) != len(body) {
				t.Fatalf("GET on a full disk = %d, %d bytes", status, len(got))
			}
			c.deleteAll()
			deadline := time.Now().Add(90 * time.Second)
			for status = 0; status != 201 && time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
				status, _ = c.do("PUT", c.file("again", "f"), bytes.NewReader(body))
			}
			if status != 201 {
				t.Fatalf("PUT after deleting = %d, want 201", status)
			}
		})
	}
}

func (c *client) deleteAll() {
	c.t.Helper()
	for {
		_, body := c.do("GET", fmt.Sprintf("/api/v4/projects/%d/packages?per_page=100", c.project), nil)
		var list []struct{ ID int64 }
		if err := json.Unmarshal(body, &list); err != nil {
			c.t.Fatalf("%s: %v", body, err)
		}
		if len(list) == 0 {
			return
		}
		for _, p := range list {
			if status, body := c.do("DELETE", fmt.Sprintf("/api/v4/projects/%d/packages/%d", c.project, p.ID), nil); status != 204 {
				c.t.Fatalf("DELETE on a full disk = %d %s, want 204", status, body)
			}
		}
	}
}

// smallDisk mounts a file system of 64 MiB, which needs root.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=64m"); err != nil {
		t.Fatalf("mount a small file system (this test needs root): %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}
