package pypi

import (
	"net/http"

	"packhouse"
	"packhouse/internal/format"
)

// taken is the refusal of a file that is there. twine 4 and poetry know it by
// its words, as GitLab has them, or by the "already exist" of the advice.
const taken = "Validation failed: File name has already been taken"

func errTaken() error {
	return &packhouse.Error{
		Kind: packhouse.Conflict, Rule: "duplicates", Message: taken,
		Fix: "it already exists; publish under a new version, or delete the file first",
	}
}

// errAbsent is the refusal that says nothing about what there is.
func errAbsent() error { return packhouse.Errorf(packhouse.NotFound, "404 Package Not Found") }

// WriteError implements format.Format. What exists already and what is too large
// is a 400 here, as in GitLab.
func (PyPI) WriteError(w http.ResponseWriter, _ *http.Request, e *packhouse.Error) {
	shown := *e
	switch e.Kind {
	case packhouse.Unauthenticated:
		format.Challenge(w.Header())
	case packhouse.Conflict:
		shown.Kind, shown.Message = packhouse.Invalid, taken
	case packhouse.TooLarge:
		shown.Kind = packhouse.Invalid
	}
	format.GitLabError(w, &shown)
}
