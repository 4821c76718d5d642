//go:build linux

package load

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// head is the part of an answer before its body.
type head struct {
	status   int
	length   int64  // of the body; -1 when it comes in chunks
	size     int    // bytes of the head itself, with the empty line
	location string // where it points; "" for nowhere
}

// parseHead reads the head at the front of b. complete is false as long as its
// end has not arrived. Only what a fast server sends is understood: HTTP/1.1
// with a Content-Length, or in chunks, on a connection that stays open.
func parseHead(b []byte) (h head, complete bool, err error) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		return head{}, false, nil
	}
	h = head{size: end + 4, length: -1}
	chunked := false
	line, rest, _ := bytes.Cut(b[:end], []byte("\r\n"))
	if len(line) < 12 || string(line[:9]) != "HTTP/1.1 " {
		return head{}, false, fmt.Errorf("status line %q", line)
	}
	if h.status, err = strconv.Atoi(string(line[9:12])); err != nil {
		return head{}, false, fmt.Errorf("status line %q", line)
	}
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		if value, ok := field(line, "Content-Length"); ok {
			if h.length, err = strconv.ParseInt(value, 10, 64); err != nil || h.length < 0 {
				return head{}, false, fmt.Errorf("field %q", line)
			}
		}
		if value, ok := field(line, "Location"); ok {
			h.location = value
		}
		if value, ok := field(line, "Transfer-Encoding"); ok {
			chunked = strings.EqualFold(value, "chunked")
		}
		if value, ok := field(line, "Connection"); ok && strings.EqualFold(value, "close") {
			return head{}, false, fmt.Errorf("answer %d closes the connection", h.status)
		}
	}
	if h.length < 0 && !chunked {
		if h.status != 204 && h.status != 304 {
			return head{}, false, fmt.Errorf("answer %d has no Content-Length", h.status)
		}
		h.length = 0
	}
	return h, true, nil
}

// field returns the value of a header line if it has the name.
func field(line []byte, name string) (string, bool) {
	if len(line) <= len(name) || line[len(name)] != ':' || !strings.EqualFold(string(line[:len(name)]), name) {
		return "", false
	}
	return string(bytes.TrimSpace(line[len(name)+1:])), true
}

// accept holds a head against what the spec wants.
func (s Spec) accept(h head) error {
	if h.status != s.Status && h.status/100 != s.Status {
		return fmt.Errorf("answer %d, want %d", h.status, s.Status)
	}
	if s.Length >= 0 && h.length != s.Length {
		return fmt.Errorf("answer of %d bytes, want %d", h.length, s.Length)
	}
	return nil
}
