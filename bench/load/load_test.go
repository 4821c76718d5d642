//go:build linux

package load

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// shelf is a server that keeps what is put and gives it back.
type shelf struct {
	mu    sync.Mutex
	files map[string][]byte
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Header.Get("PRIVATE-TOKEN") != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	if r.Method == http.MethodPut {
		content, _ := io.ReadAll(r.Body)
		s.files[r.URL.Path] = content
		w.WriteHeader(http.StatusCreated)
		return
	}
	content, ok := s.files[r.URL.Path]
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("ETag", `"`+hexSum(content)+`"`)
	w.Header().Set("Content-Length", strconv.Itoa(len(content)))
	_, _ = w.Write(content)
}

func (s *shelf) put(path string, content []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.files[path] = content
}

func (s *shelf) get(path string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.files[path]
}

func (s *shelf) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.files)
}

// body is what Body gives, read.
func body(t *testing.T, n, size int64) []byte {
	t.Helper()
	content, err := io.ReadAll(Body(n, size))
	if err != nil || int64(len(content)) != size {
		t.Fatalf("body %d has %d bytes, %v, want %d", n, len(content), err, size)
	}
	return content
}

func hexSum(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// newShelf starts a shelf and returns it with a spec that talks to it.
func newShelf(t *testing.T) (*shelf, Spec) {
	s := &shelf{files: map[string][]byte{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, Spec{
		Address: server.Listener.Addr().String(), Watch: []int{os.Getpid()}, Connections: 4, Length: -1, Requests: 200,
		Request: Request{Header: map[string]string{"PRIVATE-TOKEN": "secret"}, First: FirstNumber},
	}
}

func TestRepeatPublishesAndReadsBack(t *testing.T) {
	s, spec := newShelf(t)
	spec.Kind, spec.Status, spec.Readback = Repeat, http.StatusCreated, 5
	spec.Request.Method, spec.Request.Path, spec.Request.Body = "PUT", "/tool/1.0."+Number+"/f", 300
	result, err := generate(spec)
	if err != nil {
		t.Fatal(err)
	}
	if result.Requests < 200 || result.Sent != int64(s.count()) || result.Bytes != 300*int64(result.Requests) {
		t.Errorf("result %+v with %d files stored", result, s.count())
	}
	if got := s.get("/tool/1.0.100000007/f"); !bytes.Equal(got, body(t, FirstNumber+7, 300)) {
		t.Errorf("file 7 has %d bytes that are not those of its body", len(got))
	}
}

func TestReadBackNoticesLoss(t *testing.T) {
	s, spec := newShelf(t)
	spec.Request.Path, spec.Request.Body, spec.Readback = "/"+Number, 10, 2
	s.put("/100000000", body(t, FirstNumber, 10))
	if err := spec.readBack(5); err == nil {
		t.Error("a lost file gives no error")
	}
	s.put("/100000004", body(t, FirstNumber+3, 10))
	if err := spec.readBack(5); err == nil {
		t.Error("a file with another's bytes gives no error")
	}
	s.put("/100000004", body(t, FirstNumber+4, 10))
	if err := spec.readBack(5); err != nil {
		t.Error(err)
	}
}

func TestDownloadAndUpload(t *testing.T) {
	const size = 3<<20 + 17 // not a multiple of anything
	s, spec := newShelf(t)
	spec.Kind, spec.Status = Upload, http.StatusCreated
	spec.Request.Method, spec.Request.Path, spec.Request.Body = "PUT", "/large", size
	if result, err := generate(spec); err != nil || result.Requests != 1 || result.Bytes != size || result.Sent != 1 {
		t.Fatalf("upload: %+v, %v", result, err)
	}
	want := body(t, FirstNumber, size)
	if got := s.get("/large"); !bytes.Equal(got, want) {
		t.Fatalf("uploaded %d bytes that are not those of the body", len(got))
	}

	spec.Kind, spec.Status, spec.Length = Download, http.StatusOK, size
	spec.Request.Method, spec.Request.Body = "GET", 0
	spec.Check = &Check{Size: size, SHA256: hexSum(want), ETag: `"` + hexSum(want) + `"`}
	if result, err := generate(spec); err != nil || result.Requests != 1 || result.Bytes != size {
		t.Errorf("download: %+v, %v", result, err)
	}
}

func TestHold(t *testing.T) {
	s, spec := newShelf(t)
	s.put("/small", []byte("content"))
	spec.Kind, spec.Status, spec.Length, spec.Connections = Hold, http.StatusOK, 7, 2*window+1
	spec.Request.Method, spec.Request.Path = "GET", "/small"
	if result, err := generate(spec); err != nil || result.Requests != spec.Connections || result.RSSIdle == 0 {
		t.Errorf("hold: %+v, %v", result, err)
	}
}

func TestWrongAnswersFail(t *testing.T) {
	s, good := newShelf(t)
	s.put("/small", []byte("content"))
	good.Kind, good.Status, good.Length = Repeat, http.StatusOK, 7
	good.Request.Method, good.Request.Path = "GET", "/small"
	good.Check = &Check{Size: 7, SHA256: hexSum([]byte("content"))}
	if _, err := generate(good); err != nil {
		t.Fatal(err)
	}
	for name, spoil := range map[string]func(*Spec){
		"no token":       func(s *Spec) { s.Check, s.Request.Header = nil, nil },
		"no such file":   func(s *Spec) { s.Check, s.Request.Path = nil, "/other" },
		"another length": func(s *Spec) { s.Length = 8 },
		"another digest": func(s *Spec) { s.Check = &Check{Size: 7, SHA256: hexSum([]byte("CONTENT"))} },
		"another size":   func(s *Spec) { s.Check = &Check{Size: 6, SHA256: s.Check.SHA256} },
		"another ETag":   func(s *Spec) { s.Check = &Check{Size: 7, SHA256: s.Check.SHA256, ETag: `"x"`} },
		"unknown kind":   func(s *Spec) { s.Kind = "" },
		"nobody there":   func(s *Spec) { s.Check, s.Address = nil, "127.0.0.1:1" },
	} {
		spec := good
		spoil(&spec)
		if result, err := generate(spec); err == nil {
			t.Errorf("%s: %+v and no error", name, result)
		}
	}
}

func TestMainSpeaksJSON(t *testing.T) {
	var out bytes.Buffer
	if err := Main(strings.NewReader(`{"Kind":"repeat"`), &out); err == nil || out.Len() > 0 {
		t.Errorf("half a spec gives %v and prints %q", err, out.String())
	}
}

// What follows goes to where the answer pointed, and counts with it.
func TestChains(t *testing.T) {
	var mu sync.Mutex
	var stored []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if r.Method == http.MethodPost {
			w.Header().Set("Location", "http://"+r.Host+"/uploads/"+r.URL.Query().Get("of")+"?state=1")
			w.WriteHeader(http.StatusAccepted)
			return
		}
		body, _ := io.ReadAll(r.Body)
		stored = append(stored, r.URL.String()+" "+string(body))
		w.WriteHeader(http.StatusCreated)
	}))
	defer server.Close()
	address, file := server.Listener.Addr().String(), t.TempDir()+"/requests"
	err := Write(file, address, func(yield func(Made) bool) {
		for _, name := range []string{"a", "b", "c"} {
			put := Made{Method: "PUT", Path: Location + "digest=" + name, Body: []byte(name)}
			last := Made{Method: "PUT", Path: "/tags/" + name, Body: []byte("tag")}
			if !yield(Made{Method: "POST", Path: "/uploads/?of=" + name, Then: []Made{put, last}}) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	result, err := generate(Spec{Kind: Repeat, Address: address, Prepared: file, Connections: 1, Status: 2, Length: -1, Requests: 10})
	want := "/uploads/a?state=1&digest=a a,/tags/a tag,/uploads/b?state=1&digest=b b,/tags/b tag,/uploads/c?state=1&digest=c c,/tags/c tag"
	if got := strings.Join(stored, ","); err != nil || result.Requests != 3 || got != want {
		t.Errorf("%d requests, %v: %s, want %s", result.Requests, err, got, want)
	}
}

func TestParseHead(t *testing.T) {
	for _, c := range []struct {
		text     string
		want     head
		complete bool
	}{
		{"", head{}, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", head{}, false},
		{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel", head{200, 5, 38, ""}, true},
		{"HTTP/1.1 201 Created\r\nX: Content-Length: 9\r\ncontent-length:0\r\nLocation: /x?y\r\n\r\n", head{201, 0, 80, "/x?y"}, true},
		{"HTTP/1.1 304 Not Modified\r\n\r\n", head{304, 0, 29, ""}, true},
		{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", head{200, -1, 47, ""}, true},
	} {
		got, complete, err := parseHead([]byte(c.text))
		if err != nil || got != c.want || complete != c.complete {
			t.Errorf("parseHead(%q) = %+v, %v, %v, want %+v, %v", c.text, got, complete, err, c.want, c.complete)
		}
	}
	for _, text := range []string{
		"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 2x0 OK\r\nContent-Length: 5\r\n\r\n",
		"HTTP/1.1 200 OK\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\n",
		"hello\r\n\r\n",
	} {
		if got, _, err := parseHead([]byte(text)); err == nil {
			t.Errorf("parseHead(%q) = %+v, want an error", text, got)
		}
	}
}

func TestMessagesDifferInTheirNumberOnly(t *testing.T) {
	r := Request{Method: "PUT", Path: "/v/1.0." + Number + "/f", Body: 100, First: FirstNumber, Header: map[string]string{"B": "2", "A": "1"}}
	m := r.build("127.0.0.1:80", true)
	const want = "PUT /v/1.0.100000000/f HTTP/1.1\r\nHost: 127.0.0.1:80\r\nUser-Agent: packhouse-bench\r\nAccept: */*\r\nA: 1\r\nB: 2\r\n" +
		"Content-Type: application/octet-stream\r\nContent-Length: 100\r\n\r\n100000000"
	if got := string(m.bytes); !strings.HasPrefix(got, want) || len(m.bytes) != len(want)-digits+100 {
		t.Fatalf("message is %q (%d bytes)", got, len(m.bytes))
	}
	for range 42 {
		m.advance()
	}
	r.First += 42
	if again := r.build("127.0.0.1:80", true); !bytes.Equal(m.bytes, again.bytes) {
		t.Errorf("advanced to %.40q, built anew %.40q", m.bytes, again.bytes)
	}
}

func TestBodyIsItsNumbersOwn(t *testing.T) {
	one, two := body(t, FirstNumber, 1<<20+5), body(t, FirstNumber+1, 1<<20+5)
	if bytes.Equal(one, two) || !bytes.Equal(one[digits:], two[digits:]) {
		t.Errorf("bodies of %d and %d bytes do not differ in the number alone", len(one), len(two))
	}
}
