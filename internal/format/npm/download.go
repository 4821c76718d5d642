package npm

import (
	"net/http"

	"packhouse"
	"packhouse/internal/format"
)

// download serves a tarball. Its name may leave out the scope.
func (NPM) download(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	name, err := wholeName(c.Arg("name"))
	if err != nil {
		return err
	}
	file := c.Arg("file")
	if scope := c.Arg("scope"); scope != "" {
		file = scope + "/" + file
	}
	number, ok := versionOf(name, file, ".tgz")
	if !ok {
		return errNotFound()
	}
	key, err := versionKey(number)
	if err != nil {
		return errNotFound() // nothing is published under such a number
	}
	from, err := source(c, name)
	if err != nil {
		return err
	}
	content, err := from.Open(r.Context(), packhouse.FileRef{Format: "npm", Package: name, Version: key, Path: tarballName(name, number)})
	if err != nil {
		return notFound(err)
	}
	defer content.Close()
	return format.ServeFile(w, r, content)
}
