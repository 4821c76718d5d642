// Package crash kills the server at random moments and looks at what is left.
package crash

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"packhouse/test/packhousetest"
)

var kills = flag.Int("kills", 200, "how often to kill the server")

// Sizes of published files: a few bytes, the largest that lives in the database,
// the smallest that does not, and more than a buffer.
var sizes = []int{1, 300, 4096, 16 << 10, 16<<10 + 1, 70_000, 600_000}

// TestKill kills the server again and again while many clients publish. After
// each start every acknowledged file must be there with its bytes, and whatever
// else is listed must be whole.
func TestKill(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	w := &world{t: t, address: packhousetest.FreeAddress(t), data: t.TempDir(), known: map[string]string{}}
	w.project = w.makeProject()
	for round := range *kills {
		w.round(round, time.Duration(random.IntN(60_000))*time.Microsecond)
	}
	s := packhousetest.Start(t, w.address, w.data)
	for path, digest := range w.known {
		w.check(s, path, digest)
	}
	t.Logf("%d kills, %d acknowledged publishes, %d of them large, all there", *kills, len(w.known), w.large)
	if len(w.known) < *kills {
		t.Errorf("only %d publishes were acknowledged in %d rounds: the test does not test much", len(w.known), *kills)
	}
}

type world struct {
	t             *testing.T
	address, data string
	project       int64

	mu    sync.Mutex
	known map[string]string // digest by path, of what was acknowledged
	large int
}

func (w *world) makeProject() int64 {
	s := packhousetest.Start(w.t, w.address, w.data)
	defer s.Kill()
	var made struct{ ID int64 }
	body := w.do(s, "POST", "/projects", bytes.NewBufferString("name=crash"), 201)
	if err := json.Unmarshal(body, &made); err != nil {
		w.t.Fatal(err)
	}
	return made.ID
}

// round publishes with eight clients until the server is killed, starts it again
// and looks.
func (w *world) round(n int, life time.Duration) {
	s := packhousetest.Start(w.t, w.address, w.data)
	var clients sync.WaitGroup
	acknowledged := make([]map[string]string, 8)
	for i := range acknowledged {
		acknowledged[i] = map[string]string{}
		clients.Go(func() { w.publish(s, fmt.Sprintf("v%d/c%d", n, i), uint64(n*8+i), acknowledged[i]) })
	}
	time.Sleep(life)
	s.Kill()
	clients.Wait()

	s = packhousetest.Start(w.t, w.address, w.data)
	defer s.Kill()
	for _, mine := range acknowledged {
		for path, digest := range mine {
			w.check(s, path, digest)
			w.known[path] = digest
		}
	}
	w.checkListed(s, fmt.Sprintf("v%d", n))
}

// publish publishes until the server is gone.
func (w *world) publish(s *packhousetest.Server, prefix string, seed uint64, acknowledged map[string]string) {
	random := rand.New(rand.NewPCG(seed, 1))
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	for i := 0; ; i++ {
		data := make([]byte, sizes[random.IntN(len(sizes))])
		for j := range data {
			data[j] = byte(random.Uint32())
		}
		path := fmt.Sprintf("/packages/generic/crash/%s-%d", prefix, i)
		req, _ := http.NewRequest("PUT", w.url(s)+path, bytes.NewReader(data))
		req.Header.Set("Private-Token", packhousetest.RootToken)
		resp, err := client.Do(req)
		if err != nil {
			return
		}
		resp.Body.Close()
		if resp.StatusCode != 201 {
			w.t.Errorf("PUT %s = %d, want 201", path, resp.StatusCode)
			return
		}
		sum := sha256.Sum256(data)
		acknowledged[path] = hex.EncodeToString(sum[:])
		if len(data) > 16<<10 {
			w.mu.Lock()
			w.large++
			w.mu.Unlock()
		}
	}
}

// check downloads a file and compares its digest.
func (w *world) check(s *packhousetest.Server, path, digest string) {
	w.t.Helper()
	sum := sha256.Sum256(w.do(s, "GET", path, nil, 200))
	if got := hex.EncodeToString(sum[:]); got != digest {
		w.t.Fatalf("GET %s: SHA-256 %s, want %s", path, got, digest)
	}
}

// checkListed downloads everything that is listed of a version. What was not
// acknowledged may be there or not, but not in part.
func (w *world) checkListed(s *packhousetest.Server, version string) {
	w.t.Helper()
	var packages []struct{ ID int64 }
	w.decode(w.do(s, "GET", "/packages?package_version="+version, nil, 200), &packages)
	for _, p := range packages {
		for page := 1; ; page++ {
			var files []struct {
				ID     int64
				SHA256 string `json:"file_sha256"`
			}
			w.decode(w.do(s, "GET", fmt.Sprintf("/packages/%d/package_files?per_page=100&page=%d", p.ID, page), nil, 200), &files)
			for _, f := range files {
				w.check(s, fmt.Sprintf("/packages/%d/package_files/%d/download", p.ID, f.ID), f.SHA256)
			}
			if len(files) < 100 {
				break
			}
		}
	}
}

func (w *world) decode(body []byte, into any) {
	w.t.Helper()
	if err := json.Unmarshal(body, into); err != nil {
		w.t.Fatalf("%s: %v", body, err)
	}
}

func (w *world) url(s *packhousetest.Server) string {
	if w.project == 0 {
		return s.URL + "/api/v4"
	}
	return fmt.Sprintf("%s/api/v4/projects/%d", s.URL, w.project)
}

func (w *world) do(s *packhousetest.Server, method, path string, body io.Reader, want int) []byte {
	w.t.Helper()
	req, err := http.NewRequest(method, w.url(s)+path, body)
	if err != nil {
		w.t.Fatal(err)
	}
	req.Header.Set("Private-Token", packhousetest.RootToken)
	if body != nil {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatalf("%s %s: %v", method, path, err)
	}
	if resp.StatusCode != want {
		w.t.Fatalf("%s %s = %d %s, want %d", method, path, resp.StatusCode, data, want)
	}
	return data
}
