package maven

import (
	"html"
	"strings"

	"packhouse/internal/format"
)

// Place is what snippets are about.
type Place struct {
	// Base is where the format is mounted, without a slash at the end:
	// "https://registry.example.com/api/v4/projects/1/packages/maven".
	Base string
	// Package and Version are named in what installs; without one of them that is
	// left out.
	Package, Version string
	// Publish says that packages can be published there: it is a project.
	Publish bool
}

const repositoryXML = "    <repository>\n      <id>packhouse</id>\n      <url>{base xml}</url>\n    </repository>\n"

// snippets are those of every client. Maven asks each repository that a pom names for
// every artifact; whoever can publish in one of them decides what is installed where
// the others have nothing of that name. The settings say what to mirror.
var snippets = []format.Snippet{
	{Client: "Maven", Does: "configure", File: "settings.xml", Text: "<settings>\n  <servers>\n    <server>\n      <id>packhouse</id>\n      <configuration>\n        <httpHeaders>\n" +
		"          <property>\n            <name>Private-Token</name>\n            <value>${env.PACKHOUSE_TOKEN}</value>\n          </property>\n" +
		"        </httpHeaders>\n      </configuration>\n    </server>\n  </servers>\n</settings>\n"},
	{Client: "Maven", Does: "configure", File: "pom.xml", Text: "<repositories>\n" + repositoryXML + "</repositories>\n"},
	{Client: "Maven", Does: "install", File: "pom.xml", Text: "<dependency>\n  <groupId>{group}</groupId>\n  <artifactId>{artifact}</artifactId>\n  <version>{version}</version>\n</dependency>\n"},
	{Client: "Maven", Does: "install", Text: "mvn dependency:get -Dartifact={group}:{artifact}:{version}"},
	{Client: "Gradle", Does: "configure", File: "build.gradle", Text: "repositories {\n    maven {\n        url = '{base}'\n        credentials(HttpHeaderCredentials) {\n" +
		"            name = 'Private-Token'\n            value = System.getenv('PACKHOUSE_TOKEN')\n        }\n        authentication {\n            header(HttpHeaderAuthentication)\n        }\n    }\n}\n"},
	{Client: "Gradle", Does: "install", File: "build.gradle", Text: "implementation '{group}:{artifact}:{version}'\n"},
	{Client: "Gradle (Kotlin)", Does: "configure", File: "build.gradle.kts", Text: "repositories {\n    maven(\"{base}\") {\n        credentials(HttpHeaderCredentials::class) {\n" +
		"            name = \"Private-Token\"\n            value = System.getenv(\"PACKHOUSE_TOKEN\")\n        }\n        authentication {\n            create(\"header\", HttpHeaderAuthentication::class)\n        }\n    }\n}\n"},
	{Client: "Gradle (Kotlin)", Does: "install", File: "build.gradle.kts", Text: "implementation(\"{group}:{artifact}:{version}\")\n"},
	{Client: "sbt", Does: "configure", File: "build.sbt", Text: "resolvers += \"packhouse\" at \"{base}\"\ncredentials += Credentials(\"GitLab Packages Registry\", \"{host}\", \"token\", sys.env(\"PACKHOUSE_TOKEN\"))\n"},
	{Client: "sbt", Does: "install", File: "build.sbt", Text: "libraryDependencies += \"{group}\" % \"{artifact}\" % \"{version}\"\n"},
	{Client: "Maven", Does: "publish", File: "pom.xml", Text: "<distributionManagement>\n" + repositoryXML + strings.ReplaceAll(repositoryXML, "repository>", "snapshotRepository>") + "</distributionManagement>\n"},
	{Client: "Maven", Does: "publish", Text: "mvn deploy"},
	{Client: "Gradle", Does: "publish", File: "build.gradle", Text: "publishing {\n    publications {\n        library(MavenPublication) { from components.java }\n    }\n    repositories {\n        maven {\n            url = '{base}'\n" +
		"            credentials(HttpHeaderCredentials) {\n                name = 'Private-Token'\n                value = System.getenv('PACKHOUSE_TOKEN')\n            }\n" +
		"            authentication {\n                header(HttpHeaderAuthentication)\n            }\n        }\n    }\n}\n"},
	{Client: "sbt", Does: "publish", File: "build.sbt", Text: "publishTo := Some(\"packhouse\" at \"{base}\")\npublishMavenStyle := true\n"},
	{Client: "GitLab CI", Does: "publish", File: ".gitlab-ci.yml", Text: "deploy:\n  image: maven:3-eclipse-temurin-21\n  script:\n    - mvn deploy --settings ci_settings.xml\n"},
	{Client: "GitLab CI", Does: "publish", File: "ci_settings.xml", Text: "<settings>\n  <servers>\n    <server>\n      <id>packhouse</id>\n      <configuration>\n        <httpHeaders>\n" +
		"          <property>\n            <name>Job-Token</name>\n            <value>${env.CI_JOB_TOKEN}</value>\n          </property>\n" +
		"        </httpHeaders>\n      </configuration>\n    </server>\n  </servers>\n</settings>\n"},
}

// Snippets are the texts for a place, plain text that the page has to escape. A
// package or version that nobody could have published gives none.
func Snippets(p Place) []format.Snippet {
	group, artifact := splitName(p.Package)
	if p.Package != "" {
		if _, err := checkName(p.Package); err != nil {
			return nil
		}
	}
	if p.Version != "" {
		if _, err := checkVersion(p.Version); err != nil {
			return nil
		}
	}
	_, host, _ := strings.Cut(p.Base, "://")
	host, _, _ = strings.Cut(host, "/")
	host, _, _ = strings.Cut(host, ":") // sbt compares the name alone
	fill := strings.NewReplacer("{base}", p.Base, "{base xml}", html.EscapeString(p.Base), "{host}", host,
		"{group}", group, "{artifact}", artifact, "{version}", p.Version)
	var list []format.Snippet
	for _, s := range snippets {
		if s.Does == "publish" && !p.Publish || s.Does == "install" && (p.Package == "" || p.Version == "") {
			continue
		}
		s.Text = fill.Replace(s.Text)
		list = append(list, s)
	}
	return list
}
