package house

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"packhouse"
)

// What stands in the data folder.
const (
	databaseFile = "packhouse.db"
	filesFolder  = "files"
)

// lockFolder makes the data folder if needed and takes it for this process. The
// lock goes with the process, however that ends.
func lockFolder(dir string) (*os.File, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, folderError(dir, err)
	}
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, folderError(dir, err)
	}
	if err := lock(f); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, packhouse.Errorf(packhouse.Conflict, "the data folder %s is in use by another packhouse; stop it, or choose another folder with --data", dir)
		}
		return nil, folderError(dir, err)
	}
	return f, nil
}

// A lock that was given up is held on to by a process that was being started at that
// moment, until it runs its program. That takes milliseconds.
const (
	lockTries = 50
	lockPause = 10 * time.Millisecond
)

func lock(f *os.File) (err error) {
	for range lockTries {
		if err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		time.Sleep(lockPause)
	}
	return err
}

func folderError(dir string, err error) error {
	if errors.Is(err, os.ErrPermission) || errors.Is(err, syscall.EROFS) {
		return fmt.Errorf("the data folder %s cannot be written: make it writable for this user, or choose another with --data: %w", dir, err)
	}
	return fmt.Errorf("the data folder %s cannot be used: %w", dir, err)
}
