package maven

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// Limits on metadata that clients send.
const (
	maxHint   = 1 << 20  // bytes that are looked into
	maxSent   = 64 << 20 // bytes in all
	maxHinted = 1000     // plugins of one group
)

// said is what is kept of what clients say in metadata, as that of a version.
type said struct {
	Complete bool    `json:"complete,omitempty"` // listed although it has no pom
	Plugin   *plugin `json:"plugin,omitempty"`
}

func readSaid(data []byte) (s said) {
	if len(data) > 0 && json.Unmarshal(data, &s) != nil {
		return said{} // we wrote it, so this is not met
	}
	return s
}

// hint takes metadata from a client. What is served is made of what is stored, so
// that two clients that read and write at once lose nothing of each other; of what
// they send it is kept that a version without a pom is complete, and which plugins
// are called by which prefix.
func hint(w http.ResponseWriter, r *http.Request, c *format.Call, at coordinates) error {
	head, err := io.ReadAll(io.LimitReader(r.Body, maxHint+1))
	rest := int64(0)
	if err == nil {
		rest, err = io.Copy(io.Discard, io.LimitReader(r.Body, maxSent))
	}
	if err != nil {
		return &packhouse.Error{Kind: packhouse.Invalid, Rule: "body", Err: err, Message: "the metadata ended before it was complete", Fix: "send it again"}
	}
	if rest == maxSent {
		return packhouse.Errorf(packhouse.TooLarge, "File is too large")
	}
	if len(head) <= maxHint { // what is larger has very many versions, and is not looked into
		if err := take(r, c, at, head); err != nil {
			return err
		}
	}
	w.WriteHeader(http.StatusOK)
	return nil
}

// take reads metadata and keeps what is of use.
func take(r *http.Request, c *format.Call, at coordinates, data []byte) error {
	x := new(metadata)
	if err := format.DecodeXML(data, x, nil); err != nil {
		return &packhouse.Error{Kind: packhouse.Invalid, Rule: "metadata", Message: "the metadata " + err.Error(), Fix: "nothing of it was kept; deploy again"}
	}
	if at.kind == builds {
		return complete(r, c, at.name, map[string]bool{at.version: true})
	}
	if x.Plugins != nil {
		if err := keepPlugins(r, c, at.name, x.Plugins.List); err != nil {
			return err
		}
	}
	if x.Versioning == nil || x.Versioning.Versions == nil {
		return nil
	}
	listed := map[string]bool{}
	for _, number := range x.Versioning.Versions.List {
		listed[number] = true
	}
	return complete(r, c, at.name, listed)
}

// complete notes of versions that have no pom that the client has sent all of them.
func complete(r *http.Request, c *format.Call, of string, numbers map[string]bool) error {
	l, err := c.Source.Package(r.Context(), name, of)
	if err != nil {
		if isAbsent(err) {
			return nil // it says so before it sends anything, as Gradle does
		}
		return err
	}
	var open []*registry.Release
	for _, release := range l.Releases {
		if e, ok := release.Entry.(*entry); ok && !e.complete && numbers[release.Version.Key] {
			open = append(open, release)
		}
	}
	if len(open) == 0 {
		return nil
	}
	data, err := json.Marshal(said{Complete: true})
	if err != nil {
		return fmt.Errorf("encode metadata: %w", err)
	}
	err = c.Hosted.Edit(r.Context(), of, func(e *registry.Edit) error {
		for _, release := range open {
			v, err := e.Version(release.Version.Key)
			if isAbsent(err) {
				continue // deleted meanwhile
			}
			if err == nil {
				err = e.SetMetadata(v, data)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return forgive(err)
}

// forgive lets a deployment go on whose metadata cannot be kept: what it is about
// was deleted meanwhile, or is not the client's to change.
func forgive(err error) error {
	if err != nil && (isAbsent(err) || packhouse.KindOf(err) == packhouse.Forbidden) {
		return nil
	}
	return err
}

// hintSum takes the checksum of metadata that a client has sent. The metadata is not
// kept, so there is nothing that it could be compared with.
func hintSum(w http.ResponseWriter, r *http.Request, at coordinates) error {
	if _, err := readSum(r, at.sum); err != nil {
		return err
	}
	w.WriteHeader(sums[at.sum].put)
	return nil
}
