package policy_test

import (
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
)

// A rule blocks who is below its level, whoever else may do it, and grants nothing.
func TestProtection(t *testing.T) {
	job := func(j packhouse.Job) packhouse.Actor { return packhouse.Actor{Kind: packhouse.JobToken, Job: &j} }
	rule := func(p ledger.Protection) *ledger.Protection {
		p.Format = "npm"
		return &p
	}
	push := rule(ledger.Protection{Packages: "@Acme/*", Push: packhouse.Maintainer})
	remove := rule(ledger.Protection{Packages: "*", Delete: packhouse.Owner})
	released := rule(ledger.Protection{Packages: "*", Versions: "1.*", Push: packhouse.Owner})
	refs := rule(ledger.Protection{Packages: "*", From: ledger.FromProtectedRefs})
	images := func(p ledger.Protection) *ledger.Protection {
		p.Kind, p.Format = ledger.ProtectsRepositories, ledger.Images
		return &p
	}
	repository := images(ledger.Protection{Packages: "/api*", Push: packhouse.Owner})
	atRoot := images(ledger.Protection{Packages: "", Push: packhouse.Owner})
	every := images(ledger.Protection{Packages: "*", Delete: packhouse.Owner})
	ofImage := func(name string, verb policy.Verb) policy.Operation {
		return policy.Operation{Format: ledger.Images, Package: name, Name: strings.TrimSuffix("acme/shop/"+name, "/"), Verb: verb, Role: packhouse.Maintainer}
	}
	trusted := rule(ledger.Protection{Packages: "*", From: ledger.FromTrustedPublishers})
	for _, test := range []struct {
		name    string
		rule    *ledger.Protection
		op      policy.Operation
		refused bool
	}{
		{"below the level", push, policy.Operation{Package: "@acme/lib", Role: packhouse.Developer}, true},
		{"at the level", push, policy.Operation{Package: "@acme/lib", Role: packhouse.Maintainer}, false},
		{"another name", push, policy.Operation{Package: "lib", Role: packhouse.Developer}, false},
		{"another format", &ledger.Protection{Format: "pypi", Packages: "*", Push: packhouse.Owner}, policy.Operation{Package: "lib"}, false},
		{"the spelling that was sent", push, policy.Operation{Package: "x", Name: "@ACME/lib", Role: packhouse.Developer}, true},
		{"an administrator", push, policy.Operation{Package: "@acme/lib", Actor: packhouse.Actor{Admin: true}}, false},
		{"a deploy token", push, policy.Operation{Package: "@acme/lib", Role: packhouse.Owner, Actor: packhouse.Actor{Kind: packhouse.DeployToken}}, true},
		{"deleting is another thing", push, policy.Operation{Package: "@acme/lib", Verb: policy.Delete}, false},
		{"deleting", remove, policy.Operation{Package: "lib", Verb: policy.Delete, Role: packhouse.Maintainer}, true},
		{"deleting by an owner", remove, policy.Operation{Package: "lib", Verb: policy.Delete, Role: packhouse.Owner}, false},
		{"pushing where deleting is ruled", remove, policy.Operation{Package: "lib"}, false},
		{"the version", released, policy.Operation{Package: "lib", Version: "1.0.0", Role: packhouse.Maintainer}, true},
		{"another version", released, policy.Operation{Package: "lib", Version: "2.0.0", Role: packhouse.Maintainer}, false},
		{"a person where protected refs push", refs, policy.Operation{Package: "lib", Role: packhouse.Owner}, true},
		{"a job of another ref", refs, policy.Operation{Package: "lib", Role: packhouse.Owner, Actor: job(packhouse.Job{})}, true},
		{"a job of a protected ref", refs, policy.Operation{Package: "lib", Actor: job(packhouse.Job{Protected: true})}, false},
		{"a job that nobody vouched for", trusted, policy.Operation{Package: "lib", Actor: job(packhouse.Job{Protected: true})}, true},
		{"a job of a trusted publisher", trusted, policy.Operation{Package: "lib", Actor: job(packhouse.Job{Trust: &packhouse.Trust{}})}, false},
		{"a repository", repository, ofImage("api/v2", policy.Push), true},
		{"another repository", repository, ofImage("web/api", policy.Push), false},
		{"the root is another repository", repository, ofImage("", policy.Push), false},
		{"the root", atRoot, ofImage("", policy.Push), true},
		{"below the root", atRoot, ofImage("api", policy.Push), false},
		{"the root of every", every, ofImage("", policy.Delete), true},
		{"every repository", every, ofImage("api", policy.Delete), true},
		{"pushing where deleting a repository is ruled", every, ofImage("api", policy.Push), false},
		{"a package called as a repository", repository, policy.Operation{Package: "api"}, false},
		{"a package that is not known yet", remove, policy.Operation{Verb: policy.Delete}, false},
	} {
		if test.op.Protections = []*ledger.Protection{test.rule}; test.op.Format == "" {
			test.op.Format = "npm"
		}
		err := policy.Protection{}.Judge(test.op)
		if (err != nil) != test.refused || err != nil && packhouse.KindOf(err) != packhouse.Forbidden {
			t.Errorf("%s: Judge = %v, want a refusal: %v", test.name, err, test.refused)
		}
	}
}
