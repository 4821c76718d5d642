package api

import (
	"net/http"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/ledger"
)

// One's own password and sessions. GitLab has these on pages only.

func (a *API) accountEndpoints() []endpoint {
	return []endpoint{
		put(instance, "/user/password", authz.OwnAccount, a.changePassword, "Change your password, and end your other sessions",
			text("current_password", "the one that you have").must(), text("password", "the new one, at least 8 characters").must()).answering(http.StatusNoContent),
		get(instance, "/user/sessions", authz.OwnAccount, a.listSessions, "List your sessions, the newest first", paged...),
		remove(instance, "/user/sessions/{session_id}", authz.OwnAccount, a.endSession, "End one of your sessions"),
		put(instance, "/users/{user_id}/password", authz.AdminInstance, a.setPassword, "Set a user's password, and end the user's sessions",
			text("password", "at least 8 characters, and not the user's name").must()).answering(http.StatusNoContent),
	}
}

// changePassword takes the old password beside the credential, so that a browser
// that was left open or a token that leaked is not enough.
func (a *API) changePassword(q *request) (any, error) {
	user, err := a.Passwords.Verify(q.Context(), q.Actor.Name, q.params.text("current_password"))
	if packhouse.KindOf(err) == packhouse.Unauthenticated {
		return nil, &packhouse.Error{
			Kind: packhouse.Forbidden, Rule: packhouse.AsError(err).Rule, Message: "403 Forbidden - current_password is wrong",
			Fix: "an administrator can set a new one",
		}
	}
	if err != nil {
		return nil, err
	}
	var kept int64
	if q.Actor.Kind == packhouse.Session {
		kept = q.Actor.TokenID
	}
	return nil, a.Passwords.Set(q.Context(), q.By, user, q.params.text("password"), kept)
}

func (a *API) setPassword(q *request) (any, error) {
	id, err := q.id("user_id", "404 User Not Found")
	if err != nil {
		return nil, err
	}
	user := a.Directory.User(id)
	if user == nil || user.Bot {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 User Not Found")
	}
	return nil, a.Passwords.Set(q.Context(), q.By, user, q.params.text("password"), 0)
}

func (a *API) listSessions(q *request) (any, error) {
	list, err := a.Authn.Sessions(q.Context(), q.Actor.UserID)
	if err != nil {
		return nil, err
	}
	return q.page(len(list), func(i int) any {
		t := list[i]
		return object{
			"id": t.ID, "user_agent": t.Name, "created_at": stamp(t.CreatedAt), "expires_at": stamp(t.ExpiresAt),
			"is_current": q.Actor.Kind == packhouse.Session && t.ID == q.Actor.TokenID,
		}
	})
}

func (a *API) endSession(q *request) (any, error) {
	const missing = "404 Session Not Found"
	id, err := q.id("session_id", missing)
	if err != nil {
		return nil, err
	}
	err = a.Issuer.Revoke(q.Context(), q.By, id, func(t *ledger.Token) error {
		if t.Kind != packhouse.Session || t.UserID != q.Actor.UserID {
			return packhouse.Errorf(packhouse.NotFound, missing)
		}
		return nil
	})
	if packhouse.KindOf(err) == packhouse.NotFound {
		err = packhouse.Errorf(packhouse.NotFound, missing)
	}
	return nil, err
}
