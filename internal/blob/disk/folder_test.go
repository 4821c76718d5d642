package disk

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
)

// TestCrash leaves an upload open as a killed process does, and opens the folder
// again.
func TestCrash(t *testing.T) {
	dir, body := t.TempDir(), blobtest.Bytes(400_000, 1)
	died := open(t, dir, Options{})
	kept := blobtest.MustPut(t, died, []byte("committed"))
	u := mustCreate(t, died)
	if _, err := u.Write(body[:300_000]); err != nil {
		t.Fatalf("Write = %v, want success", err)
	}

	s := open(t, dir, Options{})
	if keys := blobtest.Keys(t, s, ""); !slices.Equal(keys, []blob.Key{kept.Key}) {
		t.Errorf("keys after a crash = %q, want %q", keys, kept.Key)
	}
	if ids := blobtest.UploadIDs(t, s); !slices.Equal(ids, []string{u.ID()}) {
		t.Errorf("uploads after a crash = %q, want %q", ids, u.ID())
	}
	again, err := s.Resume(t.Context(), u.ID())
	if err != nil || again.Size() != 300_000 {
		t.Fatalf("Resume after a crash = %v, %v, want 300000 bytes", again, err)
	}
	if _, err := again.Write(body[300_000:]); err != nil {
		t.Fatalf("Write = %v, want success", err)
	}
	info, err := again.Commit(t.Context(), blobtest.Sum(body))
	if err != nil {
		t.Fatalf("Commit = %v, want success", err)
	}
	blobtest.CheckHolds(t, s, info.Key, body)
	blobtest.CheckHolds(t, s, kept.Key, []byte("committed"))
}

func TestLayoutAndModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "made", "on", "the way")
	s := open(t, dir, Options{})
	info := blobtest.MustPut(t, s, []byte("body"))
	u := mustCreate(t, s)
	key := string(info.Key)
	for name, want := range map[string]fs.FileMode{
		"..":                                fs.ModeDir | 0o700,
		".":                                 fs.ModeDir | 0o700,
		"uploads":                           fs.ModeDir | 0o700,
		"uploads/" + u.ID():                 0o600,
		"blobs":                             fs.ModeDir | 0o700,
		"blobs/" + key[:2]:                  fs.ModeDir | 0o700,
		"blobs/" + key[:2] + "/" + key[2:4]: fs.ModeDir | 0o700,
		"blobs/" + key[:2] + "/" + key[2:4] + "/" + key: 0o600,
	} {
		stat, err := os.Lstat(filepath.Join(dir, name))
		if err != nil || stat.Mode() != want {
			t.Errorf("%s = %v, %v, want mode %v", name, stat, err, want)
		}
	}
}

// TestStrayFiles puts things into the folder that the store did not make.
func TestStrayFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir, Options{})
	info := blobtest.MustPut(t, s, []byte("body"))
	key := string(info.Key)
	leaf := filepath.Join("blobs", key[:2], key[2:4])
	elsewhere := string(blob.NewKey(blobtest.Sum([]byte("of another folder")), blob.NewID()))
	for _, name := range []string{
		"README", "blobs/.DS_Store", "blobs/zz", "blobs/lost+found",
		"blobs/" + strings.ToUpper(key[:2]) + "x", "blobs/" + key[:2] + "/notes",
		leaf + "/" + key + ".bak", leaf + "/" + elsewhere, leaf + "/core", "uploads/core",
		"blobs/" + other(key[:2]), "blobs/" + key[:2] + "/" + other(key[2:4]),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("stray"), 0o600); err != nil {
			t.Fatalf("WriteFile(%q) = %v, want success", name, err)
		}
	}
	for _, name := range []string{leaf + "/" + key[:65] + blob.NewID(), "uploads/" + blob.NewID()} {
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			t.Fatalf("Mkdir(%q) = %v, want success", name, err)
		}
	}
	checkOnly(t, s, info.Key)
}

// other returns two hexadecimal digits that differ from ab.
func other(ab string) string {
	return map[bool]string{true: "00", false: "ff"}[ab != "00"]
}

// TestLinksDoNotLeadOut plants symbolic links where blobs are expected.
func TestLinksDoNotLeadOut(t *testing.T) {
	dir, outside := t.TempDir(), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(outside, []byte("secret"), 0o600); err != nil {
		t.Fatalf("WriteFile = %v, want success", err)
	}
	s := open(t, dir, Options{})
	info := blobtest.MustPut(t, s, []byte("body"))
	_, name := blobPath(info.Key)
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatalf("Remove = %v, want success", err)
	}
	id := blob.NewID()
	for _, link := range []string{name, uploadPath(id)} {
		if err := os.Symlink(outside, filepath.Join(dir, link)); err != nil {
			t.Fatalf("Symlink = %v, want success", err)
		}
	}
	if _, err := s.Open(t.Context(), info.Key); err == nil {
		t.Error("Open followed a link out of the store")
	}
	if _, err := s.Resume(t.Context(), id); err == nil {
		t.Error("Resume followed a link out of the store")
	}
	checkOnly(t, s)
}

func TestFiler(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	r, err := s.Open(t.Context(), blobtest.MustPut(t, s, []byte("body")).Key)
	if err != nil {
		t.Fatalf("Open = %v, want success", err)
	}
	f := r.(blob.Filer).File()
	if stat, err := f.Stat(); err != nil || stat.Size() != 4 {
		t.Errorf("Stat of the file = %v, %v, want 4 bytes", stat, err)
	}
	if err := r.Close(); err != nil {
		t.Errorf("Close = %v, want success", err)
	}
	if _, err := f.Stat(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Stat after Close = %v, want ErrClosed", err)
	}
}

func TestNewRefused(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatalf("WriteFile = %v, want success", err)
	}
	for _, dir := range []string{file, filepath.Join(file, "below")} {
		if _, err := New(dir, Options{}); err == nil {
			t.Errorf("New(%q) succeeded below a file", dir)
		}
	}
}
