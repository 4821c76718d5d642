// Package proc reads what Linux tells about processes under /proc: the CPU time
// they used, the memory they hold, who descends from whom. The benchmark
// measures servers from outside with it, so that every server, whatever it is
// written in, is measured in the same way.
package proc

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// Tick is the unit in which /proc reports CPU time. USER_HZ is 100 on every
// Linux port that Go runs on (man 5 proc), so shorter times cannot be seen.
const Tick = 10 * time.Millisecond

// CPU returns the user and system time that the processes used so far: all of
// their threads, and those children that have ended and been waited for.
func CPU(pids []int) (time.Duration, error) {
	var sum time.Duration
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return 0, err
		}
		s, err := parseStat(string(text))
		if err != nil {
			return 0, fmt.Errorf("read /proc/%d/stat: %w", pid, err)
		}
		sum += s.cpu
	}
	return sum, nil
}

// Tree returns pid and all its living descendants.
func Tree(pid int) ([]int, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	children := map[int][]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it ended since it was listed
		}
		s, err := parseStat(string(text))
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", file, err)
		}
		children[s.parent] = append(children[s.parent], s.pid)
	}
	tree := []int{pid}
	for i := 0; i < len(tree); i++ {
		tree = append(tree, children[tree[i]]...)
	}
	return tree, nil
}

// Busy returns the time that all cores together spent running processes since
// the machine was started.
func Busy() (time.Duration, error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, err
	}
	return parseBusy(string(text))
}

// Load returns the load average of the last minute.
func Load() (float64, error) {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0, err
	}
	first, _, _ := strings.Cut(string(text), " ")
	return strconv.ParseFloat(first, 64)
}

type stat struct {
	pid, parent int
	cpu         time.Duration
}

// parseStat reads one line of /proc/PID/stat. The command name, in
// parentheses, may itself hold spaces and parentheses, so fields are counted
// from the last closing one.
func parseStat(line string) (stat, error) {
	open, end := strings.IndexByte(line, '('), strings.LastIndexByte(line, ')')
	if open < 0 || end < open {
		return stat{}, fmt.Errorf("no command name in %q", line)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line[:open]))
	if err != nil {
		return stat{}, err
	}
	fields := strings.Fields(line[end+1:]) // fields[0] is field 3 of man 5 proc: the state
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("%d fields after the command name in %q", len(fields), line)
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return stat{}, err
	}
	ticks, err := sumTicks(fields[11:15]) // utime, stime, cutime, cstime
	return stat{pid: pid, parent: parent, cpu: ticks}, err
}

// parseBusy reads the first line of /proc/stat. Its first three numbers are
// the time in user mode, in user mode at low priority, and in the kernel on
// behalf of processes; interrupts and idling come after.
func parseBusy(text string) (time.Duration, error) {
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 4 || fields[0] != "cpu" {
		return 0, fmt.Errorf("first line of /proc/stat is %q", line)
	}
	return sumTicks(fields[1:4])
}

func sumTicks(fields []string) (time.Duration, error) {
	var sum int64
	for _, field := range fields {
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return time.Duration(sum) * Tick, nil
}
