package telemetry

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// sink remembers what is written to it, write by write.
type sink struct {
	mu     sync.Mutex
	writes []string
	err    error
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.writes = append(s.writes, string(p))
	return len(p), s.err
}

func (s *sink) all() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writes
}

func TestBufferWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sink
		b := NewBuffer(&out)
		defer b.Close()
		for range 2 {
			before := len(out.all())
			b.Write([]byte("a\n"))
			time.Sleep(flushEvery - 1)
			b.Write([]byte("b\n"))
			synctest.Wait()
			if got := len(out.all()); got != before {
				t.Fatalf("%d writes before the time, want %d", got, before)
			}
			time.Sleep(1 * time.Nanosecond)
			synctest.Wait()
			if got := out.all(); len(got) != before+1 || got[before] != "a\nb\n" {
				t.Fatalf("writes = %q, want one more with both lines", got)
			}
		}
	})
}

func TestBufferFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out sink
		b := NewBuffer(&out)
		defer b.Close()
		half := []byte(strings.Repeat("x", bufferSize/2))
		for _, want := range []int{0, 0, 1, 1, 2} {
			b.Write(half)
			if got := len(out.all()); got != want {
				t.Fatalf("%d writes, want %d", got, want)
			}
		}
		b.Write([]byte(strings.Repeat("y", 2*bufferSize)))
		b.Flush()
		if got := out.all()[3]; len(got) != 2*bufferSize {
			t.Errorf("a line that is larger than the buffer came out with %d bytes, want %d", len(got), 2*bufferSize)
		}
	})
}

func TestBufferClose(t *testing.T) {
	out := sink{err: errors.New("no space left")}
	b := NewBuffer(&out)
	b.Write([]byte("a\n"))
	if err := b.Close(); !errors.Is(err, out.err) {
		t.Errorf("Close = %v, want %v", err, out.err)
	}
	if n, err := b.Write([]byte("late\n")); n != 5 || err != nil {
		t.Errorf("Write = %d, %v, want 5, nil", n, err)
	}
	if got := strings.Join(out.all(), "|"); got != "a\n|late\n" {
		t.Errorf("writes = %q, want both lines", got)
	}
}

func TestBufferConcurrently(t *testing.T) {
	var out bytes.Buffer // written by one at a time, or the race detector speaks
	b := NewBuffer(&out)
	line := []byte(strings.Repeat("z", 99) + "\n")
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 2000 {
				b.Write(line)
			}
		})
	}
	writers.Wait()
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), string(line)); got != 16000 || out.Len() != 16000*len(line) {
		t.Errorf("%d whole lines in %d bytes, want 16000 in %d", got, out.Len(), 16000*len(line))
	}
}

func TestUrgentLinesAreFlushed(t *testing.T) {
	var out sink
	b := NewBuffer(&out)
	log := NewLog(b, slog.LevelInfo, "text").With("a", 1).WithGroup("g")
	log.Info("usual")
	if got := out.all(); len(got) != 0 {
		t.Fatalf("writes = %q, want none yet", got)
	}
	log.Warn("urgent", "b", 2)
	if got := out.all(); len(got) != 1 || strings.Count(got[0], "\n") != 2 || !strings.Contains(got[0], "a=1 g.b=2") {
		t.Errorf("writes = %q, want one with both lines", got)
	}
}
