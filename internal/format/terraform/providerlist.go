package terraform

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// ofProvider is a provider that a registry address names, and where it is looked for.
type ofProvider struct {
	namespace, name string
	key             string
	source          registry.Source
}

func providerOf(c *format.Call) (*ofProvider, error) {
	p := &ofProvider{namespace: c.Arg("namespace"), name: c.Arg("type")}
	var err error
	if p.key, err = providerKey(p.name); err != nil {
		return nil, errNoProvider() // nothing is published under such a name
	}
	if p.source, err = below(c, p.namespace); err != nil {
		return nil, errNoProvider()
	}
	return p, nil
}

func errNoProvider() error {
	return &packhouse.Error{
		Kind: packhouse.NotFound, Rule: "package", Message: "Not Found",
		Fix: "providers are addressed as HOST/GROUP/NAME, with the path of a top-level group or the number of any, whatever project they are in; a version is listed once all its files are there",
	}
}

// noProvider gives "not found" the words of providers.
func noProvider(err error) error {
	if packhouse.KindOf(err) == packhouse.NotFound {
		return errNoProvider()
	}
	return err
}

// providerVersions lists the versions of a provider that are whole.
func (Terraform) providerVersions(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	p, err := providerOf(c)
	if err != nil {
		return err
	}
	d, err := p.source.Document(r.Context(), name, p.key, "provider versions", renderProvider)
	if err != nil {
		return noProvider(err)
	}
	format.ServeDocument(w, r, d)
	return nil
}

func renderProvider(l *registry.Listing) (*registry.Document, error) {
	type listed struct {
		Version   string     `json:"version"`
		Protocols []string   `json:"protocols"`
		Platforms []platform `json:"platforms"`
	}
	list := []listed{}
	for _, one := range newestFirst(l) {
		e := one.Entry.(*providerEntry)
		list = append(list, listed{one.Version.Number, e.protocols, e.platforms})
	}
	if len(list) == 0 {
		return nil, errNoProvider()
	}
	body, err := json.Marshal(map[string]any{"versions": list})
	if err != nil {
		return nil, fmt.Errorf("encode versions: %w", err)
	}
	return registry.NewDocument("application/json", body), nil
}

// release finds a version that is whole.
func (p *ofProvider) release(r *http.Request, version string) (*registry.Release, error) {
	key, err := versionKey(version)
	if err != nil {
		return nil, errNoProvider()
	}
	l, err := p.source.Package(r.Context(), name, p.key)
	if err != nil {
		return nil, noProvider(err)
	}
	for _, one := range newestFirst(l) {
		if one.Version.Key == key {
			return one, nil
		}
	}
	return nil, errNoProvider()
}

// open opens a file of a version. Several projects may have the version, so that it is
// looked for in the version's own.
func (p *ofProvider) open(r *http.Request, c *format.Call, of *registry.Release, file string) (*registry.Content, error) {
	project, err := c.Decide(packhouse.Project, of.Version.Package.ProjectID, authz.ReadPackages)
	if err != nil {
		return nil, errNoProvider()
	}
	content, err := c.Below(project.Path).Open(r.Context(), packhouse.FileRef{Format: name, Package: p.key, Version: of.Version.Key, Path: file})
	return content, noProvider(err)
}

// providerGrant is what the pass in the addresses of a version's files is made for.
func providerGrant(c *format.Call, version string) packhouse.Access {
	return packhouse.Access{
		Type: "terraform_provider", Name: strings.Join([]string{c.Arg("namespace"), c.Arg("type"), version}, "/"), Actions: []string{"pull"},
	}
}

func providerGranted(c *format.Call) packhouse.Access { return providerGrant(c, c.Arg("version")) }

// providerDownload says where the files of a version for one platform are, and what
// they are verified by. Clients fetch them without a token, so the addresses carry a
// pass for this version.
func (Terraform) providerDownload(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	p, err := providerOf(c)
	if err != nil {
		return err
	}
	found, err := p.release(r, c.Arg("version"))
	if err != nil {
		return err
	}
	entry, version := found.Entry.(*providerEntry), found.Version.Number
	stem := p.key + "_" + version
	file := stem + "_" + c.Arg("os") + "_" + c.Arg("arch") + ".zip"
	at := slices.IndexFunc(found.Files, func(f packhouse.File) bool { return f.Path == file })
	if at < 0 {
		return errNoProvider()
	}
	armor, err := p.armor(r, c, found, stem+"_public_key.asc")
	if err != nil {
		return err
	}
	pass, err := c.Passes.Pass(r, []packhouse.Access{providerGrant(c, version)}, grantLife)
	if err != nil {
		return err
	}
	address := func(file string) string {
		return rooted(c.Base().JoinPath(c.Mount(), "providers/v1", p.namespace, p.name, version, file)) + "?" + url.Values{"token": {pass}}.Encode()
	}
	w.Header().Set("Cache-Control", "no-store")
	format.WriteJSON(w, http.StatusOK, map[string]any{
		"protocols": entry.protocols, "os": c.Arg("os"), "arch": c.Arg("arch"), "filename": file, "download_url": address(file),
		"shasums_url": address(stem + "_SHA256SUMS"), "shasums_signature_url": address(stem + "_SHA256SUMS.sig"), "shasum": found.Files[at].SHA256.String(),
		"signing_keys": map[string]any{"gpg_public_keys": []any{map[string]any{"key_id": entry.key, "ascii_armor": armor}}},
	})
	return nil
}

// armor reads the public key of a version.
func (p *ofProvider) armor(r *http.Request, c *format.Call, of *registry.Release, file string) (string, error) {
	content, err := p.open(r, c, of, file)
	if err != nil {
		return "", err
	}
	defer content.Close()
	text, err := io.ReadAll(io.LimitReader(content.Reader(), maxPart))
	return string(text), err
}

// grantedProviderFile serves a file of a version that is whole, to whoever may read it:
// by a pass, or by any other credential.
func (Terraform) grantedProviderFile(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	p, err := providerOf(c)
	if err != nil {
		return err
	}
	found, err := p.release(r, c.Arg("version"))
	if err != nil {
		return err
	}
	content, err := p.open(r, c, found, c.Arg("file"))
	return send(w, r, content, err)
}

// providerFile serves a file by its URL in a project or a group, also of a version that
// is not whole.
func (Terraform) providerFile(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	key, err := providerKey(c.Arg("name"))
	if err != nil {
		return errNoProvider()
	}
	version, err := versionKey(c.Arg("version"))
	if err != nil {
		return errNoProvider()
	}
	content, err := c.Source.Open(r.Context(), packhouse.FileRef{Format: name, Package: key, Version: version, Path: c.Arg("file")})
	return send(w, r, content, noProvider(err))
}
