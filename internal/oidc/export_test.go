package oidc

import "time"

// SetNow gives the issuers another clock.
func (is *Issuers) SetNow(now func() time.Time) { is.options.Now = now }
