package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// A cleanup policy is saved with the project, and keeps what is not given.
func TestImageCleanupPolicy(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	one := fmt.Sprintf("/projects/%d", s.project)
	policy := func() string {
		var p struct {
			Policy map[string]any `json:"container_expiration_policy"`
		}
		s.JSON(s.want(s.as("guest"), "GET", one, "", 200, ""), &p)
		next := p.Policy["next_run_at"] != nil
		return fmt.Sprintln(p.Policy["enabled"], p.Policy["cadence"], p.Policy["keep_n"], p.Policy["older_than"], p.Policy["name_regex"],
			p.Policy["name_regex_delete"], p.Policy["name_regex_keep"], next)
	}
	for _, step := range []struct {
		attributes string
		status     int
		want       string
	}{
		{`{}`, 200, "false 1d 10 90d .* .* <nil> false\n"},
		{`{"cadence":"2d"}`, 400, "false 1d 10 90d .* .* <nil> false\n"},
		{`{"keep_n":3}`, 400, "false 1d 10 90d .* .* <nil> false\n"},
		{`{"older_than":"8d"}`, 400, "false 1d 10 90d .* .* <nil> false\n"},
		{`{"name_regex":"("}`, 400, "false 1d 10 90d .* .* <nil> false\n"},
		{`{"name_regex_keep":"["}`, 400, "false 1d 10 90d .* .* <nil> false\n"},
		{`{"name_regex":"","enabled":true}`, 400, "false 1d 10 90d .* .* <nil> false\n"},
		{`{"enabled":"perhaps"}`, 400, "false 1d 10 90d .* .* <nil> false\n"},
		{`{"enabled":true,"cadence":"1month"}`, 200, "true 1month 10 90d .* .* <nil> true\n"},
		{`{"keep_n":null,"older_than":null,"name_regex":"dev-.*","name_regex_keep":"v.+"}`, 200, "true 1month <nil> <nil> dev-.* dev-.* v.+ true\n"},
		{`{"keep_n":100,"older_than":"60d","name_regex_delete":"x","name_regex_keep":null}`, 200, "true 1month 100 60d x x <nil> true\n"},
		{`{"enabled":false}`, 200, "false 1month 100 60d x x <nil> false\n"},
	} {
		s.want(s.as("maintainer"), "PUT", one, `{"container_expiration_policy_attributes":`+step.attributes+`}`, step.status, "")
		if got := policy(); got != step.want {
			t.Errorf("after %s: %s, want %s", step.attributes, got, step.want)
		}
	}
	s.want(s.as("developer"), "PUT", one, `{"container_expiration_policy_attributes":{"enabled":true}}`, 403, "")
	s.want(s.as("maintainer"), "PUT", one, `{"description":"other"}`, 200, "")
	if got := policy(); !strings.HasPrefix(got, "false 1month 100") {
		t.Errorf("after another change: %s", got)
	}
	s.want(s.as("maintainer"), "GET", one+"/registry/cleanup_policy/preview?keep_n=2", "", 400, "")
	s.want(s.as("maintainer"), "GET", one+"/registry/cleanup_policy/preview?name_regex_delete=(", "", 400, "")
	s.want(s.as("maintainer"), "GET", one+"/registry/cleanup_policy/preview", "", 200, "[]")
	var shown map[string]any
	s.JSON(s.want(s.as("maintainer"), "GET", one+"/registry/cleanup_policy", "", 200, ""), &shown)
	if shown["last_run"] != nil || shown["cadence"] != "1month" {
		t.Errorf("GET …/cleanup_policy = %v", shown)
	}
}
