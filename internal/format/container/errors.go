package container

import (
	"net/http"
	"net/url"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// code is how an error is told to clients.
type code struct {
	name   string
	status int
}

// byRule are the codes of errors whose rule says more than their kind.
var byRule = map[string]code{
	"digest":        {"DIGEST_INVALID", http.StatusBadRequest},
	"checksum":      {"DIGEST_INVALID", http.StatusBadRequest},
	"body":          {"SIZE_INVALID", http.StatusBadRequest},
	"length":        {"SIZE_INVALID", http.StatusBadRequest},
	"range":         {"BLOB_UPLOAD_INVALID", http.StatusRequestedRangeNotSatisfiable},
	"upload":        {"BLOB_UPLOAD_UNKNOWN", http.StatusNotFound},
	"name":          {"NAME_INVALID", http.StatusBadRequest},
	"tag":           {"TAG_INVALID", http.StatusBadRequest},
	"repository":    {"NAME_UNKNOWN", http.StatusNotFound},
	"visibility":    {"NAME_UNKNOWN", http.StatusNotFound},
	"manifest":      {"MANIFEST_INVALID", http.StatusBadRequest},
	"manifest-size": {"MANIFEST_SIZE_LIMIT", http.StatusRequestEntityTooLarge},
	"manifest-blob": {"MANIFEST_BLOB_UNKNOWN", http.StatusBadRequest},
	"references":    {"MANIFEST_REFERENCE_LIMIT", http.StatusBadRequest},
	"page":          {"PAGINATION_NUMBER_INVALID", http.StatusBadRequest},
	"unsupported":   {"UNSUPPORTED", http.StatusMethodNotAllowed},
}

var byKind = map[packhouse.Kind]string{
	packhouse.Unauthenticated: "UNAUTHORIZED", packhouse.Forbidden: "DENIED", packhouse.NotFound: "NAME_UNKNOWN",
	packhouse.NotAllowed: "UNSUPPORTED", packhouse.TooLarge: "SIZE_INVALID", packhouse.TooMany: "TOOMANYREQUESTS",
	packhouse.Invalid: "UNSUPPORTED",
}

// codeOf finds how an error about a path is told.
func codeOf(path string, e *packhouse.Error) code {
	if c, ok := byRule[e.Rule]; ok && e.Kind != packhouse.Unauthenticated && e.Kind != packhouse.Internal && e.Kind != packhouse.Unavailable {
		return c
	}
	manifest := strings.Contains(path, "/manifests/") || strings.Contains(path, "/tags/")
	switch {
	case e.Rule == "part" && manifest:
		return code{"MANIFEST_UNKNOWN", http.StatusNotFound}
	case e.Rule == "part":
		return code{"BLOB_UNKNOWN", http.StatusNotFound}
	case e.Rule == "referenced" && manifest:
		return code{"MANIFEST_REFERENCED", http.StatusConflict}
	case e.Rule == "referenced":
		return code{"UNSUPPORTED", http.StatusMethodNotAllowed}
	}
	name, ok := byKind[e.Kind]
	if !ok {
		name = "UNKNOWN"
	}
	return code{name, e.Kind.Status()}
}

// oneError is an error as the specification writes it.
type oneError struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Detail  any    `json:"detail,omitempty"`
}

// detail is what people need who look after the server or their permissions.
type detail struct {
	Digest    string `json:"digest,omitempty"`
	Rule      string `json:"rule,omitempty"`
	Fix       string `json:"fix,omitempty"`
	RequestID string `json:"request_id,omitempty"`
}

// WriteError implements format.Protocol. The gate calls WriteErrorAt.
func (d distribution) WriteError(w http.ResponseWriter, r *http.Request, e *packhouse.Error) {
	d.WriteErrorAt(w, r, &url.URL{Scheme: "http", Host: r.Host}, e)
}

// WriteErrorAt implements format.Rooted.
func (distribution) WriteErrorAt(w http.ResponseWriter, r *http.Request, base *url.URL, e *packhouse.Error) {
	h := w.Header()
	h["Docker-Distribution-Api-Version"] = apiVersion
	c := codeOf(r.URL.Path, e)
	if e.Kind == packhouse.Unauthenticated {
		h.Set("Www-Authenticate", challenge(r, base, e))
	}
	if e.Kind == packhouse.Forbidden && e.Rule != "" {
		h.Set("X-Registry-Denied", e.Rule)
	}
	writeErrors(w, c, e)
}

func writeErrors(w http.ResponseWriter, c code, e *packhouse.Error) {
	message := e.Message
	if e.Kind == packhouse.Internal {
		message = "internal error"
	}
	about := detail{Rule: e.Rule, Fix: e.Fix, RequestID: w.Header().Get("X-Request-Id")}
	all := []oneError{}
	for _, digest := range registry.MissingOf(e) {
		one := about
		one.Digest = digest
		all = append(all, oneError{c.name, "blob or manifest unknown to the repository: " + digest, one})
	}
	if len(all) == 0 {
		if e.Fix != "" {
			message = strings.TrimSuffix(message, ".") + ": " + e.Fix // clients print the message alone
		}
		all = append(all, oneError{c.name, message, about})
	}
	format.WriteJSON(w, c.status, struct {
		Errors []oneError `json:"errors"`
	}{all})
}

// challenge says where to get a token, and for what. It depends on nothing but the
// request, so that it tells nobody what there is.
func challenge(r *http.Request, base *url.URL, e *packhouse.Error) string {
	var b strings.Builder
	b.WriteString(`Bearer realm="` + base.JoinPath("jwt/auth").String() + `",service="` + service + `"`)
	if scope := scopeOf(r); scope != "" {
		b.WriteString(`,scope="` + scope + `"`)
	}
	switch {
	case r.Header.Get("Authorization") == "":
	case e.Rule == "pass" || e.Rule == "sign-in" || e.Rule == "kind":
		b.WriteString(`,error="insufficient_scope"`)
	default:
		b.WriteString(`,error="invalid_token"`)
	}
	return b.String()
}

// scopeOf is what a token for a request has to be asked for.
func scopeOf(r *http.Request) string {
	path, err := format.PathOf(r.URL)
	if err != nil || len(path.Segments) < 2 {
		return ""
	}
	s := path.Segments[1:]
	if s[0] == "_catalog" {
		return "registry:catalog:*"
	}
	for i := len(s) - 1; i > 0; i-- {
		switch s[i] {
		case "blobs", "manifests", "tags", "referrers":
		default:
			continue
		}
		name := strings.Join(s[:i], "/")
		if checkName(name) != nil {
			return ""
		}
		return "repository:" + name + ":" + actionsOf(r.Method)
	}
	return ""
}

func actionsOf(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead:
		return "pull"
	case http.MethodDelete:
		return "delete"
	}
	return "pull,push"
}
