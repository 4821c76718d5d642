package api_test

import (
	"encoding/json"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/api"
)

// The document has every route of the API, described, and nothing else.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s := start(t)
	a := s.Do("GET", "/api/openapi.json", nil)
	var document struct {
		OpenAPI string
		Paths   map[string]map[string]struct {
			OperationID string
			Summary     string
			Parameters  []struct{ Name, In, Description string }
			Responses   map[string]any
			RequestBody struct {
				Content map[string]struct {
					Schema struct {
						Properties map[string]struct{ Type, Description any }
					}
				}
			}
		}
	}
	if err := json.Unmarshal(a.Body, &document); a.Status != 200 || err != nil || !strings.HasPrefix(document.OpenAPI, "3.1.") {
		t.Fatalf("GET /api/openapi.json = %d, %v, %.100s", a.Status, err, a.Body)
	}
	prefixes := map[packhouse.Level]string{packhouse.Instance: "/api/v4", packhouse.Group: "/api/v4/groups/{id}", packhouse.Project: "/api/v4/projects/{id}"}
	found, ids := 0, map[string]bool{}
	for _, route := range new(api.API).Routes() {
		path, method := prefixes[route.Level]+strings.TrimSuffix(route.Path, "/"), strings.ToLower(route.Method)
		operation, ok := document.Paths[path][method]
		if !ok {
			t.Errorf("%s %s is not in the document", route.Method, path)
			continue
		}
		found++
		if operation.Summary == "" || ids[operation.OperationID] || len(operation.Responses) < 2 {
			t.Errorf("%s %s is described as %+v, want a summary, an id of its own and answers", route.Method, path, operation)
		}
		ids[operation.OperationID] = true
		if got := strings.Count(path, "{"); got != countIn(operation.Parameters, "path") {
			t.Errorf("%s %s has %d parameters in its path, described are %+v", route.Method, path, got, operation.Parameters)
		}
		for _, p := range operation.Parameters {
			if p.Description == "" {
				t.Errorf("the parameter %s of %s %s is not described", p.Name, route.Method, path)
			}
		}
	}
	total := 0
	for _, operations := range document.Paths {
		total += len(operations)
	}
	if total != found {
		t.Errorf("the document has %d operations, the API %d", total, found)
	}
	if again := s.Do("GET", "/api/openapi.json", nil, "If-None-Match: "+a.Header.Get("Etag")); again.Status != 304 {
		t.Errorf("asked again with its tag = %d, want 304", again.Status)
	}
}

func countIn(parameters []struct{ Name, In, Description string }, in string) (n int) {
	for _, p := range parameters {
		if p.In == in {
			n++
		}
	}
	return n
}
