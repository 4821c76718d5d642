package house_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/s3/s3test"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

func with(s blob.Store) func(*house.Options) { return func(o *house.Options) { o.Blobs = s } }

func genericPath(project int64, version string) string {
	return fmt.Sprintf("/api/v4/projects/%d/packages/generic/tool/%s/f.bin", project, version)
}

// A whole house on a bucket, from its address on: publish, download, ranges,
// delete, purge, and publish again. The folder of files is not made.
func TestBucket(t *testing.T) {
	server := s3test.Start(t)
	opts := server.Bucket(t)
	bucket := s3test.Open(t, opts)
	t.Setenv("AWS_ACCESS_KEY_ID", s3test.AccessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", s3test.SecretKey)
	w := formattest.Start(t, func(o *house.Options) {
		o.BlobAddress = fmt.Sprintf("s3://%s?endpoint=http://%s&part-size=5MiB", opts.Bucket, opts.Endpoint)
	})
	project := w.Project("tools", w.Group("acme", 0, "private"), "private")
	for round, size := range []int{20_000, 1 << 20, 13 << 20} {
		content := blobtest.Bytes(size, uint64(round))
		for range 2 { // the second time after everything was purged
			publish(t, w, project, "1.0", content)
			publish(t, w, project, "2.0", content) // the same bytes, kept once
			eventuallyKeys(t, bucket, 1)
			download(t, w, project, "1.0", content)
			versions := w.Packages(project, "")
			for i, v := range versions {
				w.API("DELETE", fmt.Sprintf("/projects/%d/packages/%d", project, v.ID), "", nil)
				done, err := w.Registry.Purge(t.Context())
				if left := len(versions) - 1 - i; err != nil || done.Files != 1 || len(blobtest.Keys(t, bucket, "")) != min(1, left) {
					t.Errorf("Purge = %+v, %v with %d versions left, want the bytes kept for them", done, err, left)
				}
			}
			if a := w.Do("GET", genericPath(project, "1.0"), nil, formattest.Root); a.Status != 404 {
				t.Errorf("GET of a deleted file = %d, want 404", a.Status)
			}
		}
	}
	for _, name := range w.Names() {
		if strings.HasPrefix(name, "/files") {
			t.Errorf("the data folder has %s", name)
		}
	}
	if found := w.Holds(s3test.SecretKey); len(found) != 0 || strings.Contains(w.Logged(), s3test.SecretKey) {
		t.Errorf("the secret key is in %q or in the log", found)
	}
}

func publish(t *testing.T, w *formattest.World, project int64, version string, content []byte) {
	t.Helper()
	if a := w.Do("PUT", genericPath(project, version), bytes.NewReader(content), formattest.Root); a.Status != 201 {
		t.Fatalf("PUT of %d bytes = %d %s, want 201", len(content), a.Status, a.Body)
	}
}

// download reads a file whole, by HEAD, in parts, and again when it is known.
func download(t *testing.T, w *formattest.World, project int64, version string, content []byte) {
	t.Helper()
	path, n := genericPath(project, version), len(content)
	whole := w.Do("GET", path, nil, formattest.Root)
	if whole.Status != 200 || !bytes.Equal(whole.Body, content) {
		t.Fatalf("GET = %d with %d bytes, want %d", whole.Status, len(whole.Body), n)
	}
	for _, c := range []struct {
		field    string
		from, to int
	}{
		{"Range: bytes=0-9", 0, 10},
		{fmt.Sprintf("Range: bytes=%d-", n-10), n - 10, n},
		{"Range: bytes=-100", n - 100, n},
		{"Range: bytes=100-15000", 100, 15001},
	} {
		a := w.Do("GET", path, nil, formattest.Root, c.field)
		if a.Status != 206 || !bytes.Equal(a.Body, content[c.from:c.to]) {
			t.Errorf("GET with %s = %d with %d bytes, want %d", c.field, a.Status, len(a.Body), c.to-c.from)
		}
	}
	if a := w.Do("HEAD", path, nil, formattest.Root); a.Status != 200 || a.Header.Get("Content-Length") != fmt.Sprint(n) {
		t.Errorf("HEAD = %d %v, want 200 with the length", a.Status, a.Header)
	}
	if a := w.Do("GET", path, nil, formattest.Root, "If-None-Match: "+whole.Header.Get("Etag")); a.Status != 304 {
		t.Errorf("GET of what is known = %d, want 304", a.Status)
	}
}

func eventuallyKeys(t *testing.T, s blob.Store, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d blobs are kept", n), func() bool { return len(blobtest.Keys(t, s, "")) == n })
}

// While the bucket is away uploads and downloads are refused as things to try
// again, small files go on working, and when it is back everything does.
func TestBucketAway(t *testing.T) {
	server := s3test.Start(t)
	opts, proxy := server.Bucket(t), server.Proxy(t)
	opts.Endpoint, opts.Attempts, opts.Pause, opts.Timeout = proxy.Address, 2, time.Millisecond, 500*time.Millisecond
	w := formattest.Start(t, with(s3test.Open(t, opts)))
	project := w.Project("tools", w.Group("acme", 0, "private"), "private")
	content, small := blobtest.Bytes(100_000, 1), []byte("small")
	publish(t, w, project, "1.0", content)
	for _, fault := range []s3test.Fault{s3test.SlowDown, s3test.Hang, s3test.Lost, s3test.Lying} {
		proxy.From(1, fault)
		version := "2." + strings.ReplaceAll(string(fault), " ", "-")
		for _, a := range []formattest.Answer{
			w.Do("PUT", genericPath(project, version), bytes.NewReader(blobtest.Bytes(200_000, 2)), formattest.Root),
			w.Do("GET", genericPath(project, "1.0"), nil, formattest.Root),
		} {
			if a.Status != 503 || a.Header.Get("Retry-After") == "" || !strings.Contains(string(a.Body), "storage of files cannot be reached") {
				t.Errorf("%s: answer = %d %v %s, want 503 with Retry-After", fault, a.Status, a.Header, a.Body)
			}
		}
		publish(t, w, project, "small-"+version, small)
		proxy.Choose(func(*http.Request) s3test.Fault { return s3test.None })
		download(t, w, project, "1.0", content)
		publish(t, w, project, version, blobtest.Bytes(200_000, 2))
	}
	if strings.Contains(w.Logged(), "status=500") {
		t.Error("a request was answered with 500")
	}
}

// A bucket that breaks off in the middle of every answer, and one that changes
// bytes, cannot make a client believe that it has the file.
func TestBucketLies(t *testing.T) {
	server := s3test.Start(t)
	opts, proxy := server.Bucket(t), server.Proxy(t)
	opts.Endpoint, opts.Attempts, opts.Pause = proxy.Address, 4, time.Millisecond
	w := formattest.Start(t, with(s3test.Open(t, opts)))
	project := w.Project("tools", w.Group("acme", 0, "private"), "private")
	content := blobtest.Bytes(1<<20, 1)
	publish(t, w, project, "1.0", content)
	proxy.From(1, s3test.Altered)
	if a, err := w.Try("GET", genericPath(project, "1.0"), nil, formattest.Root); err == nil {
		t.Errorf("GET of altered bytes = %d with %d bytes and no error, want it cut", a.Status, len(a.Body))
	}
	proxy.Once(1, s3test.CutAnswer)
	download(t, w, project, "1.0", content)
}

// Clients are sent to the bucket, with the header fields that they would get
// from here; what needs no bytes is answered here.
func TestBucketRedirect(t *testing.T) {
	server := s3test.Start(t)
	opts := server.Bucket(t)
	opts.Redirect = true
	w := formattest.Start(t, with(s3test.Open(t, opts)))
	project := w.Project("tools", w.Group("acme", 0, "private"), "private")
	content := blobtest.Bytes(100_000, 1)
	publish(t, w, project, "1.0", content)
	path := genericPath(project, "1.0")
	head := w.Do("HEAD", path, nil, formattest.Root)
	if head.Status != 200 || head.Header.Get("Content-Length") != "100000" {
		t.Errorf("HEAD = %d %v, want 200 with the length", head.Status, head.Header)
	}
	if a := w.Do("GET", path, nil, formattest.Root, "If-None-Match: "+head.Header.Get("Etag")); a.Status != 304 {
		t.Errorf("GET of what is known = %d, want 304", a.Status)
	}
	if a := w.Do("GET", path, nil, formattest.Root, "Range: bytes=5-9", "If-Range: "+head.Header.Get("Etag")); a.Status != 206 || !bytes.Equal(a.Body, content[5:10]) {
		t.Errorf("GET with If-Range = %d with %d bytes, want the range from here", a.Status, len(a.Body))
	}
	sent := w.Do("GET", path, nil, formattest.Root)
	if sent.Status != 302 || sent.Header.Get("Cache-Control") != "private, no-store" ||
		sent.Header.Get("X-Checksum-Sha256") != blobtest.Sum(content).String() || len(sent.Body) != 0 {
		t.Fatalf("GET = %d %v, want a redirect with the checksum", sent.Status, sent.Header)
	}
	to, err := url.Parse(sent.Header.Get("Location"))
	must(t, err)
	if to.Host != opts.Endpoint {
		t.Errorf("sent to %s, want %s", to.Host, opts.Endpoint)
	}
	got := follow(t, to.String(), "")
	if got.Status != 200 || !bytes.Equal(got.Body, content) {
		t.Errorf("following = %d with %d bytes, want the file", got.Status, len(got.Body))
	}
	for _, name := range []string{"Content-Type", "Content-Disposition"} {
		if got.Header.Get(name) != head.Header.Get(name) {
			t.Errorf("%s from the bucket = %q, from here %q", name, got.Header.Get(name), head.Header.Get(name))
		}
	}
	if a := follow(t, to.String(), "bytes=5-9"); a.Status != 206 || !bytes.Equal(a.Body, content[5:10]) {
		t.Errorf("following with a range = %d with %d bytes, want 5", a.Status, len(a.Body))
	}
	to.RawQuery = ""
	if a := follow(t, to.String(), ""); a.Status != 403 {
		t.Errorf("the address without its signature = %d, want 403", a.Status)
	}
	if strings.Contains(w.Logged(), "X-Amz-Signature") {
		t.Error("a signed address is in the log")
	}
	must(t, w.Registry.SaveDownloads(t.Context()))
	var p formattest.Package
	if w.API("GET", fmt.Sprintf("/projects/%d/packages/1", project), "", &p); p.LastDownloadedAt == "" {
		t.Error("the download was not counted")
	}
	if a := w.Do("GET", path, nil); a.Status != 401 {
		t.Errorf("GET by a visitor = %d, want 401", a.Status)
	}
}

func follow(t *testing.T, address, span string) formattest.Answer {
	t.Helper()
	r, err := http.NewRequest("GET", address, nil)
	must(t, err)
	if span != "" {
		r.Header.Set("Range", span)
	}
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return formattest.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
}

// Two houses have one bucket. Neither takes for a leftover what the other has
// just put there, and both put the same bytes there at once.
func TestBucketOfTwo(t *testing.T) {
	server := s3test.Start(t)
	opts := server.Bucket(t)
	one, two := formattest.Start(t, with(s3test.Open(t, opts))), formattest.Start(t, with(s3test.Open(t, opts)))
	content := blobtest.Bytes(100_000, 1)
	projects := map[*formattest.World]int64{}
	for _, w := range []*formattest.World{one, two} {
		projects[w] = w.Project("tools", w.Group("acme", 0, "private"), "private")
	}
	var all sync.WaitGroup
	for w, project := range projects {
		for i := range 8 {
			all.Go(func() {
				a, err := w.Try("PUT", genericPath(project, fmt.Sprintf("1.%d", i)), bytes.NewReader(content), formattest.Root)
				if err != nil || a.Status != 201 {
					t.Errorf("PUT = %d %s, %v, want 201", a.Status, a.Body, err)
				}
			})
		}
	}
	all.Wait()
	for w, project := range projects {
		if done, err := w.Registry.Sweep(t.Context()); err != nil || done.Orphans+done.Uploads != 0 {
			t.Errorf("Sweep = %+v, %v, want nothing", done, err)
		}
		for i := range 8 {
			download(t, w, project, fmt.Sprintf("1.%d", i), content)
		}
	}
	eventuallyKeys(t, s3test.Open(t, opts), 2) // one for each of the two databases
}
