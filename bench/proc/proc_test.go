package proc

import (
	"os"
	"os/exec"
	"slices"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	const tail = " S 1 4217 4217 0 -1 4194560 900 30 0 0 12 34 5 6 20 0 3 0 123 45678 900"
	for _, name := range []string{"nginx", "a b", "a) S 9 (b", ""} {
		got, err := parseStat("4217 (" + name + ")" + tail)
		if err != nil {
			t.Fatalf("parseStat with the name %q: %v", name, err)
		}
		want := stat{pid: 4217, parent: 1, cpu: 570 * time.Millisecond}
		if got != want {
			t.Errorf("parseStat with the name %q = %+v, want %+v", name, got, want)
		}
	}
}

func TestParseStatRefuses(t *testing.T) {
	for _, line := range []string{"", "12 nginx S 1", "12 (nginx) S 1 2 3", "x (nginx) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15"} {
		if got, err := parseStat(line); err == nil {
			t.Errorf("parseStat(%q) = %+v, want an error", line, got)
		}
	}
}

func TestParseBusy(t *testing.T) {
	got, err := parseBusy("cpu  100 20 3 9999 50 0 7 0 0 0\ncpu0 1 1 1 1\n")
	if err != nil || got != 1230*time.Millisecond {
		t.Errorf("parseBusy = %v, %v, want 1.23s", got, err)
	}
	if _, err := parseBusy("intr 1 2 3"); err == nil {
		t.Error("parseBusy of another line gives no error")
	}
}

func TestParseMemory(t *testing.T) {
	got, err := parseMemory("Name:\tx\nVmPeak:\t 99 kB\nVmHWM:\t   11508 kB\nVmRSS:\t   11236 kB\nThreads:\t3\n")
	want := Memory{RSS: 11236, Peak: 11508}
	if err != nil || got != want {
		t.Errorf("parseMemory = %+v, %v, want %+v", got, err, want)
	}
	for _, status := range []string{"", "VmHWM:\t1 kB\n", "VmRSS:\t1 kB\n", "VmRSS:\t1 MB\nVmHWM:\t1 MB\n"} {
		if got, err := parseMemory(status); err == nil {
			t.Errorf("parseMemory(%q) = %+v, want an error", status, got)
		}
	}
}

func TestReadsItself(t *testing.T) {
	self := []int{os.Getpid()}
	if m, err := ReadMemory(self); err != nil || m.RSS <= 0 || m.Peak < m.RSS {
		t.Errorf("ReadMemory of the test = %+v, %v", m, err)
	}
	if _, err := CPU(self); err != nil {
		t.Errorf("CPU of the test: %v", err)
	}
	if _, err := CPU([]int{0}); err == nil {
		t.Error("CPU of process 0 gives no error")
	}
}

func TestTreeHoldsChildren(t *testing.T) {
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	})
	tree, err := Tree(os.Getpid())
	if err != nil || tree[0] != os.Getpid() || !slices.Contains(tree, child.Process.Pid) {
		t.Errorf("Tree = %v, %v, want it to start with %d and hold %d", tree, err, os.Getpid(), child.Process.Pid)
	}
}
