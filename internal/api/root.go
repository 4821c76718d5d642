package api

import (
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// Root is what clients look for at the root of the host instead of below the
// API: the exchange of ID tokens as the Python Package Index has it, which
// publishing clients know (https://docs.pypi.org/trusted-publishers/internals/),
// and as the npm registry has it.
type Root struct{ *API }

// Routes implements format.Protocol.
func (a Root) Routes() []format.Route {
	return []format.Route{
		{Level: instance, Method: "GET", Path: "/api/openapi.json", Action: authz.Anyone, Handle: a.openAPI},
		get(instance, "/_/oidc/audience", authz.Anyone, a.audience, "Tell what audience ID tokens are made for").unread().Route,
		post(instance, "/_/oidc/mint-token", authz.Anyone, a.mintForIDToken, "Exchange an ID token for a job token, as PyPI does",
			text("token", "the ID token").must()).answering(http.StatusOK).unread().Route,
		{Level: instance, Method: "POST", Path: "/-/npm/v1/oidc/token/exchange/package/{name...}", Action: authz.Anyone,
			Handle: a.exchangeForNPM, Unread: true},
	}
}

// exchangeForNPM is exchangeToken in npm's shape. npm ≥ 11.5 asks for it at the
// root of the host, whatever path its registry has, with the ID token where a token
// of ours would be.
func (a Root) exchangeForNPM(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return packhouse.Errorf(packhouse.Unauthenticated, "401 Unauthorized")
	}
	made, err := c.Exchanger.Exchange(r.Context(), format.Exchange{
		Token: token, Format: "npm", Package: c.Arg("name"), RequestID: c.RequestID,
	})
	if err != nil {
		return err
	}
	w.Header().Set("Cache-Control", "no-store")
	format.WriteJSON(w, http.StatusCreated, object{
		"token": made.Secret, "token_type": "oidc", "expires": made.Expires.UTC().Format(format.Time),
	})
	return nil
}

// audience is what an ID token has to be made for, unless a trusted publisher
// says otherwise.
func (a Root) audience(q *request) (any, error) {
	return object{"audience": q.Base().String()}, nil
}

// mintForIDToken is exchangeToken in PyPI's shape. The project follows from the
// one trusted publisher that takes the token.
func (a Root) mintForIDToken(q *request) (any, error) {
	token, err := q.params.required("token")
	if err != nil {
		return nil, err
	}
	made, err := q.Exchanger.Exchange(q.Context(), format.Exchange{Token: token, Format: "pypi", RequestID: q.RequestID})
	if err != nil {
		return nil, err
	}
	q.header.Set("Cache-Control", "no-store")
	return object{"success": true, "token": made.Secret, "expires": made.Expires.Unix()}, nil
}

// WriteError implements format.Protocol: in PyPI's shape, which its clients
// print.
func (Root) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	description := e.Fix
	if description == "" {
		description = e.Message
	}
	if e.Kind == packhouse.Internal {
		description = "internal error"
	}
	format.WriteJSON(w, e.Kind.Status(), object{
		"success": false, "message": e.Message, "request_id": w.Header().Get("X-Request-Id"),
		"errors": []object{{"code": e.Rule, "description": description}},
	})
}
