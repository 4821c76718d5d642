package authn

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/ledger"
)

// sudo has an administrator act as the user whom the header Sudo or the query
// parameter sudo names, by id or user name, if their token has the scope sudo
// (https://docs.gitlab.com/api/rest/authentication/#sudo). The ledger knows both.
//
// packhouse.Forbidden: the caller is no administrator, or the token lacks the
// scope. packhouse.NotFound: there is no such user.
func (a *Authenticator) sudo(r *http.Request, actor packhouse.Actor) (packhouse.Actor, error) {
	name := r.Header.Get("Sudo")
	if name == "" && strings.Contains(r.URL.RawQuery, "sudo=") {
		q, _ := url.ParseQuery(r.URL.RawQuery) // what cannot be read is for the handler to refuse
		name = q.Get("sudo")
	}
	if name == "" {
		return actor, nil
	}
	if !actor.Admin || actor.Kind != packhouse.PersonalToken {
		return actor, &packhouse.Error{
			Kind: packhouse.Forbidden, Rule: "sudo", Message: "403 Forbidden - Must be admin to use sudo",
			Fix: "leave out sudo, or send a personal access token of an administrator",
		}
	}
	if !actor.Scopes.Has(packhouse.ScopeSudo) {
		return actor, &packhouse.Error{
			Kind: packhouse.Forbidden, Rule: "scope", Message: "403 Forbidden - the token lacks the scope sudo",
			Fix: "make a token with the scopes api and sudo",
		}
	}
	user := a.directory.UserByName(name)
	if id, err := strconv.ParseInt(name, 10, 64); err == nil {
		user = a.directory.User(id)
	}
	if user == nil {
		return actor, packhouse.Errorf(packhouse.NotFound, "404 User with ID or username '%s' Not Found", name)
	}
	as, err := a.actor(&ledger.Token{ID: actor.TokenID, Kind: packhouse.PersonalToken, UserID: user.ID, Scopes: actor.Scopes})
	as.SudoID = actor.UserID
	return as, err
}
