package nuget

import (
	"bufio"
	"bytes"
	"io"
)

// mended reads a form as nuget 2.8.7 on mono ends it: its lines end with CR LF, but
// the one before the last boundary with LF alone. Such a form gets what it lacks.
type mended struct {
	r    *bufio.Reader
	end  []byte // LF and the last boundary
	odd  bool   // the form begins with lines that end with CR LF
	tail []byte // what is left once all is read
	err  error  // how the body ended
}

func newMended(r io.Reader, boundary string) *mended {
	m := &mended{r: bufio.NewReaderSize(r, 32<<10), end: []byte("\n--" + boundary + "--")}
	first, _ := m.r.Peek(len(boundary) + 4) // an error comes again when it is read
	m.odd = string(first) == "--"+boundary+"\r\n"
	return m
}

// Read implements io.Reader.
func (m *mended) Read(p []byte) (int, error) {
	if m.err == nil {
		b, err := m.r.Peek(m.r.Size())
		if err == nil {
			n := copy(p, b[:len(b)-len(m.end)-3])
			return m.r.Discard(n)
		}
		m.err, m.tail = err, m.mend(bytes.Clone(b))
	}
	if len(m.tail) == 0 {
		return 0, m.err
	}
	n := copy(p, m.tail)
	m.tail = m.tail[n:]
	return n, nil
}

func (m *mended) mend(b []byte) []byte {
	before, ok := bytes.CutSuffix(bytes.TrimRight(b, "\r\n"), m.end)
	if !ok || !m.odd || bytes.HasSuffix(before, []byte("\r")) {
		return b
	}
	return append(append(bytes.Clone(before), '\r'), m.end...)
}
