package disk

import (
	"fmt"
	"sync"

	"packhouse/internal/blob"
)

// stride is the number of bytes that may be written, by all uploads together,
// before the file system is asked again how much is free.
const stride = 8 << 20

// room keeps blobs from taking the last bytes of a file system. Its answer is
// exact for what this store writes and at most a stride late for others.
type room struct {
	reserve int64 // bytes to leave free; 0 switches the check off
	free    func() (int64, error)

	mu   sync.Mutex
	left int64 // bytes to hand out before asking again
}

// look asks the file system now and returns blob.ErrFull when nothing more may
// be written.
func (r *room) look() error {
	if r.reserve == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refresh(1)
}

// take asks for n bytes to write and returns blob.ErrFull when they would eat
// into the reserve.
func (r *room) take(n int) error {
	if r.reserve == 0 {
		return nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.left < int64(n) {
		if err := r.refresh(int64(n)); err != nil {
			return err
		}
	}
	r.left -= int64(n)
	return nil
}

// Room implements blob.Roomer.
func (s *Store) Room(n int) error { return s.room.take(n) }

// refresh measures the room for at least n bytes.
func (r *room) refresh(n int64) error {
	free, err := r.free()
	if err != nil {
		return fmt.Errorf("measure free space: %w", err)
	}
	available := free - r.reserve
	if available < n {
		r.left = 0
		return fmt.Errorf("%w: %d bytes are free and %d are kept in reserve", blob.ErrFull, free, r.reserve)
	}
	r.left = min(available, max(stride, n))
	return nil
}
