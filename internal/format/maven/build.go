package maven

import (
	"cmp"
	"regexp"
	"strconv"
	"strings"
)

// build is one build of a snapshot.
type build struct {
	Time   string `xml:"timestamp"` // 20060102.150405, in UTC
	Number int64  `xml:"buildNumber"`
}

// compare orders builds: clients give the next one a higher number. Builds that were
// begun at the same time have the same number and differ in their time.
func (b build) compare(other build) int {
	return cmp.Or(cmp.Compare(b.Number, other.Number), strings.Compare(b.Time, other.Time))
}

// stamp is the time as lastUpdated writes it.
func (b build) stamp() string { return strings.Replace(b.Time, ".", "", 1) }

// buildFile is a file of a build, as metadata lists it.
type buildFile struct {
	build      `xml:"-"`
	Classifier string `xml:"classifier,omitempty"`
	Extension  string `xml:"extension"`
	Value      string `xml:"value"` // what stands for the version in its name
	Updated    string `xml:"updated"`
}

// compareFiles orders files by classifier and extension, and of each the newest
// first.
func compareFiles(a, b buildFile) int {
	return cmp.Or(strings.Compare(a.Classifier, b.Classifier), strings.Compare(a.Extension, b.Extension), b.compare(a.build))
}

// dated is what Maven puts in the place of SNAPSHOT, and what follows it.
var dated = regexp.MustCompile(`^(\d{8}\.\d{6})-(\d{1,9})(?:-([^.].*))?$`)

// parseBuild reads the name of a file of a snapshot:
// app-1.1-20260102.030405-7-sources.tar.gz. ok is false for files without a time.
func parseBuild(at coordinates, file string) (f buildFile, ok bool) {
	base := strings.TrimSuffix(at.version, snapshot)
	rest, ok := strings.CutPrefix(file, at.artifact()+"-"+base+"-")
	if !ok {
		return f, false
	}
	stem, extension, ok := cutExtension(rest)
	if !ok {
		return f, false
	}
	m := dated.FindStringSubmatch(stem)
	if m == nil {
		return f, false
	}
	f.Time, f.Classifier, f.Extension = m[1], m[3], extension
	f.Number, _ = strconv.ParseInt(m[2], 10, 64) // at most nine digits
	f.Value, f.Updated = base+"-"+m[1]+"-"+m[2], f.stamp()
	return f, true
}

// added are the extensions that come behind another.
var added = map[string]bool{"asc": true, "sig": true, "sigstore": true}

// cutExtension cuts off the extension of a file name, with all its parts: tar.gz,
// jar.asc, tar.gz.asc, pom.sigstore.json. A classifier may have dots as well.
func cutExtension(file string) (stem, extension string, ok bool) {
	at := strings.LastIndexByte(file, '.')
	for at > 0 {
		last, _, _ := strings.Cut(file[at+1:], ".")
		before := strings.LastIndexByte(file[:at], '.')
		if previous := file[before+1 : at]; before <= 0 || !added[last] && previous != "tar" && !added[previous] {
			break
		}
		at = before
	}
	// The time of the build has a dot that is none of an extension.
	if at <= 0 || at == len(file)-1 || at == len("20060102") && !strings.Contains(file[at+1:], ".") && dated.MatchString(file) {
		return "", "", false
	}
	return file[:at], file[at+1:], true
}

func isPom(file string) bool { return strings.HasSuffix(file, ".pom") }

// splitName returns the group id, with dots, and the artifact id of a package.
func splitName(name string) (group, artifact string) {
	folder, artifact := cutLast(name)
	return strings.ReplaceAll(folder, "/", "."), artifact
}
