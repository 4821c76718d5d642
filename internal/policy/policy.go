// Package policy holds the rules that may refuse a publish although the actor
// is allowed to publish. A rule is a pure function of an Operation; whoever
// publishes looks up what the operation needs and asks all rules.
package policy

import (
	"packhouse"
	"packhouse/internal/ledger"
)

// Operation is one file on its way into a version.
type Operation struct {
	Format     string
	Package    string // key
	Version    string // key
	Path       string
	Size       int64             // bytes; -1 while unknown
	Limit      int64             // largest size of a file of this format; 0 for any
	Copies     int               // live files of the same path in the same version
	Duplicates ledger.Duplicates // the setting that holds in the project
	Trust      *packhouse.Trust  // what the job that does it was trusted with; nil when it is no such job
}

// Rule judges operations. A rule has nothing to say (nil) or refuses with a
// packhouse.Error that names the rule, the reason and what to do.
type Rule interface {
	Judge(Operation) error
}

// Rules asks several rules in turn. The first refusal counts.
type Rules []Rule

// Standard are the rules of every installation.
func Standard() Rules { return Rules{Trust{}, Size{}, Duplicates{}} }

// Judge implements Rule.
func (rs Rules) Judge(op Operation) error {
	for _, r := range rs {
		if err := r.Judge(op); err != nil {
			return err
		}
	}
	return nil
}
