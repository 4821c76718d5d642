package house_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"packhouse"
	"packhouse/internal/blob/mem"
	"packhouse/internal/house"
	"packhouse/internal/ledger"
	"packhouse/internal/store/pgtest"
)

const rootToken = "glpat-rootrootrootrootroot"

// nodes opens houses that share a database and their files.
func nodes(t *testing.T, n int) (list []*house.House) {
	t.Helper()
	address, files := pgtest.Database(t), mem.New()
	for range n {
		list = append(list, start(t, t.TempDir(), preset(rootToken), func(o *house.Options) { o.Database, o.Blobs = address, files }))
	}
	return list
}

// ask sends a request to a house as root and returns the answer.
func ask(h *house.House, method, path string, body []byte) *httptest.ResponseRecorder {
	r, w := httptest.NewRequest(method, path, bytes.NewReader(body)), httptest.NewRecorder()
	r.Header.Set("Private-Token", rootToken)
	h.Handler.ServeHTTP(w, r)
	return w
}

// TestNodes: whatever one server acknowledges, the next request to another one
// sees: projects, packages in the database and beside it, and their end.
func TestNodes(t *testing.T) {
	t.Parallel()
	all := nodes(t, 3)
	group, err := all[0].Changes.CreateGroup(t.Context(), ledger.By{}, ledger.Namespace{Path: "acme", Name: "Acme"})
	must(t, err)
	must(t, all[1].Store.Fresh(t.Context())) // as every request does
	project, err := all[1].Changes.CreateProject(t.Context(), ledger.By{}, ledger.Project{NamespaceID: group.ID, Path: "tools", Name: "Tools"})
	must(t, err)
	for i, size := range []int{10, 4 << 10, 100 << 10} {
		body := bytes.Repeat([]byte{byte('a' + i)}, size)
		path := fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/1.%d/file.bin", project.ID, i)
		if w := ask(all[i], "PUT", path, body); w.Code != http.StatusCreated {
			t.Fatalf("PUT to node %d = %d %s", i, w.Code, w.Body)
		}
		for n, h := range all {
			w := ask(h, "GET", path, nil)
			if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), body) {
				t.Errorf("GET from node %d = %d, %d bytes, want %d", n, w.Code, w.Body.Len(), size)
			}
		}
	}
	var list []struct{ ID int64 }
	packages := fmt.Sprintf("/api/v4/projects/%d/packages", project.ID)
	must(t, json.Unmarshal(ask(all[0], "GET", packages, nil).Body.Bytes(), &list))
	for i, p := range list {
		if w := ask(all[i], "DELETE", fmt.Sprintf("%s/%d", packages, p.ID), nil); w.Code != http.StatusNoContent {
			t.Errorf("DELETE at node %d = %d %s", i, w.Code, w.Body)
		}
		for n, h := range all {
			if w := ask(h, "GET", fmt.Sprintf("%s/%d", packages, p.ID), nil); w.Code != http.StatusNotFound {
				t.Errorf("GET of a deleted version from node %d = %d, want 404", n, w.Code)
			}
		}
	}
	if len(list) != 3 {
		t.Errorf("%d packages were listed, want 3", len(list))
	}
}

// TestNodesRace: files are published into one new version on two servers at once.
// All of them are accepted, and make one version.
func TestNodesRace(t *testing.T) {
	t.Parallel()
	all := nodes(t, 2)
	group, err := all[0].Changes.CreateGroup(t.Context(), ledger.By{}, ledger.Namespace{Path: "acme", Name: "Acme"})
	must(t, err)
	project, err := all[0].Changes.CreateProject(t.Context(), ledger.By{}, ledger.Project{NamespaceID: group.ID, Path: "tools", Name: "Tools"})
	must(t, err)
	var working sync.WaitGroup
	var mu sync.Mutex
	codes := map[int]int{}
	for i := range 32 {
		working.Go(func() {
			path := fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/1.0/file-%d.bin", project.ID, i)
			w := ask(all[i%2], "PUT", path, []byte("same for all"))
			mu.Lock()
			defer mu.Unlock()
			codes[w.Code]++
		})
	}
	working.Wait()
	if codes[http.StatusCreated] != 32 {
		t.Errorf("answers %v, want 32 times 201", codes)
	}
	w := ask(all[0], "GET", fmt.Sprintf("/api/v4/projects/%d/packages", project.ID), nil)
	if n := strings.Count(w.Body.String(), `"version":"1.0"`); n != 1 {
		t.Errorf("%d versions, want one", n)
	}
}

// TestNodesStartTogether: several servers make the first administrator at once.
func TestNodesStartTogether(t *testing.T) {
	t.Parallel()
	address, files := pgtest.Database(t), mem.New()
	var starting sync.WaitGroup
	for range 4 {
		dir := t.TempDir()
		starting.Go(func() {
			opts := options(dir)
			opts.Database, opts.Blobs, opts.RootToken = address, files, rootToken
			h, err := house.Open(t.Context(), opts)
			if err != nil {
				t.Errorf("Open = %v, want success", err)
				return
			}
			if w := ask(h, "GET", "/api/v4/user", nil); w.Code != http.StatusOK {
				t.Errorf("GET /user = %d %s", w.Code, w.Body)
			}
			if err := h.Close(); err != nil {
				t.Errorf("Close = %v, want success", err)
			}
		})
	}
	starting.Wait()
}

// TestFilesApart: servers that share a database and not the files would each lack
// half of them. The second one does not start.
func TestFilesApart(t *testing.T) {
	t.Parallel()
	address := pgtest.Database(t)
	shared := func(o *house.Options) { o.Database = address }
	dir := t.TempDir()
	first := start(t, dir, shared)
	opts := options(t.TempDir())
	shared(&opts)
	h, err := house.Open(t.Context(), opts)
	if packhouse.KindOf(err) != packhouse.Conflict || err == nil {
		t.Errorf("Open with other files = %v, want Conflict", err)
		h.Close()
	}
	must(t, first.Close())
	must(t, start(t, dir, shared).Close())
}

// TestDatabaseGone: while the database is away, requests are told to come again.
// Probes of the process are answered, and readiness says no.
func TestDatabaseGone(t *testing.T) {
	t.Parallel()
	c := pgtest.New(t)
	must(t, c.Exec("postgres", "CREATE DATABASE registry"))
	h := start(t, t.TempDir(), preset(rootToken), func(o *house.Options) { o.Database = c.URL("registry") })
	must(t, c.Stop("immediate"))
	w := ask(h, "GET", "/api/v4/user", nil)
	if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "database cannot be reached") {
		t.Errorf("GET /user = %d, Retry-After %q, %s", w.Code, w.Header().Get("Retry-After"), w.Body)
	}
	if err := h.Ready(t.Context()); packhouse.KindOf(err) != packhouse.Unavailable {
		t.Errorf("Ready = %v, want Unavailable", err)
	}
	must(t, c.Start())
	if w := ask(h, "GET", "/api/v4/user", nil); w.Code != http.StatusOK {
		t.Errorf("GET /user afterwards = %d %s", w.Code, w.Body)
	}
}
