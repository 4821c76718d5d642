package maven

import (
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"packhouse/internal/blob"
)

// memory remembers for a short while the checksums of metadata that a client was
// given. A client asks for metadata and for its checksum in two
// requests; whatever is deployed between them, both answers have to be about the
// same bytes. It is safe for concurrent use.
//
// A client is told by its connection, which a build keeps open, and else by its
// address. Maven from 3.9 on takes the checksum from the header and needs none of
// this.
type memory struct {
	kept interface { // an *otter.Cache; see memo.Cache for why it does not say so
		GetIfPresent(key memoryKey) (memorized, bool)
		Set(key memoryKey, value memorized) (memorized, bool)
	}
}

type memorized struct {
	sums blob.Sums
	at   time.Time
}

type memoryKey struct{ client, target string }

// Bounds of a memory.
const (
	memorySize = 20_000
	memoryTime = 10 * time.Second
)

func newMemory() *memory {
	return &memory{otter.Must(&otter.Options[memoryKey, memorized]{MaximumSize: memorySize})}
}

// keep remembers what a client has of the metadata that a request is about.
func (m *memory) keep(r *http.Request, s blob.Sums) {
	for _, key := range keysOf(r) {
		m.kept.Set(key, memorized{s, time.Now()})
	}
}

// recall returns what the client has that asks for a checksum.
func (m *memory) recall(r *http.Request) (blob.Sums, bool) {
	for _, key := range keysOf(r) {
		if s, ok := m.kept.GetIfPresent(key); ok && time.Since(s.at) < memoryTime {
			return s.sums, true
		}
	}
	return blob.Sums{}, false
}

// keysOf are the names under which the sender of a request is looked for. Behind a
// proxy connections are not the client's own.
func keysOf(r *http.Request) []memoryKey {
	target, _ := cutSum(r.URL.Path)
	target = strings.Clone(target)
	if via := r.Header.Get("X-Forwarded-For"); via != "" {
		return []memoryKey{{strings.Clone(via), target}}
	}
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return []memoryKey{{strings.Clone(r.RemoteAddr), target}, {strings.Clone(host), target}}
}
