package server

import (
	"context"
	"log"
	"log/slog"
	"strings"
)

// errorLog takes what net/http has to say. Panics and failures to accept are ours to
// look into and become warnings; what strangers do, such as broken TLS handshakes,
// is for debugging.
func errorLog(to *slog.Logger) *log.Logger { return log.New(lineWriter{to}, "", 0) }

type lineWriter struct{ to *slog.Logger }

// Write logs one message of net/http.
func (w lineWriter) Write(p []byte) (int, error) {
	text := strings.TrimSuffix(string(p), "\n")
	level := slog.LevelDebug
	for _, ours := range []string{"http: panic serving", "http2: panic serving", "http: Accept error", "http: superfluous"} {
		if strings.HasPrefix(text, ours) {
			level = slog.LevelWarn
		}
	}
	w.to.Log(context.Background(), level, "net/http", "message", text)
	return len(p), nil
}
