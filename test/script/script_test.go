// Package script runs the journeys of users with real clients: each is a txtar
// file that a person could follow by hand. A format keeps its own in
// internal/format/<format>/testdata/script; those about the program itself are
// in testdata beside this file.
package script

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"packhouse/test/packhousetest"
)

func TestScripts(t *testing.T) {
	files, err := filepath.Glob("../../internal/format/*/testdata/script/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	own, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if len(own) == 0 || len(files) == 0 {
		t.Fatalf("found %d scripts of the program and %d of formats, want some of each", len(own), len(files))
	}
	tools, err := filepath.Abs("../../.tools") // what test/tools.sh installs
	if err != nil {
		t.Fatal(err)
	}
	binary := packhousetest.Binary(t)
	testscript.Run(t, testscript.Params{
		Files:               append(own, files...),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			address := l.Addr().String()
			second, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return err
			}
			l.Close()
			second.Close()
			e.Setenv("PORT", strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
			e.Setenv("ADDRESS2", second.Addr().String()) // for a second listener
			e.Setenv("PATH", filepath.Dir(binary)+":"+os.Getenv("PATH"))
			e.Setenv("ADDRESS", address)
			e.Setenv("URL", "http://"+address)
			e.Setenv("API", "http://"+address+"/api/v4")
			e.Setenv("TOKEN", packhousetest.RootToken)
			e.Setenv("TOOLS", tools)
			e.Values["server"] = &server{binary: binary}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve":  serve,
			"stop":   stop,
			"field":  field,
			"repeat": repeat,
		},
	})
}

// server is the server of one script.
type server struct {
	binary string
	cmd    *exec.Cmd
	output bytes.Buffer
}

// serve [COMMAND] [FLAG…] starts "packhouse serve" (or another command) on
// $ADDRESS with its data in $WORK/data, and returns when it is ready.
func serve(ts *testscript.TestScript, neg bool, args []string) {
	command := "serve"
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		command, args = args[0], args[1:]
	}
	s := ts.Value("server").(*server)
	s.output.Reset()
	args = append([]string{command, "--listen", ts.Getenv("ADDRESS"), "--data", ts.MkAbs("data")}, args...)
	s.cmd = exec.Command(s.binary, args...)
	s.cmd.Env = append(os.Environ(), "PACKHOUSE_ROOT_TOKEN="+ts.Getenv("TOKEN"))
	s.cmd.Dir = ts.MkAbs(".")
	s.cmd.Stdout, s.cmd.Stderr = &s.output, &s.output
	ts.Check(s.cmd.Start())
	ts.Defer(func() {
		if s.cmd.ProcessState == nil {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if resp, err := anyCertificate.Get(ts.Getenv("URL") + "/-/readiness"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		if time.Now().After(deadline) {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait()
			ts.Fatalf("the server is not ready; it printed:\n%s", s.output.String())
		}
	}
}

// anyCertificate asks servers that have a certificate of the script's own making.
var anyCertificate = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}} //nolint:gosec // only whether it is ready

// stop ends the server as an operator does, by SIGTERM, and writes what it
// printed to the file "server.log". It fails unless the server ends well.
func stop(ts *testscript.TestScript, neg bool, _ []string) {
	s := ts.Value("server").(*server)
	ts.Check(s.cmd.Process.Signal(syscall.SIGTERM))
	err := s.cmd.Wait()
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), s.output.Bytes(), 0o600))
	if (err != nil) != neg {
		ts.Fatalf("the server ended with %v and printed:\n%s", err, s.output.String())
	}
}

// field NAME VARIABLE sets a variable to a field of the JSON object that the
// last command printed.
func field(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: field NAME VARIABLE")
	}
	value, err := jsonField(ts.ReadFile("stdout"), args[0])
	ts.Check(err)
	ts.Setenv(args[1], value)
}

// repeat N FILE writes a file of N bytes that are not all alike.
func repeat(ts *testscript.TestScript, _ bool, args []string) {
	var n int
	if len(args) != 2 {
		ts.Fatalf("usage: repeat N FILE")
	}
	if _, err := fmt.Sscan(args[0], &n); err != nil {
		ts.Fatalf("repeat: %v", err)
	}
	data := make([]byte, n)
	for i := range data {
		data[i] = byte(i*7 + i>>8)
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), data, 0o600))
}
