package house_test

import (
	"context"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"packhouse"
	"packhouse/internal/house"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func preset(token string) func(*house.Options) {
	return func(o *house.Options) { o.RootToken = token }
}

// start opens a house with edited options, or fails the test.
func start(t *testing.T, data string, edit ...func(*house.Options)) *house.House {
	t.Helper()
	opts := options(data)
	for _, f := range edit {
		f(&opts)
	}
	return open(t, opts)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// is asks the house who has a token: a user name, or the status.
func is(t *testing.T, h *house.House, token string) string {
	t.Helper()
	r, w := httptest.NewRequest("GET", "/api/v4/user", nil), httptest.NewRecorder()
	r.Header.Set("Private-Token", token)
	h.Handler.ServeHTTP(w, r)
	if _, rest, ok := strings.Cut(w.Body.String(), `"username":"`); ok {
		name, _, _ := strings.Cut(rest, `"`)
		return name
	}
	return w.Result().Status
}

const unauthorized = "401 Unauthorized"

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	must(t, err)
	return string(text)
}

// The first start makes the folder, readable for nobody else, and the
// administrator; later ones find both as they were.
func TestFirstStart(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "deep", "data")
	h := start(t, data)
	token := h.Root.Token
	file := filepath.Join(data, "root-token")
	if h.Root.User.Username != "root" || !h.Root.User.Admin || h.Root.File != file || token == "" {
		t.Errorf("administrator = %+v", h.Root)
	}
	if got := read(t, file); got != token+"\n" {
		t.Errorf("root-token holds %q, want the token", got)
	}
	if is(t, h, token) != "root" {
		t.Errorf("the token is %s's", is(t, h, token))
	}
	must(t, h.Ready(t.Context()))
	must(t, h.Close())
	must(t, filepath.WalkDir(data, func(name string, d os.DirEntry, err error) error {
		must(t, err)
		info, err := d.Info()
		must(t, err)
		if info.Mode().Perm()&0o077 != 0 && name == data || name == file && info.Mode().Perm() != 0o600 {
			t.Errorf("%s has the mode %v", name, info.Mode())
		}
		return nil
	}))
	for range 2 {
		again := start(t, data)
		if again.Root.Token != "" || again.Root.User.ID != h.Root.User.ID || is(t, again, token) != "root" || read(t, file) != token+"\n" {
			t.Errorf("a later start: administrator %+v, the token is %s's", again.Root, is(t, again, token))
		}
		if n := tokens(t, again); n != 1 {
			t.Errorf("root has %d tokens, want one", n)
		}
		must(t, again.Close())
	}
}

// tokens counts the administrator's tokens.
func tokens(t *testing.T, h *house.House) (n int) {
	t.Helper()
	must(t, h.Store.View(t.Context(), func(tx *store.Tx) error {
		list, err := tx.TokensOfUser(t.Context(), h.Root.User.ID, packhouse.PersonalToken)
		n = len(list)
		return err
	}))
	return n
}

// A preset token is the administrator's; a changed one is another, and the
// earlier ones stay until they are revoked.
func TestPresetToken(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for i, test := range []struct {
		preset string
		made   bool
		valid  []string
		kept   string // in the file
	}{
		{"first-token", true, []string{"first-token"}, "first-token"},
		{"first-token", false, []string{"first-token"}, "first-token"},
		{"", false, []string{"first-token"}, "first-token"},
		{"second-token\n", true, []string{"first-token", "second-token"}, "second-token"},
		{"first-token", false, []string{"first-token", "second-token"}, "first-token"},
	} {
		h := start(t, data, preset(test.preset))
		if (h.Root.Token != "") != test.made || test.made && h.Root.Token != test.kept {
			t.Errorf("start %d: made the token %q, want one made: %v", i, h.Root.Token, test.made)
		}
		for _, token := range test.valid {
			if got := is(t, h, token); got != "root" {
				t.Errorf("start %d: %s is %s's", i, token, got)
			}
		}
		if n := tokens(t, h); n != len(test.valid) {
			t.Errorf("start %d: root has %d tokens, want %d", i, n, len(test.valid))
		}
		if got := read(t, h.Root.File); got != test.kept+"\n" {
			t.Errorf("start %d: the file holds %q, want %q", i, got, test.kept)
		}
		must(t, h.Close())
	}
}

// Who has lost the file, or finds nothing in it, gets another token by starting
// anew.
func TestLostToken(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	h := start(t, data)
	first, file := h.Root.Token, h.Root.File
	must(t, h.Close())
	must(t, os.Remove(file))
	h = start(t, data)
	second := h.Root.Token
	if second == "" || second == first || read(t, file) != second+"\n" || is(t, h, second) != "root" || is(t, h, first) != "root" {
		t.Errorf("after the loss: %q, which is %s's", second, is(t, h, second))
	}
	must(t, h.Close())
	must(t, os.WriteFile(file, []byte(" \n"), 0o600))
	h = start(t, data)
	if h.Root.Token == "" || is(t, h, h.Root.Token) != "root" {
		t.Errorf("after emptying the file: %+v", h.Root)
	}
	must(t, h.Close())
}

// A token that was revoked stays so, though its file is there.
func TestRevokedRootToken(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	h := start(t, data, preset("root-preset"))
	must(t, h.Issuer.Revoke(t.Context(), ledger.By{}, 1, func(*ledger.Token) error { return nil }))
	must(t, h.Close())
	h = start(t, data, preset("root-preset"))
	if got := is(t, h, "root-preset"); got != unauthorized || h.Root.Token != "" {
		t.Errorf("the revoked token is %s's, and %q was made", got, h.Root.Token)
	}
	must(t, h.Close())
}

// One process has the folder; whoever comes second is told, and disturbs nothing.
func TestFolderInUse(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	h := start(t, data)
	for range 3 {
		second, err := house.Open(t.Context(), options(data))
		want := "the data folder " + data + " is in use by another packhouse; stop it, or choose another folder with --data"
		if second != nil || err == nil || err.Error() != want {
			t.Fatalf("opened twice: %v, want %q", err, want)
		}
	}
	if is(t, h, h.Root.Token) != "root" {
		t.Error("the first house does not answer any more")
	}
	must(t, h.Close())
	must(t, start(t, data).Close())
}

// What cannot be a data folder is said with its name.
func TestFolderErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	must(t, os.WriteFile(file, nil, 0o600))
	locked, blocked, broken := filepath.Join(dir, "locked"), filepath.Join(dir, "blocked"), filepath.Join(dir, "broken")
	must(t, os.MkdirAll(filepath.Join(locked, "lock"), 0o700))
	must(t, os.MkdirAll(blocked, 0o700))
	must(t, os.WriteFile(filepath.Join(blocked, "files"), nil, 0o600))
	must(t, os.MkdirAll(broken, 0o700))
	must(t, os.WriteFile(filepath.Join(broken, "packhouse.db"), []byte(strings.Repeat("no database ", 1000)), 0o600))
	for name, test := range map[string]struct{ data, want string }{
		"a file":                   {file, "the data folder " + file + " cannot be used"},
		"below a file":             {filepath.Join(file, "data"), "the data folder " + file + "/data cannot be used"},
		"read-only":                {readOnly(t, filepath.Join(dir, "readonly")), "cannot be written: make it writable for this user, or choose another with --data"},
		"a folder for the lock":    {locked, "the data folder " + locked + " cannot be used"},
		"a file for the files":     {blocked, "open the folder of files"},
		"no database":              {broken, "database"},
		"no name":                  {"", "the data folder"},
		"a name with a NUL inside": {"a\x00b", "the data folder"},
	} {
		h, err := house.Open(t.Context(), options(test.data))
		if h != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: Open = %v, %v, want an error that says %q", name, h, err, test.want)
		}
	}
	must(t, os.Remove(filepath.Join(blocked, "files")))
	must(t, start(t, blocked).Close()) // nothing has kept the lock
}

// A start that is given up leaves nothing behind that keeps the next from it.
func TestCancelledStart(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if h, err := house.Open(ctx, options(data)); err == nil || h != nil {
		t.Errorf("Open with a context that is over = %v, %v", h, err)
	}
	h := start(t, data)
	if is(t, h, strings.TrimSpace(read(t, h.Root.File))) != "root" {
		t.Error("the token in the file is not root's")
	}
	must(t, h.Close())
}

// A house leaves no goroutine and no open file, however often it is opened.
func TestNothingLeaks(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	must(t, start(t, data).Close())
	before := descriptors(t)
	for range 5 {
		h := start(t, data, func(o *house.Options) { o.PurgeEvery, o.SweepEvery = time.Minute, time.Minute })
		is(t, h, "nobody")
		must(t, h.Close())
		goleak.VerifyNone(t)
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d files are open, %d were", after, before)
	}
}

// descriptors counts the files that this process has open.
func descriptors(t *testing.T) int {
	t.Helper()
	list, err := os.ReadDir("/dev/fd")
	must(t, err)
	return len(list)
}
