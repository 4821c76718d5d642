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
	"strings"
)

// Made is a request whose path and body are made for it alone, such as an
// upload that carries checksums of its own content.
type Made struct {
	Method string
	Path   string
	Header map[string]string
	Body   []byte
	// Then follow on the same connection, each when what is before it is answered.
	// All together count as one request.
	Then []Made
}

// Location at the front of a path stands for where the answer before it points,
// with what joins a query to that.
const Location = "{location}"

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
		if err := r.write(out, address, len(r.Then) > 0); err != nil {
			return err
		}
		for i, then := range r.Then {
			if err := then.write(out, address, i < len(r.Then)-1); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// more marks the size of a request that another one follows.
const more = 1 << 31

func (r Made) write(out *bufio.Writer, address string, followed bool) error {
	message := r.message(address)
	size := uint32(len(message))
	if followed {
		size |= more
	}
	_, err := out.Write(append(binary.BigEndian.AppendUint32(nil, size), message...))
	return err
}

func (r Made) message(address string) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: packhouse-bench\r\nAccept: */*\r\n", r.Method, r.Path, address)
	if r.Method != "GET" && r.Method != "HEAD" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(r.Body))
	}
	for _, name := range slices.Sorted(maps.Keys(r.Header)) {
		fmt.Fprintf(&b, "%s: %s\r\n", name, r.Header[name])
	}
	b.WriteString("\r\n")
	b.Write(r.Body)
	return b.Bytes()
}

// requests gives one request after the other.
type requests interface {
	// next returns the next request, and what follows it on its connection, valid
	// until it is called again if it is one alone; and none when there is none left.
	next() [][]byte
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
	one     [1][]byte
}

func (c *counted) next() [][]byte {
	if c.begun {
		c.message.advance()
	}
	c.begun = true
	c.one[0] = c.message.bytes
	return c.one[:]
}

// prepared gives the requests of a file.
type prepared struct{ left []byte }

func (p *prepared) next() (chain [][]byte) {
	for len(p.left) >= 4 {
		size := binary.BigEndian.Uint32(p.left)
		end := 4 + int(size&^more)
		chain = append(chain, p.left[4:end])
		p.left = p.left[end:]
		if size&more == 0 {
			break
		}
	}
	return chain
}

// located puts a location in the place of Location in a request's first line.
func located(request []byte, location string) []byte {
	before, after, found := bytes.Cut(request[:min(len(request), 64)], []byte(Location))
	if !found {
		return request
	}
	if _, rest, absolute := strings.Cut(location, "://"); absolute {
		location = rest[max(0, strings.IndexByte(rest, '/')):]
	}
	join := "?"
	if strings.Contains(location, "?") {
		join = "&"
	}
	return slices.Concat(before, []byte(location+join), after, request[len(before)+len(Location)+len(after):])
}
