package gate_test

import (
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/gate"
)

// picture is a format whose protocol may have a host of its own.
type picture struct{ *fake }

// Mounts implements format.Mounter.
func (p picture) Mounts() []format.Mount {
	return []format.Mount{{Word: "v2", Images: true, Protocol: (&fake{name: "images"}).on(packhouse.Instance, "GET", "/", authz.Anyone,
		func(w http.ResponseWriter, _ *http.Request, c *format.Call) error {
			_, err := io.WriteString(w, c.ImageHost()+" of "+c.Base().String())
			return err
		})}}
}

// At the host of images and at their listener there is nothing but images, and
// everywhere they are called by the same name.
func TestImages(t *testing.T) {
	t.Parallel()
	address := func(text string) *url.URL {
		u, err := url.Parse(text)
		must(t, err)
		return u
	}
	r := open(t)
	r.API = (&fake{name: "api"}).on(packhouse.Instance, "GET", "/version", authz.Anyone, told("version"))
	r.Formats = []format.Format{picture{&fake{name: "picture"}}}
	r.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("192.0.2.1/32")} // where httptest sends from
	r.External, r.Images = address("https://pkgs.example.net"), address("https://Images.example.net:443")
	g, err := gate.New(r.Options)
	must(t, err)
	const here = "images.example.net of https://pkgs.example.net"
	for _, test := range []struct {
		name    string
		through http.Handler
		host    string
		path    string
		status  int
	}{
		{"images at the main host", g, "Host: pkgs.example.net", "/v2/", 200},
		{"the rest at the main host", g, "Host: pkgs.example.net", "/api/v4/version", 200},
		{"images at theirs", g, "Host: images.example.net", "/v2/", 200},
		{"images at theirs with a port", g, "Host: IMAGES.example.net:443", "/v2/", 200},
		{"the rest at that of images", g, "Host: images.example.net", "/api/v4/version", 404},
		{"the rest there, by a proxy", g, "X-Forwarded-Host: images.example.net:443", "/api/v4/version", 404},
		{"the rest at another port", g, "Host: images.example.net:8443", "/api/v4/version", 200},
		{"images at the listener", g.Images(), "Host: 10.0.0.1:5050", "/v2/", 200},
		{"the rest at the listener", g.Images(), "Host: pkgs.example.net", "/api/v4/version", 404},
		{"the root of the listener", g.Images(), "Host: pkgs.example.net", "/", 404},
		{"a bad path at the listener", g.Images(), "Host: pkgs.example.net", "/api/v4/%2e%2e", 400},
	} {
		a := ask(test.through, "GET", test.path, nil, test.host)
		if a.Code != test.status || test.path == "/v2/" && a.Body.String() != here {
			t.Errorf("%s: %d %q, want %d", test.name, a.Code, a.Body, test.status)
		}
	}
	for _, external := range []*url.URL{nil, address("https://images.example.net/pkgs")} {
		r.External = external
		if _, err := gate.New(r.Options); err == nil || !strings.Contains(err.Error(), "Options.Images") {
			t.Errorf("New with images beside %v = %v", external, err)
		}
	}
}
