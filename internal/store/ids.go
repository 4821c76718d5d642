package store

import "packhouse/internal/ledger"

// heads is the row that whoever writes holds: the position of the ledger and
// the last id given out of each kind.
type heads struct {
	seq                                                 int64
	user, namespace, project, token, pkg, version, file int64
	publisher, protection, repository, part             int64
}

const (
	selectHeads = `
		SELECT seq, user_id, namespace_id, project_id, token_id, package_id, version_id, file_id, publisher_id,
			protection_id, repository_id, part_id
		FROM heads WHERE one = 1`
	updateHeads = `
		UPDATE heads SET seq = $1, user_id = $2, namespace_id = $3, project_id = $4, token_id = $5,
			package_id = $6, version_id = $7, file_id = $8, publisher_id = $9,
			protection_id = $10, repository_id = $11, part_id = $12
		WHERE one = 1`
)

func (h *heads) fields() []any {
	return []any{
		&h.seq, &h.user, &h.namespace, &h.project, &h.token, &h.pkg, &h.version, &h.file, &h.publisher,
		&h.protection, &h.repository, &h.part,
	}
}

func (h *heads) values() []any {
	return []any{
		h.seq, h.user, h.namespace, h.project, h.token, h.pkg, h.version, h.file, h.publisher,
		h.protection, h.repository, h.part,
	}
}

// The New…ID methods give out ids that were never used before. An id given out
// in a transaction that is undone is given out again.

// NewUserID gives out the next user id.
func (tx *Tx) NewUserID() int64 { return next(&tx.heads.user) }

// NewNamespaceID gives out the next group id.
func (tx *Tx) NewNamespaceID() int64 { return next(&tx.heads.namespace) }

// NewProjectID gives out the next project id.
func (tx *Tx) NewProjectID() int64 { return next(&tx.heads.project) }

// NewTokenID gives out the next token id.
func (tx *Tx) NewTokenID() int64 { return next(&tx.heads.token) }

// NewPublisherID gives out the next id of a trusted publisher.
func (tx *Tx) NewPublisherID() int64 { return next(&tx.heads.publisher) }

// NewProtectionID gives out the next id of a protection.
func (tx *Tx) NewProtectionID() int64 { return next(&tx.heads.protection) }

func next(head *int64) int64 {
	*head++
	return *head
}

// include raises the heads to cover the ids of an event, whoever chose them: an
// administrator may choose a project's id, and replayed events bring their own.
func (h *heads) include(event ledger.Event) {
	switch e := event.(type) {
	case *ledger.UserPut:
		h.user = max(h.user, e.User.ID)
	case *ledger.NamespacePut:
		h.namespace = max(h.namespace, e.Namespace.ID)
	case *ledger.ProjectPut:
		h.project = max(h.project, e.Project.ID)
	case *ledger.TokenPut:
		h.token = max(h.token, e.Token.ID)
	case *ledger.PublisherPut:
		h.publisher = max(h.publisher, e.Publisher.ID)
	case *ledger.ProtectionPut:
		h.protection = max(h.protection, e.Protection.ID)
	case *ledger.RepositoryPut:
		h.repository = max(h.repository, e.RepositoryID)
	case *ledger.PartPut:
		h.part = max(h.part, e.ID)
	case *ledger.Publish:
		h.pkg = max(h.pkg, e.PackageID)
		h.version = max(h.version, e.VersionID)
		for _, f := range e.Files {
			h.file = max(h.file, f.ID)
		}
	}
}
