package telemetry

import (
	"log/slog"
	"net/http"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/gate"
)

// maxPath is how much of a path is logged, in bytes.
const maxPath = 1024

const logout = "/-/user/token/"

// line is the log line of a request, apart from what its series says already.
// What is empty is left out.
func line(o *gate.Observation, s *series, now time.Time) slog.Record {
	// Nobody looks for the source of this line, so it has no program counter,
	// which would cost more than all else here.
	r := slog.NewRecord(now, s.level, "request", 0)
	var remote [64]byte // an address needs 45, a zone makes it longer
	attrs := append(make([]slog.Attr, 0, 9),
		slog.String("request_id", o.RequestID),
		slog.String("path", path(o.Request)),
		slog.Int64("bytes", o.Bytes),
		slog.Float64("ms", float64(o.Took.Microseconds())/1000),
		slog.String("remote", string(o.Remote.AppendTo(remote[:0]))),
	)
	if o.Actor.Name != "" {
		attrs = append(attrs, slog.String("actor", o.Actor.Name))
	}
	if o.Target.Path != "" {
		attrs = append(attrs, slog.String("target", o.Target.Path))
	}
	if o.Err != nil {
		attrs = append(attrs, slog.String("rule", o.Err.Rule), slog.String("error", redact(reason(o.Err, o.Status), o.Request)))
	}
	r.AddAttrs(attrs...)
	return r
}

// path is the decoded path of a request. It ends at a question mark: a client
// that encodes the one before its query has put a token into the path. So has npm
// when it logs out (DELETE …/-/user/token/TOKEN).
func path(r *http.Request) string {
	p := r.URL.Path
	if i := strings.IndexByte(p, '?'); i >= 0 {
		p = p[:i]
	}
	if before, _, found := strings.Cut(p, logout); found {
		p = before + logout + "********"
	}
	if len(p) > maxPath {
		p = p[:maxPath] + "…"
	}
	return p
}

// reason is the text of an error. The cause of a refusal is nobody's business;
// that of a failure is the administrator's.
func reason(e *packhouse.Error, status int) string {
	if status >= http.StatusInternalServerError {
		return e.Error()
	}
	return e.Message
}
