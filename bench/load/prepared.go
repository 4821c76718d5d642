package load

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"maps"
	"os"
	"slices"
)

// Made is a request whose path and body are made for it alone, such as an
// upload that carries checksums of its own content.
type Made struct {
	Method string
	Path   string
	Header map[string]string
	Body   []byte
}

// Write writes requests to a file, as Spec.Prepared names one: made before the
// clock starts, they cost nothing while it runs.
func Write(file, address string, all iter.Seq[Made]) (err error) {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	out := bufio.NewWriterSize(f, 1<<20)
	for r := range all {
		message := r.message(address)
		size := binary.BigEndian.AppendUint32(nil, uint32(len(message)))
		if _, err := out.Write(append(size, message...)); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (r Made) message(address string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: packhouse-bench\r\nAccept: */*\r\nContent-Length: %d\r\n", r.Method, r.Path, address, len(r.Body))
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, r.Header[name])
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

// requests gives one request after the other.
type requests interface {
	// next returns the next request, valid until it is called again, and nil when
	// there is none left.
	next() []byte
}

// queue opens the spec's requests.
func (s Spec) queue() (requests, error) {
	if s.Prepared == "" {
		return &counted{message: s.Request.build(s.Address, true)}, nil
	}
	data, err := os.ReadFile(s.Prepared)
	return &prepared{left: data}, err
}

// counted gives a request again and again, each time with the next number.
type counted struct {
	message *message
	begun   bool
}

func (c *counted) next() []byte {
	if c.begun {
		c.message.advance()
	}
	c.begun = true
	return c.message.bytes
}

// prepared gives the requests of a file.
type prepared struct{ left []byte }

func (p *prepared) next() []byte {
	if len(p.left) < 4 {
		return nil
	}
	size := int(binary.BigEndian.Uint32(p.left))
	request := p.left[4 : 4+size]
	p.left = p.left[4+size:]
	return request
}
