// Package reference holds the yardsticks: the simplest servers that do one part
// of a registry's work, each a process of its own. What the registry needs
// beyond them is what access control, an index and durability cost.
//
//	N  nginx serving files (Config writes its configuration; it is not Go)
//	R  Go without net/http: one read, one write of an answer made beforehand
//	H  Go's net/http with http.ServeContent
//	S  Go's net/http, PUT streamed to a file and hashed, not synced
//	F  Go's net/http, PUT to a temporary file, fsync, rename
//
// None of them checks who asks.
package reference

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Serve listens on address and serves as the reference with the given letter,
// R, H, S or F, until it fails. Files are read from and written to dir; R
// answers every request with the one file of that path below dir.
func Serve(letter, address, dir, file string) error {
	listener, err := net.Listen("tcp4", address)
	if err != nil {
		return err
	}
	switch letter {
	case "R":
		return serveRaw(listener, filepath.Join(dir, filepath.FromSlash(file)))
	case "H":
		return http.Serve(listener, failing(func(w http.ResponseWriter, r *http.Request) error {
			return serveFile(w, r, dir)
		}))
	case "S":
		return http.Serve(listener, failing(func(w http.ResponseWriter, r *http.Request) error {
			return stream(w, r, dir)
		}))
	case "F":
		return http.Serve(listener, failing(func(w http.ResponseWriter, r *http.Request) error {
			return storeDurably(w, r, dir)
		}))
	}
	return fmt.Errorf("no reference is called %q", letter)
}

// failing answers 500 when the handler returns an error.
func failing(handle func(http.ResponseWriter, *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := handle(w, r); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}

// serveFile is H.
func serveFile(w http.ResponseWriter, r *http.Request, dir string) error {
	f, err := os.Open(filepath.Join(dir, filepath.FromSlash(path.Clean("/"+r.URL.Path))))
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header := w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("ETag", fmt.Sprintf(`"%x-%x"`, info.ModTime().UnixNano(), info.Size()))
	http.ServeContent(w, r, "", info.ModTime(), f)
	return nil
}

// stream is S: to a file and through SHA-256, in one pass.
func stream(w http.ResponseWriter, r *http.Request, dir string) error {
	f, err := os.Create(filepath.Join(dir, flatName(r)))
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.CopyBuffer(io.MultiWriter(f, hash), r.Body, make([]byte, 64<<10)); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	w.Header().Set("X-Checksum-SHA256", hex.EncodeToString(hash.Sum(nil)))
	w.WriteHeader(http.StatusCreated)
	return nil
}

// storeDurably is F: the least that makes one small file outlive a power cut,
// apart from the sync of its folder.
func storeDurably(w http.ResponseWriter, r *http.Request, dir string) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	name := filepath.Join(dir, flatName(r))
	f, err := os.Create(name + ".tmp")
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(body); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(name+".tmp", name); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// flatName makes one file name of a path.
func flatName(r *http.Request) string {
	return strings.ReplaceAll(strings.TrimPrefix(r.URL.Path, "/"), "/", "_")
}
