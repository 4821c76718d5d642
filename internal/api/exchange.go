package api

import (
	"net/http"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/oidc"
)

// The words of a token exchange (RFC 8693, 2.1 and 3).
const (
	grantExchange = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeIDToken   = "urn:ietf:params:oauth:token-type:id_token"
	typeJWT       = "urn:ietf:params:oauth:token-type:jwt"
	typeAccess    = "urn:ietf:params:oauth:token-type:access_token"
)

// exchangeToken makes a job token for an ID token that a trusted publisher
// takes.
func (a *API) exchangeToken(q *request) (any, error) {
	grant, err := q.params.required("grant_type")
	if err != nil {
		return nil, oauth("invalid_request", err)
	}
	if grant != grantExchange {
		return nil, oauth("unsupported_grant_type", packhouse.InvalidParam("grant_type", "has to be "+grantExchange))
	}
	if _, err := q.params.oneOf("subject_token_type", typeIDToken, typeJWT); err != nil {
		return nil, oauth("invalid_request", err)
	}
	if _, err := q.params.oneOf("requested_token_type", typeAccess); err != nil {
		return nil, oauth("invalid_request", err)
	}
	e := format.Exchange{RequestID: q.RequestID, Format: q.params.text("package_type"), Package: q.params.text("package_name")}
	if e.Token, err = q.params.required("subject_token"); err != nil {
		return nil, oauth("invalid_request", err)
	}
	if ref := q.params.text("project"); ref != "" {
		e.Project, _ = a.Directory.Resolve(packhouse.Project, ref) // an unknown one is nobody's to publish to
	}
	made, err := q.Exchanger.Exchange(q.Context(), e)
	if err != nil {
		return nil, err
	}
	q.header.Set("Cache-Control", "no-store")
	return object{
		"access_token": made.Secret, "issued_token_type": typeAccess, "token_type": "Bearer",
		"expires_in": int64(made.Life.Seconds()), "expires_at": stamp(made.Expires),
		"project_id": made.Project.ID, "rule_id": made.Publisher, "id": made.TokenID,
	}, nil
}

// oauthErrors are the codes of OAuth 2.0 that the exchange answers with.
var oauthErrors = map[string]bool{oidc.RuleGrant: true, "invalid_request": true, "unsupported_grant_type": true}

func oauth(code string, err error) error {
	e := *packhouse.AsError(err)
	e.Rule = code
	return &e
}

// writeOAuthError answers in the shape of RFC 6749, 5.2.
func writeOAuthError(w http.ResponseWriter, e *packhouse.Error) {
	o := object{"error": e.Rule, "request_id": w.Header().Get("X-Request-Id")}
	description := e.Fix
	if description == "" && e.Kind == packhouse.Invalid {
		description = e.Message
	}
	if description != "" {
		o["error_description"] = description
	}
	w.Header().Set("Cache-Control", "no-store")
	format.WriteJSON(w, e.Kind.Status(), o)
}
