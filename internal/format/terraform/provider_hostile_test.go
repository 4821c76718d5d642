package terraform_test

import (
	"archive/zip"
	"bytes"
	"crypto/rsa"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"

	"packhouse/internal/format/formattest"
)

// Requests about providers that mean no good: each is refused with a message, quickly
// and cheaply, and nothing is stored. It does not run beside other tests, since it
// measures.
func TestProviderHostile(t *testing.T) {
	s := start(t, "private")
	all := slices.Concat(hostileProviderNames(), hostileParts())
	before := s.Names()
	for _, a := range all {
		formattest.Cheap(t, a.name, func() {
			answer, err := s.Try("PUT", fmt.Sprintf("/api/v4/projects/%d/packages/terraform/providers/%s", s.project, a.path), strings.NewReader(a.body), root)
			if err != nil {
				return // not even a request that can be sent
			}
			if !slices.Contains([]int{400, 404, 405}, answer.Status) || !strings.Contains(string(answer.Body), `"request_id"`) {
				t.Errorf("%s: %d %.200s, want a refusal", a.name, answer.Status, answer.Body)
			}
		})
	}
	s.Untouched(s.project, before)
	if len(all) < 300 {
		t.Errorf("%d attacks, want 300", len(all))
	}
}

func hostileProviderNames() (all []attack) {
	const stem = "terraform-provider-acme_1.0.0"
	good := zipOf(stem, "x")
	for _, text := range append(slices.Clone(odd), "Acme", "a_b", "a--b", "terraform-acme", "terraform-provider-acme") {
		e := url.PathEscape(text)
		all = append(all, attack{"name " + text, e + "/1.0.0/terraform-provider-" + e + "_1.0.0_linux_amd64.zip", good},
			attack{"version " + text, "acme/" + e + "/terraform-provider-acme_" + e + "_linux_amd64.zip", good},
			attack{"file " + text, "acme/1.0.0/" + e, good}, attack{"system " + text, "acme/1.0.0/" + stem + "_linux_" + e + ".zip/x", good})
	}
	for _, file := range []string{
		stem + ".zip", stem + "_linux.zip", stem + "_linux_amd64_x.zip", stem + "_Linux_amd64.zip", stem + "_linux_amd64.tgz", stem + "_SHA256SUMS.asc", stem + "_SHA512SUMS", stem + "_public_key.asc.zip",
		"terraform-provider-other_1.0.0_linux_amd64.zip", "terraform-provider-acme_1.0.1_linux_amd64.zip", "terraform-provider-acme_v1.0.0_linux_amd64.zip", stem + "__amd64.zip", stem + "_linux_.zip",
		stem + "_" + strings.Repeat("a", 33) + "_amd64.zip",
	} {
		all = append(all, attack{"file " + file, "acme/1.0.0/" + file, good})
	}
	return append(all, attack{"build metadata", "acme/1.0.0+x/terraform-provider-acme_1.0.0+x_linux_amd64.zip", good})
}

func hostileParts() (all []attack) {
	const stem = "terraform-provider-acme_1.0.0"
	add := func(end, name, body string) { all = append(all, attack{name, "acme/1.0.0/" + stem + end, body}) }
	digest := strings.Repeat("a", 64)
	for _, text := range []string{
		"", "x", digest, digest + "  other.zip\n", digest + " *" + stem + "_linux_amd64.zip\n", digest[1:] + "  " + stem + "_linux_amd64.zip\n", strings.ToUpper(digest) + "  " + stem + "_linux_amd64.zip\n",
		digest + "  a b\n", "\x00", digest + "  \xff\n", digest + "  " + stem + "_manifest.json\n", strings.Repeat(digest+"  "+stem+"_linux_amd64.zip\n", 2),
		digest + "  ../" + stem + "_linux_amd64.zip\n", digest + "  terraform-provider-acme_1.0.1_linux_amd64.zip\n", strings.Repeat("x", 70_000), strings.Repeat("\n", 66_000), "<html>",
	} {
		add("_SHA256SUMS", fmt.Sprintf("SHA256SUMS %.90q", text), text)
	}
	for _, text := range []string{
		"", "{}", "[]", "null", `{"version":2,"metadata":{"protocol_versions":["5.0"]}}`, `{"version":1}`, `{"version":1,"metadata":{"protocol_versions":[]}}`, `{"version":1,"metadata":{"protocol_versions":["5"]}}`,
		`{"version":1,"metadata":{"protocol_versions":["5.0.0"]}}`, `{"version":1,"metadata":{"protocol_versions":["<b>"]}}`, `{"version":1,"metadata":{"protocol_versions":5}}`, strings.Repeat("[", 60_000), strings.Repeat(" ", 70_000) + manifest,
		`{"version":1,"metadata":{"protocol_versions":[` + strings.Repeat(`"5.0",`, 20) + `"5.0"]}}`,
	} {
		add("_manifest.json", fmt.Sprintf("manifest %.60q", text), text)
	}
	for name, text := range map[string]string{"armored": "-----BEGIN PGP SIGNATURE-----\n", "empty": "", "large": strings.Repeat("\x00", 65_537)} {
		add("_SHA256SUMS.sig", "signature "+name, text)
	}
	for name, text := range hostileKeys() {
		add("_public_key.asc", "key "+name, text)
	}
	for name, text := range hostileZips(stem) {
		add("_linux_amd64.zip", "zip "+name, text)
	}
	return all
}

func hostileKeys() map[string]string {
	by, other := newSigner(), newSigner()
	public := by.public()
	keys := map[string]string{
		"empty": "", "text": "hello", "no armor": "\x99\x01", "latin": "-----BEGIN PGP PUBLIC KEY BLOCK-----\nComment: \xe9\n\n", "cut": public[:len(public)/2], "large": public + strings.Repeat(" ", 65_537),
		"no key":       by.armored(openpgp.PublicKeyType, func(io.Writer) error { return nil }),
		"noise":        by.armored(openpgp.PublicKeyType, func(w io.Writer) error { _, err := w.Write(bytes.Repeat([]byte{0xc6, 5, 4}, 1000)); return err }),
		"two":          by.armored(openpgp.PublicKeyType, func(w io.Writer) error { _ = by.entity.Serialize(w); return other.entity.Serialize(w) }),
		"a secret":     by.armored(openpgp.PrivateKeyType, func(w io.Writer) error { return by.entity.SerializePrivate(w, nil) }),
		"a secret too": by.armored(openpgp.PublicKeyType, func(w io.Writer) error { return by.entity.SerializePrivate(w, nil) }),
		"a signature":  by.armored(openpgp.SignatureType, func(w io.Writer) error { _, err := io.WriteString(w, by.sign("x")); return err }),
	}
	keys["many bits"] = by.armored(openpgp.PublicKeyType, func(w io.Writer) error {
		n := new(big.Int).Lsh(big.NewInt(1), 60_000)
		n.Add(n, big.NewInt(1))
		return packet.NewRSAPublicKey(time.Unix(1e9, 0), &rsa.PublicKey{N: n, E: 65537}).Serialize(w)
	})
	keys["many packets"] = by.armored(openpgp.PublicKeyType, func(w io.Writer) error {
		for range 100 {
			_ = packet.NewUserId("a", "", "").Serialize(w)
		}
		return by.entity.Serialize(w)
	})
	for cut := 40; cut < len(public)-60; cut += max(1, len(public)/40) {
		keys[fmt.Sprint("cut at ", cut)] = public[:cut]
	}
	return keys
}

func hostileZips(binary string) map[string]string {
	good := zipOf(binary, "x")
	zips := map[string]string{"empty": "", "text": "hello", "tar": vpc(), "no provider": zipOf("readme", "x"), "of another": zipOf("terraform-provider-other", "x"), "below": zipOf("bin/"+binary, "x"), "behind": good + "x", "before": "x" + good}
	for _, name := range []string{"../x", "/x", "a/../../x", "a//b", `a\b`, "C:/x", "\x01", binary, binary + "/x", "./x"} {
		zips["entry "+name] = zipOf(binary, "x", name, "y")
	}
	for cut := 1; cut < len(good); cut += max(1, len(good)/30) {
		zips[fmt.Sprint("cut at ", cut)] = good[:cut]
	}
	zips["a link"] = linkedZip(binary)
	zips["a bomb"] = zipOf(binary, strings.Repeat("\x00", 70<<20))
	return zips
}

// linkedZip is a zip file of one symbolic link.
func linkedZip(name string) string {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	h := &zip.FileHeader{Name: name}
	h.SetMode(0o777 | fs.ModeSymlink)
	if _, err := w.CreateHeader(h); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// Files that do not belong together never make a version that is listed, whichever of
// them comes last.
func TestProviderDisagreement(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	by, other := newSigner(), newSigner()
	for i, change := range []func(files map[string]string){
		func(files map[string]string) { files["_public_key.asc"] = other.public() },
		func(files map[string]string) { files["_SHA256SUMS.sig"] = by.sign(files["_SHA256SUMS"] + "\n") },
		func(files map[string]string) { files["_SHA256SUMS.sig"] = other.sign(files["_SHA256SUMS"]) },
		func(files map[string]string) { files["_SHA256SUMS.sig"] = "no signature" },
		func(files map[string]string) { files["_SHA256SUMS"] += "\n" },
		func(files map[string]string) { files["_linux_amd64.zip"] = zipOf("terraform-provider-acme", "other") },
		func(files map[string]string) { files["_manifest.json"] = strings.Replace(manifest, "6.0", "5.0", 1) },
	} {
		for _, backwards := range []bool{false, true} {
			version := fmt.Sprintf("1.0.%d-%t", i, backwards)
			files := release(by, "acme", version, "linux_amd64")
			change(files)
			ends := sortedKeys(files)
			if backwards {
				slices.Reverse(ends)
			}
			refused := 0
			for _, end := range ends {
				a := s.put(part(s.project, "acme", version, end), files[end])
				if a.Status == 400 {
					refused++
				} else if a.Status != 201 || strings.Contains(string(a.Body), `"listed":true`) {
					t.Errorf("change %d, %s: %d %s", i, end, a.Status, a.Body)
				}
			}
			if refused == 0 {
				t.Errorf("change %d, backwards %t: nothing was refused", i, backwards)
			}
		}
	}
	if got := s.listed("acme/acme"); got != "404" {
		t.Errorf("versions are %s", got)
	}
	// One file too many, before SHA256SUMS and after it.
	for i, first := range []string{"_plan9_amd64.zip", "_SHA256SUMS"} {
		name := fmt.Sprint("more", i)
		files := release(by, name, "1.0.0", "linux_amd64")
		files["_plan9_amd64.zip"] = zipOf("terraform-provider-"+name, "x")
		s.mustPut(part(s.project, name, "1.0.0", first), files[first])
		second := []string{"_SHA256SUMS", "_plan9_amd64.zip"}[i]
		if a := s.put(part(s.project, name, "1.0.0", second), files[second]); a.Status != 400 || !strings.Contains(string(a.Body), "SHA256SUMS does not name") {
			t.Errorf("%s after %s: %d %s", second, first, a.Status, a.Body)
		}
	}
}
