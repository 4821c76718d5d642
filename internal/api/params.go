package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"packhouse"
)

// params are the parameters of a request from its query and its body, which may
// be JSON or a form. What is nested is flattened as forms write it: "job[id]".
// The body wins over the query. A JSON null counts as not given; see cleared.
type params map[string][]string

// maxBody bounds the body of an API request, in bytes.
const maxBody = 1 << 20

func parseParams(r *http.Request) (params, error) {
	p := params{}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, packhouse.Errorf(packhouse.Invalid, "the query cannot be read")
	}
	p.add(query)
	if r.Body == nil || r.Body == http.NoBody {
		return p, nil
	}
	kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	r.Body = http.MaxBytesReader(nil, r.Body, maxBody)
	switch kind {
	case "application/json":
		return p, unreadable(p.addJSON(r.Body))
	case "multipart/form-data":
		if err := r.ParseMultipartForm(maxBody); err != nil {
			return nil, unreadable(err)
		}
		p.add(r.MultipartForm.Value) // too small a body for files on disk
	default:
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, unreadable(err)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, unreadable(err)
		}
		p.add(form)
	}
	return p, nil
}

func unreadable(err error) error {
	if err == nil {
		return nil
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return packhouse.Errorf(packhouse.TooLarge, "413 Request Entity Too Large")
	}
	return &packhouse.Error{Kind: packhouse.Invalid, Message: "the request's body cannot be read", Err: err}
}

func (p params) add(values url.Values) {
	for name, v := range values {
		p[strings.TrimSuffix(name, "[]")] = v
	}
}

// addJSON reads an object. client-go sends null where it has no parameters.
func (p params) addJSON(body io.Reader) error {
	d := json.NewDecoder(body)
	d.UseNumber()
	var object map[string]any
	if err := d.Decode(&object); err != nil {
		if errors.Is(err, io.EOF) { // no body at all
			return nil
		}
		return err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errors.Join(errors.New("more than one JSON value"), err)
	}
	for name, v := range object {
		p.flatten(name, v)
	}
	return nil
}

func (p params) flatten(name string, v any) {
	switch v := v.(type) {
	case nil:
		if _, given := p[name]; !given {
			p[name] = nil
		}
	case map[string]any:
		for key, inner := range v {
			p.flatten(name+"["+key+"]", inner)
		}
	case []any:
		p[name] = []string{}
		for _, item := range v {
			p[name] = append(p[name], element(item))
		}
	default:
		p[name] = []string{fmt.Sprint(v)}
	}
}

// element is an item of a list: an object as the JSON that it is, so that lists of
// objects can be read one by one.
func element(item any) string {
	if object, ok := item.(map[string]any); ok {
		if text, err := json.Marshal(object); err == nil {
			return string(text)
		}
	}
	return fmt.Sprint(item)
}

func (p params) has(name string) bool { return len(p[name]) > 0 }

// cleared reports whether a parameter was given as a JSON null, for those where
// that means something.
func (p params) cleared(name string) bool {
	v, given := p[name]
	return given && v == nil
}

// text returns a parameter, or "" when it was not given.
func (p params) text(name string) string {
	if v := p[name]; len(v) > 0 {
		return v[len(v)-1]
	}
	return ""
}

// required returns a parameter that must be given and not be empty.
func (p params) required(name string) (string, error) {
	if v := p.text(name); v != "" {
		return v, nil
	}
	return "", packhouse.InvalidParam(name, "is missing")
}

// list returns a parameter that may be given several times, or once with commas.
func (p params) list(name string) []string {
	if v := p[name]; len(v) == 1 {
		return strings.FieldsFunc(v[0], func(c rune) bool { return c == ',' || c == ' ' })
	}
	return p[name]
}

// oneOf returns a parameter that is one of the given words, or "" when it was
// not given.
func (p params) oneOf(name string, words ...string) (string, error) {
	v := p.text(name)
	if v != "" && !slices.Contains(words, v) {
		return "", packhouse.InvalidParam(name, "does not have a valid value")
	}
	return v, nil
}

// maxName bounds the names that people give to things, in characters, as in
// GitLab.
const maxName = 255

// short refuses parameters that are longer than a name may be.
func (p params) short(names ...string) error {
	for _, name := range names {
		if utf8.RuneCountInString(p.text(name)) > maxName {
			return &packhouse.Error{
				Kind: packhouse.Invalid, Rule: "validation", Param: name,
				Message: fmt.Sprintf("is too long (maximum is %d characters)", maxName),
			}
		}
	}
	return nil
}

// number returns a parameter that is a number, or otherwise when it was not given.
func (p params) number(name string, otherwise int64) (int64, error) {
	if !p.has(name) {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(p.text(name), 10, 64)
	if err != nil {
		return 0, packhouse.InvalidParam(name, "is invalid")
	}
	return n, nil
}

// flag returns a parameter that is true or false, or otherwise when it was not
// given.
func (p params) flag(name string, otherwise bool) (bool, error) {
	if p.text(name) == "" {
		return otherwise, nil
	}
	v, err := parseFlag(p.text(name))
	if err != nil {
		return false, packhouse.InvalidParam(name, "is invalid")
	}
	return v, nil
}

var errNoFlag = errors.New("neither true nor false")

func parseFlag(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "1", "yes", "on":
		return true, nil
	case "false", "0", "no", "off":
		return false, nil
	}
	return false, errNoFlag
}

// parseID reads an id: a positive number.
func parseID(s string) (int64, bool) {
	n, err := strconv.ParseInt(s, 10, 64)
	return n, err == nil && n > 0
}
