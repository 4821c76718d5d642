package api_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

// trashKept has what is deleted stay in the trash for a month.
func trashKept(o *house.Options) { o.Retention = 30 * 24 * time.Hour }

// trash lists what is in a trash, as name, version and file.
func (s *scene) trash(path string) (ids []string, all string) {
	s.t.Helper()
	var lines []string
	for _, item := range s.list(root, path) {
		ids = append(ids, fmt.Sprint(item["id"]))
		lines = append(lines, fmt.Sprint(item["kind"], " ", item["name"], " ", item["version"], " ", item["file_name"]))
	}
	return ids, strings.Join(lines, ", ")
}

// deletes deletes a version of the package tool, and says where it lies then.
func (s *scene) deletes(version string) (item string) {
	s.t.Helper()
	id := s.list(root, fmt.Sprintf("/projects/%d/packages?package_version=%s", s.project, version))[0]["id"]
	s.want(root, "DELETE", fmt.Sprintf("/projects/%d/packages/%v", s.project, id), "", 204, "")
	all := fmt.Sprintf("/projects/%d/packages/trash", s.project)
	ids, _ := s.trash(all)
	return all + "/" + ids[0]
}

func (s *scene) file(version, file string) formattest.Answer {
	return s.send(root, "GET", fmt.Sprintf("/projects/%d/packages/generic/tool/%s/%s", s.project, version, file), "")
}

// What was deleted comes back with its numbers, and is counted again.
func TestTrash(t *testing.T) {
	t.Parallel()
	s := start(t, trashKept)
	size := func(want float64) {
		t.Helper()
		var p struct{ Statistics map[string]float64 }
		s.JSON(s.want(root, "GET", fmt.Sprintf("/projects/%d?statistics=true", s.project), "", 200, ""), &p)
		if got := p.Statistics["packages_size"]; got != want {
			t.Errorf("packages_size = %v, want %v", got, want)
		}
	}
	s.publish(s.project, "tool/1.0/f", "hello")
	s.publish(s.project, "tool/1.0/g", "hello, world")
	before := fmt.Sprint(s.list(root, fmt.Sprintf("/projects/%d/packages", s.project)))
	item := s.deletes("1.0")
	size(0)
	if a := s.file("1.0", "f"); a.Status != 404 {
		t.Errorf("GET of a deleted file = %d, want 404", a.Status)
	}
	for _, place := range []string{fmt.Sprintf("/projects/%d", s.project), fmt.Sprintf("/groups/%d", s.group)} {
		if _, all := s.trash(place + "/packages/trash"); all != "version tool 1.0 <nil>" {
			t.Errorf("%s/packages/trash = %q", place, all)
		}
	}
	s.want(root, "POST", item+"/restore", "", 201, "")
	if after := fmt.Sprint(s.list(root, fmt.Sprintf("/projects/%d/packages", s.project))); after != before {
		t.Errorf("packages after a restore = %s, want %s", after, before)
	}
	if a := s.file("1.0", "g"); string(a.Body) != "hello, world" {
		t.Errorf("GET of a restored file = %d %q", a.Status, a.Body)
	}
	size(17)
	s.want(root, "POST", item+"/restore", "", 404, `{"message":"404 Trash Item Not Found"}`)
	s.want(root, "GET", item, "", 404, `{"message":"404 Trash Item Not Found"}`)
	s.want(root, "DELETE", item, "", 404, `{"message":"404 Trash Item Not Found"}`)
}

// A restore is refused, whole, when something was published in its place.
func TestTrashConflicts(t *testing.T) {
	t.Parallel()
	s := start(t, trashKept)
	const again = `{"message":"409 Conflict - it was published again since it was deleted"}`
	s.publish(s.project, "tool/1.0/f", "first")
	first := s.deletes("1.0")
	s.publish(s.project, "tool/1.0/f", "second")
	s.want(root, "POST", first+"/restore", "", 409, again)
	if a := s.file("1.0", "f"); string(a.Body) != "second" {
		t.Errorf("after a refused restore = %q, want what was published since", a.Body)
	}
	second := s.deletes("1.0")
	s.want(root, "POST", first+"/restore", "", 201, "")
	s.want(root, "POST", second+"/restore", "", 409, again)
	if a := s.file("1.0", "f"); string(a.Body) != "first" {
		t.Errorf("restored = %q, want the first", a.Body)
	}
	s.want(root, "DELETE", second, "", 204, "")

	version := fmt.Sprintf("/projects/%d/packages/%v", s.project, s.list(root, fmt.Sprintf("/projects/%d/packages", s.project))[0]["id"])
	file := s.list(root, version+"/package_files")[0]["id"]
	s.want(root, "DELETE", fmt.Sprintf("%s/package_files/%v", version, file), "", 204, "")
	ids, all := s.trash(fmt.Sprintf("/projects/%d/packages/trash", s.project))
	if all != "file tool 1.0 f" {
		t.Fatalf("trash = %q, want a file", all)
	}
	one := fmt.Sprintf("/projects/%d/packages/trash/%s", s.project, ids[0])
	s.publish(s.project, "tool/1.0/f", "third")
	s.want(root, "POST", one+"/restore", "", 409, again)
	version = s.deletes("1.0")
	s.want(root, "POST", one+"/restore", "", 409, `{"message":"409 Conflict - the version that the file belongs to is deleted"}`)
	s.want(root, "POST", version+"/restore", "", 201, "")
	if a := s.file("1.0", "f"); string(a.Body) != "third" {
		t.Errorf("restored = %q, want the third", a.Body)
	}
}

// Bytes stay as long as the trash needs them, and go with a purge.
func TestTrashBytes(t *testing.T) {
	t.Parallel()
	s := start(t, trashKept)
	s.publish(s.project, "tool/1.0/f", strings.Repeat("a", 20_000))
	s.publish(s.project, "tool/2.0/f", strings.Repeat("b", 20_000))
	item := s.deletes("1.0")
	collect := func(want int) {
		t.Helper()
		s.Age()
		if _, err := s.Registry.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Registry.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.Stored().Blobs; got != want {
			t.Errorf("%d blobs, want %d", got, want)
		}
	}
	collect(2)
	s.want(root, "POST", item+"/restore", "", 201, "")
	if a := s.file("1.0", "f"); len(a.Body) != 20_000 {
		t.Errorf("restored = %d with %d bytes", a.Status, len(a.Body))
	}
	collect(2)
	s.want(root, "DELETE", s.deletes("1.0"), "", 204, "")
	collect(1)
}

// Nothing comes back when its time is over.
func TestTrashTime(t *testing.T) {
	t.Parallel()
	s := start(t, func(o *house.Options) { o.Retention = 200 * time.Millisecond })
	s.publish(s.project, "tool/1.0/f", "hello")
	item := s.deletes("1.0")
	time.Sleep(300 * time.Millisecond)
	s.want(root, "POST", item+"/restore", "", 404, "")
	if _, all := s.trash(fmt.Sprintf("/projects/%d/packages/trash", s.project)); all != "" {
		t.Errorf("trash = %q, want nothing", all)
	}
}

// The trash is paged by where a page ended, and filtered.
func TestTrashPages(t *testing.T) {
	t.Parallel()
	s := start(t, trashKept)
	for i := range 5 {
		s.publish(s.project, fmt.Sprintf("tool/%d.0/f", i), "x")
		s.deletes(fmt.Sprintf("%d.0", i))
	}
	all := fmt.Sprintf("/groups/%d/packages/trash", s.group)
	want, _ := s.trash(all)
	var got []string
	for page := all + "?per_page=2"; page != ""; {
		a := s.want(root, "GET", page, "", 200, "")
		ids, _ := s.trash(page)
		got = append(got, ids...)
		link := strings.TrimSuffix(strings.TrimPrefix(a.Header.Get("Link"), "<"), `>; rel="next"`)
		if page = ""; link != "" {
			page = strings.TrimPrefix(parse(t, link).RequestURI(), "/api/v4")
		}
	}
	if len(want) != 5 || !slices.Equal(got, want) {
		t.Errorf("pages give %v, want %v", got, want)
	}
	for filter, n := range map[string]int{"package_name=OO": 5, "package_name=none": 0, "package_type=generic": 5, "package_type=npm": 0, "cleanup_run_id=7": 0} {
		if ids, _ := s.trash(all + "?" + filter); len(ids) != n {
			t.Errorf("%s lists %d, want %d", filter, len(ids), n)
		}
	}
	s.want(root, "GET", all+"?cursor=x", "", 400, "")
}

// A restore is a push where packages are protected, and a purge a deletion; only
// Owners purge.
func TestTrashRights(t *testing.T) {
	t.Parallel()
	s := start(t, trashKept)
	s.people()
	s.publish(s.project, "tool/1.0/f", "hello")
	item := s.deletes("1.0")
	s.want(s.as("maintainer"), "DELETE", item, "", 403, "")
	rules := fmt.Sprintf("/projects/%d/packages/protection/rules", s.project)
	rule := s.made(root, "POST", rules, `{"package_name_pattern":"tool","package_type":"generic","minimum_access_level_for_push":"owner","minimum_access_level_for_delete":"admin"}`)
	s.want(s.as("maintainer"), "POST", item+"/restore", "", 403, `{"message":"403 Forbidden - Package protected."}`)
	s.want(s.as("owner"), "DELETE", item, "", 403, `{"message":"403 Forbidden - Package protected."}`)
	s.want(s.as("owner"), "POST", item+"/restore", "", 201, "")
	s.want(root, "DELETE", fmt.Sprintf("%s/%d", rules, rule), "", 204, "")
	item = s.deletes("1.0")
	s.want(s.as("owner"), "DELETE", item, "", 204, "")
	if _, all := s.trash(fmt.Sprintf("/projects/%d/packages/trash", s.project)); all != "" {
		t.Errorf("trash after a purge = %q, want nothing", all)
	}
}

func (b *book) trash() {
	b.publish(b.project, "gone/1.0/f", "hello")
	all := fmt.Sprintf("/projects/%d/packages/trash", b.project)
	id := b.list(root, fmt.Sprintf("/projects/%d/packages?package_name=gone", b.project))[0]["id"]
	b.send(b.as("dana"), "DELETE", fmt.Sprintf("/projects/%d/packages/%v", b.project, id), "")
	ids, _ := b.scene.trash(all)
	b.show(b.as("dana"), "GET", all+"?package_name=gone", "")
	b.show(root, "GET", fmt.Sprintf("/groups/%d/packages/trash?package_name=gone", b.group), "")
	b.show(root, "GET", all+"/"+ids[0], "")
	b.show(b.as("dana"), "POST", all+"/"+ids[0]+"/restore", "")
	b.send(root, "DELETE", fmt.Sprintf("/projects/%d/packages/%v", b.project, id), "")
	ids, _ = b.scene.trash(all)
	b.show(root, "DELETE", all+"/"+ids[0], "")
	b.end("trash")
}
