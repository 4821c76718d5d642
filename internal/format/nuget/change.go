package nuget

import (
	"encoding/json"
	"fmt"
	"net/http"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// state is what is kept with a version, apart from what its package says.
type state struct {
	Unlisted bool `json:"unlisted,omitempty"`
}

func stateOf(v *packhouse.Version) (s state) {
	_ = json.Unmarshal(v.Metadata, &s) // we wrote it; a version without it is listed
	return s
}

// remove deletes a version, or unlists it where the settings say so.
func (NuGet) remove(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	change := (*registry.Edit).Delete
	if c.Flag(flagUnlist) {
		change = state{Unlisted: true}.set
	}
	if err := edit(r, c, change); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// unlist hides a version from searches; what asks for it by its number still finds
// it.
func (NuGet) unlist(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	return list(w, r, c, state{Unlisted: true})
}

// relist shows it again.
func (NuGet) relist(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	return list(w, r, c, state{})
}

func list(w http.ResponseWriter, r *http.Request, c *format.Call, want state) error {
	if err := edit(r, c, want.set); err != nil {
		return err
	}
	format.WriteJSON(w, http.StatusOK, map[string]any{"id": c.Arg("id"), "version": c.Arg("version"), "listed": !want.Unlisted})
	return nil
}

// set gives a version a state.
func (s state) set(e *registry.Edit, v *packhouse.Version) error {
	if stateOf(v) == s {
		return nil // nothing changes, so nothing is written down
	}
	data, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("encode state: %w", err)
	}
	return e.SetMetadata(v, data)
}

// edit finds the version that the path names and changes it, in one transaction.
func edit(r *http.Request, c *format.Call, change func(*registry.Edit, *packhouse.Version) error) error {
	key, number, err := named(c)
	if err != nil {
		return err
	}
	return c.Hosted.Edit(r.Context(), key, func(e *registry.Edit) error {
		v, err := e.Version(number)
		if err != nil {
			return err
		}
		return change(e, v)
	})
}

// named are the keys of the id and version in the path.
func named(c *format.Call) (key, number string, err error) {
	if key, err = idKey(c.Arg("id")); err != nil {
		return "", "", err
	}
	number, err = versionKey(c.Arg("version"))
	return key, number, err
}
