//go:build linux

package load

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
)

// Number stands in a path for the number of the request, so that every request
// can name something new. It has nine digits: requests of all samples are
// equally long and are made by overwriting those digits.
const Number = "{number}"

// FirstNumber is the lowest number with nine digits.
const FirstNumber = 100_000_000

const digits = 9

// Request is a template for requests.
type Request struct {
	Method string
	Path   string // may hold Number once
	Header map[string]string
	Body   int64 // size of the body, which Body makes; 0 for none
	First  int64 // number of the first request; at least FirstNumber
}

// block is what bodies are made of: random bytes, so that nothing compresses
// or deduplicates them, and always the same, so that they can be checked.
var block = sync.OnceValue(func() []byte {
	bytes := make([]byte, 1<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(bytes) // never fails
	return bytes
})

// Body returns the body of request number n: random bytes that begin with the
// number. No two numbers have the same body, so no server can answer an upload
// by finding that it has the bytes already.
func Body(n, size int64) io.Reader {
	first := slices.Clone(block())
	copy(first, formatNumber(n))
	return io.LimitReader(io.MultiReader(bytes.NewReader(first), &repeater{block: block()}), size)
}

// repeater reads a block again and again without end.
type repeater struct {
	block []byte
	at    int
}

func (r *repeater) Read(p []byte) (int, error) {
	n := copy(p, r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	return n, nil
}

func formatNumber(n int64) string { return fmt.Sprintf("%0*d", digits, n) }

func (r Request) path(n int64) string {
	return strings.Replace(r.Path, Number, formatNumber(n), 1)
}

// message is a request as bytes, ready to be sent.
type message struct {
	bytes  []byte
	pathAt int // where the number in the path is; 0 for none
	bodyAt int // where the body starts
	number int64
	size   int64 // of the body
}

// build makes the message for a request. withBody says whether the body is
// part of it; a large one is sent apart.
func (r Request) build(address string, withBody bool) *message {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: packhouse-bench\r\nAccept: */*\r\n", r.Method, r.path(r.First), address)
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, r.Header[name])
	}
	if r.Method == "PUT" {
		fmt.Fprintf(&b, "Content-Type: application/octet-stream\r\nContent-Length: %d\r\n", r.Body)
	}
	b.WriteString("\r\n")
	m := &message{number: r.First, bodyAt: b.Len(), size: r.Body}
	if at := strings.Index(r.Path, Number); at >= 0 {
		m.pathAt = len(r.Method) + 1 + at
	}
	if withBody {
		_, _ = b.ReadFrom(Body(r.First, r.Body)) // memory only
	}
	m.bytes = b.Bytes()
	return m
}

// advance turns the message into the next one.
func (m *message) advance() {
	m.number++
	text := m.bytes
	if m.pathAt > 0 {
		putNumber(text[m.pathAt:], m.number)
	}
	if len(text) > m.bodyAt {
		putNumber(text[m.bodyAt:], m.number)
	}
}

// putNumber writes n as nine digits to the front of b, or as many as fit.
func putNumber(b []byte, n int64) {
	var text [digits]byte
	for i := digits - 1; i >= 0; i-- {
		text[i] = byte('0' + n%10)
		n /= 10
	}
	copy(b, text[:])
}
