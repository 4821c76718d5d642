package reference

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestPutReferencesStoreTheBody(t *testing.T) {
	content := bytes.Repeat([]byte("packhouse"), 20_000)
	for name, put := range map[string]func(http.ResponseWriter, *http.Request, string) error{"S": stream, "F": storeDurably} {
		dir := t.TempDir()
		answer := httptest.NewRecorder()
		handler := failing(func(w http.ResponseWriter, r *http.Request) error { return put(w, r, dir) })
		handler.ServeHTTP(answer, httptest.NewRequest("PUT", "/tool/1.0/f", bytes.NewReader(content)))
		if answer.Code != http.StatusCreated {
			t.Errorf("%s answers %d: %s", name, answer.Code, answer.Body)
		}
		stored, err := os.ReadFile(filepath.Join(dir, "tool_1.0_f"))
		if err != nil || !bytes.Equal(stored, content) {
			t.Errorf("%s stored %d bytes, %v, want %d", name, len(stored), err, len(content))
		}
		if files, _ := os.ReadDir(dir); len(files) != 1 {
			t.Errorf("%s left %v", name, files)
		}
	}
}

func TestStreamTellsTheDigest(t *testing.T) {
	answer := httptest.NewRecorder()
	if err := stream(answer, httptest.NewRequest("PUT", "/f", strings.NewReader("x")), t.TempDir()); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256([]byte("x"))
	if got := answer.Header().Get("X-Checksum-SHA256"); got != hex.EncodeToString(sum[:]) {
		t.Errorf("X-Checksum-SHA256 is %q", got)
	}
}

func TestServeFile(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o600); err != nil {
		t.Fatal(err)
	}
	answer := httptest.NewRecorder()
	if err := serveFile(answer, httptest.NewRequest("GET", "/f", nil), dir); err != nil {
		t.Fatal(err)
	}
	if answer.Code != 200 || answer.Body.String() != "content" || answer.Header().Get("ETag") == "" || answer.Header().Get("Content-Length") != "7" {
		t.Errorf("answer %d, %v, %q", answer.Code, answer.Header(), answer.Body)
	}
	if err := serveFile(answer, httptest.NewRequest("GET", "/../../etc/passwd", nil), dir); err == nil {
		t.Error("a path out of the folder gives no error")
	}
}

func TestRawAnswersEveryRequest(t *testing.T) {
	client, server := net.Pipe()
	go answerRaw(server, []byte("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"))
	for _, pieces := range [][]string{{"GET / HTTP/1.1\r\n\r\n"}, {"GET / HT", "TP/1.1\r\nHost: x\r", "\n\r\n"}, {"GET / HTTP/1.1\r\n\r\n"}} {
		for _, piece := range pieces {
			if _, err := client.Write([]byte(piece)); err != nil {
				t.Fatal(err)
			}
		}
		got := make([]byte, 100)
		n, err := client.Read(got)
		if err != nil || !bytes.HasSuffix(got[:n], []byte("\r\n\r\nx")) {
			t.Errorf("after %q: %q, %v", pieces, got[:n], err)
		}
	}
	if err := client.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestServeKnowsItsLetters(t *testing.T) {
	if err := Serve("X", "127.0.0.1:0", t.TempDir(), ""); err == nil {
		t.Error("reference X gives no error")
	}
	if err := Serve("R", "127.0.0.1:0", t.TempDir(), "missing"); err == nil {
		t.Error("R without its file gives no error")
	}
}

func TestNginxConfig(t *testing.T) {
	n := Nginx{Address: "127.0.0.1:4711", Dir: t.TempDir(), Files: "/files here", Disk: "/disk"}
	name, err := n.Config()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"listen 127.0.0.1:4711 ", "root \"/files here\";", "alias \"/disk/\";", "sendfile on;", "access_log off;", "daemon off;"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	for _, left := range []string{"{user}", "{dir}", "{files}", "{disk}", "{address}"} {
		if strings.Contains(string(text), left) {
			t.Errorf("%s is left over in\n%s", left, text)
		}
	}
}
