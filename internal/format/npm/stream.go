package npm

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"

	"packhouse"
)

// Limits on what clients send apart from attachments.
const (
	maxDepth = 100       // of objects and arrays in each other
	maxKey   = 1024      // bytes of a name in an object
	maxBody  = 128 << 20 // bytes in all: npm deprecate sends back every version
)

// stream reads a JSON document piece by piece, so that what is large in it, an
// attachment, is never held in memory.
type stream struct {
	in   *bufio.Reader
	left int // of maxBody
}

func newStream(r io.Reader) *stream {
	return &stream{in: bufio.NewReaderSize(r, 32<<10), left: maxBody}
}

func errJSON() error {
	return invalid("body", "Invalid json", "send one JSON object, as npm publish does")
}

// failed explains why reading stopped.
func failed(err error) error {
	if e := (*packhouse.Error)(nil); errors.As(err, &e) {
		return e
	}
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "body", Err: err, Message: "Invalid json: the request ended before it was complete",
		Fix: "send it again; nothing of it was stored",
	}
}

func (s *stream) byte() (byte, error) {
	if s.left--; s.left < 0 {
		return 0, invalid("body", "the request is too large apart from its attachment", "")
	}
	c, err := s.in.ReadByte()
	if err != nil {
		return 0, failed(err)
	}
	return c, nil
}

// next is the first byte after white space.
func (s *stream) next() (byte, error) {
	for {
		c, err := s.byte()
		if err != nil || c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c, err
		}
	}
}

func (s *stream) back() { _ = s.in.UnreadByte(); s.left++ }

// expect reads one certain byte.
func (s *stream) expect(want byte) error {
	c, err := s.next()
	if err == nil && c != want {
		err = errJSON()
	}
	return err
}

// object visits the keys of an object. visit reads the value.
func (s *stream) object(visit func(key string) error) error {
	if err := s.expect('{'); err != nil {
		return err
	}
	c, err := s.next()
	if err != nil || c == '}' {
		return err
	}
	s.back()
	for {
		if err := s.member(visit); err != nil {
			return err
		}
		c, err := s.next()
		if err != nil || c == '}' {
			return err
		}
		if c != ',' {
			return errJSON()
		}
	}
}

func (s *stream) member(visit func(key string) error) error {
	key, err := s.text(maxKey)
	if err != nil {
		return err
	}
	if err := s.expect(':'); err != nil {
		return err
	}
	return visit(key)
}

// text reads a string of limited length.
func (s *stream) text(limit int) (string, error) {
	raw, err := s.value(limit)
	if err != nil {
		return "", err
	}
	var text string
	if len(raw) == 0 || raw[0] != '"' || json.Unmarshal(raw, &text) != nil {
		return "", errJSON()
	}
	return text, nil
}

// value reads a value and returns it as it stands.
func (s *stream) value(limit int) (json.RawMessage, error) {
	var raw []byte
	err := s.scan(func(c byte) error {
		if len(raw) >= limit {
			return invalid("body", "Validation failed: Package json structure is too large", "make the package.json smaller")
		}
		raw = append(raw, c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if !json.Valid(raw) || !utf8.Valid(raw) {
		return nil, errJSON()
	}
	return raw, nil
}

// skip reads a value that nobody needs. It looks at no more than where it ends.
func (s *stream) skip() error { return s.scan(func(byte) error { return nil }) }

// scan visits the bytes of one value.
func (s *stream) scan(visit func(byte) error) error {
	c, err := s.next()
	for depth := 0; ; c, err = s.byte() {
		if err != nil {
			return err
		}
		switch c {
		case '{', '[':
			if depth++; depth > maxDepth {
				return invalid("body", "Invalid json: it is nested too deeply", "")
			}
		case '}', ']':
			depth--
		case '"':
			if err := s.quoted(visit); err != nil {
				return err
			}
		}
		if depth < 0 || depth == 0 && (c == ',' || c == ':') {
			return errJSON()
		}
		if c != '"' {
			if err := visit(c); err != nil {
				return err
			}
		}
		if depth > 0 {
			continue
		}
		if c == '"' || c == '}' || c == ']' {
			return nil
		}
		return s.bare(visit)
	}
}

// quoted visits a string after its first quote, both quotes included.
func (s *stream) quoted(visit func(byte) error) error {
	err := visit('"')
	for escaped := false; err == nil; {
		var c byte
		if c, err = s.byte(); err != nil {
			break
		}
		if err = visit(c); err != nil || c == '"' && !escaped {
			break
		}
		escaped = c == '\\' && !escaped
	}
	return err
}

// bare visits the rest of a number or word, up to what ends it.
func (s *stream) bare(visit func(byte) error) error {
	for {
		c, err := s.byte()
		if err != nil {
			return err
		}
		if bytes.IndexByte([]byte(",]} \n\t\r"), c) >= 0 {
			s.back()
			return nil
		}
		if err := visit(c); err != nil {
			return err
		}
	}
}

// end has nothing follow but white space.
func (s *stream) end() error {
	for {
		c, err := s.in.ReadByte()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return failed(err)
		case c != ' ' && c != '\n' && c != '\t' && c != '\r':
			return errJSON()
		}
		if s.left--; s.left < 0 {
			return errJSON()
		}
	}
}

// long begins to read a string of any length.
func (s *stream) long() (*longText, error) {
	if err := s.expect('"'); err != nil {
		return nil, err
	}
	return &longText{in: s.in}, nil
}

// longText reads a string without holding it. It ends at the closing quote.
type longText struct {
	in   *bufio.Reader
	done bool
	err  error // what was wrong with it, kept for whoever reads through others
}

// Read implements io.Reader.
func (t *longText) Read(p []byte) (int, error) {
	if t.done {
		return 0, io.EOF
	}
	if t.err != nil || len(p) == 0 {
		return 0, t.err
	}
	n, err := t.read(p)
	if err != nil {
		t.err = err
	}
	return n, err
}

func (t *longText) read(p []byte) (int, error) {
	if _, err := t.in.Peek(1); err != nil {
		return 0, failed(err)
	}
	chunk, _ := t.in.Peek(min(t.in.Buffered(), len(p)))
	if i := bytes.IndexByte(chunk, '"'); i >= 0 {
		chunk = chunk[:i+1]
	}
	if i := bytes.IndexByte(chunk, '\\'); i == 0 {
		c, err := t.escape()
		p[0] = c
		return 1, err
	} else if i > 0 {
		chunk = chunk[:i]
	}
	n := copy(p, chunk)
	_, _ = t.in.Discard(n)
	if p[n-1] == '"' {
		t.done = true
		n--
	}
	return n, nil
}

// escape reads an escape sequence. Those that base64 can hold are known; others
// cannot stand in an attachment.
func (t *longText) escape() (byte, error) {
	var pair [2]byte
	if _, err := io.ReadFull(t.in, pair[:]); err != nil {
		return 0, failed(err)
	}
	switch pair[1] {
	case '/', '"', '\\':
		return pair[1], nil
	case 'n', 'r', 't':
		return '\n', nil
	case 'u':
		var digits, code [4]byte
		if _, err := io.ReadFull(t.in, digits[:]); err != nil {
			return 0, failed(err)
		}
		if _, err := hex.Decode(code[:2], digits[:]); err == nil && code[0] == 0 && code[1] < 0x80 {
			return code[1], nil
		}
	}
	return 0, errJSON()
}
