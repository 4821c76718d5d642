package terraform

import (
	"strings"
	"testing"
)

// Snippets name the place, and a module that has no address by its URL.
func TestSnippets(t *testing.T) {
	at := Place{Host: "pkg.acme-corp.example.com", Base: "https://pkg.acme-corp.example.com/api/v4/projects/1/packages/terraform", Group: "acme", Name: "vpc", System: "aws", Version: "1.2.0", Publish: true}
	text := func(p Place) (all string) {
		for _, s := range Snippets(p) {
			all += s.Text + "\n"
		}
		return all
	}
	for _, want := range []string{
		`credentials "pkg.acme-corp.example.com"`, "TF_TOKEN_pkg_acme__corp_example_com=", `source  = "pkg.acme-corp.example.com/acme/vpc/aws"`, `version = "1.2.0"`,
		"--upload-file module.tgz https://pkg.acme-corp.example.com/api/v4/projects/1/packages/terraform/modules/vpc/aws/1.2.0/file", "JOB-TOKEN: $CI_JOB_TOKEN",
	} {
		if !strings.Contains(text(at), want) {
			t.Errorf("snippets lack %q:\n%s", want, text(at))
		}
	}
	hyphen := at
	hyphen.System = "my-provider"
	if got := text(hyphen); !strings.Contains(got, `source = "https://pkg.acme-corp.example.com/api/v4/projects/1/packages/terraform/modules/vpc/my-provider/1.2.0"`) {
		t.Errorf("a system with a hyphen is not used by its URL:\n%s", got)
	}
	port := at
	port.Host, port.Publish, port.Name = "127.0.0.1:8443", false, ""
	if got := text(port); strings.Contains(got, "TF_TOKEN") || strings.Contains(got, "curl") || strings.Contains(got, "module \"") || strings.Contains(got, "{") && strings.Contains(got, "{name}") {
		t.Errorf("snippets of a group by port are:\n%s", got)
	}
	of := at
	of.Name, of.System = "terraform-provider-greeting", ""
	for _, want := range []string{`source  = "pkg.acme-corp.example.com/acme/greeting"`, `version = "1.2.0"`, `"https://pkg.acme-corp.example.com/api/v4/projects/1/packages/terraform/providers/greeting/1.2.0/$file"`, "TF_TOKEN_"} {
		if got := text(of); !strings.Contains(got, want) || strings.Contains(got, "module \"") {
			t.Errorf("snippets of a provider lack %q, or show a module:\n%s", want, got)
		}
	}
}
