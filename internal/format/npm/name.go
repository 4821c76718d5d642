package npm

import (
	"regexp"
	"strings"

	"packhouse"
)

// maxName bounds names, in bytes, the scope and its signs counted in.
const maxName = 255

// namePattern is GitLab's: an optional scope, which is the path of a group, and a
// name. What else npm forbids is in reserved.
var namePattern = regexp.MustCompile(`^(@[A-Za-z0-9_.]([A-Za-z0-9_.-]*[A-Za-z0-9_-])?/)?[-+._A-Za-z0-9]+$`)

// reserved are names that mean something else in a folder of packages.
var reserved = map[string]bool{"node_modules": true, "favicon.ico": true, "-": true}

// nameKey checks a name. It is its own key: npm has packages whose names differ
// in the case of their letters alone.
func nameKey(name string) (string, error) {
	scope, base := splitScope(name)
	// A name with a dot first would be taken for npm's own, such as .bin.
	if len(name) > maxName || !namePattern.MatchString(name) || strings.HasPrefix(base, ".") || reserved[strings.ToLower(base)] ||
		strings.HasSuffix(scope, ".git") || strings.HasSuffix(scope, ".atom") {
		return "", &packhouse.Error{
			Kind: packhouse.Invalid, Rule: "name",
			Message: "Validation failed: Name should be a valid NPM package name: https://github.com/npm/validate-npm-package-name#naming-rules.",
			Fix:     "a name has letters, digits, \".\", \"_\", \"+\" and \"-\", with one @scope/ in front or none",
		}
	}
	return name, nil
}

// splitScope takes the scope, without its signs, off a name.
func splitScope(name string) (scope, base string) {
	if rest, scoped := strings.CutPrefix(name, "@"); scoped {
		if scope, base, ok := strings.Cut(rest, "/"); ok {
			return scope, base
		}
	}
	return "", name
}

// splitPath takes the name of a package off the front of a path: two segments for
// a scoped one, however its slash was written, else one.
func splitPath(path string) (name, rest string, err error) {
	name, rest, _ = strings.Cut(path, "/")
	if strings.HasPrefix(name, "@") {
		base, more, _ := strings.Cut(rest, "/")
		name, rest = name+"/"+base, more
	}
	if name == "-" {
		return "", "", errNoRoute()
	}
	name, err = nameKey(name)
	return name, rest, err
}

// wholeName reads a path that is the name of a package and nothing else.
func wholeName(path string) (string, error) {
	name, rest, err := splitPath(path)
	if err == nil && rest != "" {
		err = errNoRoute()
	}
	return name, err
}

// tarballName is what a version's file is called here and in GitLab, with the
// scope, as the clients call what they attach.
func tarballName(name, version string) string { return name + "-" + version + ".tgz" }

// versionOf reads the version out of a file name, which may leave out the scope.
func versionOf(name, file, ending string) (number string, ok bool) {
	_, base := splitScope(name)
	rest, ok := strings.CutPrefix(file, name+"-")
	if !ok {
		rest, ok = strings.CutPrefix(file, base+"-")
	}
	if !ok {
		return "", false
	}
	return strings.CutSuffix(rest, ending)
}
