package house_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

func options(dir string) house.Options {
	return house.Options{Data: dir, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
}

func open(t *testing.T, opts house.Options) *house.House {
	t.Helper()
	h, err := house.Open(context.Background(), opts)
	if err != nil {
		t.Fatalf("open house: %v", err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

// The administrator's token is shown by the start that made it, and kept.
func TestAdministrator(t *testing.T) {
	dir := t.TempDir()
	kept := func() string {
		text, err := os.ReadFile(filepath.Join(dir, "root-token"))
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(text))
	}
	start := func(preset string) string {
		opts := options(dir)
		opts.RootToken = preset
		h := open(t, opts)
		defer h.Close()
		return h.Root.Token
	}
	first := start("")
	if !strings.HasPrefix(first, "glpat-") || len(first) != 26 || kept() != first {
		t.Fatalf("first start: token %q, kept %q, want one token of 26 characters", first, kept())
	}
	if again := start(""); again != "" || kept() != first {
		t.Errorf("second start: token %q, kept %q, want none shown and the first kept", again, kept())
	}
	const preset = "glpat-presetpresetpreset00"
	if got := start(preset); got != preset || kept() != preset {
		t.Errorf("start with a preset: token %q, kept %q, want the preset", got, kept())
	}
	if got := start(preset); got != "" {
		t.Errorf("second start with a preset: token %q, want none", got)
	}
	if err := os.Remove(filepath.Join(dir, "root-token")); err != nil {
		t.Fatal(err)
	}
	if got := start(""); got == "" || got == first || kept() != got {
		t.Errorf("start after the file was lost: token %q, kept %q, want a new one", got, kept())
	}
	info, err := os.Stat(filepath.Join(dir, "root-token"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode of root-token: %v, %v, want 0600", info.Mode(), err)
	}
}

// What cannot be a data folder is said in words that name it.
func TestUnusableFolder(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	open(t, options(filepath.Join(dir, "taken")))
	for folder, want := range map[string]string{
		filepath.Join(dir, "taken"): "in use by another packhouse",
		file:                        "cannot be used",
		filepath.Join(file, "sub"):  "cannot be used",
	} {
		h, err := house.Open(context.Background(), options(folder))
		if err == nil {
			h.Close()
			t.Errorf("Open(%s) succeeded", folder)
			continue
		}
		if !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), folder) {
			t.Errorf("Open(%s) = %v, want %q and the folder", folder, err, want)
		}
	}
}

// files counts the files below a folder.
func files(t *testing.T, dir string) (n int) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Bytes of deleted files go at the next purge; what a crash left goes at the next
// sweep, once it has been left alone for an hour.
func TestCollection(t *testing.T) {
	var data string
	w := formattest.Start(t, func(o *house.Options) { data = o.Data })
	id := w.Project("tools", w.Group("acme", 0, "private"), "private")
	root := "Private-Token: " + formattest.RootToken
	stored := filepath.Join(data, "files", "blobs")
	body := strings.Repeat("packhouse ", 10_000)
	if a := w.Do("PUT", fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/1.0/f", id), strings.NewReader(body), root); a.Status != 201 {
		t.Fatalf("PUT = %d %s", a.Status, a.Body)
	}
	var list []struct{ ID int64 }
	w.API("GET", fmt.Sprintf("/projects/%d/packages", id), "", &list)
	w.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", id, list[0].ID), "", nil)
	if n := files(t, stored); n != 1 {
		t.Fatalf("%d files before the purge, want 1", n)
	}
	if done, err := w.Registry.Purge(t.Context()); err != nil || done.Files != 1 || done.Blobs != 1 {
		t.Fatalf("Purge = %+v, %v, want one file and one blob", done, err)
	}
	if n := files(t, stored); n != 0 {
		t.Fatalf("%d files after the purge, want 0", n)
	}

	orphan := leave(t, stored, strings.Repeat("a", 64))
	young := leave(t, stored, strings.Repeat("b", 64))
	old := time.Now().Add(-2 * time.Hour)
	if err := os.Chtimes(orphan, old, old); err != nil {
		t.Fatal(err)
	}
	if done, err := w.Registry.Sweep(t.Context()); err != nil || done.Orphans != 1 {
		t.Fatalf("Sweep = %+v, %v, want one orphan", done, err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("a young blob was swept: %v", err)
	}
	if _, err := os.Stat(orphan); err == nil {
		t.Error("an old orphan was not swept")
	}
}

// leave puts a blob where a crash would have left it.
func leave(t *testing.T, stored, digest string) string {
	t.Helper()
	dir := filepath.Join(stored, digest[:2], digest[2:4])
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(dir, digest+"."+blob.NewID())
	if err := os.WriteFile(name, []byte("left"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
