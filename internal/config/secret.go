package config

import "log/slog"

// masked stands where a secret would.
const masked = "********"

// Secret is text that is not to be shown. Printed, logged or encoded in any
// way it is "********", and "" when it is empty; string(s) is the text itself.
type Secret string

// String returns the mask.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString returns the mask, for %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText implements encoding.TextMarshaler with the mask.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
