package operate

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"packhouse/test/packhousetest"
)

// client sends requests as the administrator to one project of a server.
type client struct {
	t       *testing.T
	server  *packhousetest.Server
	http    *http.Client
	project int64
}

func newClient(t *testing.T, s *packhousetest.Server) *client {
	t.Helper()
	return newClientWith(t, s, &http.Client{Timeout: 5 * time.Minute})
}

func newClientWith(t *testing.T, s *packhousetest.Server, h *http.Client) *client {
	t.Helper()
	c := &client{t: t, server: s, http: h}
	status, body := c.do("POST", "/api/v4/projects", strings.NewReader("name=tools"), "Content-Type: application/x-www-form-urlencoded")
	var made struct{ ID int64 }
	if err := json.Unmarshal(body, &made); err != nil || status != 201 {
		t.Fatalf("make a project: %d %s", status, body)
	}
	c.project = made.ID
	return c
}

func (c *client) do(method, path string, body io.Reader, header ...string) (int, []byte) {
	c.t.Helper()
	r, err := http.NewRequest(method, c.server.URL+path, body)
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Private-Token", packhousetest.RootToken)
	for _, h := range header {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Set(name, value)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp.StatusCode, data
}

func (c *client) file(version, name string) string {
	return fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/%s/%s", c.project, version, name)
}
