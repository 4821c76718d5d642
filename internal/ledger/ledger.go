// Package ledger holds the words in which the registry writes down its history:
// one Entry for every change of state, in the order in which the changes
// happened.
//
// An Event carries everything that its change needs, ids included, so that the
// store can apply it to its tables without asking anybody. The store changes no
// table in any other way; replaying the ledger into an empty store therefore
// gives the same tables (storetest proves it on random histories). Whoever keeps
// something in memory, such as the directory, applies the same events to it.
package ledger

import (
	"encoding/json"
	"fmt"
	"time"

	"packhouse"
)

// Entry is one line of the ledger. Entries are numbered from 1 without gaps.
type Entry struct {
	Seq   int64
	At    time.Time // UTC, microseconds
	By    By
	Event Event
}

// By says who caused an entry. The zero By is the server itself.
type By struct {
	Kind      packhouse.ActorKind `json:"kind"`
	UserID    int64               `json:"user,omitempty"`
	TokenID   int64               `json:"token,omitempty"`
	Name      string              `json:"name,omitempty"`
	JobID     int64               `json:"job,omitempty"`
	RequestID string              `json:"request,omitempty"`
	SudoID    int64               `json:"sudo,omitempty"` // the administrator who acted as the user
}

// Of describes an actor for the ledger.
func Of(a packhouse.Actor, requestID string) By {
	by := By{Kind: a.Kind, UserID: a.UserID, TokenID: a.TokenID, Name: a.Name, RequestID: requestID, SudoID: a.SudoID}
	if a.Job != nil {
		by.JobID = a.Job.ID
	}
	return by
}

// Event is one change. Its JSON form is the entry's payload, so fields are
// added, never renamed or reused. Secrets never enter an event; tokens appear
// as digests of long random values.
type Event interface {
	// Verb names the kind of change: "version.publish".
	Verb() string
	// Object names what changed, as a path: "projects/31/generic/tool/1.0.0".
	Object() string
}

// events makes an empty event for each verb, for Decode.
var events = map[string]func() Event{}

func register[E any, P interface {
	*E
	Event
}](verb string) string {
	events[verb] = func() Event { return P(new(E)) }
	return verb
}

// Decode reads an event back from its verb and payload.
func Decode(verb string, payload []byte) (Event, error) {
	make, ok := events[verb]
	if !ok {
		return nil, fmt.Errorf("ledger: unknown verb %q", verb)
	}
	e := make()
	if err := json.Unmarshal(payload, e); err != nil {
		return nil, fmt.Errorf("ledger: payload of %q: %w", verb, err)
	}
	return e, nil
}
