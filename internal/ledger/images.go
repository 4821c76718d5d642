package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"packhouse"
)

// Place names a repository of container images. Every event about images carries
// one, so that caches know what to drop without asking the store.
type Place struct {
	ProjectID    int64  `json:"project_id"`
	RepositoryID int64  `json:"repository_id"`
	Repository   string `json:"repository"`
}

// String returns the place as a path: "projects/31/container/api".
func (p Place) String() string {
	return fmt.Sprintf("projects/%d/container/%s", p.ProjectID, p.Repository)
}

// Placement returns the place itself. It makes every event that carries one Placed.
func (p Place) Placement() Place { return p }

// Placed is an event about one repository of container images.
type Placed interface {
	Event
	Placement() Place
}

// The events of container images.
type (
	// RepositoryPut makes a repository.
	RepositoryPut struct {
		Place
	}
	// RepositoryClear ends all that is in a repository.
	RepositoryClear struct {
		Place
	}
	// PartPut puts a blob or a manifest into a repository. What a manifest names
	// is there, as the children.
	PartPut struct {
		Place
		ID           int64               `json:"id"`
		Manifest     bool                `json:"manifest,omitempty"`
		SHA256       packhouse.Digest    `json:"sha256"`
		SHA512       string              `json:"sha512,omitempty"`
		Digest       string              `json:"digest"`
		Size         int64               `json:"size"`
		MediaType    string              `json:"media_type,omitempty"`
		Subject      string              `json:"subject,omitempty"`
		ArtifactType string              `json:"artifact_type,omitempty"`
		Annotations  json.RawMessage     `json:"annotations,omitempty"`
		Children     []int64             `json:"children,omitempty"`
		CreatorID    int64               `json:"creator_id,omitempty"`
		Pipeline     *packhouse.Pipeline `json:"pipeline,omitempty"`
	}
	// PartDigest makes the SHA-512 of a part known, by which it can be asked for
	// from then on.
	PartDigest struct {
		Place
		ID     int64  `json:"id"`
		SHA512 string `json:"sha512"`
	}
	// PartDelete ends a blob or a manifest, with the tags that point at it.
	PartDelete struct {
		Place
		ID int64 `json:"id"`
	}
	// ImageTagPut points a tag at a manifest, moving it if it exists.
	ImageTagPut struct {
		Place
		Name   string `json:"name"`
		PartID int64  `json:"part_id"`
	}
	// ImageTagRemove takes a tag away.
	ImageTagRemove struct {
		Place
		Name string `json:"name"`
	}
	// PartPurge gives up the bytes of deleted blobs and manifests for good.
	PartPurge struct {
		IDs    []int64   `json:"ids"`
		Before time.Time `json:"before"` // they were deleted before this time
	}
)

var (
	verbRepositoryPut  = register[RepositoryPut]("repository.put")
	verbRepoClear      = register[RepositoryClear]("repository.clear")
	verbPartPut        = register[PartPut]("image.put")
	verbPartDigest     = register[PartDigest]("image.digest")
	verbPartDelete     = register[PartDelete]("image.delete")
	verbImageTagPut    = register[ImageTagPut]("image.tag.put")
	verbImageTagRemove = register[ImageTagRemove]("image.tag.remove")
	verbPartPurge      = register[PartPurge]("image.purge")
)

// Verb implements Event.
func (*RepositoryPut) Verb() string { return verbRepositoryPut }

// Verb implements Event.
func (*RepositoryClear) Verb() string { return verbRepoClear }

// Verb implements Event.
func (*PartPut) Verb() string { return verbPartPut }

// Verb implements Event.
func (*PartDigest) Verb() string { return verbPartDigest }

// Verb implements Event.
func (*PartDelete) Verb() string { return verbPartDelete }

// Verb implements Event.
func (*ImageTagPut) Verb() string { return verbImageTagPut }

// Verb implements Event.
func (*ImageTagRemove) Verb() string { return verbImageTagRemove }

// Verb implements Event.
func (*PartPurge) Verb() string { return verbPartPurge }

// Object implements Event.
func (e *RepositoryPut) Object() string { return e.Place.String() }

// Object implements Event.
func (e *RepositoryClear) Object() string { return e.Place.String() }

// Object implements Event.
func (e *PartPut) Object() string { return fmt.Sprintf("%s@%s", e.Place, e.Digest) }

// Object implements Event.
func (e *PartDigest) Object() string { return fmt.Sprintf("%s/parts/%d", e.Place, e.ID) }

// Object implements Event.
func (e *PartDelete) Object() string { return fmt.Sprintf("%s/parts/%d", e.Place, e.ID) }

// Object implements Event.
func (e *ImageTagPut) Object() string { return fmt.Sprintf("%s/tags/%s", e.Place, e.Name) }

// Object implements Event.
func (e *ImageTagRemove) Object() string { return fmt.Sprintf("%s/tags/%s", e.Place, e.Name) }

// Object implements Event.
func (e *PartPurge) Object() string { return fmt.Sprintf("parts/%d", len(e.IDs)) }
