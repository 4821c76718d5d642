package clients_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"packhouse/test/packhousetest"
)

// command is a client as an installed program, which prints JSON.
type command struct {
	*world
	program string
	env     []string
	args    []string // before those of each call
}

// tool is a program that test/tools.sh installs.
func tool(t *testing.T, path string) string {
	t.Helper()
	program, err := filepath.Abs(filepath.Join("../../.tools", path))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%v; \"make tools\" installs it", err)
	}
	return program
}

// run returns what a call printed, and fails the test if the program fails.
func (c *command) run(args ...string) any {
	c.t.Helper()
	cmd := exec.Command(c.program, append(append([]string{}, c.args...), args...)...)
	cmd.Env = append(os.Environ(), c.env...)
	out, err := cmd.Output()
	if err != nil {
		var failed *exec.ExitError
		stderr := ""
		if ok := asExit(err, &failed); ok {
			stderr = string(failed.Stderr)
		}
		c.t.Fatalf("%s %q: %v\n%s%s", filepath.Base(c.program), args, err, out, stderr)
	}
	if len(out) == 0 {
		return nil
	}
	var v any
	if err := json.Unmarshal(out, &v); err != nil {
		return string(out)
	}
	return v
}

func asExit(err error, into **exec.ExitError) bool {
	failed, ok := err.(*exec.ExitError)
	*into = failed
	return ok
}

// fails wants a call to be refused.
func (c *command) fails(args ...string) {
	c.t.Helper()
	cmd := exec.Command(c.program, append(append([]string{}, c.args...), args...)...)
	cmd.Env = append(os.Environ(), c.env...)
	if out, err := cmd.CombinedOutput(); err == nil {
		c.t.Errorf("%s %q succeeds: %s", filepath.Base(c.program), args, out)
	}
}

// made is the id of what a call made.
func (c *command) made(args ...string) string {
	c.t.Helper()
	object, _ := c.run(args...).(map[string]any)
	if object["id"] == nil {
		c.t.Fatalf("%q gave %v, want something with an id", args, object)
	}
	return fmt.Sprint(object["id"])
}

// count is how long the list of a call is.
func (c *command) count(args ...string) int {
	c.t.Helper()
	list, ok := c.run(args...).([]any)
	if !ok {
		c.t.Fatalf("%q gave no list", args)
	}
	return len(list)
}

func TestPythonGitLab(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := &command{world: w, program: tool(t, "python-gitlab/bin/gitlab"), args: []string{
		"--server-url", w.url, "--private-token", packhousetest.RootToken, "-o", "json",
	}}
	w.equal("who", c.run("current-user", "get").(map[string]any)["username"], "root")
	group := c.made("group", "create", "--name", "Acme", "--path", "acme")
	sub := c.made("group", "create", "--name", "Tools", "--path", "tools", "--parent-id", group)
	project := c.made("project", "create", "--name", "lib", "--namespace-id", sub)
	w.equal("by path", c.run("project", "get", "--id", "acme/tools/lib").(map[string]any)["path_with_namespace"], "acme/tools/lib")
	user := c.made("user", "create", "--username", "dana", "--name", "Dana", "--email", "dana@example.net", "--reset-password", "true")
	c.run("project-member", "create", "--project-id", project, "--user-id", user, "--access-level", "30")
	w.equal("members", c.count("project-member", "list", "--project-id", project), 1)
	c.run("project-member", "update", "--project-id", project, "--id", user, "--access-level", "40")
	c.run("project", "update", "--id", project, "--description", "a library")
	token := c.made("project-access-token", "create", "--project-id", project, "--name", "robot", "--scopes", "api", "--access-level", "30", "--expires-at", "2099-01-02")
	c.run("project-access-token", "rotate", "--project-id", project, "--id", token)
	w.equal("project tokens", c.count("project-access-token", "list", "--project-id", project, "--get-all"), 2)
	deploy := c.made("project-deploy-token", "create", "--project-id", project, "--name", "pull", "--scopes", "read_package_registry")
	w.equal("deploy tokens", c.count("project-deploy-token", "list", "--project-id", project), 1)
	c.run("project-deploy-token", "delete", "--project-id", project, "--id", deploy)
	file := filepath.Join(t.TempDir(), "app.txt")
	if err := os.WriteFile(file, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	c.run("generic-package", "upload", "--project-id", project, "--package-name", "app", "--package-version", "1.0", "--file-name", "app.txt", "--path", file)
	w.equal("downloaded", c.run("generic-package", "download", "--project-id", project, "--package-name", "app", "--package-version", "1.0", "--file-name", "app.txt"), "hello")
	w.equal("packages", c.count("project-package", "list", "--project-id", project), 1)
	c.run("project", "delete", "--id", project)
	c.run("group", "delete", "--id", group)
	c.fails("project", "get", "--id", "acme/none")
}

func TestGitbeaker(t *testing.T) {
	t.Parallel()
	w := start(t)
	c := &command{world: w, program: tool(t, "gitbeaker/node_modules/.bin/gb"), env: []string{
		"GITBEAKER_HOST=" + w.url, "GITBEAKER_TOKEN=" + packhousetest.RootToken,
	}}
	w.equal("who", c.run("users", "show-current-user").(map[string]any)["username"], "root")
	group := c.made("groups", "create", "--name=Acme", "--path=acme")
	project := c.made("projects", "create", "--name=lib", "--namespaceId="+group)
	w.equal("projects", c.count("projects", "all"), 1)
	w.equal("by path", c.run("projects", "show", "acme/lib").(map[string]any)["path_with_namespace"], "acme/lib")
	c.made("users", "create", "--username=dana", "--name=Dana", "--email=dana@example.net", "--forceRandomPassword=true")
	c.run("deploy-tokens", "create", "pull", "read_package_registry", "--projectId="+project)
	w.equal("deploy tokens", c.count("deploy-tokens", "all", "--projectId="+project), 1)
	c.fails("projects", "show", "acme/none")
}
