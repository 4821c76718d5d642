package generic_test

import (
	"fmt"
	"strings"
	"testing"
)

// What spec and manual allow and forbid as names, versions and files, for PUT
// and for GET. What is refused leaves nothing behind.
func TestNames(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	long := strings.Repeat("a", 255)
	for _, file := range []string{
		"my-package/1.0/f", "A.b_c-d+e/1.0/f", "0/0/0", ".hidden/1/f", "a..b/1/f", long + "/1/f", "%61bc/1/f",
		"n/1.2.3/f", "n/1.2.bananas/f", "n/v1.2.4-build/f", "n/d50d836eb3de6177ce6c7a5482f27f9c2c84b672/f", "n/1.3.350-20201230123456/f",
		"n/1.2.3+build.7/f", "n/_/f", "n/.1/f", "n/" + long + "/f",
		"n/2/a+b.tar.gz", "n/2/a~b", "n/2/a@b", "n/2/-", "n/2/+", "n/2/.f", "n/2/..f", "n/2/f..", "n/2/" + long, "n/2/%66",
		"n/2/" + strings.Repeat("dddddddd/", 113) + "fffffff", // 1024 bytes
	} {
		s.mustPut(t, file, file)
		s.mustGet(t, file, file)
	}
	before := len(s.Packages(s.project, ""))
	for _, test := range []struct{ file, want string }{
		{"n%20m/1.0/f", "package_name is invalid"},
		{"n%2Fm/1.0/f", "package_name is invalid"},
		{"n@m/1.0/f", "package_name is invalid"},
		{"n~m/1.0/f", "package_name is invalid"},
		{"n%C3%A9/1.0/f", "package_name is invalid"},
		{"n%25/1.0/f", "package_name is invalid"},
		{long + "a/1.0/f", "package_name is invalid"},
		{"my-package/../f", "400"}, {"my-package%2f%2e%2e%2f/1.0/f", "400"},
		{"n/..1.2.3/f", "package_version is invalid"},
		{"n/1..2/f", "package_version is invalid"},
		{"n/1.2.3@a/f", "package_version is invalid"},
		{"n/1%2F2/f", "package_version is invalid"},
		{"n/" + long + "a/f", "package_version is invalid"},
		{"n/%20/f", "package_version is invalid"},
		{"n/%2e%2e%2f1.2.3/f", "400"}, {"n/1.2.3-4/../../f", "400"},
		{"n/1.0/~f", "file_name should be a valid file path"},
		{"n/1.0/f~", "file_name should be a valid file path"},
		{"n/1.0/@f", "file_name should be a valid file path"},
		{"n/1.0/f@", "file_name should be a valid file path"},
		{"n/1.0/a%20b", "file_name should be a valid file path"},
		{"n/1.0/a:b", "file_name should be a valid file path"},
		{"n/1.0/" + long + "a", "file_name should be a valid file path"},
		{"n/1.0/f/", "file_name is missing"},
		{"n/1.0/~d/f", "path should be a valid file path"},
		{"n/1.0/d@/f", "path should be a valid file path"},
		{"n/1.0/a b%2Ff", "path should be a valid file path"},
		{"n/1.0/" + strings.Repeat("dddddddd/", 113) + "ffffffff", "path should be a valid file path"},
		{"n/1.0/../.ssh%2fauthorized_keys", "400"}, {"n/1.0/%2e%2e%2f.ssh%2fauthorized_keys", "400"},
	} {
		target := s.at(strings.ReplaceAll(test.file, " ", "%20"))
		for _, request := range []string{s.Head("PUT", target, root, "Content-Length: 1") + "\r\nx", s.Head("GET", target, root) + "\r\n"} {
			a := s.Raw(request)
			if a.Status != 400 || test.want != "400" && !strings.Contains(string(a.Body), fmt.Sprintf("%q", test.want)) {
				t.Errorf("%.80s = %d %s, want 400 %s", request, a.Status, a.Body, test.want)
			}
		}
	}
	if after := len(s.Packages(s.project, "")); after != before {
		t.Errorf("%d packages after refusals, want %d", after, before)
	}
}

// Names are bytes: nothing is folded, nothing is normalised.
func TestNamesAreBytes(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	files := []string{"tool/1.0/f", "Tool/1.0/f", "tool/1.0/F", "to-ol/1.0/f", "to_ol/1.0/f", "tool/1.0.0/f", "tool/v1.0/f", "tool/1.0+a/f"}
	for _, file := range files {
		s.mustPut(t, file, file)
	}
	for _, file := range files {
		s.mustGet(t, file, file)
	}
	for _, file := range []string{"TOOL/1.0/f", "tool/V1.0/f", "tool/1/f", "tool/1.0/f.f"} {
		if a := s.Do("GET", s.at(file), nil, root); a.Status != 404 {
			t.Errorf("GET %s = %d, want 404", file, a.Status)
		}
	}
}

// A tag with a slash cannot be a version; the refusal says how to go on.
func TestTagWithSlash(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	a := s.put("tool/release%2F1.0/f", "x")
	if a.Status != 400 || !strings.Contains(string(a.Body), "package_version is invalid") || !strings.Contains(string(a.Body), "CI_COMMIT_TAG") {
		t.Errorf("PUT = %d %s, want 400 that names the version and the way out", a.Status, a.Body)
	}
}
