package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// The ledger as GitLab's audit events, and as it is.

func (a *API) auditEndpoints() []endpoint {
	filters := with(paged,
		text("created_after", "from this time on"), text("created_before", "before this time"),
		number("author_id", "of this user"), text("event_name", "of this kind: version_publish, member_put, …"),
		word("pagination", "keyset for pages that cost the same however deep", "keyset"), text("cursor", "where the page before ended"),
	)
	everywhere := with(filters,
		word("entity_type", "of this kind of place", "Project", "Group", "Instance"),
		number("entity_id", "of this place; give entity_type as well"))
	return []endpoint{
		get(instance, "/audit_events", authz.AdminInstance, a.listAudit, "List what has happened on the instance", everywhere...),
		get(instance, "/audit_events/{event_id}", authz.AdminInstance, a.getAudit, "Show one thing that has happened on the instance"),
		get(group, "/audit_events", authz.OwnGroup, a.listAudit, "List what has happened to a group", filters...),
		get(group, "/audit_events/{event_id}", authz.OwnGroup, a.getAudit, "Show one thing that has happened to a group"),
		get(project, "/audit_events", authz.ManageProject, a.listAudit, "List what has happened to a project", filters...),
		get(project, "/audit_events/{event_id}", authz.ManageProject, a.getAudit, "Show one thing that has happened to a project"),
		{
			Route: format.Route{
				Level: instance, Method: "GET", Path: "/ledger", Action: authz.AdminInstance, Handle: a.exportLedger,
			},
			summary: "Export the ledger as JSON lines, oldest first",
			params:  []param{number("after", "entries after this number")},
		},
	}
}

// recordFilter reads the filters. A group's or project's own events are its
// alone; the instance has everybody's.
func (a *API) recordFilter(q *request) (f store.RecordFilter, err error) {
	if q.Target.Level != packhouse.Instance {
		f.About = packhouse.Target{Level: q.Target.Level, ID: q.Target.ID}
	}
	switch q.params.text("entity_type") {
	case "Project":
		f.About.Level = packhouse.Project
	case "Group":
		f.About.Level = packhouse.Group
	case "Instance":
		f.About.Level = packhouse.Instance
	}
	if q.Target.Level == packhouse.Instance && f.About.Level > packhouse.Instance {
		if f.About.ID, err = q.params.number("entity_id", 0); err != nil {
			return f, err
		}
	}
	if f.After, err = q.params.moment("created_after"); err != nil {
		return f, err
	}
	if f.Before, err = q.params.moment("created_before"); err != nil {
		return f, err
	}
	f.Verb = strings.Replace(q.params.text("event_name"), "_", ".", 1)
	if f.Until, err = q.params.number("cursor", 0); err != nil {
		return f, err
	}
	f.AuthorID, err = q.params.number("author_id", 0)
	return f, err
}

// moment returns a parameter that is a day or a time; the zero time when it was
// not given.
func (p params) moment(name string) (time.Time, error) {
	v := p.text(name)
	if v == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, nil
		}
	}
	return time.Time{}, packhouse.InvalidParam(name, "is invalid")
}

func (a *API) listAudit(q *request) (any, error) {
	f, err := a.recordFilter(q)
	if err != nil {
		return nil, err
	}
	page, perPage, err := q.window()
	if err != nil {
		return nil, err
	}
	keyset := q.params.has("pagination") || f.Until != 0
	offset := (page - 1) * perPage
	if keyset {
		offset = 0
	}
	var list []store.Record
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		list, err = tx.Records(q.Context(), f, offset, perPage+1) // one more, to know whether there is a next page
		return err
	})
	if err != nil {
		return nil, err
	}
	more := len(list) > perPage
	list = list[:min(len(list), perPage)]
	if keyset {
		q.keysetHeaders(perPage, more, func(v url.Values) { v.Set("cursor", fmt.Sprint(list[len(list)-1].Seq)) })
	} else {
		q.openHeaders(page, perPage, more)
	}
	answer := []any{}
	for i := range list {
		answer = append(answer, a.auditEvent(&list[i]))
	}
	return answer, nil
}

func (a *API) getAudit(q *request) (any, error) {
	const missing = "404 Audit Event Not Found"
	id, err := q.id("event_id", missing)
	if err != nil {
		return nil, err
	}
	var r *store.Record
	err = a.Store.View(q.Context(), func(tx *store.Tx) error {
		r, err = tx.Record(q.Context(), id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if q.Target.Level != packhouse.Instance && (r.About.Level != q.Target.Level || r.About.ID != q.Target.ID) {
		return nil, packhouse.Errorf(packhouse.NotFound, missing)
	}
	return a.auditEvent(r), nil
}

// auditEvent is GitLab's shape, with the ledger's own words in the details.
func (a *API) auditEvent(r *store.Record) object {
	entity := map[packhouse.Level]string{
		packhouse.Instance: "Instance", packhouse.Group: "Group", packhouse.Project: "Project",
	}[r.About.Level]
	name := strings.ReplaceAll(r.Verb, ".", "_")
	details := object{
		"custom_message": r.Verb + " " + r.Object, "author_name": r.By.Name, "author_class": author(r.By),
		"target_type": entity, "target_id": r.About.ID, "target_details": r.Object, "entity_path": a.Directory.PathOf(r.About),
		"verb": r.Verb, "object": r.Object, "sha256": r.SHA256, "request_id": r.By.RequestID, "ip_address": nil,
	}
	if r.By.TokenID != 0 {
		details["token_id"], details["token_kind"] = r.By.TokenID, r.By.Kind
	}
	if r.By.SudoID != 0 {
		details["sudo_author_id"] = r.By.SudoID
	}
	if r.By.JobID != 0 {
		details["job_id"] = r.By.JobID
	}
	return object{
		"id": r.Seq, "author_id": r.By.UserID, "entity_id": r.About.ID, "entity_type": entity,
		"event_name": name, "event_type": name, "details": details, "created_at": stamp(r.At),
	}
}

// author says what kind of actor an entry is by, in GitLab's words.
func author(by ledger.By) string {
	switch {
	case by.Kind == packhouse.DeployToken:
		return "DeployToken"
	case by.UserID == 0:
		return "System"
	}
	return "User"
}

// exportBatch is how many entries are read at once: the database is not held
// while a slow client reads.
const exportBatch = 500

// exportLedger streams entries as they are written down, one JSON object a line,
// so that whoever keeps them can check each payload against its SHA-256, and the
// numbers for gaps.
func (a *API) exportLedger(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	q, err := newRequest(r, c, w.Header())
	if err != nil {
		return err
	}
	after, err := q.params.number("after", 0)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	out := json.NewEncoder(w)
	for {
		var list []store.Record
		err := a.Store.View(r.Context(), func(tx *store.Tx) (err error) {
			list, err = tx.RecordsAfter(r.Context(), after, exportBatch)
			return err
		})
		if err != nil {
			return err
		}
		for _, e := range list {
			line := struct {
				Seq     int64            `json:"seq"`
				At      time.Time        `json:"at"`
				By      ledger.By        `json:"by"`
				Verb    string           `json:"verb"`
				Object  string           `json:"object"`
				SHA256  packhouse.Digest `json:"sha256"`
				Payload string           `json:"payload"` // as text: its bytes are what the digest is of
			}{e.Seq, e.At, e.By, e.Verb, e.Object, e.SHA256, string(e.Payload)}
			if err := out.Encode(line); err != nil {
				return nil //nolint:nilerr // the client went away
			}
			after = e.Seq
		}
		if len(list) < exportBatch {
			return nil
		}
	}
}
