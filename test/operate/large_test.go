package operate

import (
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"packhouse/test/packhousetest"
)

var largeGiB = flag.Int64("large", 1, "size of the large file in GiB")

// A large file costs no memory, up or down.
func TestLargeFile(t *testing.T) {
	const allowed = 64 << 20
	s := packhousetest.Start(t, packhousetest.FreeAddress(t), t.TempDir(), "--generic-max-file-size", "0")
	c := newClient(t, s)
	size := *largeGiB << 30
	idle := memory(t, s, "VmRSS")
	for _, step := range []struct {
		name string
		run  func()
	}{
		{"upload", func() {
			r, err := http.NewRequest("PUT", s.URL+c.file("1.0", "large"), io.LimitReader(pattern{}, size))
			if err != nil {
				t.Fatal(err)
			}
			r.ContentLength = size
			c.large(r, 201, 0)
		}},
		{"download", func() {
			r, err := http.NewRequest("GET", s.URL+c.file("1.0", "large"), nil)
			if err != nil {
				t.Fatal(err)
			}
			c.large(r, 200, size)
		}},
	} {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.Cmd.Process.Pid), []byte("5"), 0); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		step.run()
		peak, took := memory(t, s, "VmHWM"), time.Since(start)
		t.Logf("%s of %d GiB: %.0f MB/s, %.1f MiB at rest, %.1f MiB at most", step.name, *largeGiB,
			float64(size)/1e6/took.Seconds(), float64(idle)/(1<<20), float64(peak)/(1<<20))
		if peak-idle > allowed {
			t.Errorf("%s took %d MiB more memory, want at most %d", step.name, (peak-idle)>>20, allowed>>20)
		}
	}
}

func (c *client) large(r *http.Request, want int, size int64) {
	c.t.Helper()
	r.Header.Set("Private-Token", packhousetest.RootToken)
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	n, err := io.Copy(io.Discard, resp.Body)
	if err != nil || resp.StatusCode != want || size != 0 && n != size {
		c.t.Fatalf("%s = %d, %d bytes, %v; want %d, %d bytes", r.Method, resp.StatusCode, n, err, want, size)
	}
}

// pattern is an endless stream of bytes.
type pattern struct{}

// Read implements io.Reader.
func (pattern) Read(p []byte) (int, error) { return len(p), nil }

// memory reads a line of /proc/PID/status, in bytes.
func memory(t *testing.T, s *packhousetest.Server, name string) int64 {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.Cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, name+":"); ok {
			kib, err := strconv.ParseInt(strings.Fields(value)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("no %s in /proc", name)
	return 0
}
