package house

import (
	"net/url"

	"packhouse/internal/authn"
	"packhouse/internal/gitlab"
)

// Upstream is the real GitLab that is asked about tokens which are not ours.
type Upstream struct {
	URL           *url.URL         // nil for none
	Projects      map[int64]string // paths here by numbers there; others are those of the same path
	Prefixes      []string         // of access tokens that it is asked about, beside those of jobs
	ExternalUsers bool             // make an external user for one who is not known here
}

func (h *House) upstream() *authn.Upstream {
	o := h.options.Upstream
	if o.URL == nil {
		return nil
	}
	u := &authn.Upstream{Client: gitlab.New(gitlab.Options{URL: o.URL}), Projects: o.Projects, Prefixes: o.Prefixes}
	if o.ExternalUsers {
		u.Changes = h.Changes
	}
	return u
}
