package npm_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha1"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"packhouse/internal/directory"
	"packhouse/internal/format/formattest"
	"packhouse/internal/house"
)

// heap samples how much memory is held while something runs.
func heap(do func()) (most uint64) {
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		for m := new(runtime.MemStats); !stop.Load(); time.Sleep(5 * time.Millisecond) {
			runtime.ReadMemStats(m)
			most = max(most, m.HeapInuse)
		}
	}()
	do()
	stop.Store(true)
	<-done
	return most
}

// large writes a tarball of about n bytes that do not compress.
func large(w io.Writer, n int64) error {
	z, err := gzip.NewWriterLevel(w, gzip.NoCompression)
	if err != nil {
		return err
	}
	out := tar.NewWriter(z)
	for _, file := range []struct {
		name string
		size int64
		r    io.Reader
	}{
		{"package/package.json", int64(len(goodJSON)), strings.NewReader(goodJSON)},
		{"package/data", n, rand.NewChaCha8([32]byte{1})},
	} {
		if err := out.WriteHeader(&tar.Header{Name: file.name, Mode: 0o644, Size: file.size}); err != nil {
			return err
		}
		if _, err := io.CopyN(out, file.r, file.size); err != nil {
			return err
		}
	}
	if err := out.Close(); err != nil {
		return err
	}
	return z.Close()
}

// A package of 100 MiB takes no more memory than a small one: its attachment is
// decoded and stored while it arrives, and read again as a stream.
//
// It does not run beside other tests, since it measures.
func TestLargePackage(t *testing.T) {
	s := start(t, "private")
	const size = 100 << 20
	s.mustPublish(pkg{name: "warm", version: "1.0.0", files: map[string]string{"x": noise(1 << 20)}})
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	body, in := io.Pipe()
	sum := sha1.New()
	go func() {
		_, err := io.WriteString(in, `{"name":"lib","dist-tags":{"latest":"1.0.0"},"_attachments":{"lib-1.0.0.tgz":{"data":"`)
		if err == nil {
			encoder := base64.NewEncoder(base64.StdEncoding, in)
			if err = large(io.MultiWriter(encoder, sum), size); err == nil {
				err = encoder.Close()
			}
		}
		if err == nil {
			_, err = fmt.Fprintf(in, `"}},"versions":{"1.0.0":{"name":"lib","version":"1.0.0","dist":{"shasum":%q}}}}`, hex.EncodeToString(sum.Sum(nil)))
		}
		in.CloseWithError(err)
	}()
	var a formattest.Answer
	began := time.Now()
	most := heap(func() { a = s.Do("PUT", at(s.project, "lib"), body, root) })
	took := time.Since(began)
	if a.Status != 200 {
		t.Fatalf("publish = %d %s, want 200", a.Status, a.Body)
	}
	grown := (int64(most) - int64(before.HeapInuse)) >> 20
	if grown > 16 {
		t.Errorf("publishing %d MiB held %d MiB more memory, want at most 16", size>>20, grown)
	}
	t.Logf("published %d MiB in %v with %d MiB more memory", size>>20, took, grown)
	m := s.packument(at(s.project, "lib")).Versions["1.0.0"]
	got := s.get(strings.TrimPrefix(m.Dist.Tarball, s.URL))
	if got.Status != 200 || shasum(got.Body) != m.Dist.Shasum || len(got.Body) < size {
		t.Errorf("GET = %d with %d bytes, want the tarball", got.Status, len(got.Body))
	}
}

// What is over the limit is refused in the documented words, and nothing stays.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	s := start(t, "private", func(o *house.Options) {
		o.Directory = directory.Options{AnyonePull: true, Sizes: map[string]int64{"npm": 50_000}, DeletionDelay: time.Hour}
	})
	for _, n := range []int{60_000, 600_000} {
		a := s.publish(pkg{name: "lib", version: "1.0.0", files: map[string]string{"x": noise(n)}})
		if a.Status != 400 || !strings.Contains(string(a.Body), `"message":"File is too large."`) {
			t.Errorf("publish of %d bytes = %d %s, want 400", n, a.Status, a.Body)
		}
	}
	if got := s.Stored(); got != (formattest.Stored{}) {
		t.Errorf("stored = %+v, want nothing", got)
	}
	s.mustPublish(pkg{name: "lib", version: "1.0.0", files: map[string]string{"x": noise(40_000)}})
}

// A package of two thousand versions is listed whole, and another version costs
// what one costs.
func TestManyVersions(t *testing.T) {
	s := start(t, "private")
	const versions = 2000
	formattest.Together(func(client int) formattest.Answer {
		for i := client; i < versions; i += clients {
			p := rich(fmt.Sprintf("1.0.%d", i))
			p.files = nil
			if a := s.publish(p); a.Status != 200 {
				t.Errorf("publish %s = %d %s, want 200", p.version, a.Status, a.Body)
			}
		}
		return formattest.Answer{}
	})
	for _, accept := range []string{"", short} {
		s.packument(at(s.project, "@acme%2flib"), accept) // renders it
		best := time.Hour
		var a formattest.Answer
		for range 5 {
			began := time.Now()
			a = s.get(at(s.project, "@acme%2flib"), accept)
			best = min(best, time.Since(began))
		}
		if a.Status != 200 || bytes.Count(a.Body, []byte(`"integrity"`)) != versions || best > 100*time.Millisecond {
			t.Errorf("GET as %q = %d with %d bytes in %v, want all versions in 100 ms", accept, a.Status, len(a.Body), best)
		}
		t.Logf("%d versions as %.20q: %d bytes in %v", versions, accept, len(a.Body), best)
	}
	fresh := time.Hour
	for i := range 5 {
		version := fmt.Sprintf("2.0.%d", i)
		p := rich(version)
		p.files = nil
		s.mustPublish(p)
		began := time.Now()
		if got := s.packument(at(s.project, "@acme%2flib"), short); got.Tags["latest"] != version {
			t.Errorf("latest = %v, want %s", got.Tags, version)
		}
		fresh = min(fresh, time.Since(began))
	}
	t.Logf("read right after a publish: %v with decoding", fresh)
	if a := s.deprecation("@acme/lib", "old", []string{"1.0.0", "1.0.1", "1.0.1999"}, root, "Npm-Command: deprecate"); a.Status != 200 {
		t.Errorf("deprecate among many = %d %s, want 200", a.Status, a.Body)
	}
}
