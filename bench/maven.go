//go:build linux

package main

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"fmt"

	"packhouse/bench/load"
)

// maven is what mvn deploy and a resolver say.
var maven = &ecosystem{
	name:   "maven",
	mounts: map[string]string{"G": "/api/packages/bench/maven"},
	publish: func(mount, name, version string, n int64) (all []load.Made) {
		for i, file := range []string{".jar", "-sources.jar", "-javadoc.jar", "-tests.jar"} {
			all = append(all, mavenPut(mavenFile(mount, name, version, file), content(n*8+int64(i), smallSize))...)
		}
		all = append(all, mavenPut(mavenFile(mount, name, version, ".pom"), mavenPom(name, version))...)
		return append(all, mavenPut(mavenIndex(mount, name), mavenMetadata(name, version))...)
	},
	fewest: func(mount, name, version string, n int64) []load.Made {
		return []load.Made{
			mavenPut(mavenFile(mount, name, version, ".pom"), mavenPom(name, version))[0],
			mavenPut(mavenFile(mount, name, version, ".jar"), content(n, smallSize))[0],
		}
	},
	document: func(_, mount, name string) string { return mavenIndex(mount, name) },
}

func mavenOperations() []operation {
	doc := func(versions int) reading { return reading{ecosystem: maven, versions: versions} }
	sum := doc(10)
	sum.file = func(_, mount string) string { return mavenIndex(mount, "read-10") + ".sha1" }
	return []operation{
		{"Maven metadata, 10 versions", "P", "N", doc(10).make, cpu(2)},
		{"Maven metadata, 10 versions, its SHA-1", "P", "N", sum.make, cpu(2)},
		{"Maven metadata, 1,000 versions", "P", "N", doc(1000).make, cpu(2)},
		{"Maven metadata, 10 versions", "P", "G", doc(10).make, times(5)},
		{"Maven metadata, 1,000 versions", "P", "G", doc(1000).make, times(5)},
		{"Maven deploy of 5 files, c1", "P", "F", maven.publishing(1), share(0.06)},
		{"Maven deploy of 5 files, c32", "P", "F", maven.publishing(32), share(0.12)},
		{"Maven deploy of 5 files, c1", "P", "G", maven.publishing(1), times(3)},
		{"Maven deploy of 5 files, c32", "P", "G", maven.publishing(32), times(3)},
		{"Maven deploy, version 10,001 beside the first", "P", "p", maven.growing, cpu(2)},
		{"Maven metadata of a group of 1,000 projects beside a project", "P", "p", maven.grouped, cpu(1.3)},
		{"Maven jar from a group of 10,000 projects with 1,000,000 files", "P", "p", mass("GET"), soon},
		{"Maven jar from a group of 10,000 projects with 1,000,000 files, HEAD", "P", "p", mass("HEAD"), soon},
	}
}

func mavenIndex(mount, name string) string {
	return fmt.Sprintf("%s/com/example/%s/maven-metadata.xml", mount, name)
}

func mavenFile(mount, name, version, ending string) string {
	return fmt.Sprintf("%s/com/example/%s/%s/%s-%s%s", mount, name, version, name, version, ending)
}

// mavenPut is a file with its checksums, as Maven 3 puts them.
func mavenPut(path string, data []byte) []load.Made {
	sha1sum, md5sum := sha1.Sum(data), md5.Sum(data)
	return []load.Made{
		{Method: "PUT", Path: path, Body: data},
		{Method: "PUT", Path: path + ".sha1", Body: []byte(hex.EncodeToString(sha1sum[:]))},
		{Method: "PUT", Path: path + ".md5", Body: []byte(hex.EncodeToString(md5sum[:]))},
	}
}

func mavenPom(name, version string) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.example</groupId>
  <artifactId>%s</artifactId>
  <version>%s</version>
  <dependencies>
    <dependency><groupId>com.example</groupId><artifactId>other</artifactId><version>1.0.0</version></dependency>
  </dependencies>
</project>
`, name, version)
}

func mavenMetadata(name, version string) []byte {
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<metadata>
  <groupId>com.example</groupId>
  <artifactId>%s</artifactId>
  <versioning>
    <release>%s</release>
    <versions><version>%s</version></versions>
    <lastUpdated>20260102030405</lastUpdated>
  </versioning>
</metadata>
`, name, version, version)
}
