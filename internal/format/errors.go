package format

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"packhouse"
)

// GitLabError writes an error as GitLab's REST API does, which most package
// clients read too: {"message": …} for refusals, {"error": …} for a parameter
// or a route. Beside that it says which rule decided, what to do about it, and
// the request's id.
func GitLabError(w http.ResponseWriter, e *packhouse.Error) {
	status := e.Kind.Status()
	body := struct {
		Message   any    `json:"message,omitempty"`
		Error     string `json:"error,omitempty"`
		Rule      string `json:"rule,omitempty"`
		Fix       string `json:"fix,omitempty"`
		RequestID string `json:"request_id"`
	}{Rule: e.Rule, Fix: e.Fix, RequestID: w.Header().Get("X-Request-Id")}
	switch {
	case e.Param != "" && e.Rule == "validation":
		body.Message = map[string][]string{e.Param: {e.Message}}
	case e.Kind == packhouse.Unsavable && e.Rule == "validation":
		body.Message = map[string]string{"error": e.Message}
	case e.Param != "" || e.Rule == "route" || e.Kind == packhouse.NotAllowed:
		body.Error = e.Message
	default:
		body.Message = message(status, e)
	}
	if e.Kind == packhouse.Forbidden && e.Rule != "" {
		w.Header().Set("X-Registry-Denied", e.Rule)
	}
	WriteJSON(w, status, body)
}

// message puts the status in front of a message, as GitLab does, unless it is
// there already. Errors that nobody classified are not for strangers to read.
func message(status int, e *packhouse.Error) string {
	switch {
	case e.Kind == packhouse.Internal:
		return "500 Internal Server Error"
	case e.Kind == packhouse.Conflict, e.Kind == packhouse.Unsavable, strings.HasPrefix(e.Message, fmt.Sprint(status)):
		return e.Message
	case e.Kind == packhouse.Invalid, e.Kind == packhouse.TooLarge && status == http.StatusBadRequest:
		return "400 Bad request - " + e.Message
	case e.Kind == packhouse.NotFound:
		return "404 " + e.Message
	}
	return fmt.Sprintf("%d %s - %s", status, http.StatusText(status), e.Message)
}

// Challenge asks for a credential. The realm is GitLab's, letter by letter: sbt
// chooses its credentials by it.
func Challenge(h http.Header) {
	h.Set("Www-Authenticate", `Basic realm="GitLab Packages Registry"`)
}

// WriteJSON answers with a value as JSON.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil {
		// Only values of our own types come here, and those can be encoded.
		panic(fmt.Errorf("encode answer: %w", err))
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", fmt.Sprint(len(data)))
	w.WriteHeader(status)
	_, _ = w.Write(data) // a client that went away needs no answer
}

// Time is the layout in which GitLab's API writes times.
const Time = "2006-01-02T15:04:05.000Z07:00"
