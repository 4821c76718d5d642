//go:build linux

package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"packhouse/bench/child"
	"packhouse/bench/load"
	"packhouse/bench/reference"
)

// The files that are downloaded. Packhouse has them in a version, the
// references in a folder.
const (
	smallFile = "small.bin"
	smallSize = 4 << 10
	largeFile = "large.bin"
)

// Names of servers in messages, by letter.
var names = map[string]string{
	"P": "Packhouse", "N": "nginx", "R": "Go without net/http", "H": "Go net/http",
	"S": "Go PUT with SHA-256", "F": "Go PUT with fsync", "p": "Packhouse again, at less",
	"V": "verdaccio", "Y": "pypiserver", "G": "Gitea", "Z": "zot", "D": "distribution",
}

// server is a running server and where it keeps things.
type server struct {
	*child.Process
	letter  string
	header  map[string]string // sent with every request
	project int64             // Packhouse's project; 0 for references

	published map[string]bool // what is there already: files that filePath finds on Packhouse, packages
}

// start starts the server with the given letter. Packhouse, S and F keep their
// data in dir; N, H and R serve the files in it. Packhouse has no project yet.
func (l *lab) start(ctx context.Context, letter, dir string) (*server, error) {
	address, err := child.FreeAddress()
	if err != nil {
		return nil, err
	}
	s := &server{letter: letter, published: map[string]bool{}}
	how, err := l.launch(letter, address, dir)
	if err != nil {
		return nil, err
	}
	s.header = how.header
	// In memory, so that what a server prints does not keep the disk busy.
	log := filepath.Join(l.memory, letter+".log")
	if s.Process, err = child.Start(names[letter], address, log, how.env, how.command...); err != nil {
		return nil, err
	}
	l.processes = append(l.processes, s.Process)
	return s, s.WaitReady(ctx, 500*time.Microsecond, s.ready)
}

// launch says how a server is started.
func (l *lab) launch(letter, address, dir string) (launch, error) {
	switch letter {
	case "P":
		command := []string{l.packhouse, "serve", "--listen", address, "--data", dir}
		return launch{command, packhouseEnv(), map[string]string{"PRIVATE-TOKEN": rootToken}}, nil
	case "N":
		command, err := l.nginxCommand(address, dir)
		return launch{command: command, env: os.Environ()}, err
	}
	if _, ok := peers[letter]; ok {
		return l.launchPeer(letter, address, dir)
	}
	return launch{command: []string{l.executable, "reference", letter, address, dir}, env: os.Environ()}, nil
}

// reuse returns the running server with the letter that has its data below
// parent, and starts it first if it is not running. Packhouse gets a project.
func (l *lab) reuse(ctx context.Context, letter, parent string) (*server, error) {
	key := letter + parent
	if s := l.shared[key]; s != nil {
		return s, nil
	}
	dir, err := l.dataFolder(letter, parent)
	if err != nil {
		return nil, err
	}
	s, err := l.startWithProject(ctx, letter, dir)
	if err != nil {
		return nil, err
	}
	l.shared[key] = s
	return s, nil
}

// dataFolder returns a folder to start a server with: a new one, or the one
// with the files for those that serve it.
func (l *lab) dataFolder(letter, parent string) (string, error) {
	switch letter {
	case "N", "H", "R":
		return l.files(), nil
	}
	return l.newFolder(parent)
}

func (l *lab) startWithProject(ctx context.Context, letter, dir string) (*server, error) {
	s, err := l.start(ctx, letter, dir)
	if err != nil || letter != "P" {
		return s, err
	}
	return s, s.createProject(ctx)
}

// ready reports whether the server serves: Packhouse by answering 200, N, H and
// R by any answer, S and F, which would take a request for an upload, by
// accepting a connection.
func (s *server) ready() bool {
	path := "/" + smallFile
	switch s.letter {
	case "P":
		path = "/-/readiness"
	case "S", "F":
		return s.Listening()
	}
	if _, ok := peers[s.letter]; ok {
		return s.readyPeer()
	}
	res, err := once.Get("http://" + s.Address + path)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == http.StatusOK || s.letter != "P"
}

// once is a client that opens a connection for each request.
var once = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}

// files is the folder that N, H and R serve.
func (l *lab) files() string { return filepath.Join(l.memory, "files") }

// writeFiles writes the small file. The large one is written when it is needed.
func (l *lab) writeFiles() error {
	if err := os.Mkdir(l.files(), 0o755); err != nil {
		return err
	}
	return writeFile(filepath.Join(l.files(), smallFile), smallSize)
}

func writeFile(name string, size int64) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := io.Copy(f, load.Body(load.FirstNumber, size)); err != nil {
		return err
	}
	return f.Close()
}

// checkOf returns what the full answer for a file of the given size has to be.
func checkOf(size int64) (*load.Check, error) {
	hash := sha256.New()
	n, err := io.Copy(hash, load.Body(load.FirstNumber, size))
	return &load.Check{Size: n, SHA256: hex.EncodeToString(hash.Sum(nil))}, err
}

// nginxCommand writes nginx's configuration and returns how to start it.
func (l *lab) nginxCommand(address, files string) ([]string, error) {
	dir, err := l.newFolder(l.memory)
	if err != nil {
		return nil, err
	}
	disk, err := l.newFolder(l.disk)
	if err != nil {
		return nil, err
	}
	config, err := reference.Nginx{Address: address, Dir: dir, Files: files, Disk: disk}.Config()
	if err != nil {
		return nil, err
	}
	return []string{"nginx", "-e", filepath.Join(dir, "error.log"), "-c", config}, nil
}

// nginxVersion asks for the version of the installed nginx.
func nginxVersion() (string, error) {
	if _, err := exec.LookPath("nginx"); err != nil {
		return "", fmt.Errorf("nginx is not installed (on Debian: apt-get install --no-install-recommends nginx-light)")
	}
	text, err := exec.Command("nginx", "-v").CombinedOutput()
	return string(text), err
}
