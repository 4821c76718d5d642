//go:build linux

package main

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// machine describes where the run takes place, for the report.
func machine(o *options) map[string]string {
	m := map[string]string{
		"cores":  fmt.Sprint(runtime.NumCPU()),
		"cpu":    "unknown",
		"kernel": "unknown",
		"go":     runtime.Version(),
		"nginx":  "none",
		"disk":   o.disk,
	}
	if version, err := nginxVersion(); err == nil {
		_, m["nginx"], _ = strings.Cut(strings.TrimSpace(version), "nginx/")
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m["kernel"] = strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if key, value, _ := strings.Cut(line, ":"); strings.TrimSpace(key) == "model name" {
				m["cpu"] = strings.TrimSpace(value)
				break
			}
		}
	}
	return m
}

// room refuses folders of the wrong kind, and with too little room for what a
// run writes at most.
func (o *options) room() error {
	const tmpfs = 0x01021994 // man 2 statfs
	var disk, memory syscall.Statfs_t
	if err := syscall.Statfs(o.disk, &disk); err != nil {
		return fmt.Errorf("%s: %w", o.disk, err)
	}
	if err := syscall.Statfs(o.memory, &memory); err != nil {
		return fmt.Errorf("%s: %w", o.memory, err)
	}
	if disk.Type == tmpfs {
		return fmt.Errorf("%s is in memory, where fsync costs nothing: choose a folder on a disk with -disk", o.disk)
	}
	if memory.Type != tmpfs {
		return fmt.Errorf("%s is not in memory: choose a folder on a tmpfs with -memory", o.memory)
	}
	// The large file is there twice for downloads, and up to four times while
	// it is uploaded.
	if free := int64(memory.Bavail) * memory.Bsize; free < 6*o.large {
		return fmt.Errorf("%s has %d MiB free and needs %d: choose smaller large files with -large", o.memory, free>>20, 6*o.large>>20)
	}
	if free := int64(disk.Bavail) * disk.Bsize; free < 4<<30 {
		return fmt.Errorf("%s has %d MiB free and needs %d for small files", o.disk, free>>20, 4<<10)
	}
	return nil
}
