package reference

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"os"
)

// serveRaw is R: a goroutine for each connection that reads a request and
// writes an answer made beforehand. It understands nothing of HTTP but the
// empty line at a request's end, and shows what Go can do at most.
func serveRaw(listener net.Listener, file string) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\nETag: \"%x\"\r\n\r\n%s",
		len(body), sha256.Sum256(body), body)
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go answerRaw(conn, answer)
	}
}

// answerRaw ends when the client closes the connection. Requests without a
// body that fit the buffer, one at a time, are all that the load generator sends.
func answerRaw(conn net.Conn, answer []byte) {
	defer conn.Close()
	buffer := make([]byte, 1024)
	have := 0
	for {
		n, err := conn.Read(buffer[have:])
		if err != nil {
			return // io.EOF, or a reset: either way nobody is there to tell
		}
		have += n
		if !bytes.HasSuffix(buffer[:have], []byte("\r\n\r\n")) {
			if have == len(buffer) {
				_, _ = io.WriteString(conn, "HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
				return
			}
			continue
		}
		have = 0
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
