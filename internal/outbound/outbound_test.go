package outbound_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"packhouse/internal/outbound"
)

func TestAllowed(t *testing.T) {
	t.Parallel()
	private := []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("::1/128")}
	for addr, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "10.20.3.4": true, "::1": true, "::ffff:10.20.3.4": true,
		"127.0.0.1": false, "127.9.9.9": false, "::ffff:127.0.0.1": false, "10.0.0.1": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00:ec2::254": false, "0.0.0.0": false, "::": false,
		"100.64.0.1": false, "224.0.0.1": false, "ff02::1": false, "255.255.255.255": false, "240.0.0.1": false,
		"64:ff9b::a9fe:a9fe": false, "2002:7f00:1::": false, "198.18.0.1": false, "0.1.2.3": false, "192.0.0.8": false,
	} {
		if got := outbound.Allowed(netip.MustParseAddr(addr), private); got != want {
			t.Errorf("Allowed(%s) = %v, want %v", addr, got, want)
		}
	}
}

func TestClient(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/here":
			http.Redirect(w, r, "/", http.StatusFound)
		case "/there":
			http.Redirect(w, r, other.URL, http.StatusFound)
		case "/round":
			http.Redirect(w, r, "/round", http.StatusFound)
		default:
			_, _ = w.Write([]byte("0123456789"))
		}
	}))
	defer s.Close()
	if _, err := outbound.Get(t.Context(), outbound.New(outbound.Options{}), s.URL, 10); !errors.Is(err, outbound.ErrForbidden) {
		t.Errorf("Get from loopback = %v, want ErrForbidden", err)
	}
	byName := strings.Replace(s.URL, "127.0.0.1", "localhost", 1)
	if _, err := outbound.Get(t.Context(), outbound.New(outbound.Options{}), byName, 10); !errors.Is(err, outbound.ErrForbidden) {
		t.Errorf("Get from localhost = %v, want ErrForbidden", err)
	}
	client := outbound.New(outbound.Options{Allow: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	for path, limit := range map[string]int64{"/": 10, "/here": 10} {
		if data, err := outbound.Get(t.Context(), client, s.URL+path, limit); err != nil || string(data) != "0123456789" {
			t.Errorf("Get %s = %q, %v, want ten digits", path, data, err)
		}
	}
	for path, limit := range map[string]int64{"/": 9, "/there": 10, "/round": 10} {
		if data, err := outbound.Get(t.Context(), client, s.URL+path, limit); err == nil {
			t.Errorf("Get %s with a limit of %d = %q, want an error", path, limit, data)
		}
	}
}
