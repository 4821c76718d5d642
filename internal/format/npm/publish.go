package npm

import (
	"crypto/sha1"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// put publishes a version, or marks versions as deprecated: clients send both to
// the same address.
func (n NPM) put(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, err := wholeName(c.Arg("name"))
	if err != nil {
		return err
	}
	if r.Header.Get("Npm-Command") == "deprecate" {
		return n.deprecate(w, r, c, name)
	}
	s, err := readSubmission(r, c, true)
	defer s.release()
	if err != nil {
		return err
	}
	if !s.attached && len(s.versions) > 0 {
		return n.deprecateUnnamed(w, r, c, name, s)
	}
	return publish(w, r, c, name, s)
}

// elsewhere tells whoever publishes to a group or to the instance where to go.
func (NPM) elsewhere(_ http.ResponseWriter, _ *http.Request, c *format.Call) error {
	return &packhouse.Error{
		Kind: packhouse.NotFound, Rule: "level", Message: "404 Not Found - packages are published to a project, not to " + c.Target.Level.String() + "s",
		Fix: "publish to the project registry: " + base(c, "projects/:id/packages/npm/"),
	}
}

// base is an address in the API, for messages.
func base(c *format.Call, path string) string {
	return strings.TrimSuffix(c.Base().String(), "/") + "/api/v4/" + path
}

// publish makes a version of a submission. It answers once the version would
// survive a power cut and every document lists it.
func publish(w http.ResponseWriter, r *http.Request, c *format.Call, name string, s *submission) error {
	posted, key, err := s.check(name)
	if err != nil {
		return err
	}
	about, err := inspect(r, s, posted, name)
	if err != nil {
		return err
	}
	about.Publisher = c.Actor.Name
	if err := checkSiblings(r, c, name, key); err != nil {
		return err
	}
	metadata, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	s.tarball.SetPath(tarballName(name, s.version))
	draft := registry.Draft{
		Package: name, PackageKey: name, Version: s.version, VersionKey: key, Metadata: metadata,
		Files: []*registry.Received{s.tarball},
		Admit: func(live bool, _ []packhouse.File) error {
			if live {
				return errTaken()
			}
			return nil
		},
		Moves: s.moves,
	}
	for tag := range s.tags {
		draft.Tags = append(draft.Tags, tag)
	}
	slices.Sort(draft.Tags)
	if s.provenance != "" {
		bundle, err := s.receiveBundle(r, c, name)
		if err != nil {
			return err
		}
		defer bundle.Release()
		draft.Files = append(draft.Files, bundle)
	}
	done, err := c.Hosted.Publish(r.Context(), draft)
	if err != nil {
		return err
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{
		"ok": true, "success": true, "id": done.Version.ID, "name": name, "version": done.Version.Number,
		"package_type": "npm", "status": done.Version.Status, "created_at": done.Version.CreatedAt.UTC().Format(format.Time),
	})
	return nil
}

// moves has "latest" move up alone when something is published: of publishes at
// the same time the highest version wins, and a fix of an old line does not become
// what everybody installs. npm dist-tag moves it anywhere.
func (s *submission) moves(tag string, from *packhouse.Version) bool {
	if tag != latest {
		return true
	}
	old, err := parseVersion(from.Number)
	if err != nil {
		return true
	}
	now, err := parseVersion(s.version)
	return err == nil && now.GreaterThan(old)
}

// check looks at what can be told before the tarball is read.
func (s *submission) check(name string) (posted manifest, key string, err error) {
	switch {
	case len(s.versions) == 0 || s.version == "":
		return nil, "", packhouse.Errorf(packhouse.Invalid, "Version is empty.")
	case len(s.versions) > 1:
		return nil, "", invalid("body", "there is more than one version", "publish one version at a time")
	case s.name != name:
		return nil, "", invalid("body", "the address is of "+quote(name)+", the body of "+quote(s.name), "")
	}
	if key, err = versionKey(s.version); err != nil {
		return nil, "", err
	}
	if s.tarball == nil || s.tarball.Size() == 0 {
		return nil, "", packhouse.Errorf(packhouse.Invalid, "Attachment data is empty.")
	}
	if err := s.checkNames(name); err != nil {
		return nil, "", err
	}
	if err := s.announced(); err != nil {
		return nil, "", err
	}
	posted = s.manifest
	if got := posted.text("name"); got != name {
		return nil, "", mismatch("name", name, got)
	}
	if got := posted.text("version"); got != s.version {
		return nil, "", mismatch("version", s.version, got)
	}
	if err := s.checkTags(); err != nil {
		return nil, "", err
	}
	return posted, key, s.checkDist(posted)
}

// checkNames has attachments be called after the version.
func (s *submission) checkNames(name string) error {
	for _, one := range []struct{ name, ending string }{{s.tarballName, ".tgz"}, {s.bundleName, ".sigstore"}} {
		if one.name == "" {
			continue
		}
		if number, ok := versionOf(name, one.name, one.ending); !ok || number != s.version {
			return invalid("attachment", "the attachment "+quote(one.name)+" is not called "+quote(name+"-"+s.version+one.ending), "")
		}
	}
	return nil
}

func (s *submission) checkTags() error {
	const most = 20
	if len(s.tags) > most {
		return packhouse.InvalidParam("dist-tags", "is invalid")
	}
	for tag, number := range s.tags {
		if err := checkTag(tag); err != nil {
			return err
		}
		if number != s.version {
			return invalid("body", "the tag "+quote(tag)+" is for "+quote(number)+", which is not published here", "use npm dist-tag for other versions")
		}
	}
	return nil
}

// checkDist compares the checksums that the client announced with those of the
// bytes.
func (s *submission) checkDist(posted manifest) error {
	var dist manifest
	if raw, sent := posted["dist"]; sent && json.Unmarshal(raw, &dist) != nil {
		return errJSON()
	}
	bad := func(what, sent, have string) error {
		return invalid("checksum", fmt.Sprintf("checksum mismatch: dist.%s is %s, the attachment has %s", what, quote(sent), quote(have)),
			"send it again; nothing of it was stored")
	}
	if sum := dist.text("shasum"); sum != "" && !strings.EqualFold(sum, s.tarball.SHA1()) {
		return bad("shasum", sum, s.tarball.SHA1())
	}
	sha256 := s.tarball.SHA256()
	have := map[string]string{
		"sha1": inBase64(s.tarball.SHA1()), "sha512": inBase64(s.tarball.SHA512()), "sha256": base64.StdEncoding.EncodeToString(sha256[:]),
	}
	for one := range strings.FieldsSeq(dist.text("integrity")) {
		one, _, _ = strings.Cut(one, "?")
		algorithm, sum, _ := strings.Cut(one, "-")
		if want, known := have[algorithm]; known && sum != want {
			return bad("integrity", one, algorithm+"-"+want)
		}
	}
	return nil
}

func inBase64(digits string) string {
	sum, err := hex.DecodeString(digits)
	if err != nil || len(sum) != sha1.Size && len(sum) != sha512.Size {
		return ""
	}
	return base64.StdEncoding.EncodeToString(sum)
}

// inspect reads the tarball and makes of it what is kept of the version.
func inspect(r *http.Request, s *submission, posted manifest, name string) (*about, error) {
	content, err := s.tarball.Open(r.Context())
	if err != nil {
		return nil, fmt.Errorf("open what was received: %w", err)
	}
	defer content.Close()
	t, err := readTarball(r.Context(), content, s.tarball.Size())
	if err != nil {
		return nil, err
	}
	m, err := derive(t, posted, name, s.version)
	if err != nil {
		return nil, err
	}
	a := &about{Manifest: m, Dist: dist{
		Shasum: s.tarball.SHA1(), Integrity: "sha512-" + inBase64(s.tarball.SHA512()), Files: t.count, Unpacked: t.unpacked,
	}}
	if s.provenance != "" {
		if a.Provenance, err = predicateOf(s.provenance); err != nil {
			return nil, err
		}
	}
	a.Readme, a.ReadmeFile = strings.ToValidUTF8(string(t.readme), "\uFFFD"), t.readmeFile
	return a, nil
}

// checkSiblings refuses a version of a name in the scope of the top group that
// another of its projects has, as GitLab does: both would answer to one address.
// It says so early and to those who may see it; where two are published all the
// same, the newer is served.
func checkSiblings(r *http.Request, c *format.Call, name, key string) error {
	top, _, _ := strings.Cut(c.Target.Path, "/")
	if scope, _ := splitScope(name); scope == "" || !strings.EqualFold(scope, top) {
		return nil
	}
	l, err := c.Below(top).Package(r.Context(), "npm", name)
	if err != nil {
		if packhouse.KindOf(err) == packhouse.NotFound {
			return nil
		}
		return err
	}
	for _, release := range l.Releases {
		if v := &release.Version; v.Key == key && v.Package.ProjectID != c.Target.ID {
			return invalid("sibling", "Validation failed: Package already exists", "another project of the group has this version; publish another, or under another name")
		}
	}
	return nil
}

// deprecates is the action that deprecating is.
const deprecates = authz.DeletePackages
