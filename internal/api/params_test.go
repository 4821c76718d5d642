package api_test

import (
	"bytes"
	"fmt"
	"mime/multipart"
	"net/url"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// Parameters mean the same as JSON, as a form, as multipart and in the query.
func TestParameterForms(t *testing.T) {
	t.Parallel()
	s := start(t)
	for i, send := range map[string]func(path string, fields url.Values) formattest.Answer{
		"json": func(path string, fields url.Values) formattest.Answer {
			var parts []string
			for name, v := range fields {
				if value := fmt.Sprintf("%q", v[0]); strings.HasSuffix(name, "[]") {
					parts = append(parts, fmt.Sprintf("%q:[%s]", strings.TrimSuffix(name, "[]"), `"`+strings.Join(v, `","`)+`"`))
				} else {
					parts = append(parts, fmt.Sprintf("%q:%s", name, value))
				}
			}
			return s.Do("POST", path, strings.NewReader("{"+strings.Join(parts, ",")+"}"), root, "Content-Type: application/json; charset=utf-8")
		},
		"form": func(path string, fields url.Values) formattest.Answer {
			return s.Do("POST", path, strings.NewReader(fields.Encode()), root, "Content-Type: application/x-www-form-urlencoded")
		},
		"untyped": func(path string, fields url.Values) formattest.Answer {
			return s.Do("POST", path, strings.NewReader(fields.Encode()), root)
		},
		"multipart": func(path string, fields url.Values) formattest.Answer {
			var body bytes.Buffer
			m := multipart.NewWriter(&body)
			for name, values := range fields {
				for _, v := range values {
					must(t, m.WriteField(name, v))
				}
			}
			must(t, m.Close())
			return s.Do("POST", path, &body, root, "Content-Type: "+m.FormDataContentType())
		},
		"query": func(path string, fields url.Values) formattest.Answer {
			return s.Do("POST", path+"?"+fields.Encode(), nil, root)
		},
		"query and an empty object": func(path string, fields url.Values) formattest.Answer {
			return s.Do("POST", path+"?"+fields.Encode(), strings.NewReader("{}"), root, "Content-Type: application/json")
		},
		"query and null": func(path string, fields url.Values) formattest.Answer { // client-go sends that
			return s.Do("POST", path+"?"+fields.Encode(), strings.NewReader("null"), root, "Content-Type: application/json")
		},
	} {
		t.Run(i, func(t *testing.T) {
			name := strings.ReplaceAll(i, " ", "-")
			a := send("/api/v4/groups", url.Values{"name": {"A + B, ü & \"c\""}, "path": {name}, "visibility": {"internal"}})
			var group struct{ Name, Path, Visibility string }
			s.JSON(a, &group)
			if a.Status != 201 || group.Name != "A + B, ü & \"c\"" || group.Path != name || group.Visibility != "internal" {
				t.Errorf("POST /groups = %d %s", a.Status, a.Body)
			}
			a = send(fmt.Sprintf("/api/v4/projects/%d/deploy_tokens", s.project), url.Values{
				"name": {name}, "scopes[]": {"read_package_registry", "write_package_registry"}, "username": {"me"},
			})
			var token struct {
				Username string
				Scopes   []string
			}
			s.JSON(a, &token)
			if a.Status != 201 || token.Username != "me" || strings.Join(token.Scopes, " ") != "read_package_registry write_package_registry" {
				t.Errorf("POST deploy_tokens = %d %s", a.Status, a.Body)
			}
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// The odd ways in which clients write parameters, and those that cannot be read.
func TestParameterOddities(t *testing.T) {
	t.Parallel()
	s := start(t)
	tokens := fmt.Sprintf("/projects/%d/deploy_tokens", s.project)
	const json, form, both = "application/json", "application/x-www-form-urlencoded", `["read_package_registry","write_package_registry"]`
	for _, test := range []struct {
		name, query, kind, body string
		want                    string // the scopes, or the error
	}{
		{"comma list", "", json, `{"name":"x","scopes":"read_package_registry,write_package_registry"}`, both},
		{"comma list with blanks", "", json, `{"name":"x","scopes":"read_package_registry, write_package_registry"}`, both},
		{"comma list in an array", "", json, `{"name":"x","scopes":["read_package_registry,write_package_registry"]}`, both},
		{"brackets in JSON", "", json, `{"name":"x","scopes[]":["read_package_registry"]}`, `{"error":"scopes is missing"}`},
		{"repeated", "", form, "name=x&scopes=read_package_registry&scopes=write_package_registry", both},
		{"twice the same", "", form, "name=x&scopes[]=read_package_registry&scopes[]=read_package_registry", `["read_package_registry"]`},
		{"body wins over the query", "?name=a&scopes=read_registry", json, `{"name":"x","scopes":["read_package_registry"]}`, `["read_package_registry"]`},
		{"null leaves the query", "?scopes=read_registry", json, `{"name":"x","scopes":null}`, `["read_registry"]`},
		{"unknown parameters", "?a=b", json, `{"name":"x","scopes":["read_registry"],"c":{"d":[1,{"e":null}]},"f":1e99}`, `["read_registry"]`},
		{"a number for a name", "", json, `{"name":12345678901234567890,"scopes":["read_registry"]}`, `["read_registry"]`},
		{"blanks around", "", json, "\n {\"name\":\"x\",\"scopes\":[\"read_registry\"]} \n", `["read_registry"]`},
		{"empty array", "", json, `{"name":"x","scopes":[]}`, `{"error":"scopes is missing"}`},
		{"array", "", json, `[]`, `{"message":"400 Bad request - the request's body cannot be read"}`},
		{"text", "", json, `"name"`, `{"message":"400 Bad request - the request's body cannot be read"}`},
		{"half", "", json, `{"name":"x"`, `{"message":"400 Bad request - the request's body cannot be read"}`},
		{"two", "", json, `{"name":"x","scopes":["read_registry"]}{}`, `{"message":"400 Bad request - the request's body cannot be read"}`},
		{"more", "", json, `{"name":"x","scopes":["read_registry"]} x`, `{"message":"400 Bad request - the request's body cannot be read"}`},
		{"deep", "", json, strings.Repeat(`{"a":`, 20000), `{"message":"400 Bad request - the request's body cannot be read"}`},
		{"bad form", "", form, "name=%zz", `{"message":"400 Bad request - the request's body cannot be read"}`},
		{"bad multipart", "", "multipart/form-data; boundary=b", "--a", `{"message":"400 Bad request - the request's body cannot be read"}`},
		{"no boundary", "", "multipart/form-data", "--a", `{"message":"400 Bad request - the request's body cannot be read"}`},
		{"bad query", "?name=%zz", json, `{}`, `{"message":"400 Bad request - the query cannot be read"}`},
		{"semicolon", "?name=a;b", json, `{}`, `{"message":"400 Bad request - the query cannot be read"}`},
		{"nothing", "", json, ``, `{"error":"name is missing, scopes is missing"}`},
		{"null", "", json, `null`, `{"error":"name is missing, scopes is missing"}`},
		{"JSON as a form", "", form, `{"name":"x"}`, `{"error":"name is missing, scopes is missing"}`},
		{"too long", "", json, `{"name":"` + strings.Repeat("x", 1<<20) + `"}`, `{"message":"413 Request Entity Too Large"}`},
		{"too long a form", "", form, "name=" + strings.Repeat("x", 1<<20), `{"message":"413 Request Entity Too Large"}`},
	} {
		a := s.Do("POST", "/api/v4"+tokens+test.query, strings.NewReader(test.body), root, "Content-Type: "+test.kind)
		got := essence(a)
		if a.Status == 201 {
			_, got, _ = strings.Cut(string(a.Body), `"scopes":`)
			got = got[:strings.Index(got, "]")+1]
		}
		if got != test.want {
			t.Errorf("%s = %d %s, want %s", test.name, a.Status, got, test.want)
		}
	}
}

// true and false in all the ways in which people write them.
func TestFlags(t *testing.T) {
	t.Parallel()
	s := start(t)
	scope := fmt.Sprintf("/projects/%d/job_token_scope", s.project)
	for text, want := range map[string]string{
		`true`: "true", `"true"`: "true", `"TRUE"`: "true", `1`: "true", `"1"`: "true", `"yes"`: "true", `"On"`: "true",
		`false`: "false", `"False"`: "false", `0`: "false", `"no"`: "false", `"OFF"`: "false",
	} {
		s.want(root, "PATCH", scope, fmt.Sprintf(`{"enabled":%s}`, text), 204, "")
		s.want(root, "GET", scope, "", 200, fmt.Sprintf(`{"inbound_enabled":%s,"outbound_enabled":false}`, want))
	}
	for _, text := range []string{`"maybe"`, `2`, `-1`, `"t"`, `"truefalse"`, `{"a":1}`} {
		want := `{"error":"enabled is invalid"}`
		if text == `{"a":1}` {
			want = `{"error":"enabled is missing"}`
		}
		s.want(root, "PATCH", scope, fmt.Sprintf(`{"enabled":%s}`, text), 400, want)
	}
}
