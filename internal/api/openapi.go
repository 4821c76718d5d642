package api

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"packhouse"
	"packhouse/internal/format"
	"packhouse/internal/registry"
)

// The OpenAPI document of the management API (https://spec.openapis.org/oas/v3.1.1),
// made of the endpoints' own table.

// openAPI answers with the document. It is the same for every request but for
// the server's address, which clients take from where they got it.
func (a Root) openAPI(w http.ResponseWriter, r *http.Request, _ *format.Call) error {
	format.ServeDocument(w, r, a.document())
	return nil
}

// document renders the document, once.
func (a *API) document() *registry.Document {
	a.describing.Do(func() {
		body, err := json.Marshal(a.describe())
		if err != nil {
			panic(err) // it is made of maps and texts
		}
		a.described = registry.NewDocument("application/json", body)
	})
	return a.described
}

func (a *API) describe() object {
	paths := map[string]object{}
	for _, e := range a.endpoints() {
		for _, at := range []struct {
			level  packhouse.Level
			prefix string
		}{{instance, "/api/v4"}, {group, "/api/v4/groups/{id}"}, {project, "/api/v4/projects/{id}"}} {
			if e.Level&at.level == 0 {
				continue
			}
			path := at.prefix + strings.TrimSuffix(e.Path, "/")
			if paths[path] == nil {
				paths[path] = object{}
			}
			paths[path][strings.ToLower(e.Method)] = e.operation(path, at.level)
		}
	}
	return object{
		"openapi": "3.1.1",
		"info": object{
			"title": "Packhouse management API", "version": a.Version,
			"description": "The part of GitLab's REST API v4 that Packhouse speaks. Parameters may be sent in the query, as a form or as JSON.",
			"license":     object{"name": "Apache-2.0", "identifier": "Apache-2.0"},
		},
		"servers":  []object{{"url": "/"}},
		"security": []object{{"token": []string{}}, {"bearer": []string{}}, {}},
		"paths":    paths,
		"components": object{
			"securitySchemes": object{
				"token":  object{"type": "apiKey", "in": "header", "name": "PRIVATE-TOKEN"},
				"bearer": object{"type": "http", "scheme": "bearer"},
				"job":    object{"type": "apiKey", "in": "header", "name": "JOB-TOKEN"},
			},
			"schemas": object{"error": errorSchema},
			"responses": object{"error": object{
				"description": "Refused: message or error say why, rule is what decided, fix is what to do",
				"content":     object{"application/json": object{"schema": object{"$ref": "#/components/schemas/error"}}},
			}},
		},
	}
}

var errorSchema = object{
	"type": "object", "required": []string{"request_id"},
	"properties": object{
		"message":    object{"description": "what happened; of a validation, by attribute", "type": []string{"string", "object"}},
		"error":      object{"description": "what is wrong with a parameter or the route", "type": "string"},
		"rule":       object{"description": "a stable word for what decided", "type": "string"},
		"fix":        object{"description": "what to do about it", "type": "string"},
		"request_id": object{"description": "finds the line in the log", "type": "string"},
	},
}

// operation is one endpoint of the document.
func (e endpoint) operation(path string, level packhouse.Level) object {
	parameters := []object{}
	for _, name := range pathParams.FindAllStringSubmatch(path, -1) {
		about, schema := "its id", object{"type": "string"}
		if name[1] == "id" {
			about = "id, or path with %2F for its slashes, of the " + level.String()
		}
		parameters = append(parameters, object{"name": name[1], "in": "path", "required": true, "description": about, "schema": schema})
	}
	o := object{
		"operationId": operationID(e.Method, path), "summary": e.summary, "tags": []string{tag(e.Path, level)},
		"responses": object{strconv.Itoa(e.answerStatus()): e.answer(), "default": object{"$ref": "#/components/responses/error"}},
	}
	if e.Method == http.MethodGet || e.Method == http.MethodDelete {
		for _, p := range e.params {
			parameters = append(parameters, object{"name": p.name, "in": "query", "required": p.required, "description": p.about, "schema": p.schema()})
		}
	} else if len(e.params) > 0 {
		o["requestBody"] = e.body()
	}
	o["parameters"] = parameters
	return o
}

var pathParams = regexp.MustCompile(`\{([a-z_]+)\}`)

func operationID(method, path string) string {
	id := strings.ToLower(method)
	for part := range strings.FieldsFuncSeq(strings.TrimPrefix(path, "/api/v4"), func(c rune) bool { return strings.ContainsRune("/{}_-", c) }) {
		id += strings.ToUpper(part[:1]) + part[1:]
	}
	return id
}

// tag groups the operations by the first word of their path.
func tag(path string, level packhouse.Level) string {
	if first, _, _ := strings.Cut(strings.Trim(path, "/"), "/"); first != "" {
		return first
	}
	return level.String() + "s"
}

func (e endpoint) answerStatus() int {
	if e.status == 0 {
		return http.StatusOK
	}
	return e.status
}

// answer describes the answer of success by its kind: nothing, a file or lines,
// a list, or one thing.
func (e endpoint) answer() object {
	switch {
	case e.status == http.StatusNoContent:
		return object{"description": "Done; there is no body"}
	case e.handler == nil:
		return object{"description": "The content", "content": object{"*/*": object{}}}
	case strings.HasPrefix(e.summary, "List "):
		return object{
			"description": "A page of the list; its neighbours are in the header Link",
			"content":     object{"application/json": object{"schema": object{"type": []string{"array", "object"}, "items": object{"type": "object"}}}},
		}
	}
	return object{"description": "What was asked for", "content": object{"application/json": object{"schema": object{"type": []string{"object", "boolean"}}}}}
}

// body describes the parameters of a request that changes something.
func (e endpoint) body() object {
	properties, required := object{}, []string{}
	for _, p := range e.params {
		schema := p.schema()
		schema["description"] = p.about
		properties[p.name] = schema
		if p.required {
			required = append(required, p.name)
		}
	}
	schema := object{"type": "object", "properties": properties}
	if len(required) > 0 {
		schema["required"] = required
	}
	content := object{"schema": schema}
	return object{"required": len(required) > 0, "content": object{"application/json": content, "application/x-www-form-urlencoded": content}}
}

// schema is a parameter's type.
func (p param) schema() object {
	switch p.kind {
	case kindWord:
		return object{"type": "string", "enum": p.words}
	case kindList:
		return object{"type": "array", "items": object{"type": "string"}}
	}
	return object{"type": string(p.kind)}
}
