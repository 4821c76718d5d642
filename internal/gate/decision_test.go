package gate_test

import (
	"net/http"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// A handler runs only after authz has said yes, with what the gate has found out.
func TestDecision(t *testing.T) {
	t.Parallel()
	r := open(t)
	var ran int
	var call format.Call
	record := func(_ http.ResponseWriter, _ *http.Request, c *format.Call) error {
		ran++
		call = *c
		return nil
	}
	box := (&fake{name: "box"}).
		on(everywhere, "GET", "/x", authz.ReadPackages, record).
		on(packhouse.Project, "PUT", "/x", authz.PublishPackages, record).
		on(packhouse.Project, "DELETE", "/x", authz.DeletePackages, record)
	r.Formats = append(r.Formats, box)
	g := r.gate(t)
	stranger, err := r.changes.CreateUser(t.Context(), noOne, newUser("stranger"))
	must(t, err)
	dana, other := r.token(t, r.dana), r.token(t, stranger)
	for _, test := range []struct {
		method, project, token string
		want                   int
	}{
		{"GET", "acme%2Ftools", "", 200},
		{"GET", "acme%2Ftools", other, 200},
		{"GET", "acme%2Ftools", "glpat-nobody", 401},
		{"GET", "acme%2Fsecret", "", 401},
		{"GET", "acme%2Fsecret", other, 404},
		{"GET", "acme%2Fsecret", dana, 200},
		{"GET", "acme%2Fnone", "", 401},
		{"GET", "acme%2Fnone", other, 404},
		{"GET", "acme%2Fnone", dana, 404},
		{"GET", "999", dana, 404},
		{"GET", "acme", dana, 404}, // is a group
		{"PUT", "acme%2Ftools", "", 401},
		{"PUT", "acme%2Ftools", other, 403},
		{"PUT", "acme%2Fsecret", other, 404},
		{"PUT", "acme%2Ftools", dana, 200},
		{"DELETE", "acme%2Ftools", dana, 403},
	} {
		before := ran
		call = format.Call{}
		header := []string{"Private-Token: " + test.token}
		if test.token == "" {
			header = nil
		}
		a := ask(g, test.method, "/api/v4/projects/"+test.project+"/packages/box/x", nil, header...)
		if a.Code != test.want || (ran > before) != (test.want == 200) {
			t.Errorf("%s %s = %d, handler ran: %v, want %d", test.method, test.project, a.Code, ran > before, test.want)
		}
		if test.want != 200 {
			continue
		}
		if call.Source == nil || call.RequestID != a.Header().Get("X-Request-Id") {
			t.Errorf("%s %s: call = %+v, want a source and the request id", test.method, test.project, call)
		}
		writes := test.method != "GET"
		if (call.Hosted != nil) != writes || (call.By.RequestID != "") != writes {
			t.Errorf("%s %s: hosted %v by %+v, want them to change something only", test.method, test.project, call.Hosted, call.By)
		}
	}
}

// Who sends no credential is refused by the action alone: nobody reads the body
// of a visitor to find out what it is about.
func TestLocateNeverForVisitors(t *testing.T) {
	t.Parallel()
	r := open(t)
	asked := 0
	api := r.API.(*fake)
	for path, action := range map[string]authz.Action{
		"/projects": authz.CreateProject, "/job_tokens": authz.MintJobTokens, "/groups": authz.CreateGroup, "/subgroups": authz.CreateSubgroup,
	} {
		api.on(packhouse.Instance, "POST", path, action, told("made"))
		api.routes[len(api.routes)-1].Locate = func(*http.Request, *format.Call) (packhouse.Target, authz.Action, error) {
			asked++
			t, _ := r.Directory.Resolve(packhouse.Project, "acme/tools")
			return t, authz.ReadProject, nil
		}
	}
	g := r.gate(t)
	dana := "Private-Token: " + r.token(t, r.dana)
	for _, path := range []string{"/projects", "/job_tokens", "/groups", "/subgroups"} {
		if a := ask(g, "POST", "/api/v4"+path, strings.NewReader("{}")); a.Code != 401 || asked != 0 {
			t.Errorf("POST %s by a visitor = %d %s, Locate asked %d times, want 401 and none", path, a.Code, a.Body, asked)
		}
	}
	for i, path := range []string{"/projects", "/job_tokens", "/groups", "/subgroups"} {
		want := `made at project "acme/tools", mounted at /api/v4`
		if a := ask(g, "POST", "/api/v4"+path, strings.NewReader("{}"), dana); a.Code != 200 || a.Body.String() != want || asked != i+1 {
			t.Errorf("POST %s = %d %s, want what Locate found", path, a.Code, a.Body)
		}
	}
}

// An error of Locate is the answer, and the handler is not reached.
func TestLocateFails(t *testing.T) {
	t.Parallel()
	r := open(t)
	api := r.API.(*fake).on(packhouse.Instance, "POST", "/projects", authz.CreateProject, told("made"))
	api.routes[len(api.routes)-1].Locate = func(*http.Request, *format.Call) (packhouse.Target, authz.Action, error) {
		return packhouse.Target{}, 0, packhouse.InvalidParam("namespace_id", "is invalid")
	}
	a := ask(r.gate(t), "POST", "/api/v4/projects", nil, "Private-Token: "+r.token(t, r.dana))
	if a.Code != 400 || a.Body.String() != "api says namespace_id is invalid" {
		t.Errorf("POST = %d %s, want Locate's error", a.Code, a.Body)
	}
}

// What a visitor does not find among many projects they are asked to sign in
// for; in one project that they may read, it is not there.
func TestNotFoundAmongMany(t *testing.T) {
	t.Parallel()
	r := open(t)
	nothing := func(http.ResponseWriter, *http.Request, *format.Call) error {
		return packhouse.Errorf(packhouse.NotFound, "404 Package Not Found")
	}
	r.Formats = append(r.Formats, (&fake{name: "box"}).on(everywhere, "GET", "/x", authz.ReadPackages, nothing))
	g := r.gate(t)
	dana := "Private-Token: " + r.token(t, r.dana)
	for target, want := range map[string]int{
		"/api/v4/packages/box/x": 401, "/api/v4/groups/acme/-/packages/box/x": 401, "/api/v4/projects/acme%2Ftools/packages/box/x": 404,
	} {
		if a := ask(g, "GET", target, nil); a.Code != want {
			t.Errorf("GET %s by a visitor = %d, want %d", target, a.Code, want)
		}
		if a := ask(g, "GET", target, nil, dana); a.Code != 404 {
			t.Errorf("GET %s by a member = %d, want 404", target, a.Code)
		}
	}
}
