//go:build linux

// Package child starts the processes that a benchmark needs and makes sure that
// they end with it.
package child

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"packhouse/bench/proc"
)

// grace is how long a process may take to end when it is asked to.
const grace = 10 * time.Second

// Process is a running server.
type Process struct {
	Name    string
	Address string // what it listens on
	cmd     *exec.Cmd
	ended   chan struct{} // closed when it has ended
	err     error         // how it ended; read after ended
	log     *os.File
}

// Start starts a command whose server will listen on address. What it prints
// goes to logFile. The process is the first of a process group of its own: a
// Ctrl-C in the terminal reaches the benchmark alone, which then ends it in order.
func Start(name, address, logFile string, env []string, command ...string) (*Process, error) {
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = env, log, log
	// If the benchmark is killed, its servers are asked to end.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	if err := cmd.Start(); err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	p := &Process{Name: name, Address: address, cmd: cmd, ended: make(chan struct{}), log: log}
	go func() {
		p.err = cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// Tree returns the ids of the process and its descendants.
func (p *Process) Tree() ([]int, error) { return proc.Tree(p.cmd.Process.Pid) }

// WaitReady tries ready every pause until it reports true, and gives up after
// a time limit, or when the process or ctx ends.
func (p *Process) WaitReady(ctx context.Context, pause time.Duration, ready func() bool) error {
	limit := time.After(30 * time.Second)
	for !ready() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-limit:
			return fmt.Errorf("%s is not ready after 30 s; it printed: %s", p.Name, p.printed())
		case <-p.ended:
			return fmt.Errorf("%s ended (%s); it printed: %s", p.Name, fmt.Sprint(p.err), p.printed())
		case <-time.After(pause):
		}
	}
	return nil
}

// Listening reports whether the address accepts connections.
func (p *Process) Listening() bool {
	conn, err := net.DialTimeout("tcp4", p.Address, time.Second)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}

// Stop asks the process to end, waits, and kills its whole group if it does
// not. Stopping a process that has ended is no error, and neither is stopping twice.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // fails if it has ended
	var err error
	select {
	case <-p.ended:
	case <-time.After(grace):
		err = fmt.Errorf("%s did not end within %v of SIGTERM", p.Name, grace)
		_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
	if e := p.log.Close(); e != nil && !errors.Is(e, os.ErrClosed) {
		err = errors.Join(err, e)
	}
	return err
}

// printed returns the end of what the process printed.
func (p *Process) printed() string {
	f, err := os.Open(p.log.Name())
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > 2000 {
		_, _ = f.Seek(-2000, io.SeekEnd)
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// FreeAddress returns a 127.0.0.1 address that nobody listens on.
func FreeAddress() (string, error) {
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer listener.Close()
	return listener.Addr().String(), nil
}
