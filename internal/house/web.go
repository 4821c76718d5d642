package house

import (
	"packhouse/internal/format/all"
	"packhouse/internal/web"
)

// web is what people see who come with a browser.
func (h *House) web(formats []string) *web.Protocol {
	return &web.Protocol{
		Store: h.Store, Directory: h.Directory, Registry: h.Registry, External: h.options.External, Formats: formats, Snippets: all.Snippets,
	}
}
