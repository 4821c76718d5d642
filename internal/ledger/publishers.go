package ledger

import (
	"fmt"
	"time"

	"packhouse"
)

// Publisher is a trusted publisher: a rule by which an ID token of another
// issuer, such as that of a CI job, is exchanged for a job token.
type Publisher struct {
	ID       int64            `json:"id"`
	Target   packhouse.Target `json:"target"` // level and id: where its jobs belong
	Name     string           `json:"name"`
	Issuer   string           `json:"issuer"`   // compared as it is with the claim "iss"
	Audience string           `json:"audience"` // compared as it is with the claim "aud"
	// Claims have to be equal, ClaimPatterns to match (packhouse.Matches).
	Claims        map[string]string `json:"claims"`
	ClaimPatterns map[string]string `json:"claim_patterns,omitempty"`

	Publish  bool          `json:"publish"`            // else its jobs only read
	Formats  []string      `json:"formats,omitempty"`  // that they may publish; none means all
	Packages string        `json:"packages,omitempty"` // pattern of the names; "" means all
	MaxLife  time.Duration `json:"max_life"`           // of the job tokens
	RunAs    int64         `json:"run_as"`             // the user that they act as

	Revision  int64     `json:"revision"` // counts the changes; tokens of another revision are dead
	CreatorID int64     `json:"creator_id,omitempty"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

type (
	// PublisherPut creates or replaces a trusted publisher.
	PublisherPut struct {
		Create    bool      `json:"create,omitempty"`
		Publisher Publisher `json:"publisher"`
	}
	// PublisherRemove ends a trusted publisher, and the tokens made by it.
	PublisherRemove struct {
		Target packhouse.Target `json:"target"`
		ID     int64            `json:"id"`
	}
)

var (
	verbPublisherPut    = register[PublisherPut]("publisher.put")
	verbPublisherRemove = register[PublisherRemove]("publisher.remove")
)

// Verb implements Event.
func (*PublisherPut) Verb() string { return verbPublisherPut }

// Verb implements Event.
func (*PublisherRemove) Verb() string { return verbPublisherRemove }

// Object implements Event.
func (e *PublisherPut) Object() string { return publisherObject(e.Publisher.Target, e.Publisher.ID) }

// Object implements Event.
func (e *PublisherRemove) Object() string { return publisherObject(e.Target, e.ID) }

func publisherObject(t packhouse.Target, id int64) string {
	return fmt.Sprintf("%s/trusted_publishers/%d", targetObject(t), id)
}
