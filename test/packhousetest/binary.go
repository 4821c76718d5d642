// Package packhousetest builds the packhouse program and runs it as its own
// process, for tests that need the real thing: kills, signals, real clients.
package packhousetest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"
)

// RootToken is the administrator's token of every server that Start starts.
const RootToken = "glpat-rootrootrootrootroot"

var build struct {
	once sync.Once
	path string
	err  error
}

// Binary builds the program, once for a test process, and returns its path.
func Binary(t testing.TB) string {
	t.Helper()
	build.once.Do(func() {
		dir, err := os.MkdirTemp("", "packhouse-binary-")
		if err != nil {
			build.err = err
			return
		}
		build.path = filepath.Join(dir, "packhouse")
		cmd := exec.Command("go", "build", "-trimpath", "-o", build.path, "packhouse/cmd/packhouse")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			build.err = fmt.Errorf("go build: %w\n%s", err, out)
		}
	})
	if build.err != nil {
		t.Fatal(build.err)
	}
	return build.path
}

// Server is a running packhouse process.
type Server struct {
	URL    string // without a trailing slash
	Data   string // its data folder
	Cmd    *exec.Cmd
	Output *bytes.Buffer // what it printed; read it only after the process ended
}

// FreeAddress returns an address on loopback that nobody listens on.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Start starts `packhouse serve` on an address with its data in a folder, waits
// until it is ready, and kills it when the test ends.
func Start(t testing.TB, address, data string, flags ...string) *Server {
	t.Helper()
	return StartWith(t, http.DefaultClient, "http", address, data, flags...)
}

// StartWith is Start with a client and a scheme to ask whether it is ready.
func StartWith(t testing.TB, client *http.Client, scheme, address, data string, flags ...string) *Server {
	t.Helper()
	s := &Server{URL: scheme + "://" + address, Data: data, Output: new(bytes.Buffer)}
	s.Cmd = exec.Command(Binary(t), append([]string{"serve", "--listen", address, "--data", data}, flags...)...)
	s.Cmd.Env = append(os.Environ(), "PACKHOUSE_ROOT_TOKEN="+RootToken)
	s.Cmd.Stdout, s.Cmd.Stderr = s.Output, s.Output
	if err := s.Cmd.Start(); err != nil {
		t.Fatalf("start packhouse: %v", err)
	}
	t.Cleanup(s.Kill)
	s.await(t, client)
	return s
}

func (s *Server) await(t testing.TB, client *http.Client) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		resp, err := client.Get(s.URL + "/-/readiness")
		if err != nil {
			continue
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
	}
	s.Kill()
	t.Fatalf("packhouse is not ready after 20 s; it printed:\n%s", s.Output)
}

// Kill ends the process at once, as kill -9 does, and waits for it. Killing it
// again does nothing.
func (s *Server) Kill() {
	if s.Cmd.ProcessState != nil {
		return
	}
	_ = s.Cmd.Process.Kill()
	_ = s.Cmd.Wait()
}

// Terminate asks the process to stop, as a service manager does, and does not
// wait for it.
func (s *Server) Terminate() { _ = s.Cmd.Process.Signal(syscall.SIGTERM) }
