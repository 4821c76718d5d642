package operate

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"packhouse/test/packhousetest"
)

// HTTPS with HTTP/2, and links that say so.
func TestTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	out, err := exec.Command("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
		"-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", cert).CombinedOutput()
	if err != nil {
		t.Fatalf("openssl: %v\n%s", err, out)
	}
	pem, err := os.ReadFile(cert)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	secure := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true,
	}}
	defer secure.CloseIdleConnections()

	s := packhousetest.StartWith(t, secure, "https", packhousetest.FreeAddress(t), t.TempDir(), "--tls-cert", cert, "--tls-key", key)
	c := newClientWith(t, s, secure)
	for _, size := range []int{10, 3 << 20} {
		body := bytes.Repeat([]byte("x"), size)
		if status, answer := c.do("PUT", c.file("1.0", "f"), bytes.NewReader(body)); status != 201 {
			t.Fatalf("PUT = %d %s", status, answer)
		}
		if status, got := c.do("GET", c.file("1.0", "f"), nil); status != 200 || !bytes.Equal(got, body) {
			t.Fatalf("GET = %d, %d bytes, want %d", status, len(got), size)
		}
	}
	resp, err := secure.Get(s.URL + "/-/health")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.ProtoMajor != 2 {
		t.Errorf("protocol %s, want HTTP/2", resp.Proto)
	}
	if _, body := c.do("GET", "/api/v4/user", nil); !strings.Contains(string(body), `"web_url":"`+s.URL+`/root"`) {
		t.Errorf("links do not begin with %s: %s", s.URL, body)
	}
}

// Only a proxy that is trusted says what the public address is.
func TestProxy(t *testing.T) {
	forwarded := []string{"X-Forwarded-Proto: https", "X-Forwarded-Host: packages.example.com", "X-Request-Id: from-the-proxy"}
	for _, test := range []struct {
		name  string
		flags []string
		want  string
	}{
		{"unknown proxy", nil, ""},
		{"trusted proxy", []string{"--trusted-proxies", "127.0.0.1"}, "https://packages.example.com"},
		{"configured address", []string{"--external-url", "https://pkgs.example.org/x"}, "https://pkgs.example.org/x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := packhousetest.Start(t, packhousetest.FreeAddress(t), t.TempDir(), test.flags...)
			if test.want == "" {
				test.want = s.URL
			}
			c := &client{t: t, server: s, http: http.DefaultClient}
			_, body := c.do("GET", "/api/v4/user", nil, forwarded...)
			if want := `"web_url":"` + test.want + `/root"`; !strings.Contains(string(body), want) {
				t.Errorf("answer has no %s: %s", want, body)
			}
		})
	}
}

// A stop lets an upload finish that has begun.
func TestStopFinishesUploads(t *testing.T) {
	s := packhousetest.Start(t, packhousetest.FreeAddress(t), t.TempDir())
	c := newClient(t, s)
	body, more := newSlowBody(4 << 20)
	done := make(chan int, 1)
	go func() {
		status := 0 // when do gives up
		defer func() { done <- status }()
		status, _ = c.do("PUT", c.file("1.0", "slow"), body)
	}()
	<-more.begun
	// The client has sent half; the server has taken it up when it stores it.
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if taken, _ := os.ReadDir(filepath.Join(s.Data, "files", "uploads")); len(taken) > 0 {
			break
		}
	}
	s.Terminate()
	refused := false
	for deadline := time.Now().Add(10 * time.Second); !refused && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		conn, err := net.DialTimeout("tcp", strings.TrimPrefix(s.URL, "http://"), time.Second)
		if refused = err != nil; !refused {
			conn.Close()
		}
	}
	if !refused {
		t.Error("a stopping server accepts new connections")
	}
	close(more.goOn)
	if status := <-done; status != 201 {
		t.Fatalf("upload during a stop = %d, want 201", status)
	}
	if err := s.Cmd.Wait(); err != nil {
		t.Fatalf("the server ended with %v", err)
	}
	again := packhousetest.Start(t, strings.TrimPrefix(s.URL, "http://"), s.Data)
	c.server = again
	if status, got := c.do("GET", c.file("1.0", "slow"), nil); status != 200 || len(got) != 4<<20 {
		t.Fatalf("GET after the stop = %d, %d bytes", status, len(got))
	}
}
