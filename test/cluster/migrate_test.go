package cluster

import (
	"bytes"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"packhouse/internal/blob/s3/s3test"
	"packhouse/internal/store/pgtest"
	"packhouse/test/packhousetest"
)

// A registry moves from a data folder to PostgreSQL and a bucket and back, while
// the source serves until the last run, and everything is where it was.
func TestMigrateStore(t *testing.T) {
	bucket := s3test.Start(t).Bucket(t)
	t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.SecretKey)
	database, blobs := pgtest.Database(t), "s3://"+bucket.Bucket+"?endpoint=http://"+bucket.Endpoint
	folder, back := filepath.Join(t.TempDir(), "folder"), filepath.Join(t.TempDir(), "back")
	run := func(want bool, args ...string) string {
		t.Helper()
		out, err := exec.Command(packhousetest.Binary(t), args...).CombinedOutput()
		if (err == nil) != want {
			t.Fatalf("packhouse %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	published := 0
	publish := func(c *nodes, n int) {
		t.Helper()
		for range n {
			c.want(0, "PUT", c.file(fmt.Sprintf("1.%d", published)), bytes.NewReader(content(1, published)), 201)
			published++
		}
	}
	all := func(c *nodes) {
		t.Helper()
		for i := range published {
			if got := c.want(0, "GET", c.file(fmt.Sprintf("1.%d", i)), nil, 200); !bytes.Equal(got, content(1, i)) {
				t.Errorf("version %d has %d bytes, want those that were published", i, len(got))
			}
		}
	}

	c := startAt(t, []string{folder})
	publish(c, 20)
	run(true, "migrate-store", "--from", folder, "--to", database+","+blobs)
	publish(c, 8)
	c.kill(0)
	if out := run(true, "migrate-store", "--from", folder, "--to", database+","+blobs); !strings.Contains(out, "8 files") {
		t.Errorf("the second run says %q, want the eight new files", out)
	}
	moved := startAt(t, []string{filepath.Join(t.TempDir(), "node")}, "--database", database, "--blobs", blobs)
	moved.project = c.project
	all(moved)
	publish(moved, 4)
	if out := run(false, "migrate-store", "--from", folder, "--to", database+","+blobs); !strings.Contains(out, "packhouse:") {
		t.Errorf("carrying over a server that runs says %q", out)
	}
	moved.servers[0].Terminate()
	if err := moved.servers[0].Cmd.Wait(); err != nil {
		t.Errorf("stop the node: %v", err)
	}
	run(true, "migrate-store", "--from", database+","+blobs, "--to", back)
	run(true, "verify", "--data", back)
	again := startAt(t, []string{back})
	again.project = c.project
	all(again)
	for _, place := range []string{"", "postgres://a/b", "s3://b", "a,b", "a,s3://b,s3://c"} {
		if out := run(false, "migrate-store", "--from", back, "--to", place); !strings.Contains(out, "packhouse:") {
			t.Errorf("--to %q says %q", place, out)
		}
	}
}
