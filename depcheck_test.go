package packhouse_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// layers says, for each room, which rooms it may import. Data flows one way: a
// room that is not listed here does not exist, and an import that is not listed
// points the wrong way.
var layers = map[string][]string{
	"":          {},
	"authz":     {""},
	"blob":      {""},
	"ledger":    {""},
	"memo":      {},
	"outbound":  {},
	"limit":     {"", "memo"},
	"store":     {"", "ledger"},
	"directory": {"", "authz", "ledger", "store"},
	"policy":    {"", "ledger"},
	"gitlab":    {"", "memo", "outbound"},
	"authn":     {"", "directory", "gitlab", "ledger", "memo", "store"},
	"registry":  {"", "blob", "directory", "ledger", "memo", "policy", "store"},
	"jobs":      {"", "store"},
	"carry":     {"", "blob", "ledger", "store"},
	"verify":    {"", "blob", "store"},
	"format":    {"", "authz", "ledger", "registry"},
	"oidc":      {"", "authn", "directory", "format", "ledger", "outbound", "store"},
	"signin":    {"", "authn", "authz", "directory", "format", "ledger", "oidc", "store"},
	"api":       {"", "authn", "authz", "directory", "format", "ledger", "oidc", "registry", "store"},
	"web":       {"", "authn", "authz", "directory", "format", "ledger", "registry", "store"},
	"gate":      {"", "authn", "authz", "directory", "format", "ledger", "limit", "registry"},
	"server":    {""},
	"config":    {""},
	"telemetry": {"", "authz", "format", "gate"},
	"house":     {"*"},
}

func TestLayers(t *testing.T) {
	seen := map[string]bool{}
	for _, line := range list(t, `{{.ImportPath}} {{join .Imports " "}}`, "packhouse", "packhouse/internal/...") {
		fields := strings.Fields(line)
		room := roomOf(fields[0])
		if room == "format" && fields[0] != "packhouse/internal/format" {
			continue // see TestFormatsAreFolders
		}
		seen[room] = true
		allowed, known := layers[room]
		if !known {
			t.Errorf("room %q is not in the table of layers", room)
		}
		for _, imported := range fields[1:] {
			if !strings.HasPrefix(imported, "packhouse") || roomOf(imported) == room || slices.Contains(allowed, "*") {
				continue
			}
			if !slices.Contains(allowed, roomOf(imported)) {
				t.Errorf("%s imports %s: %q must not know %q", fields[0], imported, room, roomOf(imported))
			}
		}
	}
	for room := range layers {
		if !seen[room] {
			t.Errorf("room %q of the table of layers does not exist", room)
		}
	}
}

// A format is one folder: it imports what all formats import, no other format,
// and nobody but the list in all imports it.
func TestFormatsAreFolders(t *testing.T) {
	const formats = "packhouse/internal/format/"
	shared := []string{"packhouse", "packhouse/internal/authz", "packhouse/internal/format", "packhouse/internal/registry", "packhouse/internal/blob"}
	for _, line := range list(t, `{{.ImportPath}} {{join .Imports " "}}`, "packhouse/...") {
		fields := strings.Fields(line)
		name, isFormat := strings.CutPrefix(fields[0], formats)
		isFormat = isFormat && name != "all" && name != "formattest"
		for _, imported := range fields[1:] {
			if isFormat && strings.HasPrefix(imported, "packhouse") && !slices.Contains(shared, imported) && !strings.HasPrefix(imported, fields[0]+"/") {
				t.Errorf("format %s imports %s", name, imported)
			}
			if other, ok := strings.CutPrefix(imported, formats); ok && other != "all" && other != "formattest" &&
				fields[0] != formats+"all" && !strings.HasPrefix(fields[0], formats+strings.Split(other, "/")[0]) {
				t.Errorf("%s imports the format %s", fields[0], other)
			}
		}
	}
}

func roomOf(path string) string {
	rest := strings.TrimPrefix(strings.TrimPrefix(path, "packhouse"), "/internal/")
	room, _, _ := strings.Cut(rest, "/")
	return room
}

func list(t *testing.T, format string, patterns ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list", "-f", format}, patterns...)...).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
