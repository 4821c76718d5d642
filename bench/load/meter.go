//go:build linux

package load

import (
	"os"
	"slices"
	"time"

	"packhouse/bench/proc"
	"packhouse/bench/report"
)

// meter measures everything but the answers while the clock runs.
type meter struct {
	watch                []int
	started              time.Time
	server, client, busy time.Duration
	memory               proc.Memory
}

// startMeter starts the clock. The peak of the servers' memory starts anew.
func startMeter(watch []int) (*meter, error) {
	m := &meter{watch: watch}
	if err := proc.ResetPeak(watch); err != nil {
		return nil, err
	}
	var err error
	if m.memory, err = proc.ReadMemory(watch); err != nil {
		return nil, err
	}
	m.server, m.client, m.busy, err = m.read()
	m.started = time.Now()
	return m, err
}

func (m *meter) read() (server, client, busy time.Duration, err error) {
	if server, err = proc.CPU(m.watch); err != nil {
		return
	}
	if client, err = proc.CPU([]int{os.Getpid()}); err != nil {
		return
	}
	busy, err = proc.Busy()
	return
}

// stop stops the clock and returns what it saw, with the percentiles of the
// latencies. It sorts them.
func (m *meter) stop(latencies []time.Duration) (Result, error) {
	elapsed := time.Since(m.started)
	server, client, busy, err := m.read()
	if err != nil {
		return Result{}, err
	}
	memory, err := proc.ReadMemory(m.watch)
	if err != nil {
		return Result{}, err
	}
	server, client, busy = server-m.server, client-m.client, busy-m.busy
	slices.Sort(latencies)
	const milliseconds = float64(time.Millisecond)
	return Result{
		Requests:  len(latencies),
		Seconds:   elapsed.Seconds(),
		ServerCPU: server.Seconds(),
		ClientCPU: client.Seconds(),
		OtherCPU:  max(0, busy-server-client).Seconds(),
		P50:       report.Percentile(latencies, 50) / milliseconds,
		P99:       report.Percentile(latencies, 99) / milliseconds,
		RSSBefore: m.memory.RSS,
		RSSPeak:   memory.Peak,
	}, nil
}
