package operate

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"packhouse/internal/blob/s3/s3test"
	"packhouse/test/packhousetest"
)

// inBucket makes a bucket, gives the key to the environment, and returns the
// flag for it and the folder in which the server keeps its blobs.
func inBucket(t *testing.T) (flag, folder string) {
	t.Helper()
	server := s3test.Start(t)
	opts := server.Bucket(t)
	t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.SecretKey)
	flag = fmt.Sprintf("--blobs=s3://%s/pkgs?endpoint=http://%s", opts.Bucket, opts.Endpoint)
	return flag, filepath.Join(server.Folder, opts.Bucket, "pkgs", "blobs")
}

// A file of 100 MiB costs no memory on its way into a bucket and out of it.
func TestBucketMemory(t *testing.T) {
	const size, allowed = 100 << 20, 80 << 20
	flag, _ := inBucket(t)
	s := packhousetest.Start(t, packhousetest.FreeAddress(t), t.TempDir(), flag)
	c := newClient(t, s)
	idle := memory(t, s, "VmRSS")
	for _, step := range []struct {
		method string
		status int
		size   int64
	}{{"PUT", 201, 0}, {"GET", 200, size}} {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", s.Cmd.Process.Pid), []byte("5"), 0); err != nil {
			t.Fatal(err)
		}
		r, err := http.NewRequest(step.method, s.URL+c.file("1.0", "large"), http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if step.size == 0 {
			r.Body, r.ContentLength = io.NopCloser(io.LimitReader(pattern{}, size)), size
		}
		start := time.Now()
		c.large(r, step.status, step.size)
		peak, took := memory(t, s, "VmHWM"), time.Since(start)
		t.Logf("%s of %d MiB: %.0f MB/s, %.1f MiB at rest, %.1f MiB at most", step.method, size>>20,
			size/1e6/took.Seconds(), float64(idle)/(1<<20), float64(peak)/(1<<20))
		if peak-idle > allowed {
			t.Errorf("%s took %d MiB more memory, want at most %d", step.method, (peak-idle)>>20, allowed>>20)
		}
	}
}

// The commands work with a bucket: verify finds what is altered there and what
// is missing, a folder is moved into a bucket, and gc empties it.
func TestBucketCommands(t *testing.T) {
	flag, folder := inBucket(t)
	dir := t.TempDir()
	data, backup, moved := filepath.Join(dir, "data"), filepath.Join(dir, "backup"), filepath.Join(dir, "moved")
	s := packhousetest.Start(t, packhousetest.FreeAddress(t), data)
	c := newClient(t, s)
	content := bytes.Repeat([]byte("packhouse "), 10_000)
	for i := range 3 {
		if status, body := c.do("PUT", c.file(fmt.Sprint(i), "f"), bytes.NewReader(content[i:])); status != 201 {
			t.Fatalf("PUT = %d %s", status, body)
		}
	}
	s.Kill()
	packhouse(t, true, "backup", "--data", data, "--to", backup)
	packhouse(t, true, "restore", "--data", moved, "--from", backup, flag)
	if out := packhouse(t, true, "verify", "--data", moved, flag); !strings.Contains(out, "3 files") {
		t.Errorf("verify says %q", out)
	}
	c.server = packhousetest.Start(t, packhousetest.FreeAddress(t), moved, flag, "--purge-every", "1h")
	for i := range 3 {
		if status, got := c.do("GET", c.file(fmt.Sprint(i), "f"), nil); status != 200 || !bytes.Equal(got, content[i:]) {
			t.Errorf("GET = %d with %d bytes, want the file", status, len(got))
		}
	}
	names := blobsIn(t, folder)
	if len(names) != 3 {
		t.Fatalf("the bucket has %q, want three blobs", names)
	}
	whole, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	whole[len(whole)/2] ^= 1
	f, err := os.OpenFile(names[0], os.O_WRONLY, 0) // written in place, the server's attributes stay
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write(whole); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(names[1]); err != nil {
		t.Fatal(err)
	}
	out := packhouse(t, false, "verify", "--data", moved, flag)
	for _, name := range []string{"altered", "missing"} {
		if strings.Count(out, name+" file ") != 1 {
			t.Errorf("verify says %q, want one file %s", out, name)
		}
	}
	c.deleteAll()
	c.server.Terminate()
	if err := c.server.Cmd.Wait(); err != nil {
		t.Fatalf("the server ended with %v", err)
	}
	packhouse(t, true, "gc", "--data", moved, "--retention", "0s", flag)
	if names := blobsIn(t, folder); len(names) != 0 {
		t.Errorf("after gc the bucket has %q", names)
	}
	if out := packhouse(t, false, "verify", "--data", moved, "--blobs", "s3://nobody?endpoint=http://127.0.0.1:1"); !strings.Contains(out, "nobody at 127.0.0.1:1") {
		t.Errorf("verify with a bucket that is away says %q", out)
	}
}

func blobsIn(t *testing.T, folder string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(folder, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}
