package container

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strconv"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// begin begins to upload a blob, takes it whole, or mounts it from elsewhere.
func begin(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	repo := c.Hosted.Repository(c.Rest)
	query := r.URL.Query()
	if digest := query.Get("digest"); digest != "" {
		ref, err := packhouse.ParsePartRef(digest)
		if err != nil {
			return err
		}
		if _, err := repo.PutBlob(r.Context(), r.Body, r.ContentLength, digest, ref); err != nil {
			return err
		}
		return stored(w, c, digest)
	}
	if digest := query.Get("mount"); digest != "" {
		if ref, err := packhouse.ParsePartRef(digest); err == nil {
			part, err := mount(r.Context(), c, repo, digest, ref, query)
			if err != nil {
				return err
			}
			if part != nil {
				return stored(w, c, digest)
			}
		}
	}
	algorithm := query.Get("digest-algorithm")
	switch algorithm {
	case "", "sha256", "sha512":
	default:
		return &packhouse.Error{Kind: packhouse.Invalid, Rule: "digest", Message: "the digest algorithm is not known", Fix: "use sha256 or sha512"}
	}
	id, err := repo.Begin(r.Context(), algorithm == "sha512")
	if err != nil {
		return err
	}
	progress(w, c, id, 0)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// mount takes a blob over from a repository that the actor may pull from. Whatever
// stands against it, nil is the answer, and the client uploads: nobody learns what
// others have.
func mount(ctx context.Context, c *format.Call, repo *registry.HostedRepository, digest string, ref packhouse.PartRef, query url.Values) (*packhouse.Part, error) {
	if from := query.Get("from"); from != "" || query.Has("from") {
		target, rest, ok := c.Named(from)
		if !ok || checkName(from) != nil || !mayPull(c, target.ID) {
			return nil, nil //nolint:nilerr // see above
		}
		return repo.Mount(ctx, digest, ref, target.ID, rest)
	}
	holders, err := repo.Holders(ctx, ref)
	if err != nil {
		return nil, err
	}
	for _, h := range holders {
		if !mayPull(c, h.ProjectID) {
			continue
		}
		if part, err := repo.Mount(ctx, digest, ref, h.ProjectID, h.Name); part != nil || err != nil {
			return part, err
		}
	}
	return nil, nil
}

func mayPull(c *format.Call, projectID int64) bool {
	_, err := c.Decide(packhouse.Project, projectID, authz.PullImages)
	return err == nil
}

// stored answers that a blob is there.
func stored(w http.ResponseWriter, c *format.Call, digest string) error {
	h := w.Header()
	h.Set("Location", "/v2/"+c.Arg("name")+"/blobs/"+digest)
	h.Set("Docker-Content-Digest", digest)
	h.Set("Content-Length", "0")
	w.WriteHeader(http.StatusCreated)
	return nil
}

// progress says how far an upload is. That nothing came and that one byte came look
// the same; all clients cope (the specification leaves it open).
func progress(w http.ResponseWriter, c *format.Call, id string, size int64) {
	h := w.Header()
	h.Set("Location", "/v2/"+c.Arg("name")+"/blobs/uploads/"+id)
	h.Set("Range", "0-"+strconv.FormatInt(max(size-1, 0), 10))
	h.Set("Docker-Upload-Uuid", id)
	h.Set("Content-Length", "0")
}

// uploaded says how far an upload is.
func uploaded(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	by, err := c.In(c.Target.ID, authz.PushImages)
	if err != nil {
		return err
	}
	size, err := by.Repository(c.Rest).Uploaded(r.Context(), c.Arg("id"))
	if err != nil {
		return err
	}
	progress(w, c, c.Arg("id"), size)
	w.Header().Del("Content-Length")
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// appendPiece adds a piece to an upload.
func appendPiece(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	piece, err := pieceOf(r)
	if err != nil {
		return err
	}
	size, err := c.Hosted.Repository(c.Rest).Append(r.Context(), c.Arg("id"), piece)
	if err != nil {
		return where(w, c, err)
	}
	progress(w, c, c.Arg("id"), size)
	w.WriteHeader(http.StatusAccepted)
	return nil
}

// where adds to the refusal of a piece that belongs elsewhere where that is.
func where(w http.ResponseWriter, c *format.Call, err error) error {
	var misplaced *registry.Misplaced
	if errors.As(err, &misplaced) {
		progress(w, c, c.Arg("id"), misplaced.Size)
		w.Header().Del("Content-Length")
	}
	return err
}

// finish makes an upload a blob. A digest that it cannot have ends it.
func finish(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	repo, id := c.Hosted.Repository(c.Rest), c.Arg("id")
	digest := r.URL.Query().Get("digest")
	ref, err := packhouse.ParsePartRef(digest)
	if err != nil {
		if failed := repo.Cancel(r.Context(), id); failed != nil {
			return failed
		}
		return err
	}
	piece, err := pieceOf(r)
	if err != nil {
		return err
	}
	if _, err := repo.Finish(r.Context(), id, piece, digest, ref); err != nil {
		return where(w, c, err)
	}
	return stored(w, c, digest)
}

// cancel ends an upload.
func cancel(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	if err := c.Hosted.Repository(c.Rest).Cancel(r.Context(), c.Arg("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// ranges are as the specification writes them, and as RFC 9110 does.
var ranges = regexp.MustCompile(`\A(?:bytes )?([0-9]{1,18})-([0-9]{1,18})(?:/(?:\*|[0-9]{1,18}))?\z`)

// pieceOf reads where the body of a request belongs. dockerd and skopeo do not say.
func pieceOf(r *http.Request) (registry.Piece, error) {
	p := registry.Piece{At: -1, Body: r.Body}
	text := r.Header.Get("Content-Range")
	if text == "" {
		return p, nil
	}
	m := ranges.FindStringSubmatch(text)
	if m == nil {
		return p, badLength("the Content-Range is not valid")
	}
	first, _ := strconv.ParseInt(m[1], 10, 64) // 18 digits fit
	last, _ := strconv.ParseInt(m[2], 10, 64)
	if last < first && r.ContentLength != 0 || r.ContentLength > 0 && last-first+1 != r.ContentLength {
		return p, badLength("the Content-Range and the Content-Length disagree")
	}
	p.At = first
	return p, nil
}

func badLength(problem string) error {
	return &packhouse.Error{Kind: packhouse.Invalid, Rule: "length", Message: problem, Fix: "write it as <first>-<last>, both counted from 0"}
}
