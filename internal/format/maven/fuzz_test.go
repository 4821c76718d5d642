package maven

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzPom(f *testing.F) {
	f.Add([]byte(`<project><groupId>com.example</groupId><artifactId>app</artifactId><version>1.0</version><dependencies><dependency><groupId>a</groupId></dependency></dependencies></project>`))
	f.Add([]byte(`<?xml version="1.0" encoding="ISO-8859-1"?><project><parent><groupId>com.example</groupId><version>1.0</version></parent><artifactId>app</artifactId><name>&oslash;</name></project>`))
	f.Add([]byte(`<!DOCTYPE p [<!ENTITY x "y">]><project/>`))
	at := coordinates{name: "com/example/app", version: "1.0", file: "app-1.0.pom"}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := parsePom(data)
		if err != nil {
			return
		}
		if p.check(at) == nil && one(p.ArtifactID) != "app" && !strings.Contains(one(p.ArtifactID), "${") {
			t.Errorf("the pom of %q passes for app", p.ArtifactID)
		}
		a := p.about()
		if !utf8.ValidString(a.Description) || len(a.Name) > maxText || len(a.Dependencies) > maxDependencies {
			t.Errorf("about = %+v", a)
		}
	})
}

func FuzzBuild(f *testing.F) {
	for _, s := range []string{"app-1.0-20260102.030405-1.jar", "app-1.0-20260102.030405-12-sources.tar.gz.asc", "app-1.0-20260102.030405-1", "app-1.0-20260102.030405-1-scala2.12.jar", "app-1.0-SNAPSHOT.jar"} {
		f.Add(s)
	}
	at := coordinates{name: "com/example/app", version: "1.0-SNAPSHOT"}
	f.Fuzz(func(t *testing.T, file string) {
		b, ok := parseBuild(at, file)
		if !ok {
			return
		}
		again := "app-" + b.Value
		if b.Classifier != "" {
			again += "-" + b.Classifier
		}
		if again += "." + b.Extension; again != file {
			t.Errorf("%q was read as %+v, which is %q", file, b, again)
		}
	})
}

func FuzzPath(f *testing.F) {
	for _, s := range []string{"com/example/app/1.0/app-1.0.jar.sha1", "com/example/maven-metadata.xml", "com/example/app/1.0-SNAPSHOT/maven-metadata.xml", "@a/b/1.0/c", "a/-SNAPSHOT/maven-metadata.xml"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, path string) {
		at, err := parsePath(path)
		if err != nil {
			return
		}
		if strings.Contains("/"+at.name+"/"+at.version+"/"+at.file+"/", "/../") || at.name == "" || strings.ContainsAny(at.version+at.file, "/\\ \x00") || at.kind == file && at.version == "" {
			t.Errorf("parse(%q) = %+v", path, at)
		}
	})
}
