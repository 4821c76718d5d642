package operate

import "io"

// slowBody is a body that stops in the middle until it is told to go on.
type slowBody struct {
	left, half int
	begun      chan struct{}
	goOn       chan struct{}
}

func newSlowBody(size int) (io.Reader, *slowBody) {
	b := &slowBody{left: size, half: size / 2, begun: make(chan struct{}), goOn: make(chan struct{})}
	return b, b
}

// Read implements io.Reader.
func (b *slowBody) Read(p []byte) (int, error) {
	if b.left == 0 {
		return 0, io.EOF
	}
	if b.left == b.half {
		close(b.begun)
		<-b.goOn
	}
	n := min(len(p), b.left)
	if b.left > b.half {
		n = min(n, b.left-b.half)
	}
	b.left -= n
	return n, nil
}
