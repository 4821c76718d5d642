package gate

import (
	"crypto/rand"
	"encoding/hex"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
)

// forwarded is what is known about a request's way here.
type forwarded struct {
	trusted bool       // it came through a proxy that we believe
	client  netip.Addr // who sent it
}

// proxied finds who sent a request. Behind trusted proxies that is the last
// address of X-Forwarded-For that is not a trusted proxy itself; what stands
// before it may be invented.
func (g *Gate) proxied(r *http.Request) forwarded {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return forwarded{}
	}
	f := forwarded{client: plain(peer.Addr())}
	if f.trusted = g.trusts(f.client); !f.trusted {
		return f
	}
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0; i-- {
		hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
		if err != nil {
			break
		}
		if f.client = plain(hop); !g.trusts(f.client) {
			break
		}
	}
	return f
}

// plain is an address in the form in which prefixes contain it: an IPv4 address
// as such, and no zone.
func plain(addr netip.Addr) netip.Addr { return addr.Unmap().WithZone("") }

func (g *Gate) trusts(addr netip.Addr) bool {
	for _, p := range g.options.TrustedProxies {
		if p.Contains(addr) {
			return true
		}
	}
	return false
}

// Base implements format.Way. The public address of the server is as configured,
// else as a trusted proxy says, else as the client wrote it.
func (p *passage) Base() *url.URL {
	r := p.request
	if p.gate.options.External != nil {
		return p.gate.options.External
	}
	u := &url.URL{Scheme: "http", Host: r.Host}
	if r.TLS != nil {
		u.Scheme = "https"
	}
	if p.from.trusted {
		if proto := r.Header.Get("X-Forwarded-Proto"); proto == "http" || proto == "https" {
			u.Scheme = proto
		}
		if host := r.Header.Get("X-Forwarded-Host"); validHost(host) {
			u.Host = host
		}
	}
	if !validHost(u.Host) {
		u.Host = "localhost"
	}
	return u
}

// validHost reports whether a host can stand in a link: a name or address with
// an optional port, and nothing that ends it early.
func validHost(host string) bool {
	if host == "" || len(host) > 255 {
		return false
	}
	name, port, hasPort := strings.Cut(host, ":")
	if strings.HasPrefix(host, "[") {
		inner, rest, closed := strings.Cut(host[1:], "]")
		if addr, err := netip.ParseAddr(inner); err != nil || !closed || !addr.Is6() || addr.Zone() != "" {
			return false
		}
		name, port, hasPort = "v6", strings.TrimPrefix(rest, ":"), rest != ""
		if hasPort && rest[0] != ':' {
			return false
		}
	}
	if _, err := strconv.ParseUint(port, 10, 16); hasPort && err != nil {
		return false
	}
	for i := range len(name) {
		if c := name[i]; !isTokenByte(c) && c != '.' {
			return false
		}
	}
	return name != ""
}

var (
	idPrefix = func() string {
		var b [6]byte
		rand.Read(b[:])
		return hex.EncodeToString(b[:])
	}()
	idCount atomic.Uint64
)

// requestID takes over the id that a trusted proxy gave the request, or makes
// one that is unique across restarts.
func requestID(r *http.Request, trusted bool) string {
	if trusted {
		if id := r.Header.Get("X-Request-Id"); id != "" && len(id) <= 64 && isToken(id) {
			return id
		}
	}
	return idPrefix + "-" + strconv.FormatUint(idCount.Add(1), 36)
}

func isToken(s string) bool {
	for i := range len(s) {
		if !isTokenByte(s[i]) {
			return false
		}
	}
	return true
}

func isTokenByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_'
}
