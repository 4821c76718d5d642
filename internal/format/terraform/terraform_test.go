package terraform_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"packhouse/internal/format/formattest"
)

// What every format has to do.
func TestSuite(t *testing.T) {
	t.Parallel()
	archive := vpc()
	formattest.Run(t, formattest.Case{
		Format: "terraform",
		Publish: func(w *formattest.World, mount string, header ...string) formattest.Answer {
			return w.Do("PUT", mount+"/modules/vpc/aws/1.0.0/file", strings.NewReader(archive), header...)
		},
		File: "/modules/vpc/aws/1.0.0", Content: archive, Group: true,
		Absent: []string{"/modules/vpc/aws/2.0.0", "/modules/vpc/gcp", "/modules/vpc/aws/2.0.0?terraform-get=1", "/modules/other/aws/1.0.0"},
	})
}

// A version can be found in every way the moment that it is acknowledged, and the
// newest is the highest.
func TestRegistry(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, version := range []string{"1.0.9", "v1.0.10", "1.1.0-rc.1"} {
		s.mustPut(at(s.project, "vpc/aws/"+version+"/file"), vpc())
		if got := s.numbers("acme/vpc/aws"); !strings.Contains(" "+got+" ", " "+strings.TrimPrefix(version, "v")+" ") {
			t.Errorf("after the publish of %s versions are %q", version, got)
		}
	}
	for _, namespace := range []string{"acme", "ACME", fmt.Sprint(s.group)} {
		if got := s.numbers(namespace + "/vpc/aws"); got != "1.1.0-rc.1 1.0.10 1.0.9" {
			t.Errorf("versions of %s/vpc/aws are %q", namespace, got)
		}
	}
	a := s.get(registry("acme/vpc/aws/download"))
	if a.Status != 302 || a.Header.Get("Location") != registry("acme/vpc/aws/1.0.10/download") {
		t.Errorf("GET download = %d to %q", a.Status, a.Header.Get("Location"))
	}
	for _, path := range []string{"acme/vpc/gcp/versions", "acme/pc/aws/versions", "other/vpc/aws/versions", "acme/vpc/aws/2.0.0/download", "acme/vpc/aws/x", "999/vpc/aws/versions"} {
		if a := s.get(registry(path)); a.Status != 404 {
			t.Errorf("GET %s = %d %s, want 404", path, a.Status, a.Body)
		}
	}
}

// The archive is fetched without a credential by the address that the client was
// given, which is good for that one version, with whatever .netrc adds.
func TestGrant(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(at(s.project, "vpc/aws/1.0.0/file"), vpc())
	s.mustPut(at(s.project, "vpc/aws/2.0.0/file"), packed(item{name: "other.tf", text: "\n"}))
	a := s.get(registry("acme/vpc/aws/1.0.0/download"))
	where, err := url.Parse(a.Header.Get("X-Terraform-Get"))
	if a.Status != 204 || err != nil || where.Query().Get("archive") != "tgz" || where.IsAbs() {
		t.Fatalf("GET download = %d, X-Terraform-Get %q", a.Status, where)
	}
	token := "?token=" + where.Query().Get("token")
	for _, header := range [][]string{{""}, {"Authorization: Basic cm9vdDp3cm9uZw=="}} {
		if a := s.get(where.Path+token, header...); a.Status != 200 || string(a.Body) != vpc() {
			t.Errorf("GET %s with %q = %d %.100s, want the archive", where.Path, header, a.Status, a.Body)
		}
	}
	for _, path := range []string{
		strings.Replace(where.Path, "1.0.0", "2.0.0", 1) + token, at(s.project, "vpc/aws/1.0.0") + token, "/api/v4/user" + token,
		registry("acme/vpc/aws/versions") + token, where.Path, where.Path + token[:len(token)-2],
	} {
		if a := s.get(path, ""); a.Status != 401 {
			t.Errorf("GET %.90s = %d %s, want 401", path, a.Status, a.Body)
		}
	}
	if a := s.put(at(s.project, "vpc/aws/3.0.0/file")+token, vpc(), ""); a.Status != 401 {
		t.Errorf("PUT with the grant = %d %s, want 401", a.Status, a.Body)
	}
}

// Anybody is told where the registry is, also those whose token is none, and in the
// one form that clients take.
func TestDiscovery(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, header := range []string{"", "Authorization: Bearer wrong"} {
		a := s.get("/.well-known/terraform.json", header)
		if a.Status != 200 || string(a.Body) != `{"modules.v1":"/api/v4/packages/terraform/modules/v1/","providers.v1":"/api/v4/packages/terraform/providers/v1/"}` || a.Header.Get("Content-Type") != "application/json" {
			t.Errorf("GET terraform.json with %q = %d %s", header, a.Status, a.Body)
		}
	}
}

// go-getter asks first what an address is.
func TestByURL(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(at(s.project, "my-module/my-provider/1.0.0/file"), vpc())
	for _, mount := range []string{at(s.project, ""), at("acme%2Finfra", ""), "/api/v4/groups/acme/-/packages/terraform/modules/"} {
		for _, path := range []string{mount + "my-module/my-provider/1.0.0", mount + "my-module/my-provider", mount + "my-module/my-provider/v1.0.0"} {
			a := s.get(path + "?terraform-get=1")
			if want := s.URL + mount + "my-module/my-provider/1.0.0?archive=tgz"; a.Status != 204 || a.Header.Get("X-Terraform-Get") != want {
				t.Errorf("GET %s?terraform-get=1 = %d %q, want %q", path, a.Status, a.Header.Get("X-Terraform-Get"), want)
			}
			if a := s.get(path); a.Status != 200 || string(a.Body) != vpc() {
				t.Errorf("GET %s = %d, want the archive", path, a.Status)
			}
		}
	}
	if a := s.get(at(s.project, "my-module/my-provider/1.0.0?terraform-get=2")); a.Status != 400 {
		t.Errorf("terraform-get=2: %d, want 400", a.Status)
	}
}

// A module may be a zip file; clients are told so, and what it holds is read.
func TestZip(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	body := zipOf("main.tf", "variable \"cidr\" {}\n", "modules/", "", "modules/subnet/main.tf", "variable \"zone\" {}\n", "README.md", "# VPC\n")
	s.mustPut(at(s.project, "vpc/aws/1.0.0/file"), body)
	s.mustPut(at(s.project, "vpc/aws/1.1.0/file"), vpc())
	for version, kind := range map[string]string{"1.0.0": "zip", "1.1.0": "tgz"} {
		a := s.get(registry("acme/vpc/aws/" + version + "/download"))
		where, err := url.Parse(a.Header.Get("X-Terraform-Get"))
		if err != nil || where.Query().Get("archive") != kind {
			t.Errorf("X-Terraform-Get of %s is %q", version, where)
		}
		a = s.get(at(s.project, "vpc/aws/"+version+"?terraform-get=1"))
		if got := a.Header.Get("X-Terraform-Get"); !strings.HasSuffix(got, "?archive="+kind) {
			t.Errorf("by URL %s is at %q", version, got)
		}
	}
	if a := s.get(at(s.project, "vpc/aws/1.0.0")); string(a.Body) != body || !strings.Contains(a.Header.Get("Content-Disposition"), "vpc-aws-1.0.0.zip") {
		t.Errorf("GET = %d %q", a.Status, a.Header)
	}
	a := s.get(registry("acme/vpc/aws/1.0.0"))
	for _, want := range []string{`"name":"cidr"`, `"path":"modules/subnet"`, `# VPC`} {
		if !strings.Contains(string(a.Body), want) {
			t.Errorf("details lack %s: %s", want, a.Body)
		}
	}
}

// A version is published once, and a name belongs to one project of a top-level
// group unless its settings say otherwise.
func TestDuplicates(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	other := s.Project("other", s.Group("deep", s.group, "private"), "private")
	elsewhere := s.Project("elsewhere", s.Group("else", 0, "private"), "private")
	s.mustPut(at(s.project, "vpc/aws/1.0.0/file"), vpc())
	refused := func(path, why string) {
		t.Helper()
		if a := s.put(path, vpc()); a.Status != 403 || !strings.Contains(string(a.Body), why) {
			t.Errorf("PUT %s = %d %s, want 403 %s", path, a.Status, a.Body, why)
		}
	}
	refused(at(s.project, "vpc/aws/1.0.0/file"), "Package version already exists.")
	refused(at(s.project, "vpc/aws/1.0.0+other/file"), "Package version already exists.")
	refused(at(other, "vpc/aws/2.0.0/file"), "A package with the same name already exists in the namespace")
	refused(at(other, "vpc/aws/2.0.0/file"), "it is in the project acme/infra")
	s.mustPut(at(elsewhere, "vpc/aws/1.0.0/file"), vpc())
	s.mustPut(at(other, "vpc/gcp/1.0.0/file"), vpc())
	settings := func(body string) {
		t.Helper()
		if a := s.Do("PUT", fmt.Sprintf("/api/v4/groups/%d/package_settings", s.group), strings.NewReader(body), root, "Content-Type: application/json"); a.Status != 200 {
			t.Fatalf("PUT package_settings = %d %s", a.Status, a.Body)
		}
	}
	settings(`{"terraform_module_duplicates_allowed":true}`)
	s.mustPut(at(other, "vpc/aws/1.0.0/file"), packed(item{name: "new.tf", text: "\n"}))
	if a := s.get(registry("acme/vpc/aws/1.0.0/file")); a.Status != 200 || string(a.Body) == vpc() {
		t.Errorf("of two projects the older one's archive is served: %d", a.Status)
	}
	if got := s.numbers("acme/vpc/aws"); got != "1.0.0" {
		t.Errorf("versions are %q, want one", got)
	}
}

// 64 at once: of different versions all, of one version one.
func TestParallel(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	all := func(version func(i int) string) (by map[int]int) {
		var wg sync.WaitGroup
		var mu sync.Mutex
		by = map[int]int{}
		for i := range 64 {
			wg.Go(func() {
				a, err := s.Try("PUT", at(s.project, "vpc/aws/"+version(i)+"/file"), strings.NewReader(packed(item{name: "main.tf", text: fmt.Sprintln("#", i)})), root)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				by[a.Status]++
			})
		}
		wg.Wait()
		return by
	}
	if by := all(func(i int) string { return fmt.Sprintf("1.0.%d", i) }); by[http.StatusCreated] != 64 {
		t.Errorf("different versions: %v, want 201 for all", by)
	}
	if got := len(strings.Fields(s.numbers("acme/vpc/aws"))); got != 64 {
		t.Errorf("%d versions are listed, want 64", got)
	}
	if by := all(func(int) string { return "2.0.0" }); by[http.StatusCreated] != 1 || by[http.StatusForbidden] != 63 {
		t.Errorf("one version: %v, want one 201 and 63 403", by)
	}
}
