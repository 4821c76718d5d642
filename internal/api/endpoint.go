package api

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/format"
)

// The levels, by the short names that the tables of endpoints read well with.
const (
	instance = packhouse.Instance
	group    = packhouse.Group
	project  = packhouse.Project
)

// endpoint is one row of the API's tables: a route, and what the API's document
// says about it.
type endpoint struct {
	format.Route
	summary string  // one sentence without a full stop: "List the members of a group"
	params  []param // of the query or the body; those of the path stand in the path
	status  int     // of the answer when all goes well; 204 has no body
	handler handler
}

// param declares a parameter. What is declared is checked before the handler
// runs, so a handler may rely on it.
type param struct {
	name     string
	kind     kind
	about    string
	required bool
	words    []string // for kindWord: those that are allowed
}

// kind says how a parameter is written.
type kind string

const (
	kindText   kind = "string"
	kindNumber kind = "integer"
	kindFlag   kind = "boolean"
	kindList   kind = "array" // of strings: several times, or once with commas
	kindWord   kind = "word"  // one of a few
)

func text(name, about string) param   { return param{name: name, kind: kindText, about: about} }
func number(name, about string) param { return param{name: name, kind: kindNumber, about: about} }
func flag(name, about string) param   { return param{name: name, kind: kindFlag, about: about} }
func list(name, about string) param   { return param{name: name, kind: kindList, about: about} }
func word(name, about string, words ...string) param {
	return param{name: name, kind: kindWord, about: about, words: words}
}

// must makes a parameter required.
func (p param) must() param { p.required = true; return p }

// paged are the parameters of every list.
var paged = []param{
	number("page", "which page, from 1"),
	number("per_page", "how many on a page, 20 unless said otherwise and 100 at the most"),
}

// with puts lists of parameters together: with(paged, text("search", "…")).
func with(list []param, more ...param) []param { return append(slices.Clone(list), more...) }

// check refuses what is missing or not of the declared kind. The words are
// GitLab's: all that is missing is named at once.
func (p params) check(declared []param) error {
	var missing, about []string
	for _, d := range declared {
		switch given := p.text(d.name); {
		case d.required && given == "":
			missing, about = append(missing, d.name), append(about, d.name+": "+d.about)
		case given != "" && !d.accepts(given):
			problem := "is invalid"
			if d.kind == kindWord {
				problem = "does not have a valid value"
			}
			return packhouse.InvalidParam(d.name, problem)
		}
	}
	if missing == nil {
		return nil
	}
	e := packhouse.InvalidParam(strings.Join(missing, " is missing, "), "is missing")
	e.Fix = "give " + strings.Join(about, "; ")
	return e
}

func (p param) accepts(given string) bool {
	switch p.kind {
	case kindNumber:
		_, err := strconv.ParseInt(given, 10, 64)
		return err == nil
	case kindFlag:
		_, err := parseFlag(given)
		return err == nil
	case kindWord:
		return slices.Contains(p.words, given)
	}
	return true
}

func get(level packhouse.Level, path string, action authz.Action, h handler, summary string, params ...param) endpoint {
	return newEndpoint(level, "GET", path, action, http.StatusOK, h, summary, params)
}

func post(level packhouse.Level, path string, action authz.Action, h handler, summary string, params ...param) endpoint {
	return newEndpoint(level, "POST", path, action, http.StatusCreated, h, summary, params)
}

func put(level packhouse.Level, path string, action authz.Action, h handler, summary string, params ...param) endpoint {
	return newEndpoint(level, "PUT", path, action, http.StatusOK, h, summary, params)
}

func patch(level packhouse.Level, path string, action authz.Action, h handler, summary string, params ...param) endpoint {
	return newEndpoint(level, "PATCH", path, action, http.StatusOK, h, summary, params)
}

func remove(level packhouse.Level, path string, action authz.Action, h handler, summary string, params ...param) endpoint {
	return newEndpoint(level, "DELETE", path, action, http.StatusNoContent, h, summary, params)
}

// answering changes the status of an endpoint's answer: 204 has no body.
func (e endpoint) answering(status int) endpoint {
	e.status = status
	e.Handle = e.handle
	return e
}

// unread leaves a request's credential to the handler.
func (e endpoint) unread() endpoint {
	e.Unread = true
	return e
}

// locator is a format.Route.Locate with the parameters read.
type locator func(q *request) (packhouse.Target, authz.Action, error)

// at has an endpoint's target found in the request's parameters.
func (e endpoint) at(where locator) endpoint {
	e.Locate = func(r *http.Request, c *format.Call) (packhouse.Target, authz.Action, error) {
		q, err := newRequest(r, c, nil)
		if err != nil {
			return packhouse.Target{}, 0, err
		}
		return where(q)
	}
	return e
}

func newEndpoint(level packhouse.Level, method, path string, action authz.Action, status int, h handler, summary string, params []param) endpoint {
	e := endpoint{summary: summary, params: params, status: status, handler: h}
	e.Route = format.Route{Level: level, Method: method, Path: path, Action: action}
	e.Handle = e.handle
	return e
}

// handle reads and checks the parameters, and writes down what the handler
// returns.
func (e endpoint) handle(w http.ResponseWriter, r *http.Request, c *format.Call) error {
	q, err := newRequest(r, c, w.Header())
	if err != nil {
		return err
	}
	if err := q.params.check(e.params); err != nil {
		return err
	}
	answer, err := e.handler(q)
	if err != nil {
		return err
	}
	if e.status == http.StatusNoContent {
		w.WriteHeader(e.status)
		return nil
	}
	format.WriteJSON(w, e.status, answer)
	return nil
}
