package s3_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/s3"
	"packhouse/internal/blob/s3/s3test"
)

func TestMain(m *testing.M) {
	minio.DefaultRetryUnit = time.Millisecond // it waits once even when it must not try again
	os.Exit(m.Run())
}

func TestStore(t *testing.T) {
	server := s3test.Start(t)
	blobtest.Run(t, func(t *testing.T) blob.Store { return s3test.Open(t, server.Bucket(t)) })
}

// TestStoreOverFaults runs the contract while every fifth request fails.
func TestStoreOverFaults(t *testing.T) {
	server := s3test.Start(t)
	proxy := server.Proxy(t)
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(1, 2))
	struck := map[s3test.Fault]int{}
	proxy.Choose(func(r *http.Request) s3test.Fault {
		mu.Lock()
		defer mu.Unlock()
		if random.IntN(5) > 0 {
			return s3test.None
		}
		f := s3test.Repeated[random.IntN(len(s3test.Repeated))]
		if (f == s3test.Hang || f == s3test.LostHang) && random.IntN(4) > 0 {
			f = s3test.SlowDown // a time-out takes long to test
		}
		if f == s3test.CutAnswer && r.Method == http.MethodGet && strings.Contains(r.URL.Path, "/blobs/") {
			return s3test.None // see TestReadOverFaults; a deleted blob cannot be read on
		}
		struck[f]++
		return f
	})
	blobtest.Run(t, func(t *testing.T) blob.Store {
		return s3test.Open(t, through(proxy, server.Bucket(t), time.Second))
	})
	t.Logf("faults: %v", struck)
	for _, f := range s3test.Repeated {
		if struck[f] == 0 {
			t.Errorf("the fault %q never struck", f)
		}
	}
}

// through are options for a store that goes through a proxy and tries often.
// Where nothing hangs the time-out can be long, for machines that are busy.
func through(proxy *s3test.Proxy, opts s3.Options, timeout time.Duration) s3.Options {
	opts.Endpoint = proxy.Address
	opts.Timeout, opts.Pause, opts.Attempts = timeout, time.Millisecond, 12
	opts.PartSize, opts.CopySize = 5<<20, 6<<20
	return opts
}
