package house

import (
	"net/netip"

	"packhouse/internal/authn"
	"packhouse/internal/oidc"
	"packhouse/internal/signin"
)

var everywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}

// signIn is how people sign in with a browser.
func (h *House) signIn(who *authn.Authenticator) *signin.Protocol {
	return &signin.Protocol{
		Authn: who, Passwords: h.Passwords, Directory: h.Directory, Changes: h.Changes, Store: h.Store,
		External: h.options.External, Log: h.options.Log, Providers: h.options.Providers,
		// Whom the operator names may be anywhere.
		Issuers: oidc.NewIssuers(oidc.IssuerOptions{Allow: everywhere}),
	}
}
