package api_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"packhouse/internal/house"
)

// A policy of a group holds in its projects until they have one of their own.
func TestCleanupPolicy(t *testing.T) {
	t.Parallel()
	s := start(t)
	s.people()
	ofGroup, ofProject := fmt.Sprintf("/groups/%d/packages/cleanup_policy", s.group), fmt.Sprintf("/projects/%d/packages/cleanup_policy", s.project)
	want := func(path, what string) {
		t.Helper()
		var p map[string]any
		s.JSON(s.want(root, "GET", path, "", 200, ""), &p)
		rules, _ := p["rules"].([]any)
		if got := fmt.Sprint(p["enabled"], " ", p["cadence"], " ", p["keep_n_duplicated_package_files"], " ", len(rules), " ", p["inherited_from_group_id"]); got != what {
			t.Errorf("GET %s = %s, want %s", path, got, what)
		}
	}
	want(ofProject, "false 1d all 0 <nil>")
	s.want(s.as("owner"), "PUT", ofGroup, `{"enabled":true,"cadence":"7d","rules":[{"name":"old","older_than":"90d"}]}`, 200, "")
	want(ofGroup, "true 7d all 1 <nil>")
	want(ofProject, fmt.Sprintf("true 7d all 1 %d", s.group))
	s.want(s.as("maintainer"), "PUT", ofProject, `{"keep_n_duplicated_package_files":"10"}`, 200, "")
	want(ofProject, "false 1d 10 0 <nil>")
	s.want(s.as("maintainer"), "PUT", ofProject, `{"rules":[{"name":"a","keep_n_versions":3},{"name":"b","never_downloaded":true}],"keep_n_duplicated_package_files":"all"}`, 200, "")
	s.want(s.as("maintainer"), "PUT", ofProject, `{"enabled":true}`, 200, "")
	want(ofProject, "true 1d all 2 <nil>")
	s.want(s.as("maintainer"), "DELETE", ofProject, "", 204, "")
	want(ofProject, fmt.Sprintf("true 7d all 1 %d", s.group))
	for _, bad := range []string{
		`{"cadence":"2d"}`, `{"keep_n_duplicated_package_files":"2"}`, `{"rules":["x"]}`, `{"rules":[{"name":"a"}]}`, `{"rules":[{"name":"a","older_than":"x"}]}`,
		`{"rules":[{"name":"a","keep_n_versions":1,"name_regex":"("}]}`, `{"rules":[{"name":"a","keep_n_versions":"many"}]}`, `{"rules":[{"nome":"a","keep_n_versions":1}]}`,
		`{"rules":[{"name":"a","keep_n_versions":1,"name_regex":"` + strings.Repeat("a", 300) + `"}]}`,
		`{"rules":[` + strings.TrimSuffix(strings.Repeat(`{"name":"a","keep_n_versions":1},`, 51), ",") + `]}`,
	} {
		s.want(s.as("maintainer"), "PUT", ofProject, bad, 400, "")
	}
}

// copies has the policy of a project keep one file of each name, publishes some, and
// returns the path of the policy.
func (s *scene) copies() (path string) {
	s.t.Helper()
	path = fmt.Sprintf("/projects/%d/packages/cleanup_policy", s.project)
	s.want(root, "PUT", path, `{"enabled":true,"keep_n_duplicated_package_files":"1"}`, 200, "")
	for i := range 3 {
		s.publish(s.project, "tool/1.0/f", fmt.Sprintf("copy %d", i))
		s.publish(s.project, "tool/2.0/f", fmt.Sprintf("copy %d", i))
	}
	return path
}

// A run deletes what its preview has listed, unless it was protected or changed
// since, says so, and is restored as one.
func TestCleanupRuns(t *testing.T) {
	t.Parallel()
	s := start(t, trashKept)
	path := s.copies()
	var preview struct{ ID, Count, Size int64 }
	s.JSON(s.want(root, "POST", path+"/preview", "", 201, ""), &preview)
	if preview.Count != 4 || preview.Size != 24 {
		t.Errorf("preview = %+v, want 4 files of 24 bytes", preview)
	}
	s.deletes("2.0")
	var run struct {
		ID      int64 `json:"id"`
		Files   int64 `json:"file_count"`
		Skipped []any
	}
	s.JSON(s.want(root, "POST", path+"/runs", fmt.Sprintf(`{"preview_id":%d}`, preview.ID), 201, ""), &run)
	if run.Files != 2 || len(run.Skipped) != 2 {
		t.Errorf("run = %+v, want two files deleted and two skipped", run)
	}
	if list := s.list(root, path+"/runs"); len(list) != 1 || fmt.Sprint(list[0]["file_count"]) != "2" {
		t.Errorf("runs = %v, want the one", list)
	}
	trash := fmt.Sprintf("/projects/%d/packages/trash?cleanup_run_id=%d", s.project, run.ID)
	if _, all := s.trash(trash); all != "file tool 1.0 f, file tool 1.0 f" {
		t.Errorf("trash of the run = %q", all)
	}
	if by := s.list(root, trash)[0]["deleted_by"]; !strings.Contains(fmt.Sprint(by), "cleanup policy") {
		t.Errorf("deleted by %v, want the cleanup policy", by)
	}
	s.want(root, "POST", fmt.Sprintf("%s/runs/%d/restore", path, run.ID), "", 200, fmt.Sprintf(`{"id":%d,"restored_count":2}`, run.ID))
	s.want(root, "POST", fmt.Sprintf("%s/runs/%d/restore", path, run.ID), "", 404, `{"message":"404 Cleanup Run Not Found"}`)
	s.made(root, "POST", fmt.Sprintf("/projects/%d/packages/protection/rules", s.project),
		`{"package_name_pattern":"tool","package_type":"generic","minimum_access_level_for_delete":"owner"}`)
	s.JSON(s.want(root, "POST", path+"/preview", "", 201, ""), &preview)
	if preview.Count != 0 {
		t.Errorf("preview of what is protected = %+v, want nothing", preview)
	}
	s.want(root, "POST", path+"/runs", `{"preview_id":999}`, 404, `{"message":"404 Cleanup Preview Not Found"}`)
	s.want(root, "POST", path+"/runs", `{}`, 400, "")
}

// A policy that is enabled runs by itself, as often as it says.
func TestCleanupJob(t *testing.T) {
	t.Parallel()
	s := start(t, trashKept, func(o *house.Options) { o.CleanEvery = 50 * time.Millisecond })
	path := s.copies()
	for deadline := time.Now().Add(time.Minute); len(s.list(root, path+"/runs")) == 0; {
		if time.Now().After(deadline) {
			t.Fatal("no run within a minute")
		}
		time.Sleep(20 * time.Millisecond)
	}
	runs, err := s.Registry.Cleanups(t.Context())
	if err != nil || runs != 0 {
		t.Errorf("Cleanups again at once = %d, %v, want none to be due", runs, err)
	}
}

func (b *book) cleanup() {
	for _, place := range []string{fmt.Sprintf("/groups/%d", b.group), fmt.Sprintf("/projects/%d", b.project)} {
		path := place + "/packages/cleanup_policy"
		b.show(root, "PUT", path, `{"keep_n_duplicated_package_files":"1","rules":[{"name":"old betas","package_types":["npm"],"prerelease_only":true,"keep_n_versions":5,"older_than":"90d"}]}`)
		b.show(root, "GET", path, "")
	}
	path := fmt.Sprintf("/projects/%d/packages/cleanup_policy", b.project)
	b.send(root, "PUT", fmt.Sprintf("/projects/%d/package_settings", b.project), `{"generic_duplicates_allowed":"true"}`)
	b.publish(b.project, "twice/1.0/f", "one")
	b.publish(b.project, "twice/1.0/f", "two")
	var preview struct{ ID int64 }
	b.JSON(b.send(root, "POST", path+"/preview", ""), &preview)
	b.show(root, "POST", path+"/preview", "")
	id := b.made(root, "POST", path+"/runs", fmt.Sprintf(`{"preview_id":%d}`, preview.ID))
	b.show(root, "GET", path+"/runs", "")
	b.show(root, "POST", fmt.Sprintf("%s/runs/%d/restore", path, id), "")
	b.show(root, "POST", path+"/runs", fmt.Sprintf(`{"preview_id":%d}`, preview.ID))
	b.show(root, "DELETE", path, "")
	b.show(root, "DELETE", fmt.Sprintf("/groups/%d/packages/cleanup_policy", b.group), "")
	b.end("cleanup")
}
