package signin

import (
	"net/http"

	"packhouse"
	"packhouse/internal/format"
)

// Provider is a provider of single sign-on (OpenID Connect).
type Provider struct {
	Name  string // in addresses
	Label string // for people
}

func (p *Protocol) leave(http.ResponseWriter, *http.Request, *format.Call) error {
	return packhouse.Errorf(packhouse.NotFound, "404 Not Found")
}
func (p *Protocol) arrive(http.ResponseWriter, *http.Request, *format.Call) error {
	return packhouse.Errorf(packhouse.NotFound, "404 Not Found")
}
