package api_test

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"packhouse"
)

func (b *book) audit() {
	p, g := fmt.Sprintf("/projects/%d/audit_events", b.project), fmt.Sprintf("/groups/%d/audit_events", b.group)
	b.made(root, "POST", fmt.Sprintf("/projects/%d/deploy_tokens", b.project), `{"name":"audited","scopes":["read_package_registry"]}`)
	newest := b.list(root, p+"?per_page=1")[0]["id"]
	b.show(root, "GET", p+"?per_page=1", "")
	b.show(root, "GET", fmt.Sprintf("%s/%v", p, newest), "")
	b.show(root, "GET", g+"?per_page=1&event_name=member_put", "")
	first := b.list(root, g+"?per_page=1&event_name=member_put")[0]["id"]
	b.show(root, "GET", fmt.Sprintf("%s/%v", g, first), "")
	b.show(root, "GET", "/audit_events?per_page=1&entity_type=Instance&pagination=keyset&event_name=user_put", "")
	b.show(root, "GET", "/audit_events/1", "")
	a := b.send(root, "GET", "/ledger?after=2", "")
	if a.Status != 200 || a.Header.Get("Content-Type") != "application/x-ndjson" {
		b.t.Errorf("GET /ledger = %d %v", a.Status, a.Header)
	}
	b.end("audit")
}

// Everything that happens to a place is among its events, newest first, with who
// did it; what happens elsewhere is not.
func TestAudit(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	s.publish(s.project, "tool/1.0/f", "hello")
	other := s.Project("other", s.group, "private")
	s.publish(other, "tool/1.0/f", "hello")
	list := s.list(s.as("maintainer"), fmt.Sprintf("/projects/%d/audit_events?per_page=100", s.project))
	if got := list[0]["event_name"]; got != "version_publish" {
		t.Errorf("the newest event is %v, want version_publish", got)
	}
	for _, e := range list {
		if e["entity_type"] != "Project" || e["entity_id"] != float64(s.project) {
			t.Errorf("among the project's events is %v", e)
		}
	}
	s.want(s.as("maintainer"), "GET", fmt.Sprintf("/projects/%d/audit_events/%v", other, list[0]["id"]), "", 404, "")
	author := fmt.Sprintf("/audit_events?author_id=%d", s.ids["owner"])
	if got := s.list(root, author); len(got) != 0 {
		t.Errorf("the owner has done nothing, and is said to have done %v", got)
	}
	s.made(s.as("owner"), "POST", fmt.Sprintf("/projects/%d/deploy_tokens", s.project), `{"name":"x","scopes":["read_package_registry"]}`)
	if got := s.list(root, author); len(got) != 1 || got[0]["event_name"] != "token_put" || got[0]["entity_id"] != float64(s.project) {
		t.Errorf("the owner made a token of the project, and is said to have done %v", got)
	}
	for _, bad := range []string{"created_after=x", "created_before=2026-13-01", "author_id=x", "entity_type=x", "pagination=x", "cursor=x"} {
		s.want(root, "GET", "/audit_events?"+bad, "", 400, "")
	}
	if got := s.list(root, "/audit_events?created_after=2100-01-01"); len(got) != 0 {
		t.Errorf("after the year 2100 there are %d events, want none", len(got))
	}
	if got := s.list(root, "/audit_events?created_before=2000-01-01T00:00:00Z"); len(got) != 0 {
		t.Errorf("before the year 2000 there are %d events, want none", len(got))
	}
}

// Pages by number and pages by cursor both hold every event once.
func TestAuditPages(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	all := s.list(root, "/audit_events?per_page=100")
	for _, first := range []string{"/audit_events?per_page=7", "/audit_events?per_page=7&pagination=keyset"} {
		var ids []any
		for next := first; next != ""; {
			a := s.want(root, "GET", next, "", 200, "")
			var page []map[string]any
			if err := json.Unmarshal(a.Body, &page); err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				ids = append(ids, e["id"])
			}
			next = nextOf(t, a.Header.Get("Link"))
		}
		if len(ids) != len(all) {
			t.Fatalf("%s gives %d events page by page, want %d", first, len(ids), len(all))
		}
		for i, e := range all {
			if ids[i] != e["id"] {
				t.Errorf("%s gives event %v at %d, want %v", first, ids[i], i, e["id"])
			}
		}
	}
}

// nextOf is the path of the next page, below /api/v4, or "".
func nextOf(t *testing.T, link string) string {
	t.Helper()
	for one := range strings.SplitSeq(link, ", ") {
		if address, ok := strings.CutSuffix(one, `>; rel="next"`); ok {
			u, err := url.Parse(strings.TrimPrefix(address, "<"))
			if err != nil {
				t.Fatal(err)
			}
			return strings.TrimPrefix(u.RequestURI(), "/api/v4")
		}
	}
	return ""
}

// The export is the whole ledger: numbered without gaps, each payload with its
// digest.
func TestLedgerExport(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	a := s.want(root, "GET", "/ledger", "", 200, "")
	lines := bufio.NewScanner(bytes.NewReader(a.Body))
	lines.Buffer(nil, 1<<20)
	n := int64(0)
	for lines.Scan() {
		var e struct {
			Seq     int64
			Verb    string
			Object  string
			SHA256  packhouse.Digest
			Payload string
			At      string
			By      map[string]any
		}
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		if n++; e.Seq != n || e.SHA256 != sha256.Sum256([]byte(e.Payload)) || e.Verb == "" || e.Object == "" || e.At == "" {
			t.Errorf("line %d is %s", n, lines.Text())
		}
	}
	if n < 10 {
		t.Errorf("the export has %d lines, want everything that has happened", n)
	}
	after := s.want(root, "GET", fmt.Sprintf("/ledger?after=%d", n-1), "", 200, "")
	if got := bytes.Count(after.Body, []byte("\n")); got != 1 {
		t.Errorf("after the last but one come %d lines, want 1", got)
	}
}
