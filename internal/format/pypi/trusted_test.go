package pypi_test

import (
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"packhouse/internal/house"
	"packhouse/internal/oidc/oidctest"
)

// tool is a program that test/tools.sh installs.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs("../../../.tools/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// secured serves with TLS and returns the address and the certificate of the
// authority that vouches for it.
func secured(t *testing.T, handler http.Handler) (base, authority string) {
	t.Helper()
	root, leaf := ecKey(elliptic.P256()), ecKey(elliptic.P256())
	parent := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	child := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: parent.NotBefore, NotAfter: parent.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	top, err := x509.CreateCertificate(rand.Reader, parent, parent, root.Public(), root)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := x509.CreateCertificate(rand.Reader, child, parent, leaf.Public(), root)
	if err != nil {
		t.Fatal(err)
	}
	authority = filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: top}), 0o600); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(handler)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{signed}, PrivateKey: leaf}}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.URL, authority
}

// twiner has twine exchange the job's ID token, which it does by itself for PyPI
// alone, and upload with what it got.
const twiner = `
import sys
from twine.auth import CredentialInput, Resolver
from twine.cli import dispatch
repository = sys.argv[1]
resolver = Resolver({"repository": repository}, CredentialInput("__token__"))
token = resolver.make_trusted_publishing_token()
dispatch(["upload", "--verbose", "--repository-url", repository, "-u", "__token__", "-p", token, *sys.argv[2:]])
`

// twine and uv publish two files from a CI job without a stored secret: they find
// the audience and the exchange by themselves, and publish with what they get.
func TestTrustedPublishing(t *testing.T) {
	t.Parallel()
	s := start(t, "private", func(o *house.Options) { o.IssuerNetworks = oidctest.Loopback })
	issuer := oidctest.Start(t)
	base, authority := secured(t, s.Handler) // both ask nobody without TLS
	s.API("POST", fmt.Sprintf("/projects/%d/trusted_publishers", s.project), fmt.Sprintf(
		`{"name":"release","issuer":%q,"audience":%q,"claims":{"project_id":"20"},"package_types":["pypi"],"package_name_pattern":"lib*"}`, issuer.URL, base), nil)
	repository := base + at(s.project, "")
	for i, command := range [][]string{
		{tool(t, "python/bin/python"), "-c", twiner, repository},
		{tool(t, "uv/bin/uv"), "publish", "--trusted-publishing", "always", "--publish-url", repository},
	} {
		dir, version := t.TempDir(), fmt.Sprintf("1.%d", i)
		files := map[string]string{"lib-" + version + "-py3-none-any.whl": wheelOf("lib", version), "lib-" + version + ".tar.gz": sdistOf("lib", version)}
		for name, content := range files {
			name = filepath.Join(dir, name)
			if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			command = append(command, name)
		}
		if out, err := publishAsJob(issuer, command, base, authority); err != nil {
			t.Errorf("%s: %v\n%s", command[0], err, out)
		}
		if page := s.document(t, at(s.project, "/simple/lib/")); len(page.Files) != 2*(i+1) {
			t.Errorf("files after %s = %v", command[0], page.names())
		}
	}
}

var notInVariable = regexp.MustCompile(`[^A-Z0-9_]|^[^A-Z_]`)

// publishAsJob runs a client as GitLab runs a job with an ID token for an audience.
func publishAsJob(issuer *oidctest.Issuer, command []string, audience, authority string) ([]byte, error) {
	u, err := url.Parse(audience)
	if err != nil {
		return nil, err
	}
	variable := notInVariable.ReplaceAllString(strings.ToUpper(u.String()), "_") + "_ID_TOKEN"
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(os.Environ(), "GITLAB_CI=true", "PYTHON_KEYRING_BACKEND=keyring.backends.null.Keyring", "UV_NO_CACHE=1", "COLUMNS=400",
		"REQUESTS_CA_BUNDLE="+authority, "SSL_CERT_FILE="+authority, variable+"="+issuer.Token(issuer.Claims(audience, nil)))
	return cmd.CombinedOutput()
}
