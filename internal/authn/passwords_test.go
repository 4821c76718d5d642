package authn_test

import (
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/authn"
)

func TestCheckPassword(t *testing.T) {
	t.Parallel()
	p := authn.NewPasswords(nil, nil)
	for password, want := range map[string]string{
		"correct horse": "", "1234567": "too short", "ünïcödé!": "", "äöüß": "too short", strings.Repeat("x y", 400): "too long",
		"my name is Dana Ito": "must not contain", "DANA-1234": "must not contain", "xx dito@ xx": "must not contain", "aaaaaaaaaaaa": "over and over",
		"bad \xff utf-8": "UTF-8",
	} {
		err := p.Check("dana", "dito@example.net", password)
		if (err == nil) != (want == "") || err != nil && (packhouse.KindOf(err) != packhouse.Invalid || !strings.Contains(err.Error(), want)) {
			t.Errorf("Check(%q) = %v, want %q", password, err, want)
		}
	}
}
