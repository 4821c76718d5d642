package generic

import (
	"net/http"

	"packhouse/internal/format"
)

// download serves a file, from a project or from whichever project of a group
// has the newest one. Where the store sends clients to a bucket, the checksum
// header is in the redirect.
func (Generic) download(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	at, err := parse(c)
	if err != nil {
		return err
	}
	content, err := c.Source.Open(r.Context(), at.ref())
	if err != nil {
		return err
	}
	defer content.Close()
	return format.ServeFile(w, r, content)
}
