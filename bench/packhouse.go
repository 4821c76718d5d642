//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"packhouse/bench/load"
)

// rootToken is the administrator's token of the servers under test, which live
// for one run and listen on the loopback alone.
const rootToken = "glpat-benchBENCHbenchBENCH"

// findPackhouse builds the server, unless the options name one.
func (l *lab) findPackhouse(ctx context.Context) error {
	if l.options.binary != "" {
		absolute, err := filepath.Abs(l.options.binary)
		l.packhouse = absolute
		return err
	}
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "packhouse").Output()
	if err != nil {
		return fmt.Errorf("find the module: %w", err)
	}
	l.packhouse = filepath.Join(l.disk, "packhouse")
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", l.packhouse, "./cmd/packhouse")
	build.Dir = strings.TrimSpace(string(root))
	if printed, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build the server: %w\n%s", err, printed)
	}
	return nil
}

// packhouseEnv is this process's environment with the root token and without
// settings that would make runs differ.
func packhouseEnv() []string {
	var env []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "PACKHOUSE_") {
			env = append(env, entry)
		}
	}
	return append(env, "PACKHOUSE_ROOT_TOKEN="+rootToken)
}

// createProject creates a private project, so that every download is
// authorised.
func (s *server) createProject(ctx context.Context) error {
	form := url.Values{"name": {"bench"}, "path": {"bench"}, "visibility": {"private"}}
	res, err := s.do(ctx, http.MethodPost, "/api/v4/projects", strings.NewReader(form.Encode()),
		http.Header{"Content-Type": {"application/x-www-form-urlencoded"}})
	if err != nil {
		return err
	}
	if res.status != http.StatusCreated {
		return fmt.Errorf("create the project: answer %d: %.300s", res.status, res.body)
	}
	var project struct {
		ID int64 `json:"id"`
	}
	if err := json.Unmarshal(res.body, &project); err != nil || project.ID == 0 {
		return errors.Join(fmt.Errorf("create the project: no id in %.300s", res.body), err)
	}
	s.project = project.ID
	return nil
}

// fullAnswer is an answer read to its end.
type fullAnswer struct {
	status int
	header http.Header
	body   []byte
}

// do makes one request with the server's credentials and those headers.
func (s *server) do(ctx context.Context, method, path string, body io.Reader, header http.Header) (*fullAnswer, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+s.Address+path, body)
	if err != nil {
		return nil, err
	}
	for name, value := range s.header {
		req.Header[name] = []string{value}
	}
	for name, values := range header {
		req.Header[name] = values
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return &fullAnswer{res.StatusCode, res.Header, text}, err
}

// versionPath is the path of a file of a version on Packhouse.
func (s *server) versionPath(name, version, file string) string {
	return fmt.Sprintf("/api/v4/projects/%d/packages/generic/%s/%s/%s", s.project, name, version, file)
}

// filePath is where the small or the large file is downloaded from.
func (s *server) filePath(file string) string {
	if s.letter == "P" {
		return s.versionPath("fixed", "1.0.0", file)
	}
	return "/" + file
}

// provide puts a file of the given size where filePath finds it, unless it is
// there already.
func (s *server) provide(ctx context.Context, file string, size int64) error {
	if s.published[file] {
		return nil
	}
	body := load.Body(load.FirstNumber, size)
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+s.Address+s.filePath(file), body)
	if err != nil {
		return err
	}
	req.ContentLength = size
	req.Header.Set("PRIVATE-TOKEN", rootToken)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusCreated {
		text, _ := io.ReadAll(io.LimitReader(res.Body, 300)) // for the message only
		return fmt.Errorf("publish %s: answer %d: %s", file, res.StatusCode, text)
	}
	s.published[file] = true
	return nil
}
