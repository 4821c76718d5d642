package telemetry

import (
	"io"
	"sync"
	"time"
)

const (
	bufferSize = 64 << 10               // bytes
	flushEvery = 100 * time.Millisecond // how long a line waits at most
)

// Buffer collects log lines and writes many of them at once: when there are 64
// KiB, when the first has waited for 100 ms, and when Flush or Close is called.
// A process that is killed loses what is in it.
//
// Its methods may be called concurrently. While lines are being written, others
// are collected; only when those fill the buffer too does Write wait.
type Buffer struct {
	out   sync.Mutex // held while writing to w; locked before mu
	w     io.Writer
	spare []byte // takes turns with lines

	mu     sync.Mutex
	lines  []byte
	timer  *time.Timer // runs while there are lines
	closed bool
}

// NewBuffer makes a Buffer in front of w. The caller closes it; that does not
// close w.
func NewBuffer(w io.Writer) *Buffer {
	b := &Buffer{w: w, lines: make([]byte, 0, bufferSize), spare: make([]byte, 0, bufferSize)}
	b.timer = time.AfterFunc(flushEvery, func() {
		_ = b.Flush() // the log is where errors are told
	})
	return b
}

// Write implements io.Writer. It takes whole lines. There is no error: lines
// that cannot be written are lost.
func (b *Buffer) Write(lines []byte) (int, error) {
	b.mu.Lock()
	for len(b.lines) > 0 && len(b.lines)+len(lines) > bufferSize {
		b.mu.Unlock()
		_ = b.Flush()
		b.mu.Lock()
	}
	if len(b.lines) == 0 {
		b.timer.Reset(flushEvery)
	}
	b.lines = append(b.lines, lines...)
	closed := b.closed
	b.mu.Unlock()
	if closed {
		_ = b.Flush()
	}
	return len(lines), nil
}

// Flush writes what there is. The error is the writer's; the lines are gone.
func (b *Buffer) Flush() error {
	b.out.Lock()
	defer b.out.Unlock()
	b.mu.Lock()
	b.timer.Stop()
	lines := b.lines
	b.lines = b.spare[:0]
	b.mu.Unlock()
	b.spare = lines
	if len(lines) == 0 {
		return nil
	}
	_, err := b.w.Write(lines)
	return err
}

// Close writes what there is. Lines that come later are written at once.
func (b *Buffer) Close() error {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	return b.Flush()
}
