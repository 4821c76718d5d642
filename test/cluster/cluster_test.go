// Package cluster tests several nodes over one PostgreSQL and one bucket: real
// processes that are killed, a database that is restarted, and clients that must
// not notice more than a retry heals.
package cluster

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"packhouse/internal/blob/s3/s3test"
	"packhouse/internal/store/pgtest"
	"packhouse/test/packhousetest"
)

var (
	duration = flag.Duration("duration", 15*time.Second, "how long nodes are killed")
	clients  = flag.Int("clients", 64, "how many clients publish and install")
)

// nodes are servers that share a database and a bucket.
type nodes struct {
	t       *testing.T
	flags   []string
	data    []string
	address []string
	http    *http.Client
	project int64

	mu      sync.Mutex
	servers []*packhousetest.Server
}

// start starts nodes over a database and a new bucket, with a project.
func start(t *testing.T, database string, n int) *nodes {
	t.Helper()
	bucket := s3test.Start(t).Bucket(t)
	t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.SecretKey)
	var folders []string
	for i := range n {
		folders = append(folders, filepath.Join(t.TempDir(), fmt.Sprint("node-", i)))
	}
	return startAt(t, folders, "--database", database, "--blobs", "s3://"+bucket.Bucket+"?endpoint=http://"+bucket.Endpoint)
}

// startAt starts a node for each data folder, and makes a project where there is none.
func startAt(t *testing.T, folders []string, flags ...string) *nodes {
	t.Helper()
	c := &nodes{
		t: t, flags: flags, data: folders,
		http:    &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 2 * *clients}},
		servers: make([]*packhousetest.Server, len(folders)),
	}
	for i := range folders {
		c.address = append(c.address, packhousetest.FreeAddress(t))
		c.start(i)
	}
	if status, _, err := c.do(0, "GET", "/projects/1", nil); err != nil || status == 200 {
		return c
	}
	var made struct{ ID int64 }
	if err := json.Unmarshal(c.want(0, "POST", "/projects", strings.NewReader(`{"name":"tools"}`), 201), &made); err != nil {
		t.Fatal(err)
	}
	c.project = made.ID
	return c
}

func (c *nodes) start(i int) {
	s := packhousetest.Start(c.t, c.address[i], c.data[i], c.flags...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.servers[i] = s
}

func (c *nodes) kill(i int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.servers[i].Kill()
}

// do sends one request to a node.
func (c *nodes) do(node int, method, path string, body io.Reader) (status int, answer []byte, err error) {
	r, err := http.NewRequest(method, "http://"+c.address[node]+"/api/v4"+path, body)
	if err != nil {
		return 0, nil, err
	}
	r.Header.Set("Private-Token", packhousetest.RootToken)
	if method == "POST" {
		r.Header.Set("Content-Type", "application/json")
	}
	response, err := c.http.Do(r)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err = io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

func (c *nodes) want(node int, method, path string, body io.Reader, want int) []byte {
	c.t.Helper()
	status, answer, err := c.do(node, method, path, body)
	if err != nil || status != want {
		c.t.Fatalf("%s %s at node %d = %d %s, %v, want %d", method, path, node, status, answer, err, want)
	}
	return answer
}

var errPatience = errors.New("no node answered for a minute")

// retry sends a request to one node after the other until one gives an answer that
// a client does not try again: anything but a broken connection and 502 to 504.
func (c *nodes) retry(method, path string, body []byte) (status int, answer []byte, err error) {
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		status, answer, err = c.do(rand.IntN(len(c.address)), method, path, bytes.NewReader(body))
		if err == nil && (status < 502 || status > 504) {
			return status, answer, nil
		}
		time.Sleep(time.Duration(20+rand.IntN(80)) * time.Millisecond)
	}
	return status, answer, errors.Join(errPatience, err)
}

func (c *nodes) file(version string) string {
	return fmt.Sprintf("/projects/%d/packages/generic/tool/%s/f", c.project, version)
}

// content is what a version holds: small ones, which are in the database, and
// large ones, which are in the bucket.
func content(client, i int) []byte {
	line := fmt.Appendf(nil, "client %d version %d\n", client, i)
	if i%4 == 0 {
		return bytes.Repeat(line, 3000)
	}
	return line
}

// load has clients publish, and read what they were told is there from whichever
// node it may be, until stop says so. It returns the versions that were
// acknowledged, with their digests.
func (c *nodes) load(stop func() bool) map[string][32]byte {
	var (
		workers  sync.WaitGroup
		mu       sync.Mutex
		all      = map[string][32]byte{}
		requests atomic.Int64
	)
	for client := range *clients {
		workers.Go(func() {
			for i := 0; !stop() && !c.t.Failed(); i++ {
				version := fmt.Sprintf("%d.%d", client, i)
				body := content(client, i)
				status, answer, err := c.retry("PUT", c.file(version), body)
				if err != nil || status != 201 {
					c.t.Errorf("publish %s = %d %s, %v", version, status, answer, err)
					return
				}
				mu.Lock()
				all[version] = sha256.Sum256(body)
				mu.Unlock()
				status, answer, err = c.retry("GET", c.file(version), nil)
				if err != nil || status != 200 || !bytes.Equal(answer, body) {
					c.t.Errorf("install %s right after it was published = %d with %d bytes %.100q, %v", version, status, len(answer), answer, err)
				}
				requests.Add(2)
			}
		})
	}
	workers.Wait()
	c.t.Logf("%d requests, %d versions acknowledged", requests.Load(), len(all))
	return all
}

// check wants every acknowledged version to be there, whole and once, and nothing
// missing, extra or altered in what is stored.
func (c *nodes) check(all map[string][32]byte) {
	c.t.Helper()
	for version, digest := range all {
		status, answer, err := c.retry("GET", c.file(version), nil)
		if err != nil || status != 200 || sha256.Sum256(answer) != digest {
			c.t.Errorf("%s is lost: %d with %d bytes, %v", version, status, len(answer), err)
		}
	}
	listed := map[string]int{}
	for page := 1; ; page++ {
		var part []struct{ Version string }
		a := c.want(page%len(c.address), "GET", fmt.Sprintf("/projects/%d/packages?per_page=100&page=%d", c.project, page), nil, 200)
		if err := json.Unmarshal(a, &part); err != nil {
			c.t.Fatal(err)
		}
		for _, p := range part {
			listed[p.Version]++
		}
		if len(part) < 100 {
			break
		}
	}
	for version := range all {
		if listed[version] != 1 {
			c.t.Errorf("%s is listed %d times", version, listed[version])
		}
	}
	out, err := exec.Command(packhousetest.Binary(c.t), append([]string{"verify", "--data", c.data[0]}, c.flags...)...).CombinedOutput()
	if err != nil {
		c.t.Errorf("verify: %v\n%s", err, out)
	}
}

// until is true once a time is over.
func until(d time.Duration) func() bool {
	end := time.Now().Add(d)
	return func() bool { return time.Now().After(end) }
}

// Nodes are killed one after the other while clients publish and install: nothing
// that was acknowledged is lost, nothing read is wrong, and whatever fails
// succeeds when it is tried again.
func TestKilledNodes(t *testing.T) {
	c := start(t, pgtest.Database(t), 3)
	stop := until(*duration)
	var killer sync.WaitGroup
	killer.Go(func() {
		for n := 0; !stop() && !t.Failed(); n++ {
			time.Sleep(2 * time.Second)
			c.kill(n % len(c.address))
			time.Sleep(500 * time.Millisecond)
			c.start(n % len(c.address))
		}
	})
	all := c.load(stop)
	killer.Wait()
	if len(all) < *clients {
		t.Errorf("%d versions were published, want some by each client", len(all))
	}
	c.check(all)
}

// The database is restarted, once orderly and once not, under the same load.
func TestRestartedDatabase(t *testing.T) {
	cluster := pgtest.New(t)
	if err := cluster.Exec("postgres", "CREATE DATABASE packhouse ENCODING 'UTF8' TEMPLATE template0"); err != nil {
		t.Fatal(err)
	}
	c := start(t, cluster.URL("packhouse"), 2)
	stop := until(*duration)
	var keeper sync.WaitGroup
	keeper.Go(func() {
		for _, mode := range []string{"fast", "immediate"} {
			time.Sleep(*duration / 4)
			if err := cluster.Stop(mode); err != nil {
				t.Errorf("stop the database: %v", err)
			}
			time.Sleep(time.Second)
			if err := cluster.Start(); err != nil {
				t.Errorf("start the database: %v", err)
			}
		}
	})
	all := c.load(stop)
	keeper.Wait()
	if len(all) < *clients {
		t.Errorf("%d versions were published, want some by each client", len(all))
	}
	c.check(all)
}

// What one node is told, the next request at any other knows: a file, a token that
// is revoked, a project that is closed.
func TestNodesAgree(t *testing.T) {
	c := start(t, pgtest.Database(t), 3)
	var user, token struct {
		ID    int64
		Token string
	}
	into := func(answer []byte, v any) {
		t.Helper()
		if err := json.Unmarshal(answer, v); err != nil {
			t.Fatal(err)
		}
	}
	into(c.want(0, "POST", "/users", strings.NewReader(`{"username":"dana","name":"Dana","email":"dana@example.net","password":"correct horse battery"}`), 201), &user)
	c.want(1, "POST", fmt.Sprintf("/projects/%d/members", c.project), strings.NewReader(fmt.Sprintf(`{"user_id":%d,"access_level":20}`, user.ID)), 201)
	for i := range 30 {
		node := i % 3
		version := fmt.Sprintf("1.%d", i)
		c.want(node, "PUT", c.file(version), strings.NewReader(version), 201)
		c.want((node+1)%3, "GET", c.file(version), nil, 200)
		into(c.want(node, "POST", fmt.Sprintf("/users/%d/personal_access_tokens", user.ID), strings.NewReader(`{"name":"x","scopes":["api"]}`), 201), &token)
		status := func(next int) int {
			t.Helper()
			r, err := http.NewRequest("GET", "http://"+c.address[(node+next)%3]+"/api/v4"+c.file(version), nil)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Private-Token", token.Token)
			response, err := c.http.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer response.Body.Close()
			_, _ = io.Copy(io.Discard, response.Body)
			return response.StatusCode
		}
		if one, two := status(1), status(2); one != 200 || two != 200 {
			t.Errorf("round %d: a new token at the other nodes = %d and %d, want 200", i, one, two)
		}
		c.want(node, "DELETE", fmt.Sprintf("/personal_access_tokens/%d", token.ID), nil, 204)
		if one, two := status(1), status(2); one != 401 || two != 401 {
			t.Errorf("round %d: a revoked token at the other nodes = %d and %d, want 401", i, one, two)
		}
	}
}
