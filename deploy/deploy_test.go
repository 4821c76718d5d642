// Package deploy_test checks what deploy holds against the program: options that
// it sets have to exist, and files have to be readable.
package deploy_test

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"packhouse/internal/config"
)

// options are the environment variables of all options.
func options() map[string]bool {
	known := map[string]bool{}
	for field := range reflect.TypeFor[config.Config]().Fields() {
		if name := field.Tag.Get("name"); name != "" {
			known["PACKHOUSE_"+strings.ToUpper(strings.ReplaceAll(name, "-", "_"))] = true
		}
	}
	return known
}

var (
	variable = regexp.MustCompile(`PACKHOUSE_[A-Z_]+`)
	prefix   = "PACKHOUSE_" // in the chart, before an option's name
)

func TestOptionsExist(t *testing.T) {
	known, met := options(), 0
	for _, pattern := range []string{"docker/*", "docker/.env.example", "systemd/*", "helm/packhouse/*.yaml", "helm/packhouse/templates/*"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v %v", pattern, files, err)
		}
		for _, file := range files {
			if info, err := os.Stat(file); err != nil || info.IsDir() {
				continue
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range variable.FindAllString(string(text), -1) {
				if met++; name != prefix && !known[name] {
					t.Errorf("%s sets %s, which is no option", file, name)
				}
			}
		}
	}
	if met < 10 {
		t.Errorf("%d variables were found; this test proves nothing", met)
	}
}

func TestReadable(t *testing.T) {
	for _, file := range []string{"docker/compose.yaml", "helm/packhouse/Chart.yaml", "helm/packhouse/values.yaml"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := yaml.Unmarshal(text, &v); err != nil || len(v) == 0 {
			t.Errorf("%s: %v", file, err)
		}
	}
}
