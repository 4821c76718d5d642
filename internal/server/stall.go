package server

import (
	"errors"
	"io"
	"net/http"
	"os"
	"time"

	"packhouse"
)

// guardBodies cuts request bodies that make no progress for timeout, however long
// the whole takes.
func guardBodies(next http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			b := &steadyBody{ReadCloser: r.Body, control: http.NewResponseController(w), timeout: timeout, multiplexed: r.ProtoMajor == 2}
			if !b.multiplexed {
				// net/http itself reads what the handler leaves; that must
				// end as well.
				b.arm()
			}
			// On a copy, because net/http looks at the type of its request's Body:
			// a client that waits for "100 Continue" and is refused must get its
			// answer without anybody waiting for the body.
			guarded := *r
			guarded.Body = b
			r = &guarded
		}
		next.ServeHTTP(w, r)
	})
}

// steadyBody gives every Read of a request body its own deadline.
type steadyBody struct {
	io.ReadCloser
	control *http.ResponseController
	timeout time.Duration

	// multiplexed is set for HTTP/2, where a deadline that passes between two
	// reads breaks the stream for good; in HTTP/1 it is forgotten with the next.
	multiplexed bool
}

func (b *steadyBody) arm() { b.control.SetReadDeadline(time.Now().Add(b.timeout)) }

// Read reads from the body. If nothing comes for the timeout, the error is a
// packhouse.Error of kind Invalid.
func (b *steadyBody) Read(p []byte) (int, error) {
	b.arm()
	n, err := b.ReadCloser.Read(p)
	if b.multiplexed && err == nil {
		b.control.SetReadDeadline(time.Time{})
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		refusal := packhouse.Errorf(packhouse.Invalid, "the upload made no progress for %v and was cut", b.timeout)
		refusal.Err = err
		return n, refusal
	}
	return n, err
}
