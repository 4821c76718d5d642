// Package policy holds the rules that may refuse a publish or a deletion although
// the actor is otherwise allowed to do that. A rule is a pure function of an Operation; whoever
// publishes looks up what the operation needs and asks all rules.
package policy

import (
	"packhouse"
	"packhouse/internal/ledger"
)

// Verb is what is done to a package.
type Verb uint8

// The verbs.
const (
	Push Verb = iota // publish, and change what is published
	Delete
)

// String returns the verb as it stands in messages.
func (v Verb) String() string {
	if v == Delete {
		return "delete"
	}
	return "push"
}

// Operation is one file on its way into a version, or another change of a package.
type Operation struct {
	Verb       Verb
	Format     string
	Package    string // key; "" while it is not known
	Name       string // the package as it is spelled; may be ""
	Version    string // key
	Number     string // the version as it is spelled; may be ""
	Path       string
	Size       int64             // bytes; -1 while unknown
	Limit      int64             // largest size of a file of this format; 0 for any
	Copies     int               // live files of the same path in the same version
	Duplicates ledger.Duplicates // the setting that holds in the project
	Trust      *packhouse.Trust  // what the job that does it was trusted with; nil when it is no such job

	Refusing *packhouse.Target // the nearest place that does not admit the format; nil for none

	// Protections are the rules that hold in the project. With them come who it is
	// and their role there. Of a repository of container images Package is what
	// follows the project's path, "" for nothing, and Name the full name.
	Protections []*ledger.Protection
	Actor       packhouse.Actor
	Role        packhouse.Role
}

// Rule judges operations. A rule has nothing to say (nil) or refuses with a
// packhouse.Error that names the rule, the reason and what to do.
type Rule interface {
	Judge(Operation) error
}

// Rules asks several rules in turn. The first refusal counts.
type Rules []Rule

// Standard are the rules of every installation.
func Standard() Rules { return Rules{Formats{}, Trust{}, Protection{}, Size{}, Duplicates{}} }

// Judge implements Rule.
func (rs Rules) Judge(op Operation) error {
	for _, r := range rs {
		if err := r.Judge(op); err != nil {
			return err
		}
	}
	return nil
}
