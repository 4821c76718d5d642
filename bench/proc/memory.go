package proc

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Memory is what processes hold of the machine's memory, in KiB.
type Memory struct {
	RSS  int64 // resident now
	Peak int64 // the most since the process started, or since ResetPeak
}

// ReadMemory adds up the memory of the processes. Pages that they share are
// counted once for each.
func ReadMemory(pids []int) (Memory, error) {
	var sum Memory
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return Memory{}, err
		}
		m, err := parseMemory(string(text))
		if err != nil {
			return Memory{}, fmt.Errorf("read /proc/%d/status: %w", pid, err)
		}
		sum.RSS += m.RSS
		sum.Peak += m.Peak
	}
	return sum, nil
}

// ResetPeak makes the peak of each process start again at what it holds now.
func ResetPeak(pids []int) error {
	for _, pid := range pids {
		// "5" resets the high-water mark alone (man 5 proc, clear_refs).
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0); err != nil {
			return err
		}
	}
	return nil
}

func parseMemory(status string) (Memory, error) {
	rss, err := statusKiB(status, "VmRSS:")
	if err != nil {
		return Memory{}, err
	}
	peak, err := statusKiB(status, "VmHWM:")
	return Memory{RSS: rss, Peak: peak}, err
}

// statusKiB finds a line such as "VmRSS:	   11508 kB".
func statusKiB(status, key string) (int64, error) {
	for line := range strings.Lines(status) {
		rest, found := strings.CutPrefix(line, key)
		if !found {
			continue
		}
		number, unit, _ := strings.Cut(strings.TrimSpace(rest), " ")
		if unit != "kB" {
			return 0, fmt.Errorf("unit of %q is not kB", line)
		}
		return strconv.ParseInt(number, 10, 64)
	}
	return 0, fmt.Errorf("no line %s", key)
}
