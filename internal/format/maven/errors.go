package maven

import (
	"encoding/json"
	"net/http"
	"strings"

	"packhouse"
	"packhouse/internal/format"
)

// errAbsent is the refusal that says nothing about what there is.
func errAbsent() error { return packhouse.Errorf(packhouse.NotFound, "404 Package Not Found") }

// problemType is the media type of errors that a program can read (RFC 9457).
const problemType = "application/problem+json"

// WriteError implements format.Format. A duplicate and what is too large are a 400
// here, as in GitLab; a wrong checksum stays a 409.
func (*Maven) WriteError(w http.ResponseWriter, r *http.Request, e *packhouse.Error) {
	shown := *e
	switch {
	case e.Kind == packhouse.Unauthenticated:
		format.Challenge(w.Header())
	case e.Kind == packhouse.Conflict && e.Rule == "duplicates", e.Kind == packhouse.TooLarge:
		shown.Kind = packhouse.Invalid
	}
	if readsProblems(r.Header) && !awaited(e.Kind) {
		writeProblem(w, &shown)
		return
	}
	format.GitLabError(w, &shown)
}

// readsProblems reports whether a client would rather have problem details. Maven
// 3.9.16 does not say so, prints what is in them, and of any other error the status
// alone; older ones print the status of both.
func readsProblems(h http.Header) bool {
	return strings.Contains(strings.Join(h["Accept"], ","), problemType) || strings.HasPrefix(h.Get("User-Agent"), "Apache-Maven/")
}

// awaited reports whether clients act upon a refusal by its status: they ask another
// repository, or send a credential. Maven 3.9.16 takes a 404 with problem details for a
// failure, and stops.
func awaited(k packhouse.Kind) bool { return k == packhouse.NotFound || k == packhouse.Unauthenticated }

func writeProblem(w http.ResponseWriter, e *packhouse.Error) {
	status := e.Kind.Status()
	detail := e.Message
	if e.Kind == packhouse.Internal {
		detail = "something went wrong in the server"
	}
	if e.Fix != "" {
		detail += "; " + e.Fix
	}
	if e.Kind == packhouse.Forbidden && e.Rule != "" {
		w.Header().Set("X-Registry-Denied", e.Rule)
	}
	body, err := json.Marshal(map[string]any{
		"type": "about:blank", "title": http.StatusText(status), "status": status, "detail": detail,
		"request_id": w.Header().Get("X-Request-Id"),
	})
	if err != nil {
		panic("encode problem: " + err.Error()) // text and a number can be encoded
	}
	w.Header().Set("Content-Type", problemType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body) // a client that went away needs no answer
}
