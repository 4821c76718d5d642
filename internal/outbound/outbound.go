// Package outbound makes the HTTP clients with which the server asks others.
//
// Where a user names the address, it could name one that only the server
// reaches: its own loopback, the network that it stands in, the metadata
// service of its cloud. A client looks at the address after the name was
// resolved and right before it connects, so that no name and no second answer
// of a name server leads there.
package outbound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Options configure a Client. The zero value reaches the public internet only.
type Options struct {
	// Allow are networks that may be asked although they are not public.
	Allow   []netip.Prefix
	Timeout time.Duration // of a request with its answer; 0 means 5 s
}

// ErrForbidden is why a client does not connect to an address.
var ErrForbidden = errors.New("the address is not on the public internet, and no option allows it")

// New makes a client. It uses no proxy, keeps no cookies, and follows a redirect
// only on the same scheme, host and port.
func New(opts Options) *http.Client {
	if opts.Timeout == 0 {
		opts.Timeout = 5 * time.Second
	}
	dialer := &net.Dialer{
		Timeout: opts.Timeout,
		Control: func(_, address string, _ syscall.RawConn) error { return check(address, opts.Allow) },
	}
	return &http.Client{
		Timeout:       opts.Timeout,
		CheckRedirect: sameOrigin,
		Transport: &http.Transport{
			DialContext: dialer.DialContext, ForceAttemptHTTP2: true, TLSHandshakeTimeout: opts.Timeout,
			ResponseHeaderTimeout: opts.Timeout, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost: 4, IdleConnTimeout: time.Minute,
		},
	}
}

func sameOrigin(r *http.Request, via []*http.Request) error {
	first := via[0].URL
	if r.URL.Scheme != first.Scheme || r.URL.Host != first.Host || len(via) > 3 {
		return fmt.Errorf("a redirect to %s is not followed", r.URL.Host)
	}
	return nil
}

func check(address string, allow []netip.Prefix) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if Allowed(at.Addr(), allow) {
		return nil
	}
	return fmt.Errorf("%s: %w", at.Addr(), ErrForbidden)
}

// special are networks that are not for everybody, beside those that package
// netip knows (https://www.iana.org/assignments/iana-ipv4-special-registry).
var special = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"), // between a provider and its customers
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b::/96"), // IPv4 behind IPv6, any of it
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("2001::/32"),
}

// Allowed reports whether an address is on the public internet or in one of the
// given networks.
func Allowed(addr netip.Addr, allow []netip.Prefix) bool {
	addr = addr.Unmap().WithZone("")
	for _, network := range allow {
		if network.Contains(addr) {
			return true
		}
	}
	for _, network := range special {
		if network.Contains(addr) {
			return false
		}
	}
	return addr.IsGlobalUnicast() && !addr.IsPrivate()
}

// Get fetches a document of at most limit bytes. Any status but
// 200, and a longer body, is an error.
func Get(ctx context.Context, client *http.Client, url string, limit int64) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Accept", "application/json")
	resp, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: status %d", url, resp.StatusCode)
	}
	return ReadAll(resp.Body, limit)
}

// ReadAll reads a body that must not be longer than limit bytes.
func ReadAll(body io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(data)) > limit {
		return nil, fmt.Errorf("the answer has more than %d bytes", limit)
	}
	return data, err
}
