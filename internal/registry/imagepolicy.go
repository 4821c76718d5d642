package registry

import (
	"context"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// ImageCleanupChoice is what a cleanup policy chooses. packhouse.Invalid: an expression or a
// span of time in it is none.
func ImageCleanupChoice(p *ledger.ImageCleanup) (c ImageTags, err error) {
	if c.Delete, err = ledger.CompileExcept(p.Delete); err != nil {
		return c, err
	}
	if c.Delete == nil {
		return c, packhouse.Errorf(packhouse.Invalid, "the policy says of no tags that they go")
	}
	if c.Keep, err = ledger.CompileExcept(p.Keep); err != nil {
		return c, err
	}
	if c.KeepN = p.KeepN; p.OlderThan != "" {
		c.OlderThan, err = ParseAge(p.OlderThan)
	}
	return c, err
}

// cleaned is a repository as a policy of its project takes tags away there.
func (r *Registry) cleaned(projectID int64, name string) *HostedRepository {
	return r.cleaner(projectID, ledger.Images, "").Repository(name)
}

// Preview returns the tags that a run would take away from a repository, and changes
// nothing.
func (r *Registry) Preview(ctx context.Context, in packhouse.Repository, choice ImageTags) ([]packhouse.ImageTag, error) {
	repo := r.cleaned(in.ProjectID, in.Name)
	if packhouse.KindOf(repo.MayDelete()) == packhouse.Forbidden {
		return nil, nil
	}
	_, chosen, err := repo.choose(ctx, choice)
	return chosen, err
}

// cleanSlice is how long CleanImages goes on before it lets others have a turn.
const cleanSlice = 20 * time.Second

// CleanImages takes away the tags that are due to go by the cleanup policies of
// projects, and says how many they were and whether there is more to do. It may be
// stopped at any time, and goes on where it was: a repository that it has not done is
// done again.
func (r *Registry) CleanImages(ctx context.Context) (removed int, more bool, err error) {
	for began := time.Now(); time.Since(began) < cleanSlice; {
		n, step, err := r.cleanStep(ctx)
		if removed += n; err != nil || !step {
			return removed, false, err
		}
	}
	return removed, true, nil
}

// cleanStep does one repository of the project that has been due the longest, or ends
// its run. step says that there was one.
func (r *Registry) cleanStep(ctx context.Context) (removed int, step bool, err error) {
	var due *store.ImageCleanup
	err = r.store.View(ctx, func(tx *store.Tx) (err error) {
		due, err = tx.DueImageCleanup(ctx, r.now())
		return err
	})
	if packhouse.KindOf(err) == packhouse.NotFound {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, err
	}
	next, err := r.reach(ctx, due.ProjectID)
	if err != nil || next == nil {
		return 0, true, err
	}
	removed, err = r.clean(ctx, *next)
	if err != nil {
		return removed, true, err
	}
	return removed, true, r.store.Update(ctx, func(tx *store.Tx) error { return tx.PassRepository(ctx, next.ProjectID, next.ID) })
}

// reach finds the repository that a run does next. There is none when it is over, and
// none in a project that is not to change.
func (r *Registry) reach(ctx context.Context, projectID int64) (next *packhouse.Repository, err error) {
	policy := r.policyOf(projectID)
	err = r.store.Update(ctx, func(tx *store.Tx) error {
		next = nil
		run, err := tx.ImageCleanup(ctx, projectID)
		if err != nil || run.NextAt.IsZero() || run.NextAt.After(r.now()) {
			return err // or the policy was saved meanwhile
		}
		if err := tx.BeginImageCleanup(ctx, projectID); err != nil {
			return err
		}
		if run, err = tx.ImageCleanup(ctx, projectID); err != nil {
			return err
		}
		found, err := tx.RepositoryAfter(ctx, projectID, run.After)
		switch {
		case policy == nil || packhouse.KindOf(err) == packhouse.NotFound:
			return tx.EndImageCleanup(ctx, projectID)
		case err != nil:
			return err
		}
		next = &found
		return tx.ReachRepository(ctx, found.ID)
	})
	if packhouse.KindOf(err) == packhouse.NotFound {
		return nil, nil // the project was removed meanwhile
	}
	return next, err
}

// policyOf is the policy that runs in a project; nil for none.
func (r *Registry) policyOf(projectID int64) *ledger.ImageCleanup {
	target := packhouse.Target{Level: packhouse.Project, ID: projectID}
	p := r.options.Directory.Project(projectID)
	if p == nil || p.Archived || r.options.Directory.Object(packhouse.Actor{}, target).Deleting || p.ImageCleanup == nil || !p.ImageCleanup.Enabled {
		return nil
	}
	return p.ImageCleanup
}

// clean takes away from a repository what its project's policy chooses.
func (r *Registry) clean(ctx context.Context, in packhouse.Repository) (removed int, err error) {
	policy := r.policyOf(in.ProjectID)
	if policy == nil {
		return 0, nil
	}
	choice, err := ImageCleanupChoice(policy)
	if err != nil {
		r.log.Warn("cleanup policy cannot be followed", "project", in.ProjectID, "error", err)
		return 0, nil
	}
	removed, err = r.cleaned(in.ProjectID, in.Name).UntagMany(ctx, choice)
	switch packhouse.KindOf(err) { //nolint:exhaustive // the others are errors, or none
	case packhouse.Forbidden, packhouse.NotFound:
		err = nil // a rule keeps the repository from policies, or it is gone
	}
	if removed > 0 {
		r.log.Info("tags cleaned up", "project", in.ProjectID, "repository", in.Name, "tags", removed)
		if failed := r.store.Update(ctx, func(tx *store.Tx) error { return tx.CountCleaned(ctx, in.ProjectID, removed) }); failed != nil && err == nil {
			err = failed
		}
	}
	return removed, err
}
