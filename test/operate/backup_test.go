package operate

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"packhouse/test/packhousetest"
)

// packhouse runs a command of the program.
func packhouse(t *testing.T, want bool, args ...string) string {
	t.Helper()
	out, err := exec.Command(packhousetest.Binary(t), args...).CombinedOutput()
	if (err == nil) != want {
		t.Fatalf("packhouse %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// A backup that was made while clients published, restored into an empty folder
// after the server and its disk are gone, has everything that was acknowledged
// before the backup began.
func TestBackup(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	data, backup, restored := filepath.Join(dir, "data"), filepath.Join(dir, "backup"), filepath.Join(dir, "restored")
	s := packhousetest.Start(t, packhousetest.FreeAddress(t), data)
	c := newClient(t, s)
	content := make([]byte, 3<<20)
	if _, err := rand.Read(content); err != nil {
		t.Fatal(err)
	}
	put := func(version string, body []byte) {
		if status, answer := c.do("PUT", c.file(version, "f"), bytes.NewReader(body)); status != 201 {
			t.Errorf("publish %s = %d %s", version, status, answer)
		}
	}
	for i := range 5 {
		put(fmt.Sprintf("0.%d", i), content[i:])
		put(fmt.Sprintf("1.%d", i), fmt.Appendf(nil, "small %d", i))
	}
	stop := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
				put(fmt.Sprintf("2.%d", i), content[:100_000+i])
			}
		}
	})
	packhouse(t, true, "backup", "--data", data, "--to", backup)
	packhouse(t, true, "verify", "--data", data)
	packhouse(t, true, "backup", "--data", data, "--to", backup) // brings it up to date
	close(stop)
	writer.Wait()
	refused := packhouse(t, false, "restore", "--data", data, "--from", backup)
	if !strings.Contains(refused, "in use by another packhouse") {
		t.Errorf("restore over a running server says %q", refused)
	}
	s.Kill()
	if err := os.RemoveAll(data); err != nil {
		t.Fatal(err)
	}

	if out := packhouse(t, true, "verify", "--data", backup); !strings.Contains(out, "were read") {
		t.Errorf("verify says %q", out)
	}
	packhouse(t, true, "restore", "--data", restored, "--from", backup)
	c.server = packhousetest.Start(t, packhousetest.FreeAddress(t), restored)
	for i := range 5 {
		for version, want := range map[string][]byte{fmt.Sprintf("0.%d", i): content[i:], fmt.Sprintf("1.%d", i): fmt.Appendf(nil, "small %d", i)} {
			if status, got := c.do("GET", c.file(version, "f"), nil); status != http.StatusOK || !bytes.Equal(got, want) {
				t.Errorf("GET %s = %d with %d bytes, want those that were published", version, status, len(got))
			}
		}
	}
	put("3.0", content) // life goes on
	packhouse(t, true, "backup", "--data", restored, "--to", backup)
}

// Damage is reported in words and by the exit code.
func TestVerifyDamage(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	s := packhousetest.Start(t, packhousetest.FreeAddress(t), data)
	c := newClient(t, s)
	if status, _ := c.do("PUT", c.file("1.0", "f"), bytes.NewReader(make([]byte, 100_000))); status != 201 {
		t.Fatalf("publish = %d", status)
	}
	blobs, err := filepath.Glob(filepath.Join(data, "files", "blobs", "*", "*", "*"))
	if err != nil || len(blobs) != 1 {
		t.Fatalf("blobs = %v, %v", blobs, err)
	}
	if err := os.Truncate(blobs[0], 99_999); err != nil {
		t.Fatal(err)
	}
	if out := packhouse(t, false, "verify", "--data", data); !strings.Contains(out, "altered file ") || !strings.Contains(out, "1 things are not as they should be") {
		t.Errorf("verify says %q", out)
	}
	if out := packhouse(t, false, "verify", "--data", filepath.Join(data, "nothing")); !strings.Contains(out, "holds no registry") {
		t.Errorf("verify of nothing says %q", out)
	}
}
