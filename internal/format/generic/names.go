package generic

import (
	"strings"

	"packhouse"
	"packhouse/internal/format"
)

// Limits on names, in bytes.
const (
	maxName = 255
	maxPath = 1024
)

// coordinates is the file that a request names.
type coordinates struct {
	name, version, path string
}

// parse reads the coordinates of a request. A directory may be written with
// slashes or, as GitLab's listings show it, with %2F: both are one file.
func parse(c *format.Call) (coordinates, error) {
	at := coordinates{c.Arg("name"), c.Arg("version"), c.Arg("path")}
	if _, err := checkName(at.name); err != nil {
		return at, err
	}
	if _, err := checkVersion(at.version); err != nil {
		return at, err
	}
	if c.Slash {
		return at, packhouse.InvalidParam("file_name", "is missing")
	}
	return at, checkFile(at.path)
}

func (at coordinates) ref() packhouse.FileRef {
	return packhouse.FileRef{Format: "generic", Package: at.name, Version: at.version, Path: at.path}
}

func checkName(name string) (string, error) {
	if !addressable(name) || len(name) > maxName || !only(name, "._-+") {
		return "", packhouse.InvalidParam("package_name", "is invalid")
	}
	return name, nil
}

func checkVersion(version string) (string, error) {
	if !addressable(version) || len(version) > maxName || !only(version, "._-+") || strings.Contains(version, "..") {
		e := packhouse.InvalidParam("package_version", "is invalid")
		if strings.Contains(version, "/") {
			e.Fix = "a version cannot have a slash; if it comes from a Git tag, replace the slash first, as in ${CI_COMMIT_TAG//\\//-}"
		}
		return "", e
	}
	return version, nil
}

// checkFile looks at the path below a version. The last part is the file name;
// the parts before it are directories, which may also begin with a dot.
func checkFile(path string) error {
	if len(path) > maxPath {
		return packhouse.InvalidParam("path", "should be a valid file path")
	}
	dir, name := "", path
	if slash := strings.LastIndexByte(path, '/'); slash >= 0 {
		dir, name = path[:slash], path[slash+1:]
		for part := range strings.SplitSeq(dir, "/") {
			if !validFile(part) {
				return packhouse.InvalidParam("path", "should be a valid file path")
			}
		}
	}
	if !validFile(name) {
		return packhouse.InvalidParam("file_name", "should be a valid file path")
	}
	return nil
}

// validFile is GitLab's rule for file names: "~" and "@" may stand inside only.
func validFile(name string) bool {
	if !addressable(name) || len(name) > maxName || !only(name, "._-+~@") {
		return false
	}
	const inside = "~@"
	return strings.IndexByte(inside, name[0]) < 0 && strings.IndexByte(inside, name[len(name)-1]) < 0
}

// addressable reports whether a part of a path can be asked for by itself. No
// client sends "." and "..", and no server should take them for names.
func addressable(part string) bool { return part != "" && part != "." && part != ".." }

// only reports whether s has nothing but ASCII letters, digits and the given
// characters.
func only(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(others, c) >= 0) {
			return false
		}
	}
	return true
}
