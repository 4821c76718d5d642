package nuget

import (
	"net/http"

	"packhouse"
	"packhouse/internal/format"
)

// errAbsent is the refusal that says nothing about what there is.
func errAbsent() error { return packhouse.Errorf(packhouse.NotFound, "404 Package Not Found") }

// badArchive is the refusal of a package that is no package.
func badArchive(problem string) error {
	return &packhouse.Error{
		Kind: packhouse.Invalid, Rule: "archive", Message: "the package is refused: " + problem,
		Fix: "pack it again with dotnet pack or nuget pack",
	}
}

// WriteError implements format.Format. What exists is a 409, on which clients go
// on with --skip-duplicate; what is too large is a 400 here, as in GitLab.
func (NuGet) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	shown := *e
	switch {
	case e.Kind == packhouse.Unauthenticated:
		format.Challenge(w.Header())
	case e.Kind == packhouse.Conflict && e.Rule == "duplicates":
		shown.Message = "A package with the same name and version already exists"
	case e.Kind == packhouse.TooLarge:
		shown.Kind = packhouse.Invalid
	}
	format.GitLabError(w, &shown)
}
