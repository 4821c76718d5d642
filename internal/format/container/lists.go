package container

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

const (
	mostListed    = 10_000  // tags on a page
	mostCataloged = 1_000   // repositories on a page
	mostReferrers = 500     // referrers on a page
	mostShown     = 2 << 20 // bytes of annotations on a page of referrers
)

// page reads which part of a list is asked for.
func page(r *http.Request, most int) (n int, last string, err error) {
	query := r.URL.Query()
	n = most
	if text := query.Get("n"); text != "" {
		if n, err = strconv.Atoi(text); err != nil || n < 0 {
			return 0, "", &packhouse.Error{Kind: packhouse.Invalid, Rule: "page", Message: "n is not a number from 0", Fix: "leave it out"}
		}
	}
	return min(n, most), query.Get("last"), nil
}

// next says where the next part of a list is.
func next(w http.ResponseWriter, path string, query url.Values) {
	w.Header().Set("Link", fmt.Sprintf(`<%s?%s>; rel="next"`, path, query.Encode()))
}

// cut takes one more than n items down to n, and says whether there was one.
func cut[T any](list []T, n int) ([]T, bool) {
	if len(list) > n {
		return list[:n], true
	}
	return list, false
}

// listTags lists the tags of a repository in the order of their bytes.
func listTags(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	n, last, err := page(r, mostListed)
	if err != nil {
		return err
	}
	repo, err := repository(c)
	if err != nil {
		return err
	}
	found, err := repo.Tags(r.Context(), last, n+1)
	if err != nil {
		return err
	}
	found, more := cut(found, n)
	list := make([]string, 0, len(found))
	for _, t := range found {
		list = append(list, t.Name)
	}
	if more && n > 0 {
		next(w, "/v2/"+c.Arg("name")+"/tags/list", url.Values{"last": {list[n-1]}, "n": {strconv.Itoa(n)}})
	}
	format.WriteJSON(w, http.StatusOK, struct {
		Name string   `json:"name"`
		Tags []string `json:"tags"`
	}{c.Arg("name"), list})
	return nil
}

// catalog lists all repositories, to administrators alone.
func catalog(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	w.Header()["Docker-Distribution-Api-Version"] = apiVersion
	n, last, err := page(r, mostCataloged)
	if err != nil {
		return err
	}
	all := []string{}
	if cataloger, ok := c.Source.(registry.Cataloger); ok {
		if all, err = cataloger.Repositories(r.Context()); err != nil {
			return err
		}
	}
	slices.Sort(all)
	from, _ := slices.BinarySearch(all, last+"\x00") // what follows last, whether or not that is there
	list, more := cut(append([]string{}, all[from:]...), n)
	if more && n > 0 {
		next(w, "/v2/_catalog", url.Values{"last": {list[n-1]}, "n": {strconv.Itoa(n)}})
	}
	format.WriteJSON(w, http.StatusOK, struct {
		Repositories []string `json:"repositories"`
	}{list})
	return nil
}

// referrer is an entry of the answer about what is about a manifest.
type referrer struct {
	MediaType    string          `json:"mediaType"`
	Digest       string          `json:"digest"`
	Size         int64           `json:"size"`
	ArtifactType string          `json:"artifactType,omitempty"`
	Annotations  json.RawMessage `json:"annotations,omitempty"`
}

// listReferrers lists the manifests that are about another one, which need not be
// there. Where there are none, or no repository, the list is empty.
func listReferrers(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	digest, query := c.Arg("digest"), r.URL.Query()
	if _, err := packhouse.ParsePartRef(digest); err != nil {
		return err
	}
	n, last, err := page(r, mostReferrers)
	if err != nil {
		return err
	}
	after, _ := strconv.ParseInt(last, 10, 64) // what is none is from the start
	repo, err := repository(c)
	if err != nil {
		return err
	}
	artifactType := query.Get("artifactType")
	parts, err := repo.Referrers(r.Context(), digest, artifactType, after, n+1)
	if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
		return err
	}
	list, shown := []referrer{}, 0
	for i, p := range parts {
		if i == n || shown > mostShown {
			if i > 0 {
				next(w, "/v2/"+c.Arg("name")+"/referrers/"+digest, following(query, parts[i-1].ID))
			}
			break
		}
		shown += len(p.Annotations)
		list = append(list, referrer{p.MediaType, p.Digest, p.Size, p.ArtifactType, p.Annotations})
	}
	if artifactType != "" {
		w.Header().Set("OCI-Filters-Applied", "artifactType")
	}
	return writeIndex(w, list)
}

func following(query url.Values, id int64) url.Values {
	q := url.Values{"last": {strconv.FormatInt(id, 10)}}
	for _, name := range []string{"n", "artifactType"} {
		if v := strings.Clone(query.Get(name)); v != "" {
			q.Set(name, v)
		}
	}
	return q
}

// writeIndex answers with an index. It is no manifest that is stored anywhere.
func writeIndex(w http.ResponseWriter, list []referrer) error {
	data, err := json.Marshal(struct {
		SchemaVersion int        `json:"schemaVersion"`
		MediaType     string     `json:"mediaType"`
		Manifests     []referrer `json:"manifests"`
	}{2, ociIndex, list})
	if err != nil {
		return err
	}
	h := w.Header()
	h.Set("Content-Type", ociIndex)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data) // a client that went away needs no answer
	return nil
}
