//go:build linux

package load

import "fmt"

// chunks follows a body that comes in chunks (RFC 9112, section 7.1) to its end and
// throws it away. Trailers are not understood.
type chunks struct {
	state chunkState
	left  int64 // of the chunk, with the line's end behind it
	size  int64 // that the line at hand has so far
}

type chunkState int

const (
	inSize chunkState = iota
	inLine            // what follows the size, to the line's end
	inData
	inLast    // the empty line at the end
	inLastEnd // its second byte
)

// take takes the bytes that have arrived and reports whether the body has ended,
// which has to be with the last of them.
func (c *chunks) take(b []byte) (done bool, err error) {
	for len(b) > 0 {
		switch c.state {
		case inData:
			n := min(c.left, int64(len(b)))
			b = b[n:]
			if c.left -= n; c.left == 0 {
				c.state, c.size = inSize, 0
			}
			continue
		case inSize:
			if digit, ok := hexDigit(b[0]); ok {
				c.size = c.size<<4 | digit
			} else {
				c.state = inLine
				continue
			}
		case inLine:
			if b[0] == '\n' {
				c.state, c.left = inData, c.size+2
				if c.size == 0 {
					c.state = inLast
				}
			}
		case inLast:
			c.state = inLastEnd
		case inLastEnd:
			if len(b) > 1 {
				return false, fmt.Errorf("%d bytes follow the answer", len(b)-1)
			}
			return true, nil
		}
		b = b[1:]
	}
	return false, nil
}

func hexDigit(b byte) (int64, bool) {
	switch {
	case '0' <= b && b <= '9':
		return int64(b - '0'), true
	case 'a' <= b|0x20 && b|0x20 <= 'f':
		return int64(b|0x20-'a') + 10, true
	}
	return 0, false
}
