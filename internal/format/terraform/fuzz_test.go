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
