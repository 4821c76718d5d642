package oidc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"packhouse"
	"packhouse/internal/ledger"
)

// mismatch says why a publisher does not take a token; "" when it does. It is
// for the log: whoever sent the token is not told what is configured here.
func mismatch(p *ledger.Publisher, c Claims) string {
	// A token for several audiences can be shown here by all of them.
	if audience := c.Texts("aud"); len(audience) != 1 || audience[0] != p.Audience {
		return fmt.Sprintf("aud is %q", audience)
	}
	for name, want := range p.Claims {
		if got, ok := c.Text(name); !ok || got != want {
			return fmt.Sprintf("%s is %q", name, got)
		}
	}
	for name, pattern := range p.ClaimPatterns {
		if got, ok := c.Text(name); !ok || !packhouse.Matches(pattern, got) {
			return fmt.Sprintf("%s is %q", name, got)
		}
	}
	return proposal(p, c)
}

// proposals are claims by whose value a run is known to be about a change that
// somebody proposes, perhaps a stranger: GitHub's events and GitLab's sources.
var proposals = map[string][]string{
	"event_name":      {"pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment", "issue_comment"},
	"pipeline_source": {"merge_request_event", "external_pull_request_event"},
}

// proposedRefs are where both keep the commits of such changes.
var proposedRefs = map[string]string{"ref": "refs/pull/", "ref_path": "refs/merge-requests/"}

// proposal refuses such runs unless the publisher names the claim itself.
func proposal(p *ledger.Publisher, c Claims) string {
	for name, values := range proposals {
		if got, _ := c.Text(name); slices.Contains(values, got) && !names(p, name) {
			return fmt.Sprintf("%s is %q, which a publisher has to name", name, got)
		}
	}
	for name, prefix := range proposedRefs {
		if got, _ := c.Text(name); strings.HasPrefix(got, prefix) && !names(p, name) {
			return fmt.Sprintf("%s is %q, which a publisher has to name", name, got)
		}
	}
	return ""
}

func names(p *ledger.Publisher, claim string) bool {
	_, exact := p.Claims[claim]
	_, pattern := p.ClaimPatterns[claim]
	return exact || pattern
}

// choose orders the publishers that take a token for a project, the first being
// the one that is used: the nearest, then one that publishes, then the oldest.
func choose(list []*ledger.Publisher) *ledger.Publisher {
	return slices.MinFunc(list, func(a, b *ledger.Publisher) int {
		return cmp.Or(-cmp.Compare(a.Target.Level, b.Target.Level), -compareBool(a.Publish, b.Publish), cmp.Compare(a.ID, b.ID))
	})
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// takes reports whether a publisher's jobs may publish a package, or some package
// of a format when a client such as twine does not say which; the job token is
// held to the pattern when it publishes.
func takes(p *ledger.Publisher, format, pkg string) bool {
	if format == "" {
		return true
	}
	return (len(p.Formats) == 0 || slices.Contains(p.Formats, format)) &&
		(p.Packages == "" || pkg == "" || packhouse.Matches(strings.ToLower(p.Packages), strings.ToLower(pkg)))
}
