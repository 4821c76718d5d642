package h1

import (
	"context"
	"net/http"
	"net/url"
)

// exchange is everything that one request needs and an idle connection does not:
// the read buffer, the parsed head, the request and the response. Exchanges are
// pooled and reused, so a plain request allocates little more than its strings.
type exchange struct {
	in         [maxHead]byte
	start, end int // the unread bytes of in

	head    head
	context *requestContext
	blank   *http.Request // an empty request with context
	request *http.Request
	url     url.URL
	header  http.Header
	values  [maxFields]string // backs the one-element slices of header
	used    int               // how many of values may be set

	response response
}

func newExchange(parent context.Context) *exchange {
	x := &exchange{request: new(http.Request), header: make(http.Header)}
	x.response.header = make(http.Header)
	x.head.clear()
	x.bind(&requestContext{parent: parent})
	return x
}

func (x *exchange) bind(ctx *requestContext) {
	x.context = ctx
	x.blank = new(http.Request).WithContext(ctx)
}

func (x *exchange) unread() []byte { return x.in[x.start:x.end] }

// next parses on. When it returns plain, the request is ready and its bytes are
// consumed; when it returns incomplete, there is room to read more.
func (x *exchange) next(remote string) verdict {
	v := x.head.parse(x.unread())
	switch {
	case v == plain && !x.take(remote):
		return odd
	case v == incomplete && !x.makeRoom():
		return odd
	}
	return v
}

// makeRoom moves an incomplete head to the front of the buffer and reports
// whether more fits behind it.
func (x *exchange) makeRoom() bool {
	if x.start > 0 {
		x.end = copy(x.in[:], x.unread())
		x.start = 0
	}
	return x.end < len(x.in)
}

// take makes the request out of the parsed head. It fails, with the buffer as it
// was, if the target is not one for url.ParseRequestURI.
func (x *exchange) take(remote string) bool {
	h, b := &x.head, x.unread()
	target := string(h.target.of(b))
	if !x.parseTarget(target) {
		return false
	}
	for _, f := range h.fields[:h.n] {
		canonical(f.name.of(b))
	}
	// One string for all lines; another for the target, so that a kept path
	// does not keep credentials alive.
	block := string(b[h.block:h.next])
	text := func(s span) string { return block[int(s.from)-h.block : int(s.to)-h.block] }

	r := x.request
	*r = *x.blank
	r.Method = http.MethodGet
	if h.isHEAD {
		r.Method = http.MethodHead
	}
	r.URL, r.RequestURI, r.RemoteAddr = &x.url, target, remote
	r.Proto, r.ProtoMajor, r.ProtoMinor = "HTTP/1.1", 1, 1
	r.Host = text(h.fields[h.host].value)
	r.Close = h.close
	r.Body = http.NoBody
	r.Header = x.header
	for i, f := range h.fields[:h.n] {
		if i != h.host {
			x.addHeader(i, text(f.name), text(f.value))
		}
	}
	// RFC 9111 5.4, as net/http does it.
	if p := r.Header["Pragma"]; len(p) > 0 && p[0] == "no-cache" && r.Header["Cache-Control"] == nil {
		r.Header["Cache-Control"] = []string{"no-cache"}
	}
	x.used = h.n
	x.start += h.next
	h.clear()
	return true
}

func (x *exchange) addHeader(i int, name, value string) {
	if before, ok := x.header[name]; ok {
		x.header[name] = append(before, value)
		return
	}
	x.values[i] = value
	x.header[name] = x.values[i : i+1 : i+1]
}

// parseTarget sets url as url.ParseRequestURI would. A path of literal bytes
// stands for itself and needs no parser.
func (x *exchange) parseTarget(target string) bool {
	if !x.head.literal {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			return false
		}
		x.url = *u
		return true
	}
	x.url = url.URL{Path: target}
	for i := range len(target) {
		if target[i] == '?' {
			x.url.Path, x.url.RawQuery = target[:i], target[i+1:]
			x.url.ForceQuery = i == len(target)-1
			break
		}
	}
	return true
}

// reset forgets the request that was answered. Unread bytes stay.
func (x *exchange) reset() {
	clear(x.header)
	clear(x.values[:x.used])
	*x.request = *x.blank
	x.response.reset()
	if !x.context.finish() {
		x.bind(&requestContext{parent: x.context.parent})
	}
}

// canonical puts a header name into the form of [textproto.CanonicalMIMEHeaderKey]
// in place. The name is a token, so every byte is legal.
func canonical(name []byte) {
	upper := true
	for i, c := range name {
		switch {
		case upper && 'a' <= c && c <= 'z':
			c -= 'a' - 'A'
		case !upper && 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		name[i] = c
		upper = c == '-'
	}
}
