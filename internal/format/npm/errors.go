package npm

import (
	"net/http"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/format"
)

// WriteError implements format.Format. npm prints "error", older clients and
// GitLab's own read "message". A 401 has no challenge: npm would print that
// instead of the text, and clients send their token without being asked.
func (NPM) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	status := e.Kind.Status()
	if e.Kind == packhouse.TooLarge {
		status = http.StatusBadRequest // as GitLab's clients know it
	}
	message := e.Message
	if e.Kind == packhouse.Internal {
		message = "500 Internal Server Error"
	}
	if e.Kind == packhouse.Forbidden && e.Rule != "" {
		w.Header().Set("X-Registry-Denied", e.Rule)
	}
	format.WriteJSON(w, status, struct {
		Message   string `json:"message"`
		Error     string `json:"error"`
		Rule      string `json:"rule,omitempty"`
		Fix       string `json:"fix,omitempty"`
		RequestID string `json:"request_id"`
	}{message, spoken(status, message, e), e.Rule, e.Fix, w.Header().Get("X-Request-Id")})
}

// spoken is what a client prints behind the status, which it prints by itself:
// the message without that, and what to do. The words about a version that is
// there already stay alone, as tools look for them.
func spoken(status int, message string, e *packhouse.Error) string {
	text := strings.TrimPrefix(message, strconv.Itoa(status)+" ")
	text = strings.TrimPrefix(text, http.StatusText(status)+" - ")
	if e.Fix == "" || e.Rule == ruleTaken {
		return text
	}
	return strings.TrimSuffix(text, ".") + ": " + e.Fix
}

const ruleTaken = "duplicates"

// errTaken is the refusal of a version that is there.
func errTaken() error {
	return &packhouse.Error{
		Kind: packhouse.Forbidden, Rule: ruleTaken, Message: "Package already exists.",
		Fix: "publish under a new version, or unpublish this one first",
	}
}

// errNotFound says that there is no such package, or none that the caller may see.
func errNotFound() error {
	return &packhouse.Error{Kind: packhouse.NotFound, Message: "404 Packages Not Found"}
}

// notFound puts the refusal of a source into this format's words.
func notFound(err error) error {
	if e := packhouse.AsError(err); e.Kind == packhouse.NotFound {
		return errNotFound()
	}
	return err
}

func errNoRoute() error {
	return &packhouse.Error{Kind: packhouse.NotFound, Rule: "route", Message: "404 Not Found"}
}

// errChanged is the refusal of a change that was made for another state.
func errChanged() error {
	return &packhouse.Error{
		Kind: packhouse.Conflict, Rule: "revision", Message: "409 Conflict - the package has changed in the meantime",
		Fix: "run the command again",
	}
}

// invalid is the refusal of what was sent.
func invalid(rule, message, fix string) error {
	return &packhouse.Error{Kind: packhouse.Invalid, Rule: rule, Message: message, Fix: fix}
}
