//go:build linux

package child

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func start(t *testing.T, script string) *Process {
	t.Helper()
	address, err := FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	p, err := Start("script", address, filepath.Join(t.TempDir(), "log"), os.Environ(), "sh", "-c", script)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Stop() })
	return p
}

func TestStopEndsTheProcessAndItsChildren(t *testing.T) {
	p := start(t, "sleep 60 & echo $! >&2; trap 'kill $!; exit' TERM; wait")
	var tree []int
	err := p.WaitReady(context.Background(), time.Millisecond, func() bool {
		var err error
		tree, err = p.Tree()
		return err != nil || len(tree) == 2 && p.printed() != ""
	})
	if err != nil || len(tree) != 2 {
		t.Fatalf("tree is %v, %v", tree, err)
	}
	for range 2 {
		if err := p.Stop(); err != nil {
			t.Errorf("Stop: %v", err)
		}
	}
	if err := syscall.Kill(tree[0], 0); err != syscall.ESRCH {
		t.Errorf("process %d after Stop: %v, want %v", tree[0], err, syscall.ESRCH)
	}
}

func TestWaitReadyTellsWhatAnEndedProcessPrinted(t *testing.T) {
	p := start(t, "echo no such flag >&2; exit 3")
	err := p.WaitReady(context.Background(), time.Millisecond, p.Listening)
	if err == nil || !strings.Contains(err.Error(), "no such flag") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("WaitReady = %v, want the exit status and what was printed", err)
	}
}

func TestWaitReadyEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	p := start(t, "exec sleep 60")
	if err := p.WaitReady(ctx, time.Millisecond, p.Listening); err != context.Canceled {
		t.Errorf("WaitReady = %v, want %v", err, context.Canceled)
	}
}
