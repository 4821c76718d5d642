package telemetry

import (
	"context"
	"io"
	"log/slog"
)

// NewLog makes a log that writes to w, from the given level on, lines of JSON if
// the format is "json" and of key=value otherwise. If w is a [Buffer], warnings
// and errors are flushed at once, with all lines before them.
func NewLog(w io.Writer, level slog.Level, format string) *slog.Logger {
	opts := &slog.HandlerOptions{Level: level}
	var h slog.Handler = slog.NewTextHandler(w, opts)
	if format == "json" {
		h = slog.NewJSONHandler(w, opts)
	}
	if b, ok := w.(*Buffer); ok {
		h = flushing{h, b}
	}
	return slog.New(h)
}

// flushing is a handler whose lines go through a buffer.
type flushing struct {
	slog.Handler
	buffer *Buffer
}

// Handle implements slog.Handler.
func (h flushing) Handle(ctx context.Context, r slog.Record) error {
	err := h.Handler.Handle(ctx, r)
	if r.Level >= slog.LevelWarn {
		return h.buffer.Flush()
	}
	return err
}

// WithAttrs implements slog.Handler.
func (h flushing) WithAttrs(attrs []slog.Attr) slog.Handler {
	return flushing{h.Handler.WithAttrs(attrs), h.buffer}
}

// WithGroup implements slog.Handler.
func (h flushing) WithGroup(name string) slog.Handler {
	return flushing{h.Handler.WithGroup(name), h.buffer}
}
