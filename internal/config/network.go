package config

import (
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

func parseAddress(text string, v *kong.Value) (any, error) {
	if text == "" && v != nil && v.Default == "" {
		return text, nil // none
	}
	host, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil || strings.ContainsAny(host, " /@") {
		return nil, wrong("is not an address with a port", "write HOST:PORT, such as 127.0.0.1:8080, or :8080 for all addresses")
	}
	return text, nil
}

// parseURL reads the public address. A slash at the end is dropped, so that
// paths can be put behind it.
func parseURL(text string, _ *kong.Value) (any, error) {
	const right = "write an address such as https://packages.example.com"
	if text == "" {
		return (*url.URL)(nil), nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "":
		return nil, wrong("is not a URL", right)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, wrong("is neither http nor https", right)
	case u.User != nil:
		return nil, wrongSecret("the value has a user name or password", right)
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.Contains(text, "#"):
		return nil, wrong("has a query or a fragment", right)
	}
	u.Path, u.RawPath = strings.TrimRight(u.Path, "/"), strings.TrimRight(u.RawPath, "/")
	return u, nil
}

// parseBucket reads the address of a bucket as far as is needed to keep secrets
// out of it; the store reads the rest.
func parseBucket(text string, _ *kong.Value) (any, error) {
	const right = "write an address such as s3://bucket?region=eu-1"
	if text == "" {
		return "", nil
	}
	u, err := url.Parse(text)
	switch {
	case strings.Contains(text, "@"):
		return nil, wrongSecret("the value has a key in it", "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead, or use a credentials file")
	case err != nil || u.Scheme != "s3" || u.Host == "":
		return nil, wrong("is not the address of a bucket", right)
	}
	return text, nil
}

func formatURL(value any) string {
	if u := value.(*url.URL); u != nil {
		return u.String()
	}
	return ""
}

// parseNetworks reads a list of networks; an address is the network of itself
// alone. IPv4 addresses written as IPv6 become IPv4, because those of clients do.
// The result is never nil, so that an empty list can be told from none.
func parseNetworks(text string, _ *kong.Value) (any, error) {
	list := []netip.Prefix{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		network, err := parseNetwork(item)
		if err != nil {
			return nil, wrong("has "+strconv.Quote(item)+", which is no network",
				"write addresses and networks with commas between them, such as 10.0.0.0/8,::1")
		}
		list = append(list, network)
	}
	return list, nil
}

func parseNetwork(item string) (netip.Prefix, error) {
	network, err := netip.ParsePrefix(item)
	if err != nil {
		addr, err := netip.ParseAddr(item)
		if err != nil {
			return netip.Prefix{}, err
		}
		network = netip.PrefixFrom(addr.WithZone(""), addr.BitLen())
	}
	if addr := network.Addr(); addr.Is4In6() && network.Bits() >= 96 {
		network = netip.PrefixFrom(addr.Unmap(), network.Bits()-96)
	}
	return network.Masked(), nil
}

func formatNetworks(value any) string {
	var b strings.Builder
	for i, network := range value.([]netip.Prefix) {
		if i > 0 {
			b.WriteByte(',')
		}
		if network.IsSingleIP() {
			b.WriteString(network.Addr().String())
			continue
		}
		b.WriteString(network.String())
	}
	return b.String()
}
