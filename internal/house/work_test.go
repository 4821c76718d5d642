package house_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"log/slog"
	"maps"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

// waiting lists the jobs in the database of a closed house, by kind.
func waiting(t *testing.T, data string) map[string]int {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(data, "packhouse.db"))
	must(t, err)
	defer db.Close()
	rows, err := db.QueryContext(t.Context(), `SELECT kind, COUNT(*) FROM jobs GROUP BY kind`)
	must(t, err)
	defer rows.Close()
	counts := map[string]int{}
	for rows.Next() {
		var kind string
		var n int
		must(t, rows.Scan(&kind, &n))
		counts[kind] = n
	}
	must(t, rows.Err())
	return counts
}

func every(purge, sweep time.Duration) func(*house.Options) {
	return func(o *house.Options) { o.PurgeEvery, o.SweepEvery = purge, sweep }
}

// However often the house is opened, there is one job of each kind.
func TestJobsAreRegisteredOnce(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	for _, test := range []struct {
		purge, sweep time.Duration
		want         map[string]int
	}{
		{0, 0, map[string]int{}},
		{time.Hour, 0, map[string]int{"purge": 1}},
		{time.Hour, time.Hour, map[string]int{"purge": 1, "sweep": 1}},
		{time.Minute, time.Hour, map[string]int{"purge": 1, "sweep": 1}},
		{time.Hour, time.Hour, map[string]int{"purge": 1, "sweep": 1}},
	} {
		must(t, start(t, data, every(test.purge, test.sweep)).Close())
		if got := waiting(t, data); !maps.Equal(got, test.want) {
			t.Errorf("every %v and %v: jobs %v, want %v", test.purge, test.sweep, got, test.want)
		}
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// eventually waits until something is so.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for until := time.Now().Add(20 * time.Second); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatalf("%s: not after 20 seconds", what)
		}
	}
}

// A job that was switched off goes quietly when it is due.
func TestJobIsSwitchedOff(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	must(t, start(t, data, every(time.Millisecond, time.Millisecond)).Close())
	if got := waiting(t, data); len(got) != 2 {
		t.Fatalf("jobs %v, want two", got)
	}
	log := new(lines)
	h := start(t, data, every(0, 0), func(o *house.Options) {
		o.Log = slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	})
	eventually(t, "both jobs are done", func() bool { return strings.Count(log.String(), "job done") == 2 })
	must(t, h.Close())
	if got := waiting(t, data); len(got) != 0 || strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("jobs %v and log %s, want none and no error", got, log)
	}
}

// The bytes of what is deleted go without anybody's doing.
func TestPurgeRuns(t *testing.T) {
	t.Parallel()
	w := formattest.Start(t, every(50*time.Millisecond, 0))
	project := w.Project("tools", w.Group("acme", 0, "private"), "private")
	put(w, project, strings.Repeat("x", 1<<20))
	if got := w.Stored(); got.Blobs != 1 {
		t.Fatalf("stored %+v, want one blob", got)
	}
	w.API("DELETE", fmt.Sprintf("/projects/%d/packages/1", project), "", nil)
	eventually(t, "the blob is gone", func() bool { return w.Stored() == formattest.Stored{} })
	// The line is written after the bytes are gone.
	eventually(t, "the log tells of the purge", func() bool {
		return strings.Contains(w.Logged(), `deleted files purged" images=0 files=1 blobs=1`)
	})
}

func put(w *formattest.World, project int64, content string) formattest.Answer {
	return w.Do("PUT", fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/1.0/f", project), strings.NewReader(content), formattest.Root)
}

// Downloads that are counted in memory are written when the house closes.
func TestDownloadsSurviveClose(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	database := formattest.Database(t)
	again := func(o *house.Options) { o.Data, o.Database = data, database }
	var project int64
	t.Run("download", func(t *testing.T) {
		w := formattest.Start(t, again)
		project = w.Project("tools", w.Group("acme", 0, "private"), "private")
		put(w, project, "hello")
		w.API("GET", fmt.Sprintf("/projects/%d/packages/1/package_files", project), "", nil)
		if a := w.Do("GET", fmt.Sprintf("/api/v4/projects/%d/packages/1/package_files/1/download", project), nil, formattest.Root); a.Status != 200 {
			t.Fatalf("GET = %d", a.Status)
		}
	})
	w := formattest.Start(t, again)
	var p formattest.Package
	w.API("GET", fmt.Sprintf("/projects/%d/packages/1", project), "", &p)
	if p.LastDownloadedAt == "" {
		t.Error("the download before the restart is forgotten")
	}
}
