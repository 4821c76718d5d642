package maven

import (
	"strings"

	"packhouse"
	"packhouse/internal/format"
)

// Limits on names, in bytes.
const (
	maxName = 255
	maxFile = 255
)

// snapshot ends the versions that are built again and again.
const snapshot = "-SNAPSHOT"

// metadataFile is what clients read to learn which versions or builds there are.
const metadataFile = "maven-metadata.xml"

// kind is what a path leads to.
type kind uint8

const (
	file   kind = iota
	index       // metadata of an artifact, of a group with plugins, or of both
	builds      // metadata of a snapshot
	stray       // beside metadata: its signature, which is not kept
)

// coordinates is what a path of the repository means:
//
//	com/example/app/1.0/app-1.0.jar            file
//	com/example/app/1.0/app-1.0.jar.sha1       file, sum "sha1"
//	com/example/app/maven-metadata.xml         index
//	com/example/maven-metadata.xml             index
//	com/example/app/1.1-SNAPSHOT/maven-metadata.xml  builds
type coordinates struct {
	kind    kind
	name    string // "com/example/app"
	version string // "" for an index
	file    string
	sum     string // the algorithm, when the path is that of a checksum
}

// artifact is the last part of the name.
func (at coordinates) artifact() string { return at.name[strings.LastIndexByte(at.name, '/')+1:] }

// parse reads the path of a request. What nobody could have deployed is
// packhouse.Invalid; a folder, or the checksum of a checksum, packhouse.NotFound.
func parse(c *format.Call) (coordinates, error) {
	if c.Slash {
		return coordinates{}, errAbsent()
	}
	return parsePath(c.Arg("path"))
}

func parsePath(path string) (at coordinates, err error) {
	path, sum := cutSum(path)
	if _, again := cutSum(path); sum != "" && again != "" {
		return at, errAbsent()
	}
	at.sum = sum
	dir, last := cutLast(path)
	at.name, at.file = dir, last
	switch {
	case strings.HasPrefix(last, metadataFile+"."):
		at.kind = stray
	case last != metadataFile:
		at.name, at.version = cutLast(dir)
	case isSnapshot(dir):
		at.kind = builds
		at.name, at.version = cutLast(dir)
	default:
		at.kind = index
	}
	return at, at.check()
}

func (at coordinates) check() error {
	if at.name == "" {
		return packhouse.InvalidParam("path", "should be a valid file path")
	}
	if _, err := checkName(at.name); err != nil {
		return err
	}
	if at.kind == file || at.kind == builds {
		if _, err := checkVersion(at.version); err != nil {
			return err
		}
	}
	if len(at.file) > maxFile {
		return packhouse.Errorf(packhouse.Invalid, "File name is too long")
	}
	if !only(at.file, "._-+") {
		return packhouse.InvalidParam("file_name", "should be a valid file path")
	}
	return nil
}

func cutLast(path string) (before, last string) {
	at := strings.LastIndexByte(path, '/')
	return path[:max(at, 0)], path[at+1:]
}

func cutSum(path string) (before, sum string) {
	before, last := path, path[strings.LastIndexByte(path, '.')+1:]
	if _, known := sums[last]; known {
		return strings.TrimSuffix(before, "."+last), last
	}
	return path, ""
}

// isSnapshot reports whether a version, or the path that ends with it, is of a
// snapshot.
func isSnapshot(version string) bool { return strings.HasSuffix(version, snapshot) }

// checkName looks at group id and artifact id with slashes.
func checkName(name string) (string, error) {
	ok := len(name) <= maxName
	parts := strings.Split(strings.TrimPrefix(name, "@"), "/")
	for i, part := range parts {
		others := "._-"
		if i == len(parts)-1 {
			others = "._-+"
		}
		ok = ok && only(part, others)
	}
	if !ok {
		return "", packhouse.InvalidParam("path", "should be a valid file path")
	}
	return name, nil
}

func checkVersion(version string) (string, error) {
	if len(version) > maxName || !only(version, "._-+") || strings.Contains(version, "..") {
		e := packhouse.Errorf(packhouse.Invalid, "Validation failed: Version is invalid")
		e.Fix = `a version has at most 255 ASCII letters, digits, ".", "_", "-" and "+", and no two dots in a row`
		return "", e
	}
	return version, nil
}

// only reports whether s is a name of ASCII letters, digits and the given
// characters that can be asked for by itself.
func only(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte(others, c) >= 0) {
			return false
		}
	}
	return s != "" && s != "." && s != ".."
}
