package generic_test

import (
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// What every format has to do.
func TestSuite(t *testing.T) {
	t.Parallel()
	formattest.Run(t, formattest.Case{
		Format: "generic",
		Publish: func(w *formattest.World, mount string, header ...string) formattest.Answer {
			return w.Do("PUT", mount+"/tool/1.0/app.txt", strings.NewReader("hello"), header...)
		},
		File: "/tool/1.0/app.txt", Content: "hello", Group: true,
		Absent: []string{"/tool/1.0/other.txt", "/tool/2.0/app.txt", "/other/1.0/app.txt"},
		Bad:    []string{"/tool/1..0/app.txt", "/t%20l/1.0/app.txt", "/tool/1.0/~app.txt", "/tool/1.0/app.txt/", "/tool/1.0/a%252f..%252fb"},
	})
}
