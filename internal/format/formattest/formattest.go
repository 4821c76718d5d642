// Package formattest runs a whole registry for the tests of a format and holds
// the tests that every format has to pass.
//
// Start gives a World: the real server on a real socket, with an empty data
// folder. Its methods make groups, projects, people and tokens of every kind
// through the management API, send requests, and look at what is stored. Run
// takes a Case, which a format fills in, through the suite.
package formattest

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"packhouse/internal/directory"
	"packhouse/internal/house"
	"packhouse/internal/server"
	"packhouse/internal/store/pgtest"
	"packhouse/internal/telemetry"
)

// RootToken is the administrator's token in every test registry.
const RootToken = "glpat-rootrootrootrootroot"

// Root is the header field with which the administrator sends it.
const Root = "Private-Token: " + RootToken

// World is a running registry. Its methods may be called concurrently unless
// they say otherwise; those that fail the test belong to the test's goroutine.
type World struct {
	*house.House
	URL  string // of the server, without a trailing slash
	Data string // the data folder

	t         testing.TB
	address   string
	transport *http.Transport
	log       *lockedBuffer
}

// engineVariable is the environment variable that has every World use PostgreSQL
// when it is "postgres".
const engineVariable = "PACKHOUSE_TEST_ENGINE"

// Database makes the address of an empty database on the engine that the tests
// are to use; "" is the one in the data folder. A World has one of its own unless
// it is given one.
func Database(t testing.TB) string {
	t.Helper()
	if os.Getenv(engineVariable) != "postgres" {
		return ""
	}
	return pgtest.Database(t)
}

// Start runs a registry in a temporary folder until the test ends. edit may
// change its options.
func Start(t testing.TB, edit ...func(*house.Options)) *World {
	t.Helper()
	w := &World{
		t: t, Data: filepath.Join(t.TempDir(), "data"), log: new(lockedBuffer),
		// A transport of its own, so that no connection of another world is
		// met again on the same port.
		transport: &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 64},
	}
	log := telemetry.NewLog(w.log, slog.LevelDebug, "text")
	seen, err := telemetry.New(telemetry.Options{Log: log})
	if err != nil {
		t.Fatalf("make telemetry: %v", err)
	}
	opts := house.Options{
		Data: w.Data, RootToken: RootToken, QueryTokens: true, GitLabVersion: "18.11.2",
		Root: seen.Root(), Observe: seen.Observe,
		Directory: directory.Options{AnyonePull: true, Sizes: map[string]int64{"generic": 5 << 30}, DeletionDelay: time.Hour},
		Log:       log,
	}
	for _, f := range edit {
		f(&opts)
	}
	if opts.Database == "" {
		opts.Database = Database(t)
	}
	h, err := house.Open(context.Background(), opts)
	if err != nil {
		t.Fatalf("open house: %v", err)
	}
	w.House = h
	w.serve(log)
	return w
}

// serve puts the house on a free port until the test ends.
func (w *World) serve(log *slog.Logger) {
	w.t.Helper()
	ready := make(chan net.Addr, 1)
	s, err := server.New(server.Options{
		Handler: w.Handler, Listen: "127.0.0.1:0", Log: log, Ready: func(a net.Addr) { ready <- a },
	})
	if err != nil {
		w.t.Fatalf("make server: %v", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	select {
	case a := <-ready:
		w.address = a.String()
	case err := <-ended:
		w.t.Fatalf("run server: %v", err)
	}
	w.URL = "http://" + w.address
	w.t.Cleanup(func() {
		w.transport.CloseIdleConnections()
		stop()
		if err := <-ended; err != nil {
			w.t.Errorf("stop server: %v", err)
		}
		if err := w.Close(); err != nil {
			w.t.Errorf("close house: %v", err)
		}
	})
}

// Logged is what the server has logged so far, a line for every request with it.
func (w *World) Logged() string { return w.log.String() }

// lockedBuffer lets the server's goroutines share a buffer with the test.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write implements io.Writer.
func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

// String returns what was written so far.
func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
