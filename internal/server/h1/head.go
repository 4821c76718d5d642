package h1

import "bytes"

const (
	// maxHead is the largest head, in bytes, that is served here.
	maxHead = 8 << 10
	// maxFields is the largest number of header lines that is served here.
	maxFields = 64
)

// verdict is what is known about the bytes at the front of a connection.
type verdict uint8

const (
	incomplete verdict = iota // plain so far
	plain                     // a whole plain head
	odd                       // for net/http to judge
)

// span is a range of bytes of a head.
type span struct{ from, to uint16 }

func (s span) of(b []byte) []byte { return b[s.from:s.to] }

type field struct{ name, value span }

// head is the place of the parts of a request head. It is parsed line by line as
// the bytes arrive, so that an odd line goes to net/http as early as it would get
// there by itself, and so that no byte is judged twice.
type head struct {
	next     int  // offset of the first line not yet parsed
	begun    bool // the request line is parsed
	isHEAD   bool
	target   span
	literal  bool // the path has no byte that url.Parse would treat
	block    int  // offset of the first header line
	fields   [maxFields]field
	n        int // fields in use
	host     int // index of Host; -1 when not seen
	close    bool
	connSeen bool
}

func (h *head) clear() {
	h.next, h.begun, h.n, h.host, h.close, h.connSeen = 0, false, 0, -1, false, false
}

// parse goes on with the head at the front of b, which begins with the bytes of
// the calls before.
func (h *head) parse(b []byte) verdict {
	for {
		i := bytes.IndexByte(b[h.next:], '\n')
		if i < 0 {
			return incomplete
		}
		if i == 0 || b[h.next+i-1] != '\r' {
			return odd
		}
		from, to := h.next, h.next+i-1
		h.next += i + 1
		switch {
		case !h.begun:
			if !h.requestLine(b, from, to) {
				return odd
			}
		case from == to:
			if h.host < 0 {
				return odd
			}
			return plain
		default:
			if !h.fieldLine(b, from, to) {
				return odd
			}
		}
	}
}

// requestLine takes "GET /target HTTP/1.1" or "HEAD /target HTTP/1.1".
func (h *head) requestLine(b []byte, from, to int) bool {
	const version = " HTTP/1.1"
	line := b[from:to]
	switch {
	case bytes.HasPrefix(line, []byte("GET /")):
		h.isHEAD = false
		from += len("GET ")
	case bytes.HasPrefix(line, []byte("HEAD /")):
		h.isHEAD = true
		from += len("HEAD ")
	default:
		return false
	}
	if !bytes.HasSuffix(line, []byte(version)) || to-len(version) <= from {
		return false
	}
	to -= len(version)
	h.begun, h.block, h.target = true, h.next, span{uint16(from), uint16(to)}
	return h.targetBytes(b[from:to])
}

// targetBytes checks that target is printable ASCII without '#', and notes whether
// its path stands for itself.
func (h *head) targetBytes(target []byte) bool {
	h.literal = true
	path := true
	for _, c := range target {
		class := classes[c]
		if class&inTarget == 0 {
			return false
		}
		if c == '?' {
			path = false
		}
		if path && class&literalInPath == 0 {
			h.literal = false
		}
	}
	return true
}

// fieldLine takes "Name: value" with optional blanks around the value.
func (h *head) fieldLine(b []byte, from, to int) bool {
	if h.n == maxFields {
		return false
	}
	colon := from
	for colon < to && classes[b[colon]]&inToken != 0 {
		colon++
	}
	if colon == from || colon == to || b[colon] != ':' {
		return false
	}
	v, end := colon+1, to
	for v < end && (b[v] == ' ' || b[v] == '\t') {
		v++
	}
	for end > v && (b[end-1] == ' ' || b[end-1] == '\t') {
		end--
	}
	for _, c := range b[v:end] {
		if classes[c]&inValue == 0 {
			return false
		}
	}
	f := field{span{uint16(from), uint16(colon)}, span{uint16(v), uint16(end)}}
	h.fields[h.n] = f
	h.n++
	return h.meaning(f.name.of(b), f.value.of(b))
}

// meaning looks at the fields that decide about framing or about the connection.
func (h *head) meaning(name, value []byte) bool {
	switch len(name) {
	case len("te"):
		return !fold(name, "te")
	case len("host"):
		return !fold(name, "host") || h.hostField(value)
	case len("expect"):
		return !fold(name, "expect")
	case len("upgrade"): // and trailer
		return !fold(name, "upgrade") && !fold(name, "trailer")
	case len("connection"):
		return !fold(name, "connection") || h.connectionField(value)
	case len("content-length"): // and http2-settings
		return !fold(name, "content-length") && !fold(name, "http2-settings")
	case len("proxy-connection"):
		return !fold(name, "proxy-connection")
	case len("transfer-encoding"):
		return !fold(name, "transfer-encoding")
	}
	return true
}

func (h *head) hostField(value []byte) bool {
	if h.host >= 0 || len(value) == 0 {
		return false
	}
	for _, c := range value {
		if classes[c]&inHost == 0 {
			return false
		}
	}
	h.host = h.n - 1
	return true
}

func (h *head) connectionField(value []byte) bool {
	if h.connSeen {
		return false
	}
	h.connSeen = true
	h.close = fold(value, "close")
	return h.close || fold(value, "keep-alive")
}

// fold reports whether b is lower, which is in lower case, in any case of letters.
func fold(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		if c != lower[i] {
			return false
		}
	}
	return true
}
