package h1

import (
	"io"
	"math"
	"net/http"
	"os"
	"strconv"
)

// maxPiece is how many bytes of a file one sendfile may take. The write timeout
// starts again with each piece.
const maxPiece = 256 << 10

// send sends p as part of the body, after what is in out. Little is copied to
// out, to leave with what follows; much leaves at once.
func (w *response) send(p []byte) {
	if w.chunked {
		w.out = strconv.AppendInt(w.out, int64(len(p)), 16)
		w.out = append(w.out, '\r', '\n')
	}
	if len(w.out)+len(p) <= maxCopied {
		w.out = append(w.out, p...)
	} else {
		w.push(p)
	}
	if w.chunked {
		w.out = append(w.out, '\r', '\n')
	}
}

// flush sends what is in out.
func (w *response) flush() {
	if len(w.out) > 0 {
		w.push(nil)
	}
}

// push sends out and then p, in one system call unless p is large.
func (w *response) push(p []byte) {
	for w.err == nil && len(w.out)+len(p) > 0 {
		part := p[:min(len(p), maxPiece)]
		p = p[len(part):]
		w.c.enter(writing)
		switch {
		case len(part) == 0:
			_, w.err = w.c.tcp.Write(w.out)
		case len(w.out) == 0:
			_, w.err = w.c.tcp.Write(part)
		default:
			w.vec = [2][]byte{w.out, part}
			w.bufs = w.vec[:]
			_, w.err = w.bufs.WriteTo(w.c.tcp)
			w.vec = [2][]byte{}
		}
		w.out = w.out[:0]
		w.c.enter(handling)
	}
}

// ReadFrom sends what src yields. A file, or an io.LimitedReader of a file as
// http.ServeContent and io.CopyN make them, goes from the page cache to the socket
// by sendfile if the handler declared length and type and the file is larger than
// 64 KiB; a smaller one leaves in one write together with the head.
func (w *response) ReadFrom(src io.Reader) (int64, error) {
	if !w.wroteHeader {
		w.WriteHeader(http.StatusOK)
	}
	limited, cut := src.(*io.LimitedReader)
	if !cut {
		limited = &io.LimitedReader{R: src, N: math.MaxInt64}
	}
	file, ok := limited.R.(*os.File)
	if !ok || !w.sealed || w.length < 0 || w.isHEAD || !w.bodyAllowed() {
		buf := w.c.l.buffers.Get().(*[]byte)
		defer w.c.l.buffers.Put(buf)
		return io.CopyBuffer(onlyWriter{w}, src, *buf)
	}
	room := w.length - w.written
	n, err := w.sendFile(file, min(limited.N, room))
	limited.N -= n
	if err == nil && cut && n == room && limited.N > 0 {
		// As Write does it: what was declared is sent, the rest is an error.
		w.closing, err = true, http.ErrContentLength
	}
	return n, err
}

// sendFile sends the next n bytes of file, fewer if it ends before.
func (w *response) sendFile(file *os.File, n int64) (int64, error) {
	buf := w.c.l.buffers.Get().(*[]byte)
	defer w.c.l.buffers.Put(buf)
	first := n
	if n > maxBuffered {
		// As much as leaves in one write together with the head.
		first = int64(max(maxCopied-len(w.out), 0))
	}
	got, err := io.ReadFull(file, (*buf)[:first])
	w.send((*buf)[:got])
	w.written += int64(got)
	sent := int64(got)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		return sent, w.err
	}
	if err == nil && sent < n {
		w.flush()
		err = w.sendPieces(file, n-sent, &sent)
	}
	if err == nil {
		err = w.err
	}
	return sent, err
}

// sendPieces has the kernel copy n bytes of file to the socket.
func (w *response) sendPieces(file *os.File, n int64, sent *int64) error {
	for n > 0 && w.err == nil {
		piece := io.LimitedReader{R: file, N: min(n, maxPiece)}
		w.c.enter(writing)
		m, err := w.c.tcp.ReadFrom(&piece)
		w.c.enter(handling)
		w.c.l.sentFile.Add(m)
		w.written += m
		*sent += m
		n -= m
		w.err = err
		if m == 0 {
			break // the file became shorter
		}
	}
	return w.err
}

// onlyWriter hides ReadFrom from io.CopyBuffer.
type onlyWriter struct{ io.Writer }

// borrowBig returns a buffer that is w's until reset.
func (w *response) borrowBig() []byte {
	if w.big == nil {
		w.big = w.c.l.buffers.Get().(*[]byte)
	}
	return *w.big
}

func (w *response) returnBig() {
	if w.big != nil {
		w.c.l.buffers.Put(w.big)
		w.big = nil
	}
}
