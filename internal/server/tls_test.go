package server

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writeCertificate puts a new self-signed certificate for 127.0.0.1 and its key into dir.
func writeCertificate(t *testing.T, dir, name string) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for file, block := range map[string]*pem.Block{certFile: {Type: "CERTIFICATE", Bytes: der}, keyFile: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

// servedName is the name in the certificate that the server presents now.
func servedName(t *testing.T, addr string) string {
	t.Helper()
	conn, err := tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
}

func TestTLS(t *testing.T) {
	certFile, keyFile := writeCertificate(t, t.TempDir(), "one")
	r := run(t, Options{Handler: counting, CertFile: certFile, KeyFile: keyFile, StallTimeout: time.Second})
	trusted := x509.NewCertPool()
	pemBytes, err := os.ReadFile(certFile)
	if err != nil || !trusted.AppendCertsFromPEM(pemBytes) {
		t.Fatal("no certificate", err)
	}
	for _, h2 := range []bool{true, false} {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: h2}
		t.Cleanup(transport.CloseIdleConnections)
		body := make([]byte, 5<<20)
		resp, err := (&http.Client{Transport: transport}).Post("https://"+r.addr+"/up", "x/y", bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || (resp.ProtoMajor == 2) != h2 || string(answer) != "5242880 bytes, error <nil>" {
			t.Errorf("HTTP/2 %v: %s %q, %v", h2, resp.Proto, answer, err)
		}
	}
	if _, err := tls.Dial("tcp", r.addr, &tls.Config{RootCAs: trusted, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 was accepted")
	}
	plain := r.dial(t)
	fmt.Fprint(plain, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	if answer, _ := io.ReadAll(plain); !strings.Contains(string(answer), "HTTP request to an HTTPS server") {
		t.Errorf("plain HTTP on the TLS port got %q", answer)
	}
}

func TestStalledHTTP2UploadIsCut(t *testing.T) {
	const timeout = 200 * time.Millisecond
	certFile, keyFile := writeCertificate(t, t.TempDir(), "one")
	r := run(t, Options{CertFile: certFile, KeyFile: keyFile, StallTimeout: timeout, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// A handler may be slower than the timeout; only the client may not.
		io.ReadFull(r.Body, make([]byte, 5))
		time.Sleep(2 * timeout)
		counting(w, r)
	})})
	transport := &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	body, client := io.Pipe()
	go client.Write([]byte("hello world"))
	defer client.Close()
	resp, err := (&http.Client{Transport: transport}).Post("https://"+r.addr+"/", "x/y", body)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.ProtoMajor != 2 || !strings.HasPrefix(string(answer), "6 bytes, error the upload made no progress") {
		t.Errorf("%s %q, %v", resp.Proto, answer, err)
	}
}

func TestCertificateReload(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := writeCertificate(t, dir, "one")
	r := run(t, Options{Handler: counting, CertFile: certFile, KeyFile: keyFile})
	step := func(want string) {
		t.Helper()
		if got := servedName(t, r.addr); got != want {
			t.Errorf("served certificate %q, want %q", got, want)
		}
	}
	step("one")
	writeCertificate(t, dir, "two")
	step("one") // looked less than a minute ago
	if err := r.Reload(); err != nil {
		t.Errorf("Reload() = %v", err)
	}
	step("two")

	writeCertificate(t, dir, "three")
	r.cert.checked.Store(0) // as if a minute had passed
	step("three")

	if err := os.WriteFile(keyFile, []byte("half a key"), 0o600); err != nil {
		t.Fatal(err)
	}
	r.cert.checked.Store(0)
	step("three")
	if err := r.Reload(); err == nil || !strings.Contains(err.Error(), "--tls-key") {
		t.Errorf("Reload() of a broken key = %v", err)
	}
	step("three")
	if text := r.log.String(); !strings.Contains(text, "the old one stays") || !strings.Contains(text, "certificate reloaded") {
		t.Errorf("log %q", text)
	}
}

func TestUnusableCertificate(t *testing.T) {
	certFile, keyFile := writeCertificate(t, t.TempDir(), "one")
	_, otherKey := writeCertificate(t, t.TempDir(), "other")
	for _, tc := range []struct{ cert, key, want string }{
		{certFile, "", "--tls-cert is set and --tls-key is not"},
		{"", keyFile, "--tls-key is set and --tls-cert is not"},
		{"/nowhere/c.pem", keyFile, "cannot read the file of --tls-cert: open /nowhere/c.pem"},
		{certFile, "/nowhere/k.pem", "cannot read the file of --tls-key: open /nowhere/k.pem"},
		{certFile, otherKey, "are not a certificate and its key: tls: private key does not match public key"},
		{keyFile, keyFile, "are not a certificate and its key"},
	} {
		if _, err := New(Options{Handler: counting, CertFile: tc.cert, KeyFile: tc.key}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("New(%q, %q) = %v, want %q", tc.cert, tc.key, err, tc.want)
		}
	}
}

func TestStopWithTLS(t *testing.T) {
	certFile, keyFile := writeCertificate(t, t.TempDir(), "one")
	r := run(t, Options{Handler: counting, CertFile: certFile, KeyFile: keyFile})
	servedName(t, r.addr)
	r.stop()
	select {
	case err := <-r.done:
		if err != nil {
			t.Errorf("Run() = %v", err)
		}
	case <-time.After(8 * time.Second):
		t.Error("does not stop")
	}
}
