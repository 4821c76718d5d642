package house

import (
	"packhouse/internal/authn"
	"packhouse/internal/signin"
)

// signIn is how people sign in with a browser.
func (h *House) signIn(who *authn.Authenticator) *signin.Protocol {
	return &signin.Protocol{
		Authn: who, Passwords: h.Passwords, Directory: h.Directory, Changes: h.Changes, Store: h.Store,
		External: h.options.External, Log: h.options.Log,
	}
}
