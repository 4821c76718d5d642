//go:build slow

package clients_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	gitlab "gitlab.com/gitlab-org/api/client-go/v2"

	"packhouse/test/packhousetest"
)

// Renovate finds a newer version of a package in a private project. Installing it
// takes minutes, so this runs in make test-slow.
func TestRenovate(t *testing.T) {
	w := start(t)
	p := w.project("lib", w.group("acme", 0).ID)
	for _, version := range []string{"1.0.0", "1.1.0", "2.0.0"} {
		ok[*gitlab.GenericPackagesFile](t)(w.GenericPackages.PublishPackageFile(p.ID, "app", version, "app.txt", strings.NewReader(version), nil))
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"versions.txt": "app 1.0.0\n",
		"renovate.json": `{
			"enabledManagers": ["custom.regex"],
			"customManagers": [{
				"customType": "regex", "fileMatch": ["^versions\\.txt$"], "matchStrings": ["(?<depName>\\S+) (?<currentValue>\\S+)"],
				"packageNameTemplate": "acme/lib:{{depName}}", "datasourceTemplate": "gitlab-packages", "registryUrlTemplate": "` + w.url + `"
			}]
		}`,
		"global.js": fmt.Sprintf(`module.exports = { hostRules: [{ matchHost: %q, hostType: "gitlab", token: %q }] }`, w.url, packhousetest.RootToken),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(tool(t, "renovate/node_modules/.bin/renovate"), "--platform=local", "--dry-run=lookup", "--require-config=optional")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "LOG_LEVEL=debug", "RENOVATE_CONFIG_FILE="+filepath.Join(dir, "global.js"))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), `"newValue": "2.0.0"`) || !strings.Contains(string(out), `"newValue": "1.1.0"`) {
		t.Errorf("renovate: %v\n%s", err, out)
	}
}
