package generic_test

import (
	"fmt"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

// chunked writes a body in chunks of at most n bytes.
func chunked(body string, n int) string {
	var b strings.Builder
	for len(body) > 0 {
		part := body[:min(n, len(body))]
		body = body[len(part):]
		fmt.Fprintf(&b, "%x\r\n%s\r\n", len(part), part)
	}
	return b.String() + "0\r\n\r\n"
}

// curl asks before it sends, even for three bytes, and is told to go on at once.
func TestExpectContinue(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range both {
		c := s.Dial()
		c.Send(s.Head("PUT", s.at("tool/1.0/f"), root, fmt.Sprintf("Content-Length: %d", size), "Expect: 100-continue") + "\r\n")
		time.AfterFunc(50*time.Millisecond, func() { c.Send(content(size, 1)) })
		a := c.Answer("PUT")
		if a.Status != 201 || !slices.Equal(a.Interim, []int{100}) {
			t.Errorf("PUT of %d bytes = %v %d %s, want [100] 201", size, a.Interim, a.Status, a.Body)
		}
		c.Close()
		s.mustGet(t, "tool/1.0/f", content(size, 1))
	}
}

// "… | curl -T - URL": the length is unknown until the end.
func TestChunkedUpload(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range sizes {
		for _, piece := range []int{1000, 64 << 10} {
			file, body := fmt.Sprintf("tool/%d/%d", size, piece), content(size, 1)
			a := s.Raw(s.Head("PUT", s.at(file), root, "Transfer-Encoding: chunked", "Connection: close") + "\r\n" + chunked(body, piece))
			if a.Status != 201 {
				t.Errorf("PUT of %d bytes in chunks = %d %s, want 201", size, a.Status, a.Body)
			}
			s.mustGet(t, file, body)
		}
	}
}

// A client that is refused while it is still sending gets to read why.
func TestRefusedWhileSending(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	body := content(5<<20, 1)
	for _, header := range []string{"", "Private-Token: nobody"} {
		for _, encoding := range []string{fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body), "Transfer-Encoding: chunked\r\n\r\n" + chunked(body, 1<<16)} {
			head := s.Head("PUT", s.at("tool/1.0/f"))
			if header != "" {
				head += header + "\r\n"
			}
			if a := s.Raw(head + encoding); a.Status != 401 {
				t.Errorf("PUT with %q = %d, want 401", header, a.Status)
			}
		}
	}
	s.empty(t)
}

// torn uploads end before they are whole; nothing of them stays.
func TestTornUpload(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	body := content(200_000, 1)
	sized := fmt.Sprintf("Content-Length: %d\r\n\r\n", len(body))
	for _, test := range []struct{ name, sent string }{
		{"one byte short", sized + body[1:]},
		{"small part", sized + body[:100]},
		{"large part", sized + body[:100_000]},
		{"nothing", sized},
		{"chunks without an end", "Transfer-Encoding: chunked\r\n\r\n" + strings.TrimSuffix(chunked(body, 1<<12), "0\r\n\r\n")},
		{"half a chunk", "Transfer-Encoding: chunked\r\n\r\nffff\r\n" + body[:100]},
		{"a chunk's length that is none", "Transfer-Encoding: chunked\r\n\r\nzz\r\n" + body[:100]},
		{"a chunk longer than it says", "Transfer-Encoding: chunked\r\n\r\n5\r\n" + body[:100]},
	} {
		c := s.Dial()
		c.Send(s.Head("PUT", s.at("tool/1.0/f"), root) + test.sent)
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if a := c.Answer("PUT"); a.Status != 400 {
			t.Errorf("%s = %d %s, want 400", test.name, a.Status, a.Body)
		}
		c.Close()
	}
	s.empty(t)
}

// A client that is gone leaves nothing either.
func TestClientGone(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	body := content(300_000, 1)
	for _, sent := range []int{0, 10, 20_000, 299_999} {
		c := s.Dial()
		c.Send(s.Head("PUT", s.at("tool/1.0/f"), root, fmt.Sprintf("Content-Length: %d", len(body))) + "\r\n" + body[:sent])
		if sent > 16<<10 {
			s.until(t, "an upload has begun", func() bool { return s.Stored().Uploads == 1 })
		}
		reset(t, c)
		s.until(t, "nothing is stored", func() bool { return s.Stored() == formattest.Stored{} })
	}
	s.empty(t)
}

// reset ends a connection as a crash does.
func reset(t *testing.T, c *formattest.Conn) {
	t.Helper()
	if err := c.SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := net.Conn(c).Close(); err != nil {
		t.Fatal(err)
	}
}

// until waits for something that the server does by itself.
func (s scene) until(t *testing.T, what string, done func() bool) {
	t.Helper()
	for range 2000 {
		if done() {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatalf("after 10 seconds, not yet: %s", what)
}

// The limit holds to the byte, announced or not, and one byte more leaves
// nothing.
func TestLimit(t *testing.T) {
	t.Parallel()
	for _, limit := range []int{10, 16 << 10, 300_000} {
		s := start(t, "private", func(o *house.Options) { o.Directory.Sizes = map[string]int64{"generic": int64(limit)} })
		over := content(limit+1, 1)
		for _, sent := range []string{
			fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(over), over),
			"Transfer-Encoding: chunked\r\n\r\n" + chunked(over, 4096),
			"Transfer-Encoding: chunked\r\n\r\n" + chunked(content(limit+2<<20, 1), 1<<16),
		} {
			a := s.Raw(s.Head("PUT", s.at("tool/1.0/f"), root, "Connection: close") + sent)
			if a.Status != 400 || !strings.Contains(string(a.Body), "400 Bad request - File is too large") {
				t.Errorf("PUT over %d bytes = %d %s, want 400", limit, a.Status, a.Body)
			}
		}
		s.empty(t)
		s.mustPut(t, "tool/1.0/f", over[1:])
		s.mustGet(t, "tool/1.0/f", over[1:])
	}
}

// What an upload lacks, or has too much of.
func TestUnusualUploads(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, test := range []struct {
		name, rest string
		want       int
	}{
		{"no body", "\r\n", 400},
		{"length 0", "Content-Length: 0\r\n\r\n", 201},
		{"no chunks", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 201},
		{"form", "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 3\r\n\r\n--b", 400},
		{"form in capitals", "Content-Type: Multipart/Form-Data; boundary=b\r\nContent-Length: 3\r\n\r\n--b", 400},
		{"form without a boundary", "Content-Type: multipart/form-data\r\nContent-Length: 3\r\n\r\n--b", 400},
		{"form with a broken boundary", "Content-Type: multipart/form-data; boundary\r\nContent-Length: 3\r\n\r\n--b", 400},
		{"urlencoded, as curl --data-binary says", "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\na=b", 201},
		{"any type", "Content-Type: what?\r\nContent-Length: 3\r\n\r\nabc", 201},
		{"gzip is kept as it is", "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc", 201},
		{"trailer", "Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n1\r\nx\r\n0\r\nX: y\r\n\r\n", 201},
	} {
		a := s.Raw(s.Head("PUT", s.at("tool/1.0/f"), root, "Connection: close") + test.rest)
		if a.Status != test.want {
			t.Errorf("%s = %d %s, want %d", test.name, a.Status, a.Body, test.want)
		}
	}
	a := s.Raw(s.Head("PUT", s.at("tool/1.0/f"), root, "Content-Type: multipart/form-data; boundary=b", "Content-Length: 3") + "\r\n--b")
	if !strings.Contains(string(a.Body), "--upload-file") {
		t.Errorf("form = %s, want a hint to use --upload-file", a.Body)
	}
}
