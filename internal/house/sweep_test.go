package house_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"packhouse/internal/blob/disk"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

// A sweep removes what nobody will finish once it has lain for an hour, and
// leaves alone what is young, what is published, and what is under way however
// old it looks.
func TestSweep(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t)
	project := w.Project("tools", w.Group("acme", 0, "private"), "private")
	content := strings.Repeat("packhouse ", 10_000)
	put(w, project, content)
	for range 2 {
		abandon(t, w.Data)
	}
	under := w.Dial()
	defer under.Close()
	under.Send(w.Head("PUT", fmt.Sprintf("/api/v4/projects/%d/packages/generic/slow/1.0/f", project), formattest.Root, "Content-Length: 200000") + "\r\n")
	under.Send(content)
	eventually(t, "the slow upload has begun", func() bool { return w.Stored().Uploads == 3 })
	w.Age()
	abandon(t, w.Data) // young
	done, err := w.Registry.Sweep(t.Context())
	if err != nil || done.Uploads != 2 || done.Orphans != 0 {
		t.Errorf("Sweep = %+v, %v, want two uploads", done, err)
	}
	if got := w.Stored(); got != (formattest.Stored{Blobs: 1, Uploads: 2}) {
		t.Errorf("stored %+v, want the published blob, the young upload and the slow one", got)
	}
	under.Send(content)
	if a := under.Answer("PUT"); a.Status != 201 {
		t.Errorf("the slow upload = %d %s, want 201", a.Status, a.Body)
	}
	for file, want := range map[string]string{"tool": content, "slow": content + content} {
		a := w.Do("GET", fmt.Sprintf("/api/v4/projects/%d/packages/generic/%s/1.0/f", project, file), nil, formattest.Root)
		if a.Status != 200 || string(a.Body) != want {
			t.Errorf("GET %s = %d with %d bytes, want %d", file, a.Status, len(a.Body), len(want))
		}
	}
}

// abandon leaves an upload as a process does that is killed.
func abandon(t *testing.T, data string) {
	t.Helper()
	killed, err := disk.New(filepath.Join(data, "files"), disk.Options{})
	must(t, err)
	defer killed.Close()
	u, err := killed.Create(t.Context())
	must(t, err)
	_, err = u.Write([]byte("half of a"))
	must(t, err)
	must(t, u.Close())
}

// Bytes are kept as long as the retention says, and given up after that; other
// files with the same bytes keep them.
func TestRetention(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t, func(o *house.Options) { o.Retention = time.Hour })
	group := w.Group("acme", 0, "private")
	one, two := w.Project("one", group, "private"), w.Project("two", group, "private")
	content := strings.Repeat("packhouse ", 10_000)
	put(w, one, content)
	put(w, two, content)
	w.API("DELETE", fmt.Sprintf("/projects/%d/packages/1", one), "", nil)
	if done, err := w.Registry.Purge(t.Context()); err != nil || done.Files != 0 {
		t.Errorf("Purge within the retention = %+v, %v, want nothing", done, err)
	}
	eager := formattest.Start(t)
	p := eager.Project("one", eager.Group("acme", 0, "private"), "private")
	q := eager.Project("two", eager.Group("other", 0, "private"), "private")
	put(eager, p, content)
	put(eager, q, content)
	for i, want := range []formattest.Stored{{Blobs: 1}, {}} {
		eager.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", []int64{p, q}[i], i+1), "", nil)
		if done, err := eager.Registry.Purge(t.Context()); err != nil || done.Files != 1 || done.Blobs != i {
			t.Errorf("Purge = %+v, %v, want one file and %d blobs", done, err, i)
		}
		if got := eager.Stored(); got != want {
			t.Errorf("stored %+v, want %+v", got, want)
		}
	}
}
