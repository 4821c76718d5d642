package nuget

import (
	"bytes"
	"encoding/xml"
	"strconv"
	"strings"
)

const xmlHead = `<?xml version="1.0" encoding="utf-8"?>`

const feedSpaces = ` xmlns="http://www.w3.org/2005/Atom" xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata" xml:base="`

// feedWriter writes the XML of the old feed.
type feedWriter struct {
	bytes.Buffer
	base string // of the mount
}

func newFeed(base string) *feedWriter {
	x := &feedWriter{base: base}
	x.WriteString(xmlHead)
	return x
}

func escape(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder takes everything
	return b.String()
}

func (x *feedWriter) feed(function string, list []feedEntry, total int, next string) {
	at := escape(x.base + "/v2")
	x.WriteString(`<feed` + feedSpaces + at + `"><m:count>` + strconv.Itoa(total) + `</m:count><id>` + at + "/" + function +
		`</id><title type="text">` + function + `</title><updated>1970-01-01T00:00:00Z</updated><link rel="self" title="` + function + `" href="` + function + `"/>`)
	for i := range list {
		x.entry(&list[i], false)
	}
	if next != "" {
		x.WriteString(`<link rel="next" href="` + escape(next) + `"/>`)
	}
	x.WriteString(`</feed>`)
}

// unlistedTime is when what is unlisted was published, for clients that know no
// other sign of it.
const unlistedTime = "1900-01-01T00:00:00Z"

// entry writes one version; alone says that it is the whole document.
func (x *feedWriter) entry(e *feedEntry, alone bool) {
	m, v := e.manifest, e.version
	spaces := ""
	if alone {
		spaces = feedSpaces + escape(x.base+"/v2") + `"`
	}
	leaf := newLeaf(x.base, e.entry)
	shown := &leaf.CatalogEntry
	created := e.published.UTC().Format(timeLayout)
	x.WriteString(`<entry` + spaces + `><id>` + escape(x.base+"/v2/Packages(Id='"+m.ID+"',Version='"+v.String()+"')") +
		`</id><category term="NuGetGallery.OData.V2FeedPackage" scheme="http://schemas.microsoft.com/ado/2007/08/dataservices/scheme"/><title type="text">` +
		escape(m.ID) + `</title><summary type="text">` + escape(shown.Summary) + `</summary><updated>` + created + `</updated><author><name>` + escape(m.Authors) +
		`</name></author><content type="application/zip" src="` + escape(x.base+"/v2/download/"+m.ID+"/"+v.String()) + `"/><m:properties>`)
	published := created
	if !e.listed {
		published = unlistedTime
	}
	title := m.Title
	if title == "" {
		title = m.ID
	}
	for _, p := range []struct{ name, kind, value string }{
		{"Id", "", m.ID}, {"Version", "", v.full()}, {"NormalizedVersion", "", v.String()}, {"Title", "", title}, {"Authors", "", m.Authors},
		{"Description", "", m.Description}, {"Summary", "", shown.Summary}, {"Tags", "", m.Tags}, {"Dependencies", "", feedDependencies(m.Groups)},
		{"ProjectUrl", "", m.ProjectURL}, {"LicenseUrl", "", shown.LicenseURL}, {"IconUrl", "", shown.IconURL}, {"ReleaseNotes", "", m.ReleaseNotes},
		{"Copyright", "", m.Copyright}, {"Language", "", m.Language}, {"MinClientVersion", "", m.MinClient}, {"PackageHash", "", e.hash}, {"PackageHashAlgorithm", "", "SHA512"},
		{"PackageSize", "Edm.Int64", strconv.FormatInt(e.size, 10)}, {"Created", "Edm.DateTime", created}, {"Published", "Edm.DateTime", published},
		{"IsLatestVersion", "Edm.Boolean", strconv.FormatBool(e.latest)}, {"IsAbsoluteLatestVersion", "Edm.Boolean", strconv.FormatBool(e.absolute)},
		{"IsPrerelease", "Edm.Boolean", strconv.FormatBool(v.prerelease())}, {"Listed", "Edm.Boolean", strconv.FormatBool(e.listed)},
		{"RequireLicenseAcceptance", "Edm.Boolean", strconv.FormatBool(m.AcceptLicense)}, {"DownloadCount", "Edm.Int32", "0"}, {"VersionDownloadCount", "Edm.Int32", "0"},
	} {
		kind := ""
		if p.kind != "" {
			kind = ` m:type="` + p.kind + `"`
		}
		x.WriteString(`<d:` + p.name + kind + `>` + escape(p.value) + `</d:` + p.name + `>`)
	}
	x.WriteString(`</m:properties></entry>`)
}

// feedDependencies writes dependencies as the old feed has them: id, range and
// framework of each, a group without any as a framework alone.
func feedDependencies(groups []group) string {
	var all []string
	for _, g := range groups {
		if len(g.Dependencies) == 0 {
			all = append(all, "::"+g.Framework)
		}
		for _, d := range g.Dependencies {
			all = append(all, strings.TrimSuffix(d.ID+":"+d.Range+":"+g.Framework, ":"))
		}
	}
	return strings.Join(all, "|")
}

// feedSchema is the model of the old feed.
var feedSchema = xmlHead + `<edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices m:DataServiceVersion="2.0" m:MaxDataServiceVersion="2.0" xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">` +
	`<Schema Namespace="NuGetGallery.OData" xmlns="http://schemas.microsoft.com/ado/2006/04/edm"><EntityType Name="V2FeedPackage" m:HasStream="true"><Key><PropertyRef Name="Id"/><PropertyRef Name="Version"/></Key>` +
	schemaProperties() + `</EntityType></Schema><Schema Namespace="NuGetGallery" xmlns="http://schemas.microsoft.com/ado/2006/04/edm"><EntityContainer Name="V2FeedContext" m:IsDefaultEntityContainer="true">` +
	`<EntitySet Name="Packages" EntityType="NuGetGallery.OData.V2FeedPackage"/>` +
	`<FunctionImport Name="Search" ReturnType="Collection(NuGetGallery.OData.V2FeedPackage)" EntitySet="Packages"><Parameter Name="searchTerm" Type="Edm.String"/><Parameter Name="targetFramework" Type="Edm.String"/><Parameter Name="includePrerelease" Type="Edm.Boolean" Nullable="false"/></FunctionImport>` +
	`<FunctionImport Name="FindPackagesById" ReturnType="Collection(NuGetGallery.OData.V2FeedPackage)" EntitySet="Packages"><Parameter Name="id" Type="Edm.String"/></FunctionImport>` +
	`</EntityContainer></Schema></edmx:DataServices></edmx:Edmx>`

func schemaProperties() string {
	var b strings.Builder
	for _, p := range []struct{ kind, names string }{
		{"Edm.String", "Id Version NormalizedVersion Title Authors Description Summary Tags Dependencies ProjectUrl LicenseUrl IconUrl ReleaseNotes Copyright Language MinClientVersion PackageHash PackageHashAlgorithm"},
		{"Edm.Int64", "PackageSize"}, {"Edm.DateTime", "Created Published"}, {"Edm.Int32", "DownloadCount VersionDownloadCount"},
		{"Edm.Boolean", "IsLatestVersion IsAbsoluteLatestVersion IsPrerelease Listed RequireLicenseAcceptance"},
	} {
		for n := range strings.FieldsSeq(p.names) {
			b.WriteString(`<Property Name="` + n + `" Type="` + p.kind + `"/>`)
		}
	}
	return b.String()
}
