// Package pgtest runs a real PostgreSQL for tests: the one that Debian packages,
// on 127.0.0.1, with its data in a temporary folder. It is gone when the test
// process ends, however that ends.
package pgtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// Cluster is a running PostgreSQL server.
type Cluster struct {
	Address string // host:port

	dir      string
	bin      string
	as       *syscall.Credential // nil: as ourselves
	keepUp   io.Closer           // the server goes when this is closed
	guardian *exec.Cmd
}

// New starts a server for one test, which may stop and start it.
func New(t testing.TB) *Cluster {
	t.Helper()
	c, err := start()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(c.close)
	return c
}

// guard ends the server and removes its folder when nobody holds the other end
// of its standard input any more: a test process that was killed does not clean
// up after itself.
const guard = `cat >/dev/null; "$1/pg_ctl" -D "$2/data" -m immediate -s stop; rm -rf "$2"`

func start() (c *Cluster, err error) {
	c = new(Cluster)
	if c.bin, err = programs(); err != nil {
		return nil, err
	}
	parent := os.TempDir()
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() {
		parent = "/dev/shm"
	}
	if c.dir, err = os.MkdirTemp(parent, "packhouse-postgres-"); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 { // PostgreSQL refuses to run as root
		if c.as, err = credential("postgres"); err != nil {
			return nil, err
		}
		if err := os.Chown(c.dir, int(c.as.Uid), int(c.as.Gid)); err != nil {
			return nil, err
		}
	}
	if err := c.run("initdb", "-D", c.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8",
		"--locale-provider=icu", "--icu-locale=en-US", // an order of text that is not ours
		"--no-sync"); err != nil {
		return nil, err
	}
	settings := "listen_addresses='127.0.0.1'\nunix_socket_directories=''\nmax_connections=300\nfsync=off\nfull_page_writes=off\n" +
		"shared_buffers=64MB\nlog_min_messages=fatal\nautovacuum=off\n"
	if err := os.WriteFile(filepath.Join(c.dir, "settings"), []byte(settings), 0o644); err != nil {
		return nil, err
	}
	if err := c.include(); err != nil {
		return nil, err
	}
	if err := c.guard(); err != nil {
		return nil, err
	}
	for range 5 { // somebody else may take the port before the server does
		if c.Address, err = freeAddress(); err != nil {
			break
		}
		if err = c.Start(); err == nil {
			return c, nil
		}
	}
	c.close()
	return nil, err
}

func (c *Cluster) data() string { return filepath.Join(c.dir, "data") }

// include appends our settings to the server's.
func (c *Cluster) include() error {
	f, err := os.OpenFile(filepath.Join(c.data(), "postgresql.conf"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "include '%s'\n", filepath.Join(c.dir, "settings"))
	if closing := f.Close(); err == nil {
		err = closing
	}
	return err
}

func (c *Cluster) guard() error {
	cmd := exec.Command("sh", "-c", guard, "guard", c.bin, c.dir)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as, Setsid: true}
	cmd.Dir = "/"
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.keepUp, c.guardian = in, cmd
	return nil
}

func (c *Cluster) close() {
	if c.keepUp != nil {
		_ = c.keepUp.Close()
		_ = c.guardian.Wait()
	}
	_ = os.RemoveAll(c.dir)
}

// Start starts the server again after Stop, at the same address.
func (c *Cluster) Start() error {
	_, port, err := net.SplitHostPort(c.Address)
	if err != nil {
		return err
	}
	return c.run("pg_ctl", "-D", c.data(), "-o", "-p "+port, "-l", filepath.Join(c.dir, "log"), "-t", "120", "-w", "-s", "start")
}

// Stop stops the server: "fast" as an administrator does, "immediate" as a power
// cut does.
func (c *Cluster) Stop(mode string) error {
	return c.run("pg_ctl", "-D", c.data(), "-m", mode, "-t", "120", "-w", "-s", "stop")
}

// URL is the address of a database of the server.
func (c *Cluster) URL(database string) string {
	return "postgres://postgres@" + c.Address + "/" + database + "?sslmode=disable"
}

func (c *Cluster) run(program string, args ...string) error {
	cmd := exec.Command(filepath.Join(c.bin, program), args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.as}
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	// A file, not a pipe: the server inherits it, and a pipe would be waited for.
	out, err := os.CreateTemp("", "packhouse-"+program+"-")
	if err != nil {
		return err
	}
	defer func() { out.Close(); _ = os.Remove(out.Name()) }()
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(out.Name())
		return fmt.Errorf("%s: %w\n%s", program, err, bytes.TrimSpace(said))
	}
	return nil
}

// programs is the folder of PostgreSQL's programs, which Debian keeps out of the
// path.
func programs() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/pg_ctl")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		slices.Sort(found)
		return filepath.Dir(found[len(found)-1]), nil
	}
	one, err := exec.LookPath("pg_ctl")
	if err != nil {
		return "", fmt.Errorf("PostgreSQL is not installed, run test/tools.sh: %w", err)
	}
	return filepath.Dir(one), nil
}

func credential(name string) (*syscall.Credential, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, err
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// quoted is a name in SQL.
func quoted(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
