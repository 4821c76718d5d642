package terraform

import (
	"strings"
	"testing"
)

// Whatever stands in a file, reading it ends well and keeps bounded texts.
func FuzzDescribe(f *testing.F) {
	for _, text := range []string{
		`variable "a" { default = "${b}" }`, "terraform {\n required_providers {\n aws = { source = \"a/b\" }\n }\n}", `module "x" { source = "./y" }`, "x = <<E\n%{if a}b%{endif}\nE\n", "((((", `output "o" { description = "d" }`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxSource {
			return
		}
		var a folder
		a.add(source{"main.tf", []byte(text)})
		for _, in := range a.Inputs {
			if len(in.Name)+len(in.Type)+len(in.Default)+len(in.Description) > 9000 || in.Name != strings.ToValidUTF8(in.Name, "") {
				t.Errorf("input %+v", in)
			}
		}
	})
}

// What is a key stays itself, and a version and its tag are one.
func FuzzNames(f *testing.F) {
	f.Add("vpc", "aws", "1.0.0")
	f.Add("a_b", "c-d", "v1.0.0-rc.1+x")
	f.Fuzz(func(t *testing.T, module, system, version string) {
		if key, err := moduleKey(module, system); err == nil {
			if again, err := packageKey(key); err != nil || again != key || strings.Count(key, "/") != 1 {
				t.Errorf("moduleKey(%q, %q) = %q, as a package %q, %v", module, system, key, again, err)
			}
		}
		if key, err := versionKey(version); err == nil {
			if again, err := versionKey("v" + key); err != nil || again != key || strings.ContainsAny(key, "+ /") {
				t.Errorf("versionKey(%q) = %q, again %q, %v", version, key, again, err)
			}
		}
	})
}

// What is taken of a SHA256SUMS names files of the version alone, and each once; what
// is no key or manifest is refused, whatever it is.
func FuzzParts(f *testing.F) {
	const stem = "terraform-provider-acme_1.0.0"
	f.Add(strings.Repeat("ab", 32) + "  " + stem + "_linux_amd64.zip\n")
	f.Add(`{"version":1,"metadata":{"protocol_versions":["5.0","6.0"]}}`)
	f.Add("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ0AAABYJKwYBBAHaRw8BAQdA\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n")
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > maxPart {
			return
		}
		if kept, err := readSums(stem, []byte(text)); err == nil {
			sums, err := parseSums(stem, kept.Text)
			if err != nil || len(sums) == 0 || kept.Text != text {
				t.Errorf("SHA256SUMS %q gives %v, %v", text, sums, err)
			}
		}
		if kept, err := readManifest([]byte(text)); err == nil && len(kept.Protocols) == 0 {
			t.Errorf("manifest %q has no protocols", text)
		}
		if kept, err := readKey([]byte(text)); err == nil && (len(kept.KeyID) != 16 || kept.Text != text) {
			t.Errorf("key %q is %+v", text, kept)
		}
	})
}
