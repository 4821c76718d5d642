package gate

import (
	"errors"
	"net/http"
	"strings"
)

// Images is the gate for a listener of its own: it lets through to container images and
// to nothing else.
func (g *Gate) Images() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(w, r, true) })
}

// checkImages refuses an address of images with which clients would not find where to
// log in, or would find nothing else.
func checkImages(opts Options) error {
	switch {
	case opts.Images == nil:
		return nil
	case opts.External == nil:
		return errors.New("gate: Options.Images needs Options.External, where clients log in")
	case hostOf(opts.Images.Scheme, opts.Images.Host) == hostOf(opts.External.Scheme, opts.External.Host):
		return errors.New("gate: Options.Images and Options.External have one host")
	}
	return nil
}

// imagesAlone reports whether a request came to where only container images are: by a
// listener of theirs, or by their host.
func (p *passage) imagesAlone() bool {
	at := p.gate.options.Images
	if p.apart || at == nil {
		return p.apart
	}
	host := p.request.Host
	if forwarded := p.request.Header.Get("X-Forwarded-Host"); p.from.trusted && validHost(forwarded) {
		host = forwarded
	}
	return hostOf(at.Scheme, host) == hostOf(at.Scheme, at.Host)
}

// ImageHost implements format.Way.
func (p *passage) ImageHost() string {
	at := p.gate.options.Images
	if at == nil {
		at = p.Base()
	}
	return hostOf(at.Scheme, at.Host)
}

// hostOf is a host in the form in which two can be compared: in lower case, without the
// port that the scheme has anyway.
func hostOf(scheme, host string) string {
	usual := ":80"
	if scheme == "https" {
		usual = ":443"
	}
	return strings.TrimSuffix(strings.ToLower(host), usual)
}
