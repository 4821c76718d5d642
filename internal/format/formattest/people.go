package formattest

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Group makes a group and returns its id. parent is 0 at the top.
func (w *World) Group(path string, parent int64, visibility string) int64 {
	w.t.Helper()
	var made struct{ ID int64 }
	w.API("POST", "/groups", fmt.Sprintf(`{"name":%q,"path":%q,"parent_id":%d,"visibility":%q}`, path, path, parent, visibility), &made)
	return made.ID
}

// Project makes a project in a group and returns its id. extra are further
// fields of JSON, such as `"package_registry_access_level":"public"`.
func (w *World) Project(path string, group int64, visibility string, extra ...string) int64 {
	w.t.Helper()
	var made struct{ ID int64 }
	fields := append([]string{fmt.Sprintf(`"name":%q,"namespace_id":%d,"visibility":%q`, path, group, visibility)}, extra...)
	w.API("POST", "/projects", "{"+strings.Join(fields, ",")+"}", &made)
	return made.ID
}

// User makes a user and returns their id and a personal token with the scope
// api. extra are further fields of JSON, such as `"external":true`.
func (w *World) User(name string, extra ...string) (id int64, token string) {
	w.t.Helper()
	var made struct{ ID int64 }
	fields := append([]string{fmt.Sprintf(`"username":%q,"name":%q,"email":"%s@example.net"`, name, name, name)}, extra...)
	w.API("POST", "/users", "{"+strings.Join(fields, ",")+"}", &made)
	return made.ID, w.PersonalToken(made.ID, "api")
}

// Member gives a user a role in one of the "projects" or "groups".
func (w *World) Member(level string, id, user int64, role packhouse.Role) {
	w.t.Helper()
	w.API("POST", fmt.Sprintf("/%s/%d/members", level, id), fmt.Sprintf(`{"user_id":%d,"access_level":%d}`, user, role), nil)
}

// Dismiss takes a user's role away again.
func (w *World) Dismiss(level string, id, user int64) {
	w.t.Helper()
	w.API("DELETE", fmt.Sprintf("/%s/%d/members/%d", level, id, user), "", nil)
}

// Settings changes the package settings of one of the "projects" or "groups".
func (w *World) Settings(level string, id int64, body string) {
	w.t.Helper()
	w.API("PUT", fmt.Sprintf("/%s/%d/package_settings", level, id), body, nil)
}

// PersonalToken makes a token of a user.
func (w *World) PersonalToken(user int64, scopes ...string) string {
	w.t.Helper()
	return w.token(fmt.Sprintf("/users/%d/personal_access_tokens", user), scopes, "")
}

// AccessToken makes a token of a "projects" or "groups" member with a role.
func (w *World) AccessToken(level string, id int64, role packhouse.Role, scopes ...string) string {
	w.t.Helper()
	return w.token(fmt.Sprintf("/%s/%d/access_tokens", level, id), scopes, fmt.Sprintf(`,"access_level":%d`, role))
}

// DeployToken makes a deploy token of one of the "projects" or "groups".
func (w *World) DeployToken(level string, id int64, scopes ...string) string {
	w.t.Helper()
	return w.token(fmt.Sprintf("/%s/%d/deploy_tokens", level, id), scopes, "")
}

func (w *World) token(path string, scopes []string, extra string) string {
	w.t.Helper()
	list, err := json.Marshal(scopes)
	if err != nil {
		w.t.Fatal(err)
	}
	var made struct{ Token string }
	w.API("POST", path, fmt.Sprintf(`{"name":"test","scopes":%s%s}`, list, extra), &made)
	return made.Token
}

// JobToken makes the token of a job of a project that runs as a user. extra are
// further fields of JSON, such as `"permissions":["READ_PACKAGES"]`.
func (w *World) JobToken(project, user int64, extra ...string) string {
	w.t.Helper()
	fields := append([]string{fmt.Sprintf(`"project":"%d","user":"%d"`, project, user)}, extra...)
	var made struct{ Token string }
	w.API("POST", "/job_tokens", "{"+strings.Join(fields, ",")+"}", &made)
	return made.Token
}

// Expire has a token of any kind run out, as its date would.
func (w *World) Expire(secret string) {
	w.t.Helper()
	w.editToken(secret, func(t *ledger.Token) { t.ExpiresAt = time.Now().Add(-time.Hour).UTC() })
}

// Revoke ends a token of any kind. For a job's token that is the job's end.
func (w *World) Revoke(secret string) {
	w.t.Helper()
	w.editToken(secret, func(t *ledger.Token) { t.RevokedAt = time.Now().UTC() })
}

func (w *World) editToken(secret string, edit func(*ledger.Token)) {
	w.t.Helper()
	ctx := context.Background()
	err := w.Store.Update(ctx, func(tx *store.Tx) error {
		t, err := tx.TokenByDigest(ctx, authn.DigestOf(secret))
		if err != nil {
			return err
		}
		edit(t)
		_, err = tx.Append(ctx, ledger.By{}, &ledger.TokenPut{Token: *t})
		return err
	})
	if err != nil {
		w.t.Fatalf("edit token: %v", err)
	}
}
