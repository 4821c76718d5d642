// Package s3test runs a real S3 server for tests, and a proxy in front of it
// that makes requests fail.
package s3test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"packhouse/internal/blob/s3"
)

// The access key of every test server.
const (
	AccessKey = "packhouse-test"
	SecretKey = "packhouse-test-secret"
)

// Server is a running versitygw, which keeps its objects in a folder.
type Server struct {
	Address string // host:port
	Folder  string // in which each bucket is a folder and each object a file
	buckets atomic.Int32
}

// Start runs a server until the test ends. "make tools" installs it.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{Folder: t.TempDir(), Address: freeAddress(t)}
	output := new(bytes.Buffer)
	c := exec.Command(program(t), "--port", s.Address, "--keep-alive", "--quiet", "posix", s.Folder)
	c.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+AccessKey, "ROOT_SECRET_KEY="+SecretKey)
	c.Stdout, c.Stderr = output, output
	if err := c.Start(); err != nil {
		t.Fatalf("start versitygw: %v", err)
	}
	ended := make(chan struct{})
	go func() { _ = c.Wait(); close(ended) }()
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-ended
	})
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if resp, err := http.Get("http://" + s.Address + "/"); err == nil {
			resp.Body.Close()
			return s
		}
	}
	t.Fatalf("versitygw does not answer after 30 s: %s", output)
	return nil
}

// program is where test/tools.sh puts the server.
func program(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("go", "env", "GOMOD").Output()
	if err != nil {
		t.Fatalf("go env: %v", err)
	}
	name := filepath.Join(filepath.Dir(strings.TrimSpace(string(out))), ".tools/versitygw/versitygw")
	if _, err := os.Stat(name); err != nil {
		t.Fatalf("no S3 server, run make tools: %v", err)
	}
	return name
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Client returns a client of the server, for looks behind a store.
func (s *Server) Client(t testing.TB) *minio.Client {
	t.Helper()
	c, err := minio.New(s.Address, &minio.Options{Creds: Credentials(), Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Credentials are those of every test server.
func Credentials() *credentials.Credentials {
	return credentials.NewStaticV4(AccessKey, SecretKey, "")
}

// Bucket makes a new bucket and returns the options of a store in it.
func (s *Server) Bucket(t testing.TB) s3.Options {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", s.buckets.Add(1))
	if err := s.Client(t).MakeBucket(context.Background(), name, minio.MakeBucketOptions{}); err != nil {
		t.Fatalf("make bucket: %v", err)
	}
	return s3.Options{Endpoint: s.Address, Bucket: name, PathStyle: true, Credentials: Credentials()}
}

// Open opens a store and closes it when the test ends.
func Open(t testing.TB, opts s3.Options) *s3.Store {
	t.Helper()
	s, err := s3.New(context.Background(), opts)
	if err != nil {
		t.Fatalf("open store: %v", err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}
