package pypi_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"net/url"
	"strings"
	"testing"
	"time"
)

// signer signs attestations as a CI job with a certificate by Sigstore does.
type signer struct {
	key         crypto.Signer
	certificate []byte
}

func newSigner(key crypto.Signer, repository, config string) signer {
	identity, err := url.Parse(repository + "/job")
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), URIs: []*url.URL{identity}, NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour),
	}
	for number, text := range map[int]string{8: "https://ci.example.com", 12: repository, 18: config} {
		value, err := asn1.MarshalWithParams(text, "utf8")
		if err != nil {
			panic(err)
		}
		template.ExtraExtensions = append(template.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, number}, Value: value})
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		panic(err)
	}
	return signer{key, certificate}
}

func ecKey(curve elliptic.Curve) crypto.Signer {
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	if err != nil {
		panic(err)
	}
	return key
}

func gitlabJob() signer {
	return newSigner(ecKey(elliptic.P256()), "https://git.example.com/acme/lib", "https://git.example.com/acme/lib//.gitlab-ci.yml@refs/tags/v1")
}

func statement(file, sha256, predicate string) string {
	return fmt.Sprintf(`{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":%q,"digest":{"sha256":%q}}],"predicateType":%q,"predicate":null}`, file, sha256, predicate)
}

// sign makes an attestation of a statement.
func (s signer) sign(statement string) string {
	signed := []byte(fmt.Sprintf("DSSEv1 28 application/vnd.in-toto+json %d %s", len(statement), statement))
	var signature []byte
	var err error
	switch key := s.key.(type) {
	case *ecdsa.PrivateKey:
		sum := sha256.Sum256(signed)
		digest, hash := sum[:], crypto.SHA256
		if key.Curve == elliptic.P384() {
			long := sha512.Sum384(signed)
			digest, hash = long[:], crypto.SHA384
		}
		signature, err = key.Sign(rand.Reader, digest, hash)
	default:
		signature, err = key.Sign(rand.Reader, signed, crypto.Hash(0))
	}
	if err != nil {
		panic(err)
	}
	text := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`{"version":1,"verification_material":{"certificate":%q,"transparency_entries":[{"logIndex":"1"}]},"envelope":{"statement":%q,"signature":%q}}`,
		text(s.certificate), text([]byte(statement)), text(signature))
}

// publish is the kind of statement that publishing clients make.
const publish = "https://docs.pypi.org/attestations/publish/v1"

func attested(file, content string, attestations ...string) []part {
	return upload("lib", "1.0", file, content, part{name: "attestations", value: "[" + strings.Join(attestations, ",") + "]"})
}

// What is attested is served beside the file, as it came, and both forms of the
// page lead there.
func TestAttestations(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	content, source := wheelOf("lib", "1.0"), sdistOf("lib", "1.0")
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	github := newSigner(ecKey(elliptic.P384()), "https://hub.example.com/acme/lib", "https://hub.example.com/acme/lib/.github/workflows/release.yml@refs/tags/v1")
	other := newSigner(edKey, "https://ci.example.com/x", "")
	one := gitlabJob().sign(statement(good, sha256of(content), publish))
	s.mustPost(t, attested(good, content, one, github.sign(statement("LIB-1.0-py3-none-any.whl", sha256of(content), "https://slsa.dev/provenance/v1"))))
	s.mustPost(t, attested("lib-1.0.tar.gz", source, other.sign(statement("lib-1.0.tar.gz", sha256of(source), publish))))
	s.mustPost(t, upload("lib", "1.0", "lib-1.0-py2-none-any.whl", content))

	var page struct {
		Files []struct{ Filename, URL, Provenance string }
	}
	s.JSON(s.get(at(s.project, "/simple/lib/"), "Accept: "+typeJSON), &page)
	html := string(s.get(at(s.project, "/simple/lib/")).Body)
	for _, f := range page.Files {
		if f.Filename == "lib-1.0-py2-none-any.whl" {
			if f.Provenance != "" || s.get(strings.TrimPrefix(f.URL, s.URL)+".provenance").Status != 404 {
				t.Errorf("a file without attestations has provenance: %+v", f)
			}
			continue
		}
		if f.Provenance != f.URL+".provenance" || !strings.Contains(html, `data-provenance="`+f.Provenance+`"`) {
			t.Errorf("provenance of %s = %q, and in HTML %s", f.Filename, f.Provenance, html)
		}
	}
	a := s.get(at(s.project, "/files/"+sha256of(content)+"/"+good+".provenance"))
	if a.Status != 200 || a.Header.Get("Content-Type") != "application/vnd.pypi.integrity.v1+json" {
		t.Fatalf("GET provenance = %d %v %s", a.Status, a.Header, a.Body)
	}
	var object struct {
		Version int
		Bundles []struct {
			Publisher struct {
				Kind, Repository, Workflow string
				Config                     string `json:"workflow_filepath"`
				Claims                     struct{ Issuer, Identity string }
			}
			Attestations []json.RawMessage
		} `json:"attestation_bundles"`
	}
	s.JSON(a, &object)
	if object.Version != 1 || len(object.Bundles) != 2 || string(object.Bundles[0].Attestations[0]) != one {
		t.Fatalf("provenance = %s", a.Body)
	}
	lab, hub := object.Bundles[0].Publisher, object.Bundles[1].Publisher
	if lab.Kind != "GitLab" || lab.Repository != "acme/lib" || lab.Config != ".gitlab-ci.yml" || lab.Claims.Issuer != "https://ci.example.com" || lab.Claims.Identity == "" {
		t.Errorf("publisher = %+v", lab)
	}
	if hub.Kind != "GitHub" || hub.Repository != "acme/lib" || hub.Workflow != "release.yml" {
		t.Errorf("publisher = %+v", hub)
	}
	s.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d/package_files/%d", s.project, s.Packages(s.project, "")[0].ID, s.Files(s.project, s.Packages(s.project, "")[0].ID)[0].ID), "", nil)
	for _, ending := range []string{"", ".metadata", ".provenance"} {
		if a := s.get(at(s.project, "/files/"+sha256of(content)+"/"+good+ending)); a.Status != 404 {
			t.Errorf("GET %s%s of a deleted file = %d, want 404", good, ending, a.Status)
		}
	}
}

// hostileAttestations are attestations that do not hold.
func hostileAttestations() (all []attack) {
	content := wheelOf("lib", "1.0")
	by, fine := gitlabJob(), statement(good, sha256of(content), publish)
	valid := by.sign(fine)
	replace := func(old, new string) string { return "[" + strings.Replace(valid, old, new, 1) + "]" }
	for _, text := range []string{
		"{}", "[]", "[null]", "null", "x", "[", "[{}]", `["x"]`, "[1]", "[[]]", "[" + valid, valid, "[" + valid + "," + valid + "]", strings.Repeat("[", 100_000), strings.Repeat(`{"a":`, 100_000),
		"[" + strings.Repeat("{},", 100_000) + "{}]", "[" + strings.Repeat(valid+",", 9) + valid + "]", "\xff", "[\"\xff\"]",
		replace(`"version":1`, `"version":2`), replace(`"version":1`, `"version":"1"`), replace(`"version":1,`, ""), replace(`[{"logIndex":"1"}]`, "[]"), replace(`[{"logIndex":"1"}]`, "null"), replace(`[{"logIndex":"1"}]`, "{}"),
		replace(`"certificate":"`, `"certificate":"!`), replace(`"certificate":"`, `"certificate":"AAAA`), replace(`"signature":"`, `"signature":"AAAA`), replace(`"statement":"`, `"statement":"AAAA`),
		replace(`"certificate":`, `"x":`), replace(`"signature":`, `"x":`), replace(`"statement":`, `"x":`),
		"[" + strings.Replace(valid, base64.StdEncoding.EncodeToString(by.certificate), base64.StdEncoding.EncodeToString(gitlabJob().certificate), 1) + "]",
		"[" + by.sign("") + "]", "[" + by.sign("x") + "]", "[" + by.sign("{}") + "]", "[" + by.sign("null") + "]", "[" + by.sign(strings.Repeat("[", 50_000)) + "]",
		"[" + by.sign(strings.Replace(fine, "Statement/v1", "Statement/v0.1", 1)) + "]", "[" + by.sign(strings.Replace(fine, publish, "", 1)) + "]",
		"[" + by.sign(statement("lib-1.0-py3-none-any.whl", sha256of("x"), publish)) + "]", "[" + by.sign(statement("lib-1.1-py3-none-any.whl", sha256of(content), publish)) + "]",
		"[" + by.sign(statement("other-1.0-py3-none-any.whl", sha256of(content), publish)) + "]", "[" + by.sign(statement("lib-1.0.tar.gz", sha256of(content), publish)) + "]",
		"[" + by.sign(statement("../x", sha256of(content), publish)) + "]", "[" + by.sign(strings.Replace(fine, `"subject":[`, `"subject":[{"name":"x"},`, 1)) + "]", "[" + by.sign(strings.Replace(fine, `"subject":[`, `"x":[`, 1)) + "]",
	} {
		all = append(all, form(fmt.Sprintf("attestations %.60q", text), upload("lib", "1.0", good, content, part{name: "attestations", value: text})...))
	}
	return all
}
