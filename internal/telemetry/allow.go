package telemetry

import (
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// loopback is this machine.
var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// allowed reports whether a request comes from the given networks. A request
// that says it came through proxies is allowed when every address that it names
// is: a proxy on this machine would else let everybody in. The addresses need
// not be true, because a lie can only take access away.
func allowed(r *http.Request, networks []netip.Prefix) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil || !within(networks, peer.Addr()) {
		return false
	}
	if len(r.Header["Forwarded"]) > 0 {
		return false // RFC 7239 allows names that are no addresses
	}
	for _, name := range [...]string{"X-Forwarded-For", "X-Real-Ip"} {
		for _, value := range r.Header[name] {
			for hop := range strings.SplitSeq(value, ",") {
				addr, err := netip.ParseAddr(strings.TrimSpace(hop))
				if err != nil || !within(networks, addr) {
					return false
				}
			}
		}
	}
	return true
}

func within(networks []netip.Prefix, addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(addr) })
}
