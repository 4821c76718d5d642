package s3test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// Fault is a way in which a request fails.
type Fault string

// The faults, in pairs: with nothing done, and with everything done and the
// answer lost.
const (
	None       Fault = ""
	SlowDown   Fault = "slow down"       // 503, nothing done
	CutRequest Fault = "cut request"     // half of the body reaches the server
	Hang       Fault = "hang"            // no answer, nothing done
	Lost       Fault = "lost answer"     // done, and the connection is closed
	LostHang   Fault = "hanging answer"  // done, and no answer
	Lying      Fault = "lying 500"       // done, and a 500
	CutAnswer  Fault = "cut answer"      // done, and half of the answer
	Altered    Fault = "altered answer"  // done, and one byte of the answer's body is another
	AlteredIn  Fault = "altered request" // one byte of the request's body is another
)

// Repeated are the faults that a store has to get over when they strike once.
var Repeated = []Fault{SlowDown, CutRequest, Hang, Lost, LostHang, Lying, CutAnswer, AlteredIn}

// Proxy stands in front of a Server and makes requests fail.
type Proxy struct {
	Address string

	server    *Server
	transport *http.Transport
	closed    chan struct{}
	mu        sync.Mutex
	choose    func(*http.Request) Fault
	seen      []string
}

// Proxy starts a proxy that passes everything on, until it is told otherwise.
func (s *Server) Proxy(t testing.TB) *Proxy {
	t.Helper()
	p := &Proxy{server: s, transport: &http.Transport{MaxIdleConnsPerHost: 16, DisableCompression: true}, closed: make(chan struct{})}
	p.Choose(func(*http.Request) Fault { return None })
	front := httptest.NewServer(p)
	p.Address = front.Listener.Addr().String()
	t.Cleanup(func() {
		close(p.closed)
		front.CloseClientConnections()
		front.Close()
		p.transport.CloseIdleConnections()
	})
	return p
}

// Choose sets what becomes of each request from now on, and forgets those seen.
func (p *Proxy) Choose(fault func(*http.Request) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.choose, p.seen = fault, nil
}

// Once has the n-th request from now on fail; the first is 1.
func (p *Proxy) Once(n int, f Fault) {
	count := 0
	p.Choose(func(*http.Request) Fault {
		if count++; count == n {
			return f
		}
		return None
	})
}

// From has the n-th request from now on fail, and all that follow.
func (p *Proxy) From(n int, f Fault) {
	count := 0
	p.Choose(func(*http.Request) Fault {
		if count++; count >= n {
			return f
		}
		return None
	})
}

// Seen returns the requests since Choose: their methods and paths.
func (p *Proxy) Seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.seen...)
}

// next counts a request and says how it fails.
func (p *Proxy) next(r *http.Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.seen = append(p.seen, r.Method+" "+r.URL.Path)
	return p.choose(r)
}

// ServeHTTP implements http.Handler.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := p.next(r)
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	switch fault {
	case SlowDown:
		refuse(w, http.StatusServiceUnavailable, "SlowDown")
		return
	case Hang:
		p.hang(r)
	case CutRequest:
		p.cut(r, sent)
		panic(http.ErrAbortHandler)
	case AlteredIn:
		if len(sent) > 0 {
			sent[len(sent)/2] ^= 1
		}
	}
	answer, err := p.pass(r, bytes.NewReader(sent))
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer answer.Body.Close()
	if fault == None || fault == AlteredIn {
		reply(w, answer, answer.Body)
		return
	}
	whole, err := io.ReadAll(answer.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	switch fault {
	case LostHang:
		p.hang(r)
	case Lost:
		panic(http.ErrAbortHandler)
	case Lying:
		refuse(w, http.StatusInternalServerError, "InternalError")
	case CutAnswer:
		if len(whole) == 0 {
			panic(http.ErrAbortHandler)
		}
		reply(w, answer, bytes.NewReader(whole[:len(whole)/2]))
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	case Altered:
		if len(whole) > 0 {
			whole[len(whole)/2] ^= 1
		}
		reply(w, answer, bytes.NewReader(whole))
	}
}

// pass has the server answer a request that is like the one that came, its
// signature and the host in it included.
func (p *Proxy) pass(r *http.Request, body io.Reader) (*http.Response, error) {
	out := r.Clone(r.Context())
	out.URL.Scheme, out.URL.Host, out.RequestURI = "http", p.server.Address, ""
	out.Body = io.NopCloser(body)
	if r.ContentLength == 0 {
		out.Body = http.NoBody
	}
	return p.transport.RoundTrip(out)
}

var errCut = errors.New("the proxy cuts the body")

// cut sends half of a request.
func (p *Proxy) cut(r *http.Request, sent []byte) {
	if len(sent) == 0 {
		return
	}
	answer, err := p.pass(r, io.MultiReader(bytes.NewReader(sent[:len(sent)/2]), failing{}))
	if err == nil {
		answer.Body.Close()
	}
}

type failing struct{}

// Read implements io.Reader.
func (failing) Read([]byte) (int, error) { return 0, errCut }

// hang waits until the client gives up.
func (p *Proxy) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-p.closed:
	case <-time.After(time.Minute):
	}
	panic(http.ErrAbortHandler)
}

func reply(w http.ResponseWriter, answer *http.Response, body io.Reader) {
	for name, values := range answer.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, body) // a client that went away needs no answer
}

func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = io.Copy(w, strings.NewReader(fmt.Sprintf(`<?xml version="1.0"?><Error><Code>%s</Code><Message>injected</Message></Error>`, code)))
}
