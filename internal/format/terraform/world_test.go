package terraform_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

const root = formattest.Root

// scene is a world with one project in it, acme/infra.
type scene struct {
	*formattest.World
	t              *testing.T
	group, project int64
}

func start(t *testing.T, visibility string, edit ...func(*house.Options)) scene {
	t.Helper()
	w := formattest.Start(t, edit...)
	group := w.Group("acme", 0, visibility)
	return scene{w, t, group, w.Project("infra", group, visibility)}
}

// at is a path below the format's mount in a project.
func at(project any, path string) string {
	return fmt.Sprintf("/api/v4/projects/%v/packages/terraform/modules/%s", project, path)
}

func registry(path string) string { return "/api/v4/packages/terraform/modules/v1/" + path }

type item struct {
	name, text string
	kind       byte
	link       string
}

// packed is an archive as tar -czf makes it.
func packed(items ...item) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	w := tar.NewWriter(z)
	for _, i := range items {
		h := &tar.Header{Name: i.name, Mode: 0o644, Size: int64(len(i.text)), Typeflag: i.kind, Linkname: i.link}
		if i.kind == 0 {
			h.Typeflag = tar.TypeReg
		}
		if err := w.WriteHeader(h); err != nil {
			panic(err)
		}
		if _, err := io.WriteString(w, i.text); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	if err := z.Close(); err != nil {
		panic(err)
	}
	return b.String()
}

// vpc is a module with all that is shown of one.
func vpc() string {
	return packed(
		item{name: "./main.tf", text: `terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5" }
    old = "~> 1.0"
  }
}
module "label" {
  source  = "registry.example.com/acme/label/null"
  version = "1.0.0"
}
resource "aws_vpc" "this" { cidr_block = var.cidr }
`},
		item{name: "./variables.tf", text: `variable "cidr" {
  type        = string
  description = "Range of addresses"
}
variable "tags" {
  type    = map(string)
  default = { a = "b" }
}
`},
		item{name: "./outputs.tf", text: "output \"id\" {\n  description = \"Its id\"\n  value = aws_vpc.this.id\n}\n"},
		item{name: "./README.md", text: "# VPC\n"},
		item{name: "./modules/subnet/main.tf", text: "variable \"zone\" {}\n"},
		item{name: "./examples/small/main.tf", text: "module \"vpc\" { source = \"../..\" }\n"},
	)
}

func (s scene) put(path, body string, header ...string) formattest.Answer {
	if header == nil {
		header = []string{root}
	}
	return s.Do("PUT", path, strings.NewReader(body), header...)
}

func (s scene) mustPut(path, body string) {
	s.t.Helper()
	if a := s.put(path, body); a.Status != 201 {
		s.t.Fatalf("PUT %s = %d %s, want 201", path, a.Status, a.Body)
	}
}

func (s scene) get(path string, header ...string) formattest.Answer {
	if header == nil {
		header = []string{root}
	}
	return s.Do("GET", path, nil, header...)
}

// numbers are the versions that a registry address lists.
func (s scene) numbers(path string, header ...string) string {
	s.t.Helper()
	a := s.get(registry(path)+"/versions", header...)
	var d struct {
		Modules []struct{ Versions []struct{ Version string } }
	}
	if a.Status != 200 || json.Unmarshal(a.Body, &d) != nil || len(d.Modules) != 1 {
		return fmt.Sprintf("%d %s", a.Status, a.Body)
	}
	var list []string
	for _, v := range d.Modules[0].Versions {
		list = append(list, v.Version)
	}
	return strings.Join(list, " ")
}
