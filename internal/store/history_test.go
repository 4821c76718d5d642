package store_test

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"pgregory.net/rapid"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// history writes random updates to a store. Ids and names come from small
// ranges, so that updates meet each other, and many are refused.
type history struct {
	t     *rapid.T
	store *store.Store
}

var (
	errUndone = errors.New("undone by the history")
	by        = ledger.By{Kind: packhouse.PersonalToken, UserID: 1, Name: "historian"}
)

// step is one change inside an update.
type step func(ctx context.Context, tx *store.Tx) error

// update runs one update of a few steps. It may fail, by itself or on purpose.
func (h *history) update() {
	var steps []step
	for range rapid.IntRange(1, 3).Draw(h.t, "steps") {
		kind := rapid.SampledFrom(kinds).Draw(h.t, "kind")
		steps = append(steps, kind(h))
	}
	undo := rapid.IntRange(0, 9).Draw(h.t, "undo") == 0
	ctx := h.t.Context()
	err := h.store.Update(ctx, func(tx *store.Tx) error {
		for _, step := range steps {
			if err := step(ctx, tx); err != nil {
				return err
			}
		}
		if undo {
			return errUndone
		}
		return nil
	})
	switch kind := packhouse.KindOf(err); {
	case err == nil, errors.Is(err, errUndone), kind == packhouse.Conflict, kind == packhouse.NotFound, kind == packhouse.Invalid:
	default:
		h.t.Fatalf("Update = %v, want success or a refusal", err)
	}
}

// event makes a step that appends an event.
func event(make func(tx *store.Tx) ledger.Event) step {
	return func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Append(ctx, by, make(tx))
		return err
	}
}

func (h *history) id() int64 { return rapid.Int64Range(1, 8).Draw(h.t, "id") }

func (h *history) name() string {
	return rapid.SampledFrom([]string{"a", "A", "b", "a/b", "ä", "x<&>\u2028", "c\xff", `\ufffd`}).Draw(h.t, "name")
}

func (h *history) create() bool { return rapid.Bool().Draw(h.t, "create") }

func (h *history) target() packhouse.Target {
	level := rapid.SampledFrom([]packhouse.Level{packhouse.Group, packhouse.Project}).Draw(h.t, "level")
	return packhouse.Target{Level: level, ID: h.id()}
}

func (h *history) digest() packhouse.Digest {
	return sha256.Sum256([]byte{byte(rapid.IntRange(0, 9).Draw(h.t, "content"))})
}

func (h *history) site() ledger.Site {
	return ledger.Site{ProjectID: h.id(), Format: "generic", PackageKey: "tool", VersionKey: "1.0"}
}

// kinds are all kinds of change.
var kinds = []func(*history) step{
	user, userRemoval, namespace, namespaceRemoval, project, projectRemoval, member, memberRemoval, share, shareRemoval, tokenPut, admission, admissionRemoval, settings, publisher, publisherRemoval, protection, protectionRemoval, identity, password,
	publish, publish, publish, publish, statusChange, metadataPut, tagPut, tagPut, tagRemoval, fileDeletion, versionDeletion, versionDeletion, packageDeletion, purge, restore, restore, restore, trashPurge, cleanup,
	imagePush, imagePush, imagePush, imagePush, imageTagRemoval, imageDeletion, imageCollection,
}

func user(h *history) step {
	create, u := h.create(), ledger.User{ID: h.id(), Username: h.name(), External: rapid.Bool().Draw(h.t, "external")}
	return event(func(tx *store.Tx) ledger.Event {
		if u.CreatedAt = tx.Now(); create {
			u.ID = tx.NewUserID()
		}
		return &ledger.UserPut{Create: create, User: u}
	})
}

func namespace(h *history) step {
	create, n := h.create(), ledger.Namespace{ID: h.id(), Path: h.name(), Visibility: packhouse.VisibilityInternal}
	return event(func(tx *store.Tx) ledger.Event {
		if n.CreatedAt = tx.Now(); create {
			n.ID = tx.NewNamespaceID()
		}
		return &ledger.NamespacePut{Create: create, Namespace: n}
	})
}

func project(h *history) step {
	create, p := h.create(), ledger.Project{ID: h.id(), NamespaceID: h.id(), Path: h.name() + "/p", Registry: packhouse.RegistryPublic,
		UpstreamID: rapid.Int64Range(0, 2).Draw(h.t, "upstream")}
	if rapid.Bool().Draw(h.t, "cleanup") {
		p.ImageCleanup = &ledger.ImageCleanup{Enabled: h.create(), Cadence: "7d", Delete: h.name(), SavedAt: time.Date(2026, 1, int(h.id()), 0, 0, 0, 0, time.UTC)}
	}
	return event(func(tx *store.Tx) ledger.Event {
		if p.CreatedAt = tx.Now(); create && p.ID > 4 { // otherwise its id is chosen
			p.ID = tx.NewProjectID()
		}
		return &ledger.ProjectPut{Create: create, Project: p}
	})
}

func member(h *history) step {
	put := &ledger.MemberPut{Create: h.create(), Member: ledger.Member{
		Target: h.target(), UserID: h.id(), Role: rapid.SampledFrom(packhouse.Roles).Draw(h.t, "role"),
		ExpiresAt: time.Date(2027, 1, 1, 0, 0, 0, 0, time.FixedZone("", 3600)),
	}}
	return event(func(*store.Tx) ledger.Event { return put })
}

func memberRemoval(h *history) step {
	remove := &ledger.MemberRemove{Target: h.target(), UserID: h.id()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func userRemoval(h *history) step {
	remove := &ledger.UserRemove{UserID: h.id(), NamespaceID: rapid.SampledFrom([]int64{0, 1, 9}).Draw(h.t, "namespace")}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func namespaceRemoval(h *history) step {
	remove := &ledger.NamespaceRemove{NamespaceID: h.id()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func projectRemoval(h *history) step {
	remove := &ledger.ProjectRemove{ProjectID: h.id()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func share(h *history) step {
	put := &ledger.SharePut{Create: h.create(), Share: ledger.Share{Target: h.target(), GroupID: h.id(), Role: packhouse.Reporter}}
	return event(func(*store.Tx) ledger.Event { return put })
}

func shareRemoval(h *history) step {
	remove := &ledger.ShareRemove{Target: h.target(), GroupID: h.id()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func tokenPut(h *history) step {
	put := &ledger.TokenPut{Create: h.create(), Token: ledger.Token{
		ID: h.id(), Kind: packhouse.PersonalToken, Digest: h.digest(), UserID: h.id(), Target: h.target(), Scopes: packhouse.ScopeAPI,
	}}
	if rapid.Bool().Draw(h.t, "for a job") {
		put.Token.Kind, put.Token.Job = packhouse.JobToken, &packhouse.Job{ID: h.id(), ProjectID: 1, Publish: true}
	}
	revoke := rapid.Bool().Draw(h.t, "revoke")
	return event(func(tx *store.Tx) ledger.Event {
		if put.Create {
			put.Token.ID = tx.NewTokenID()
		}
		if revoke {
			put.Token.RevokedAt = tx.Now()
		}
		return put
	})
}

func (h *history) admission() ledger.Admission {
	return ledger.Admission{ProjectID: h.id(), Admitted: h.target()}
}

func admission(h *history) step {
	put := &ledger.AdmissionPut{Admission: h.admission()}
	return event(func(*store.Tx) ledger.Event { return put })
}

func admissionRemoval(h *history) step {
	remove := &ledger.AdmissionRemove{Admission: h.admission()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func publisher(h *history) step {
	put := &ledger.PublisherPut{Create: h.create(), Publisher: ledger.Publisher{
		ID: h.id(), Target: h.target(), Name: h.name(), Issuer: "https://ci.example.net", Claims: map[string]string{"project_id": h.name()},
	}}
	return event(func(tx *store.Tx) ledger.Event {
		if put.Create {
			put.Publisher.ID = tx.NewPublisherID()
		}
		return put
	})
}

func protection(h *history) step {
	put := &ledger.ProtectionPut{Create: h.create(), Protection: ledger.Protection{
		ID: h.id(), Target: h.target(), Format: "npm", Packages: h.name(), Push: packhouse.Maintainer,
		Kind: rapid.SampledFrom([]ledger.ProtectionKind{ledger.ProtectsPackages, ledger.ProtectsRepositories, ledger.ProtectsTags}).Draw(h.t, "kind"),
	}}
	return event(func(tx *store.Tx) ledger.Event {
		if put.Create {
			put.Protection.ID = tx.NewProtectionID()
		}
		return put
	})
}

func protectionRemoval(h *history) step {
	remove := &ledger.ProtectionRemove{Target: h.target(), ID: h.id()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func identity(h *history) step {
	put := &ledger.IdentityPut{Provider: "sso", Subject: h.name(), UserID: h.id()}
	return event(func(*store.Tx) ledger.Event { return put })
}

func password(h *history) step {
	id := h.id()
	return func(ctx context.Context, tx *store.Tx) error { return tx.SetPassword(ctx, by, id, "hash") }
}

func publisherRemoval(h *history) step {
	remove := &ledger.PublisherRemove{Target: h.target(), ID: h.id()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func settings(h *history) step {
	expr, guests := rapid.SampledFrom([]string{"", "a|<b>&"}).Draw(h.t, "except"), rapid.Bool().Draw(h.t, "guests")
	put := &ledger.SettingsPut{Settings: ledger.Settings{
		Target: h.target(), GuestsPull: &guests, Sizes: map[string]int64{"npm": h.id()}, Switches: map[string]json.RawMessage{"a": []byte(`"<b>"`)}, Duplicates: map[string]ledger.Duplicates{"npm": {Except: &expr}, "generic": {Allowed: &guests}},
	}}
	return event(func(*store.Tx) ledger.Event { return put })
}

func publish(h *history) step {
	p := &store.Publication{
		ProjectID: rapid.Int64Range(1, 2).Draw(h.t, "project"), Format: "generic", PackageName: "Tool", PackageKey: "tool",
		Version: rapid.SampledFrom([]string{"1.0", "2.0", "<3>"}).Draw(h.t, "version"), CreatorID: h.id(),
		Status:   rapid.SampledFrom([]packhouse.Status{"", packhouse.StatusHidden, packhouse.StatusError}).Draw(h.t, "status"),
		Metadata: []byte(rapid.SampledFrom([]string{"", `{ "a" : "<b>" }`, `[1,2]`, "null"}).Draw(h.t, "metadata")),
	}
	p.VersionKey = p.Version
	if len(p.Metadata) == 0 {
		p.Metadata = nil
	}
	if rapid.Bool().Draw(h.t, "by a job") {
		p.Pipeline = &packhouse.Pipeline{ID: h.id(), Ref: h.name()}
	}
	for range rapid.IntRange(1, 3).Draw(h.t, "files") {
		f := store.NewFile{Path: h.name(), Size: h.id(), SHA256: h.digest(), MD5: h.name()}
		if rapid.Bool().Draw(h.t, "keyed") {
			f.Blob.Key = fmt.Sprintf("%s.%d", f.SHA256, rapid.Int64().Draw(h.t, "upload"))
		}
		f.Metadata = p.Metadata
		p.Files = append(p.Files, f)
	}
	if rapid.Bool().Draw(h.t, "tagged") {
		p.Tags = []string{h.name()}
	}
	refuse := rapid.Bool().Draw(h.t, "refuse duplicates")
	return func(ctx context.Context, tx *store.Tx) error {
		_, err := tx.Publish(ctx, by, p, func(met store.Existing) error {
			if refuse {
				return packhouse.Errorf(packhouse.Conflict, "%s is there", met.Path)
			}
			return nil
		})
		return err
	}
}

func statusChange(h *history) step {
	change := &ledger.StatusChange{Site: h.site(), VersionID: h.id(), Status: packhouse.StatusDefault}
	return event(func(*store.Tx) ledger.Event { return change })
}

func metadataPut(h *history) step {
	put := &ledger.MetadataPut{Site: h.site(), VersionID: h.id(),
		Metadata: []byte(rapid.SampledFrom([]string{"", `{"a":1}`, "null"}).Draw(h.t, "metadata"))}
	return event(func(*store.Tx) ledger.Event { return put })
}

func tagPut(h *history) step {
	put := &ledger.TagPut{Site: h.site(), PackageID: rapid.Int64Range(1, 2).Draw(h.t, "package"), VersionID: h.id(), Name: h.name()}
	return event(func(*store.Tx) ledger.Event { return put })
}

func tagRemoval(h *history) step {
	remove := &ledger.TagRemove{Site: h.site(), PackageID: rapid.Int64Range(1, 2).Draw(h.t, "package"), Name: h.name()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func fileDeletion(h *history) step {
	deletion := &ledger.FileDelete{Site: h.site(), VersionID: h.id(), FileID: h.id()}
	return event(func(*store.Tx) ledger.Event { return deletion })
}

func versionDeletion(h *history) step {
	deletion := &ledger.VersionDelete{Site: h.site(), VersionID: h.id()}
	return event(func(*store.Tx) ledger.Event { return deletion })
}

// packageDeletion ends some versions as one.
func packageDeletion(h *history) step {
	ids := rapid.SliceOfNDistinct(rapid.Int64Range(1, 8), 1, 3, rapid.ID).Draw(h.t, "versions")
	run := rapid.Int64Range(0, 1).Draw(h.t, "run")
	project := rapid.Int64Range(1, 2).Draw(h.t, "project")
	return func(ctx context.Context, tx *store.Tx) error {
		part := ledger.Deletion{RunID: run}
		for _, id := range ids {
			v, err := tx.Version(ctx, project, id)
			if packhouse.KindOf(err) == packhouse.NotFound && err != nil {
				continue
			}
			if err != nil {
				return err
			}
			site := ledger.Site{ProjectID: project, Format: "generic", PackageKey: "tool", VersionKey: v.Key}
			seq, err := tx.Append(ctx, by, &ledger.VersionDelete{Site: site, Deletion: part, VersionID: id, Whole: true})
			if err != nil {
				return err
			}
			part.TrashID = cmp.Or(part.TrashID, seq)
		}
		return nil
	}
}

// trashed finds something in the trash of a project.
func (h *history) trashed() func(ctx context.Context, tx *store.Tx) (*store.Trashed, error) {
	nth := rapid.IntRange(0, 3).Draw(h.t, "nth")
	filter := store.TrashFilter{ProjectIDs: []int64{1, 2, 3, 4, 5, 6, 7, 8}}
	return func(ctx context.Context, tx *store.Tx) (*store.Trashed, error) {
		list, err := tx.Trash(ctx, filter, nth+1)
		if err != nil || len(list) == 0 {
			return nil, err
		}
		return &list[len(list)-1], nil
	}
}

func restore(h *history) step {
	find := h.trashed()
	return func(ctx context.Context, tx *store.Tx) error {
		item, err := find(ctx, tx)
		if err != nil || item == nil {
			return err
		}
		return tx.Restore(ctx, by, item)
	}
}

func trashPurge(h *history) step {
	find, rare := h.trashed(), rapid.IntRange(0, 3).Draw(h.t, "rare") == 0
	return func(ctx context.Context, tx *store.Tx) error {
		item, err := find(ctx, tx)
		if err != nil || item == nil || !rare {
			return err
		}
		_, err = tx.PurgeTrash(ctx, by, item)
		return err
	}
}

// cleanup begins a run, and may end it with something left.
func cleanup(h *history) step {
	project, end := h.id(), &ledger.CleanupEnd{Versions: h.id(), Files: h.id(), Bytes: h.id()}
	if rapid.Bool().Draw(h.t, "skips") {
		end.Skipped = []ledger.CleanupSkipped{{VersionID: h.id(), Why: "<changed>"}}
	}
	ends := rapid.Bool().Draw(h.t, "ends")
	return func(ctx context.Context, tx *store.Tx) error {
		run, err := tx.Append(ctx, by, &ledger.CleanupBegin{ProjectID: project, PreviewID: 3, Planned: 2})
		if err != nil || !ends {
			return err
		}
		end.ProjectID, end.RunID = project, run
		_, err = tx.Append(ctx, by, end)
		return err
	}
}

func purge(h *history) step {
	limit := rapid.IntRange(1, 3).Draw(h.t, "limit")
	return func(ctx context.Context, tx *store.Tx) error {
		_, _, err := tx.Purge(ctx, by, tx.Now().Add(time.Microsecond), limit)
		return err
	}
}

// imagePush puts a blob into a repository, or a manifest that names blobs and
// manifests, of which some are not there.
func imagePush(h *history) step {
	n := &store.NewPart{
		ProjectID: rapid.Int64Range(1, 2).Draw(h.t, "project"), Repository: rapid.SampledFrom([]string{"", "api"}).Draw(h.t, "repository"),
		Manifest: rapid.Bool().Draw(h.t, "manifest"), SHA256: h.digest(), Size: h.id(), CreatorID: h.id(),
	}
	n.Digest = "sha256:" + n.SHA256.String()
	if rapid.Bool().Draw(h.t, "both digests") {
		n.SHA512 = fmt.Sprintf("%0128x", n.SHA256[:])
	}
	if rapid.Bool().Draw(h.t, "keyed") {
		n.Blob.Key = fmt.Sprintf("%s.%d", n.SHA256, rapid.Int64().Draw(h.t, "upload"))
	}
	if n.Manifest {
		n.MediaType, n.ArtifactType = "application/vnd.oci.image.manifest.v1+json", h.name()
		if rapid.Bool().Draw(h.t, "with a subject") {
			n.Subject, n.Annotations = "sha256:"+h.digest().String(), []byte(`{ "a": "<b>" }`)
		}
		for range rapid.IntRange(0, 2).Draw(h.t, "children") {
			d := h.digest()
			n.Children = append(n.Children, store.Child{
				Digest: d.String(), Ref: packhouse.PartRef{SHA256: d}, Manifest: rapid.Bool().Draw(h.t, "of manifests"), Optional: h.create(),
			})
		}
		for range rapid.IntRange(0, 2).Draw(h.t, "tags") {
			n.Tags = append(n.Tags, h.name())
		}
	}
	return func(ctx context.Context, tx *store.Tx) error {
		_, _, err := tx.PutPart(ctx, by, n)
		return err
	}
}

func imageTagRemoval(h *history) step {
	remove := &ledger.ImageTagRemove{Place: ledger.Place{ProjectID: 1, RepositoryID: rapid.Int64Range(1, 3).Draw(h.t, "repository")}, Name: h.name()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func imageDeletion(h *history) step {
	remove := &ledger.PartDelete{Place: ledger.Place{ProjectID: 1, RepositoryID: 1}, ID: h.id()}
	return event(func(*store.Tx) ledger.Event { return remove })
}

func imageCollection(h *history) step {
	limit := rapid.IntRange(1, 5).Draw(h.t, "limit")
	return func(ctx context.Context, tx *store.Tx) error {
		_, _, err := tx.CollectParts(ctx, by, tx.Now().Add(time.Microsecond), limit)
		return err
	}
}
