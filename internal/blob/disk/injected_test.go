package disk

import (
	"os"
	"slices"
	"sync"
	"testing"
)

// injected is the real file system with one call that fails. Calls are counted
// from the moment it is armed.
type injected struct {
	files
	mu    sync.Mutex
	calls []string // what was asked for, in order: "write", "sync" …
	fail  func(calls []string) error
	avail func() int64 // answer of free; nil: the real one
	short bool         // a write that fails writes half of its bytes first
}

// next counts a call and returns the failure that it meets.
func (i *injected) next(call string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls = append(i.calls, call)
	return i.fail(i.calls)
}

// arm forgets earlier calls and sets what fails from now on.
func (i *injected) arm(fail func(calls []string) error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.calls, i.fail = nil, fail
}

func (i *injected) made() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return slices.Clone(i.calls)
}

func never([]string) error { return nil }

// nth makes the n-th call fail, whatever it is; the first is 1.
func nth(n int, err error) func([]string) error {
	return func(calls []string) error {
		if len(calls) == n {
			return err
		}
		return nil
	}
}

// every makes all calls of one kind fail.
func every(call string, err error) func([]string) error {
	return func(calls []string) error {
		if calls[len(calls)-1] == call {
			return err
		}
		return nil
	}
}

// openInjected opens a store in dir that fails only once it is armed.
func openInjected(t *testing.T, dir string, opts Options) (*Store, *injected) {
	t.Helper()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatalf("OpenRoot = %v, want success", err)
	}
	t.Cleanup(func() { root.Close() })
	fs := &injected{files: rooted{root}, fail: never}
	s, err := newStore(root, fs, opts)
	if err != nil {
		t.Fatalf("newStore = %v, want success", err)
	}
	fs.arm(never)
	return s, fs
}

func (i *injected) create(name string) (file, error) {
	if err := i.next("create"); err != nil {
		return nil, err
	}
	return i.wrap(i.files.create(name))
}

func (i *injected) reopen(name string) (file, error) {
	if err := i.next("reopen"); err != nil {
		return nil, err
	}
	return i.wrap(i.files.reopen(name))
}

func (i *injected) openDir(name string) (file, error) {
	if err := i.next("openDir"); err != nil {
		return nil, err
	}
	return i.wrap(i.files.openDir(name))
}

func (i *injected) mkdir(name string) error {
	if err := i.next("mkdir"); err != nil {
		return err
	}
	return i.files.mkdir(name)
}

func (i *injected) rename(from, to string) error {
	if err := i.next("rename"); err != nil {
		return err
	}
	return i.files.rename(from, to)
}

func (i *injected) remove(name string) error {
	if err := i.next("remove"); err != nil {
		return err
	}
	return i.files.remove(name)
}

func (i *injected) free() (int64, error) {
	if i.avail != nil {
		return i.avail(), nil
	}
	return i.files.free()
}

func (i *injected) wrap(f file, err error) (file, error) {
	if err != nil {
		return nil, err
	}
	return &injectedFile{file: f, injected: i}, nil
}

type injectedFile struct {
	file
	injected *injected
}

func (f *injectedFile) Write(p []byte) (int, error) {
	err := f.injected.next("write")
	if err != nil && !f.injected.short {
		return 0, err
	}
	if err != nil {
		n, _ := f.file.Write(p[:len(p)/2])
		return n, err
	}
	return f.file.Write(p)
}

func (f *injectedFile) Sync() error {
	if err := f.injected.next("sync"); err != nil {
		return err
	}
	return f.file.Sync()
}
