//go:build linux

package main

import (
	"archive/zip"
	"bytes"
	"fmt"

	"packhouse/bench/load"
)

// nuget is what dotnet nuget push and restore say.
var nuget = &ecosystem{
	name:   "nuget",
	mounts: map[string]string{"G": "/api/packages/bench/nuget"},
	publish: func(mount, name, version string, n int64) []load.Made {
		return []load.Made{nugetPush(mount, name, version, content(n, smallSize))}
	},
	document: func(letter, mount, name string) string {
		if letter == "G" {
			return mount + "/registration/" + name + "/index.json"
		}
		return mount + "/metadata/" + name + "/index.json"
	},
	listing: nugetVersions,
}

// nugetVersions is the list of versions in the flat container.
func nugetVersions(letter, mount, name string) string {
	if letter == "G" {
		return mount + "/package/" + name + "/index.json"
	}
	return mount + "/download/" + name + "/index.json"
}

func nugetOperations() []operation {
	doc := func(versions int) reading { return reading{ecosystem: nuget, versions: versions} }
	list := doc(1000)
	list.file = func(letter, mount string) string { return nugetVersions(letter, mount, "read-1000") }
	pages := doc(1000) // the index of the pages: versions are in those
	pages.file = func(letter, mount string) string { return nuget.document(letter, mount, "read-1000") }
	return []operation{
		{"NuGet registration, 10 versions", "P", "N", doc(10).make, cpu(2)},
		{"NuGet registration, 100 versions", "P", "N", doc(100).make, cpu(1.1)},
		{"NuGet registration, 1,000 versions in pages", "P", "N", pages.make, cpu(2)},
		{"NuGet versions, 1,000 versions", "P", "N", list.make, cpu(2)},
		{"NuGet registration, 100 versions", "P", "G", doc(100).make, times(5)},
		{"NuGet versions, 1,000 versions", "P", "G", list.make, times(5)},
		{"NuGet push, c1", "P", "F", nuget.publishing(1), share(0.3)},
		{"NuGet push, c32", "P", "F", nuget.publishing(32), share(0.6)},
		{"NuGet push, c1", "P", "G", nuget.publishing(1), times(3)},
		{"NuGet push, c32", "P", "G", nuget.publishing(32), times(3)},
		{"NuGet push, version 10,001 beside the first", "P", "p", nuget.growing, cpu(2)},
	}
}

// nugetPush is the request of dotnet nuget push.
func nugetPush(mount, name, version string, data []byte) load.Made {
	const boundary = "0123456789abcdef"
	var b bytes.Buffer
	fmt.Fprintf(&b, "--%s\r\nContent-Type: application/octet-stream\r\nContent-Disposition: form-data; name=package; filename=package.nupkg; filename*=utf-8''package.nupkg\r\n\r\n", boundary)
	b.Write(nugetPackage(name, version, data))
	fmt.Fprintf(&b, "\r\n--%s--\r\n", boundary)
	return load.Made{
		Method: "PUT", Path: mount + "/", Body: b.Bytes(),
		Header: map[string]string{"Content-Type": `multipart/form-data; boundary="` + boundary + `"`, "X-NuGet-Client-Version": "5.4.0"},
	}
}

// nugetPackage is a .nupkg. Nothing in it is compressed, as random bytes cannot be.
func nugetPackage(name, version string, data []byte) []byte {
	var b bytes.Buffer
	archive := zip.NewWriter(&b)
	for _, entry := range []struct{ name, text string }{
		{name + ".nuspec", fmt.Sprintf(`<?xml version="1.0" encoding="utf-8"?>
<package xmlns="http://schemas.microsoft.com/packaging/2013/05/nuspec.xsd">
  <metadata>
    <id>%s</id>
    <version>%s</version>
    <authors>bench</authors>
    <description>a package of the benchmark</description>
    <tags>bench packages</tags>
    <dependencies><group targetFramework=".NETStandard2.0"><dependency id="Newtonsoft.Json" version="13.0.1" /></group></dependencies>
  </metadata>
</package>
`, name, version)},
		{"[Content_Types].xml", `<?xml version="1.0" encoding="utf-8"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="dll" ContentType="application/octet" /><Default Extension="nuspec" ContentType="application/octet" /></Types>`},
		{"lib/netstandard2.0/" + name + ".dll", string(data)},
	} {
		w, err := archive.CreateHeader(&zip.FileHeader{Name: entry.name, Method: zip.Store})
		must(err)
		_, err = w.Write([]byte(entry.text))
		must(err)
	}
	must(archive.Close())
	return b.Bytes()
}
