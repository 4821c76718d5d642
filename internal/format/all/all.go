// Package all lists the formats that the server speaks. Adding a format means a
// folder beside this one and a line below.
package all

import (
	"packhouse/internal/format"
	"packhouse/internal/format/container"
	"packhouse/internal/format/generic"
	"packhouse/internal/format/maven"
	"packhouse/internal/format/npm"
	"packhouse/internal/format/nuget"
	"packhouse/internal/format/pypi"
	"packhouse/internal/format/terraform"
)

// Formats returns all formats.
func Formats() []format.Format {
	return []format.Format{
		container.New(),
		generic.New(),
		maven.New(),
		npm.New(),
		nuget.New(),
		pypi.New(),
		terraform.New(),
	}
}
