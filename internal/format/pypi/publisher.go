package pypi

import (
	"crypto/x509"
	"encoding/asn1"
	"net/url"
	"path"
	"strings"
)

// publisher says whose certificate attestations were signed with, in the words
// of PEP 740. It is read from the certificate and vouched for by nobody but who
// issued that.
type publisher struct {
	Kind       string `json:"kind"`
	Repository string `json:"repository,omitempty"`
	Workflow   string `json:"workflow,omitempty"`          // of GitHub: the file's name
	Config     string `json:"workflow_filepath,omitempty"` // of GitLab: the file's path
	Claims     claims `json:"claims"`
}

// claims are what a certificate says of the job that it was made for.
type claims struct {
	Issuer     string `json:"issuer,omitempty"`
	Identity   string `json:"identity,omitempty"`
	Repository string `json:"source_repository,omitempty"`
	Config     string `json:"build_config,omitempty"`
}

// Extensions of certificates by Sigstore, below 1.3.6.1.4.1.57264.1
// (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md).
const (
	extensionIssuer     = 8
	extensionRepository = 12
	extensionConfig     = 18
)

func publisherOf(c *x509.Certificate) publisher {
	var said claims
	for _, uri := range c.URIs {
		said.Identity = uri.String()
	}
	if said.Identity == "" && len(c.EmailAddresses) > 0 {
		said.Identity = c.EmailAddresses[0]
	}
	for _, e := range c.Extensions {
		id := e.Id
		if len(id) != 9 || !id[:8].Equal(asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1}) {
			continue
		}
		var text string
		if _, err := asn1.Unmarshal(e.Value, &text); err != nil {
			continue
		}
		switch id[8] {
		case extensionIssuer:
			said.Issuer = text
		case extensionRepository:
			said.Repository = text
		case extensionConfig:
			said.Config = text
		}
	}
	return said.publisher()
}

// publisher tells by the shape of the address of its configuration which CI
// system a job ran on: GitHub has workflows in a folder of that name, GitLab puts
// two slashes between project and file.
func (c claims) publisher() publisher {
	p := publisher{Kind: "Certificate", Claims: c}
	repository, err := url.Parse(c.Repository)
	if err != nil || repository.Path == "" {
		return p
	}
	file, inside := strings.CutPrefix(c.Config, c.Repository+"/")
	file, _, _ = strings.Cut(file, "@")
	switch {
	case inside && strings.HasPrefix(file, ".github/workflows/"):
		p.Kind, p.Workflow = "GitHub", path.Base(file)
	case inside && strings.HasPrefix(file, "/"):
		p.Kind, p.Config = "GitLab", strings.TrimPrefix(file, "/")
	default:
		return p
	}
	p.Repository = strings.Trim(repository.Path, "/")
	return p
}
