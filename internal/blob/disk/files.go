package disk

import (
	"io"
	"io/fs"
	"os"
	"syscall"
)

// files is what the store asks of the file system when it changes something,
// and the place where tests make it fail. Names are relative to the root, with
// slashes.
type files interface {
	create(name string) (file, error)  // new, mode 0600; fs.ErrExist
	reopen(name string) (file, error)  // for appending
	openDir(name string) (file, error) // for Sync only
	mkdir(name string) error           // mode 0700; fs.ErrExist
	rename(from, to string) error
	remove(name string) error
	free() (int64, error) // bytes that this process may still write
}

// file is an open file or folder of files.
type file interface {
	io.Writer
	Sync() error
	Stat() (fs.FileInfo, error)
	Close() error
}

// rooted is the real file system below a root, which no name and no symbolic
// link leads out of.
type rooted struct {
	root *os.Root
}

func (r rooted) create(name string) (file, error) {
	return opened(r.root.OpenFile(name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600))
}

func (r rooted) reopen(name string) (file, error) {
	return opened(r.root.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0))
}

func (r rooted) openDir(name string) (file, error) { return opened(r.root.Open(name)) }
func (r rooted) mkdir(name string) error           { return r.root.Mkdir(name, 0o700) }
func (r rooted) rename(from, to string) error      { return r.root.Rename(from, to) }
func (r rooted) remove(name string) error          { return r.root.Remove(name) }

// opened keeps a nil *os.File from becoming a file that is not nil.
func opened(f *os.File, err error) (file, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (r rooted) free() (int64, error) {
	dir, err := r.root.Open(".")
	if err != nil {
		return 0, err
	}
	defer dir.Close()
	conn, err := dir.SyscallConn()
	if err != nil {
		return 0, err
	}
	var stat syscall.Statfs_t
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = syscall.Fstatfs(int(fd), &stat) }); err != nil {
		return 0, err
	}
	if failed != nil {
		return 0, os.NewSyscallError("fstatfs", failed)
	}
	// Bavail leaves out what the file system keeps for root, as df does.
	return int64(stat.Bavail) * int64(stat.Bsize), nil
}
