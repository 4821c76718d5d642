package registry_test

import (
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/blob/mem"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/store/pgtest"
	"packhouse/internal/store/storetest"
)

// calendar is a registry with a project of images in it, and a clock that is set.
type calendar struct {
	*testing.T
	now      time.Time
	store    *store.Store
	changes  *directory.Changes
	registry *registry.Registry
	project  int64
}

const oneDay = 24 * time.Hour

// engines open an empty store, each in its database.
var engines = map[string]func(*testing.T, store.Options) (*store.Store, error){
	"sqlite": func(t *testing.T, opts store.Options) (*store.Store, error) {
		path := filepath.Join(t.TempDir(), "db")
		storetest.EmptySQLite(t, path)
		return store.OpenSQLite(t.Context(), path, opts)
	},
	"postgres": func(t *testing.T, opts store.Options) (*store.Store, error) {
		return store.OpenPostgres(t.Context(), pgtest.Database(t), opts)
	},
}

func newCalendar(t *testing.T, engine string) *calendar {
	t.Helper()
	c := &calendar{T: t, now: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}
	clock := func() time.Time { return c.now }
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	var err error
	c.store, err = engines[engine](t, store.Options{Log: quiet, Now: clock})
	c.must(err)
	t.Cleanup(func() { c.store.Close() })
	d, err := directory.Open(t.Context(), c.store, directory.Options{Now: clock})
	c.must(err)
	c.changes = directory.NewChanges(d, c.store)
	c.registry = registry.New(registry.Options{Store: c.store, Blobs: mem.New(), Directory: d, Rules: policy.Standard(), Log: quiet, Now: clock})
	c.must(c.store.Update(t.Context(), func(tx *store.Tx) error {
		group := ledger.Namespace{ID: tx.NewNamespaceID(), Path: "acme"}
		if _, err := tx.Append(t.Context(), ledger.By{}, &ledger.NamespacePut{Create: true, Namespace: group}); err != nil {
			return err
		}
		c.project = tx.NewProjectID()
		_, err := tx.Append(t.Context(), ledger.By{}, &ledger.ProjectPut{Create: true, Project: ledger.Project{ID: c.project, NamespaceID: group.ID, Path: "acme/shop"}})
		return err
	}))
	return c
}

func (c *calendar) must(err error) {
	c.Helper()
	if err != nil {
		c.Fatalf("%v, want success", err)
	}
}

func (c *calendar) repository(name string) *registry.HostedRepository {
	return c.registry.Hosted(c.project, ledger.Images, packhouse.Actor{Admin: true}, ledger.By{}).Repository(name)
}

// documented are the tags of GitLab's example, with their ages.
var documented = map[string]time.Duration{
	"latest": 2 * time.Hour, "production-v44": 3 * oneDay, "production-v43": 6 * oneDay, "production-v42": 11 * oneDay,
	"dev-v44": 2 * oneDay, "dev-v43": 5 * oneDay, "dev-v42": 10 * oneDay, "v44": oneDay, "v43": 12 * oneDay, "v42": 20 * oneDay,
}

// push makes the tags of the example in repositories, each when it was pushed. Time
// goes on, as the store has it, until what is now in the example.
func (c *calendar) push(repositories ...string) {
	c.Helper()
	now := c.now.Add(60 * oneDay)
	names := []string{}
	for name := range documented {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return int(documented[b] - documented[a]) })
	for _, name := range names {
		c.now = now.Add(-documented[name])
		for _, repository := range repositories {
			_, err := c.repository(repository).PutManifest(c.Context(), &registry.Manifest{
				Bytes: fmt.Appendf(nil, `{"tag":%q}`, name), MediaType: "application/vnd.oci.image.manifest.v1+json", Tags: []string{name},
			})
			c.must(err)
		}
	}
	c.now = now
}

// save saves a policy, so that it is due.
func (c *calendar) save(p ledger.ImageCleanup) {
	c.Helper()
	p.SavedAt = c.now.Add(-p.Every())
	_, err := c.changes.UpdateProject(c.Context(), ledger.By{}, c.project, func(project *ledger.Project) error {
		project.ImageCleanup = &p
		return nil
	})
	c.must(err)
}

func (c *calendar) clean(want int) {
	c.Helper()
	removed, more, err := c.registry.CleanImages(c.Context())
	if removed != want || more || err != nil {
		c.Errorf("CleanImages = %d, %v, %v; want %d and no more", removed, more, err, want)
	}
}

// tags are the names of the tags of a repository, and who took others away.
func (c *calendar) tags(repository string) (names string, r packhouse.Repository) {
	c.Helper()
	var all []string
	c.must(c.store.View(c.Context(), func(tx *store.Tx) (err error) {
		if r, err = tx.Repository(c.Context(), c.project, repository); err != nil {
			return err
		}
		if r, err = tx.RepositoryByID(c.Context(), r.ID); err != nil {
			return err
		}
		tags, err := tx.ImageTags(c.Context(), r.ID, "", 100)
		for _, t := range tags {
			all = append(all, t.Name)
		}
		return err
	}))
	return strings.Join(all, " "), r
}

func (c *calendar) run() *store.ImageCleanup {
	c.Helper()
	var run *store.ImageCleanup
	c.must(c.store.View(c.Context(), func(tx *store.Tx) (err error) {
		run, err = tx.ImageCleanup(c.Context(), c.project)
		return err
	}))
	return run
}

// example is the policy of GitLab's example.
var example = ledger.ImageCleanup{Enabled: true, Cadence: "7d", KeepN: 1, OlderThan: "7d", Delete: ".*", Keep: "production-.*"}

// TestCleanupPolicy: a run of the policy of GitLab's example deletes dev-v42, v43 and
// v42, which the preview has said, in each repository, when it is due and not before.
func TestCleanupPolicy(t *testing.T) {
	for engine := range engines {
		t.Run(engine, func(t *testing.T) { cleanupPolicy(t, newCalendar(t, engine)) })
	}
}

func cleanupPolicy(t *testing.T, c *calendar) {
	c.push("", "api")
	c.clean(0)
	c.save(example)
	_, r := c.tags("api")
	if !r.CleanedAt.IsZero() {
		t.Errorf("cleaned at %v before the first run", r.CleanedAt)
	}
	choice, err := registry.ImageCleanupChoice(&example)
	c.must(err)
	preview, err := c.registry.Preview(t.Context(), r, choice)
	c.must(err)
	var names []string
	for _, tag := range preview {
		names = append(names, tag.Name)
	}
	if got := strings.Join(names, " "); got != "dev-v42 v43 v42" {
		t.Errorf("the preview says %q", got)
	}
	c.clean(6)
	const left = "dev-v43 dev-v44 latest production-v42 production-v43 production-v44 v44"
	for _, name := range []string{"", "api"} {
		got, r := c.tags(name)
		if got != left || !r.CleanedAt.Equal(c.now) {
			t.Errorf("repository %q has %q, cleaned at %v; want %q at %v", name, got, r.CleanedAt, left, c.now)
		}
	}
	run := c.run()
	if run.Removed != 6 || run.Repositories != 2 || !run.StartedAt.Equal(c.now) || !run.FinishedAt.Equal(c.now) || !run.NextAt.Equal(c.now.Add(7*oneDay)) {
		t.Errorf("the run = %+v", run)
	}
	c.now = c.now.Add(7*oneDay - time.Second)
	c.clean(0)
	if !c.run().StartedAt.Equal(run.StartedAt) {
		t.Error("a run began before it was due")
	}
	c.now = c.now.Add(time.Hour)
	c.clean(4) // dev-v43 and dev-v44, which are old by now; v44 is the newest
	if run := c.run(); run.Removed != 4 || !run.NextAt.Equal(c.now.Add(7*oneDay-time.Hour+time.Second)) {
		t.Errorf("the second run = %+v, want the next a week after the first was due", run)
	}
}

// TestCleanupIsBound: what rules protect survives, and nothing happens in a project
// that is archived, or whose policy is off.
func TestCleanupIsBound(t *testing.T) {
	for engine := range engines {
		t.Run(engine, func(t *testing.T) { cleanupIsBound(t, newCalendar(t, engine)) })
	}
}

func cleanupIsBound(t *testing.T, c *calendar) {
	c.push("api", "kept")
	target := packhouse.Target{Level: packhouse.Project, ID: c.project}
	for _, p := range []ledger.Protection{
		{Kind: ledger.ProtectsRepositories, Packages: "/kept", Delete: packhouse.Maintainer},
		{Kind: ledger.ProtectsRepositories, Packages: "/api", Push: packhouse.Owner},
		{Kind: ledger.ProtectsTags, Packages: "^v42$", Immutable: true},
		{Kind: ledger.ProtectsTags, Packages: "^v43$", Push: packhouse.Maintainer, Delete: packhouse.Maintainer},
	} {
		p.Target, p.Format = target, ledger.Images
		_, err := c.changes.CreateProtection(t.Context(), ledger.By{}, p)
		c.must(err)
	}
	off := example
	off.Enabled = false
	c.save(off)
	c.clean(0)
	c.now = c.now.Add(time.Second)
	c.save(example)
	archive := func(archived bool) {
		_, err := c.changes.UpdateProject(t.Context(), ledger.By{}, c.project, func(p *ledger.Project) error { p.Archived = archived; return nil })
		c.must(err)
	}
	archive(true)
	c.clean(0)
	if run := c.run(); run.NextAt.IsZero() || !run.NextAt.After(c.now) {
		t.Errorf("an archived project is due again at %v", run.NextAt)
	}
	archive(false)
	c.now = c.now.Add(7 * oneDay)
	c.clean(3)
	if got, _ := c.tags("api"); got != "latest production-v42 production-v43 production-v44 v42 v43 v44" {
		t.Errorf("left are %q", got)
	}
	if got, _ := c.tags("kept"); strings.Count(got, " ") != len(documented)-1 {
		t.Errorf("of a repository that a rule keeps are left %q", got)
	}
}
