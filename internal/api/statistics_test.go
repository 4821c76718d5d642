package api_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"packhouse"
)

// What a project stores is counted with each publish and each deletion, and shown
// to those who may read it.
func TestStatistics(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	size := func(want int64) {
		t.Helper()
		var p struct {
			Statistics struct {
				Storage  int64 `json:"storage_size"`
				Packages int64 `json:"packages_size"`
			}
		}
		a := s.want(s.as("reporter"), "GET", fmt.Sprintf("/projects/%d?statistics=true", s.project), "", 200, "")
		if err := json.Unmarshal(a.Body, &p); err != nil || p.Statistics.Storage != want || p.Statistics.Packages != want {
			t.Errorf("statistics = %+v, %v, want %d bytes", p.Statistics, err, want)
		}
	}
	size(0)
	s.publish(s.project, "tool/1.0/f", "hello")
	s.publish(s.project, "tool/1.0/g", "hello, world")
	s.publish(s.project, "tool/2.0/f", "hello")
	size(22)
	id := s.list(root, fmt.Sprintf("/projects/%d/packages?package_version=1.0", s.project))[0]["id"]
	file := s.list(root, fmt.Sprintf("/projects/%d/packages/%v/package_files", s.project, id))[0]["id"]
	s.want(root, "DELETE", fmt.Sprintf("/projects/%d/packages/%v/package_files/%v", s.project, id, file), "", 204, "")
	size(17)
	s.want(root, "DELETE", fmt.Sprintf("/projects/%d/packages/%v", s.project, id), "", 204, "")
	size(5)
	a := s.want(s.as("guest"), "GET", fmt.Sprintf("/projects/%d?statistics=true", s.project), "", 200, "")
	var p map[string]any
	if err := json.Unmarshal(a.Body, &p); err != nil || p["statistics"] != nil {
		t.Errorf("a %s is shown %v, want no statistics", packhouse.Guest, p["statistics"])
	}
}
