package gate_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// Passages are used again. However many requests go through at once, each
// handler sees its own actor, target and arguments, before and after it has
// waited for others, and each client its own error.
func TestPassagesAreNotShared(t *testing.T) {
	t.Parallel()
	r := open(t)
	seen := new(observed)
	r.Observe = seen.add
	meeting := make(chan struct{}) // of pairs of handlers
	echo := func(w http.ResponseWriter, _ *http.Request, c *format.Call) error {
		say := func() string {
			return strings.Join([]string{c.Actor.Name, c.Target.Path, c.Arg("name"), c.Arg("file"), c.RequestID, c.Base().Host}, " ")
		}
		before := say()
		select {
		case meeting <- struct{}{}:
		case <-meeting:
		case <-time.After(time.Millisecond):
		}
		switch c.Arg("name") {
		case "refused":
			return packhouse.Errorf(packhouse.Conflict, "%s", before)
		case "panics":
			panic(http.ErrAbortHandler)
		}
		_, err := io.WriteString(w, before)
		if after := say(); after != before {
			t.Errorf("the call changed from %q to %q", before, after)
		}
		return err
	}
	r.Formats = append(r.Formats, (&fake{name: "box"}).on(packhouse.Project, "GET", "/{name}/{file...}", authz.ReadPackages, echo))
	g := r.gate(t)
	const workers, rounds = 64, 60
	var done sync.WaitGroup
	for i := range workers {
		user, err := r.changes.CreateUser(t.Context(), noOne, newUser(fmt.Sprintf("user%d", i)))
		must(t, err)
		caller := caller{name: user.Username, header: "Private-Token: " + r.token(t, user)}
		if i%8 == 0 {
			caller.name, caller.header = "", ""
		}
		done.Go(func() {
			for n := range rounds {
				caller.call(t, g, []string{"fine", "refused", "panics", "none/.."}[(i+n)%4], fmt.Sprintf("%d/%d", i, n))
			}
		})
	}
	done.Wait()
	if got := len(seen.take()); got != workers*rounds {
		t.Errorf("%d observations of %d requests", got, workers*rounds)
	}
}

type caller struct{ name, header string }

// call sends one request and compares all of the answer.
func (c caller) call(t *testing.T, g http.Handler, name, file string) {
	host := c.name + ".example.net"
	if c.name == "" {
		host = "visitor.example.net"
	}
	a := ask(g, "GET", "/api/v4/projects/acme%2Ftools/packages/box/"+name+"/"+file, nil, c.header, "Host: "+host)
	id := a.Header().Get("X-Request-Id")
	said := fmt.Sprintf("%s acme/tools %s %s %s %s", c.name, name, file, id, host)
	switch name {
	case "fine":
		if a.Code != 200 || a.Body.String() != said {
			t.Errorf("answer %d %q, want 200 %q", a.Code, a.Body, said)
		}
	case "refused":
		if a.Code != 409 || a.Body.String() != "box says "+said {
			t.Errorf("answer %d %q, want 409 %q", a.Code, a.Body, said)
		}
	case "panics":
		if a.panicked != http.ErrAbortHandler || a.Body.Len() > 0 {
			t.Errorf("answer %q with panic %v, want http.ErrAbortHandler alone", a.Body, a.panicked)
		}
	default:
		if a.Code != 400 || a.Body.String() != "box says 400 Bad request - the path has a part that is . or .." {
			t.Errorf("answer %d %q, want 400", a.Code, a.Body)
		}
	}
}
