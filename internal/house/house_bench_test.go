package house_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// nowhere is a connection that nobody reads.
type nowhere struct{ header http.Header }

func (n nowhere) Header() http.Header         { return n.header }
func (n nowhere) WriteHeader(int)             {}
func (n nowhere) Write(p []byte) (int, error) { return len(p), nil }

// BenchmarkDownload is what the application adds to the transport for a small
// file that is asked for again and again, on a private project with a token.
func BenchmarkDownload(b *testing.B) {
	w := formattest.Start(b)
	id := w.Project("tools", w.Group("acme", 0, "private"), "private")
	path := fmt.Sprintf("/api/v4/projects/%d/packages/generic/my_package/1.0.0/app.tar.gz", id)
	w.Do("PUT", path, strings.NewReader(strings.Repeat("x", 4096)), "Private-Token: "+formattest.RootToken)
	r, err := http.NewRequest("GET", path, nil)
	if err != nil {
		b.Fatal(err)
	}
	r.Header.Set("Private-Token", formattest.RootToken)
	r.RemoteAddr = "127.0.0.1:1234"
	b.ReportAllocs()
	for b.Loop() {
		n := nowhere{http.Header{}}
		w.Handler.ServeHTTP(n, r)
	}
}
