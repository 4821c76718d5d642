package store

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"packhouse"
	"packhouse/internal/ledger"
)

const missingProject = "404 Project Not Found"

// Key is the form in which user names and full paths are compared: GitLab tells
// them apart without regard to case.
func Key(name string) string { return strings.ToLower(name) }

func (tx *Tx) applyUserPut(ctx context.Context, e *ledger.UserPut) error {
	record, err := jsonOf(e.User)
	if err != nil {
		return err
	}
	const taken = "username has already been taken"
	if !e.Create {
		return tx.conflict(taken, tx.change(ctx, "404 User Not Found",
			`UPDATE users SET key = $2, record = $3 WHERE id = $1`, e.User.ID, Key(e.User.Username), record))
	}
	return tx.insert(ctx, taken,
		`INSERT INTO users (id, key, record) VALUES ($1, $2, $3)`, e.User.ID, Key(e.User.Username), record)
}

func (tx *Tx) applyNamespacePut(ctx context.Context, e *ledger.NamespacePut) error {
	record, err := jsonOf(e.Namespace)
	if err != nil {
		return err
	}
	target := packhouse.Target{Level: packhouse.Group, ID: e.Namespace.ID, Path: e.Namespace.Path}
	if err := tx.putRoute(ctx, target, e.Create); err != nil {
		return err
	}
	if !e.Create {
		return tx.change(ctx, "404 Group Not Found",
			`UPDATE namespaces SET record = $2 WHERE id = $1`, e.Namespace.ID, record)
	}
	return tx.insert(ctx, takenID,
		`INSERT INTO namespaces (id, record) VALUES ($1, $2)`, e.Namespace.ID, record)
}

func (tx *Tx) applyProjectPut(ctx context.Context, e *ledger.ProjectPut) error {
	record, err := jsonOf(e.Project)
	if err != nil {
		return err
	}
	target := packhouse.Target{Level: packhouse.Project, ID: e.Project.ID, Path: e.Project.Path}
	if err := tx.putRoute(ctx, target, e.Create); err != nil {
		return err
	}
	if err := tx.putUpstream(ctx, &e.Project); err != nil {
		return err
	}
	if err := tx.putCleanup(ctx, &e.Project); err != nil {
		return err
	}
	if !e.Create {
		return tx.change(ctx, missingProject,
			`UPDATE projects SET record = $2 WHERE id = $1`, e.Project.ID, record)
	}
	// An id whose project was removed stays its packages' in the ledger.
	res, err := tx.exec(ctx, `
		INSERT INTO projects (id, record) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM packages WHERE project_id = $1)`, e.Project.ID, record)
	if err != nil {
		return tx.conflict(takenID, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return packhouse.Errorf(packhouse.Conflict, "%s", takenID)
}

const takenID = "id has already been taken"

// putUpstream gives a project its id in the GitLab beside this server.
func (tx *Tx) putUpstream(ctx context.Context, p *ledger.Project) error {
	if _, err := tx.exec(ctx, `DELETE FROM upstream_projects WHERE project_id = $1`, p.ID); err != nil || p.UpstreamID == 0 {
		return err
	}
	return tx.insert(ctx, "upstream_project_id has already been taken",
		`INSERT INTO upstream_projects (upstream_id, project_id) VALUES ($1, $2)`, p.UpstreamID, p.ID)
}

func (tx *Tx) applyMemberPut(ctx context.Context, e *ledger.MemberPut) error {
	record, err := jsonOf(e.Member)
	if err != nil {
		return err
	}
	m := e.Member
	if !e.Create {
		return tx.change(ctx, "404 Member Not Found",
			`UPDATE members SET record = $4 WHERE level = $1 AND target_id = $2 AND user_id = $3`,
			int(m.Target.Level), m.Target.ID, m.UserID, record)
	}
	return tx.insert(ctx, "Member already exists",
		`INSERT INTO members (level, target_id, user_id, record) VALUES ($1, $2, $3, $4)`,
		int(m.Target.Level), m.Target.ID, m.UserID, record)
}

func (tx *Tx) applyMemberRemove(ctx context.Context, e *ledger.MemberRemove) error {
	return tx.change(ctx, "404 Member Not Found",
		`DELETE FROM members WHERE level = $1 AND target_id = $2 AND user_id = $3`,
		int(e.Target.Level), e.Target.ID, e.UserID)
}

func (tx *Tx) applySharePut(ctx context.Context, e *ledger.SharePut) error {
	record, err := jsonOf(e.Share)
	if err != nil {
		return err
	}
	s := e.Share
	if !e.Create {
		return tx.change(ctx, missingShare,
			`UPDATE shares SET record = $4 WHERE level = $1 AND target_id = $2 AND group_id = $3`,
			int(s.Target.Level), s.Target.ID, s.GroupID, record)
	}
	return tx.insert(ctx, "The group has already been shared with",
		`INSERT INTO shares (level, target_id, group_id, record) VALUES ($1, $2, $3, $4)`,
		int(s.Target.Level), s.Target.ID, s.GroupID, record)
}

const missingShare = "404 Group Link Not Found"

func (tx *Tx) applyShareRemove(ctx context.Context, e *ledger.ShareRemove) error {
	return tx.change(ctx, missingShare,
		`DELETE FROM shares WHERE level = $1 AND target_id = $2 AND group_id = $3`,
		int(e.Target.Level), e.Target.ID, e.GroupID)
}

// applyUserRemove leaves the user's tokens: they are revoked before, and stay
// known as such.
func (tx *Tx) applyUserRemove(ctx context.Context, e *ledger.UserRemove) error {
	if err := tx.change(ctx, "404 User Not Found", `DELETE FROM users WHERE id = $1`, e.UserID); err != nil {
		return err
	}
	if _, err := tx.exec(ctx, `DELETE FROM members WHERE user_id = $1`, e.UserID); err != nil {
		return err
	}
	if err := tx.forgetSignIn(ctx, e.UserID); err != nil {
		return err
	}
	if e.NamespaceID == 0 {
		return nil
	}
	if err := tx.forgetPlace(ctx, packhouse.Group, e.NamespaceID); err != nil {
		return err
	}
	_, err := tx.exec(ctx, `DELETE FROM namespaces WHERE id = $1`, e.NamespaceID)
	return err
}

func (tx *Tx) applyAdmissionPut(ctx context.Context, e *ledger.AdmissionPut) error {
	a := e.Admission
	return tx.insert(ctx, "Target project is already in the job token scope",
		`INSERT INTO admissions (project_id, level, admitted_id) VALUES ($1, $2, $3)`,
		a.ProjectID, int(a.Admitted.Level), a.Admitted.ID)
}

func (tx *Tx) applyAdmissionRemove(ctx context.Context, e *ledger.AdmissionRemove) error {
	a := e.Admission
	return tx.change(ctx, "404 Not Found",
		`DELETE FROM admissions WHERE project_id = $1 AND level = $2 AND admitted_id = $3`,
		a.ProjectID, int(a.Admitted.Level), a.Admitted.ID)
}

func (tx *Tx) applySettingsPut(ctx context.Context, e *ledger.SettingsPut) error {
	record, err := jsonOf(e.Settings)
	if err != nil {
		return err
	}
	_, err = tx.exec(ctx, `
		INSERT INTO settings (level, target_id, record) VALUES ($1, $2, $3)
		ON CONFLICT (level, target_id) DO UPDATE SET record = $3`,
		int(e.Settings.Target.Level), e.Settings.Target.ID, record)
	return err
}

// Users reads all users, in the order of their ids.
func (tx *Tx) Users(ctx context.Context) ([]ledger.User, error) {
	return records[ledger.User](ctx, tx, `SELECT record FROM users ORDER BY id`)
}

// Namespaces reads all groups and personal namespaces, in the order of their ids.
func (tx *Tx) Namespaces(ctx context.Context) ([]ledger.Namespace, error) {
	return records[ledger.Namespace](ctx, tx, `SELECT record FROM namespaces ORDER BY id`)
}

// Projects reads all projects, in the order of their ids.
func (tx *Tx) Projects(ctx context.Context) ([]ledger.Project, error) {
	return records[ledger.Project](ctx, tx, `SELECT record FROM projects ORDER BY id`)
}

// Project finds a project by its id. packhouse.NotFound: there is none.
func (tx *Tx) Project(ctx context.Context, id int64) (*ledger.Project, error) {
	return oneRecord[ledger.Project](ctx, tx, missingProject, `SELECT record FROM projects WHERE id = $1`, id)
}

// Members reads all memberships.
func (tx *Tx) Members(ctx context.Context) ([]ledger.Member, error) {
	return records[ledger.Member](ctx, tx, `SELECT record FROM members ORDER BY level, target_id, user_id`)
}

// Shares reads all shares of groups and projects with groups.
func (tx *Tx) Shares(ctx context.Context) ([]ledger.Share, error) {
	return records[ledger.Share](ctx, tx, `SELECT record FROM shares ORDER BY level, target_id, group_id`)
}

// User finds a user by its id. packhouse.NotFound: there is none.
func (tx *Tx) User(ctx context.Context, id int64) (*ledger.User, error) {
	return oneRecord[ledger.User](ctx, tx, "404 User Not Found", `SELECT record FROM users WHERE id = $1`, id)
}

// Namespace finds a group or personal namespace by its id. packhouse.NotFound:
// there is none.
func (tx *Tx) Namespace(ctx context.Context, id int64) (*ledger.Namespace, error) {
	return oneRecord[ledger.Namespace](ctx, tx, "404 Group Not Found", `SELECT record FROM namespaces WHERE id = $1`, id)
}

// Member finds a membership. packhouse.NotFound: there is none.
func (tx *Tx) Member(ctx context.Context, t packhouse.Target, userID int64) (*ledger.Member, error) {
	return oneRecord[ledger.Member](ctx, tx, "404 Member Not Found",
		`SELECT record FROM members WHERE level = $1 AND target_id = $2 AND user_id = $3`, int(t.Level), t.ID, userID)
}

// MembersOf lists the memberships of one group or project.
func (tx *Tx) MembersOf(ctx context.Context, t packhouse.Target) ([]ledger.Member, error) {
	return records[ledger.Member](ctx, tx,
		`SELECT record FROM members WHERE level = $1 AND target_id = $2 ORDER BY user_id`, int(t.Level), t.ID)
}

// Settings reads all package settings.
func (tx *Tx) Settings(ctx context.Context) ([]ledger.Settings, error) {
	return records[ledger.Settings](ctx, tx, `SELECT record FROM settings ORDER BY level, target_id`)
}

// Admissions reads all job-token allowlists.
func (tx *Tx) Admissions(ctx context.Context) ([]ledger.Admission, error) {
	return collect(ctx, tx, func(row scanner) (a ledger.Admission, err error) {
		var level int
		err = row.Scan(&a.ProjectID, &level, &a.Admitted.ID)
		a.Admitted.Level = packhouse.Level(level)
		return a, err
	}, `SELECT project_id, level, admitted_id FROM admissions ORDER BY project_id, level, admitted_id`)
}

// records reads rows that hold one record as JSON.
func records[T any](ctx context.Context, tx *Tx, q string, args ...any) ([]T, error) {
	return collect(ctx, tx, readRecord[T], q, args...)
}

func readRecord[T any](row scanner) (v T, err error) {
	var record []byte
	if err := row.Scan(&record); err != nil {
		return v, err
	}
	if err := json.Unmarshal(record, &v); err != nil {
		return v, fmt.Errorf("decode %T: %w", v, err)
	}
	return v, nil
}
