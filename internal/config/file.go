package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// maxFile bounds the size of a configuration file, in bytes.
const maxFile = 1 << 20

// readFile reads the options of a YAML file. named is where the file's name
// came from. The values are not looked at yet.
func readFile(name string, named Origin) (map[string]given, error) {
	data, err := readSmall(name)
	if err != nil {
		var path *fs.PathError
		if errors.As(err, &path) {
			err = path.Err // the path is in the message already
		}
		return nil, &Error{
			Option: configOption, Value: name, Origin: named,
			Problem: "cannot be read: " + err.Error(), Right: "write the path of a YAML file that this user may read",
		}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	var document, second yaml.Node
	if err := loader.Load(&document); errors.Is(err, io.EOF) {
		return nil, nil // nothing but comments
	} else if err != nil {
		return nil, syntaxError(name, err)
	}
	if err := loader.Load(&second); err != nil && !errors.Is(err, io.EOF) {
		return nil, syntaxError(name, err)
	} else if err == nil {
		return nil, &Error{
			Origin:  Origin{File: name, Line: second.Line},
			Problem: "there is a second document", Right: "write all options in one, without ---",
		}
	}
	return readOptions(name, document.Content[0])
}

func syntaxError(name string, err error) error {
	origin, problem := Origin{File: name}, err.Error()
	var at *yaml.LoadError
	if errors.As(err, &at) {
		origin.Line, problem = at.Mark.Line, at.Message
	}
	return &Error{
		Origin: origin, Problem: "this is not YAML: " + problem,
		Right: "write one option per line, such as listen: 127.0.0.1:8080",
	}
}

// readOptions takes the options out of a document.
func readOptions(name string, document *yaml.Node) (map[string]given, error) {
	if document.Kind != yaml.MappingNode {
		return nil, &Error{
			Origin: Origin{File: name, Line: document.Line}, Problem: "there are no options in it",
			Right: "write one option per line, such as listen: 127.0.0.1:8080",
		}
	}
	known, read := names(), map[string]given{}
	for i := 0; i < len(document.Content); i += 2 {
		key, value := document.Content[i], document.Content[i+1]
		e := &Error{Option: key.Value, Origin: Origin{File: name, Line: key.Line}}
		before, twice := read[key.Value]
		switch {
		case key.Value == configOption:
			e.Problem, e.Right = "a file cannot name another one", "remove the line"
			return nil, e
		case !slices.Contains(known, key.Value):
			e.Problem, e.Right = "there is no such option", suggestion(key.Value)
			return nil, e
		case twice:
			e.Problem, e.Right = fmt.Sprintf("it is set in line %d already", before.origin.Line), "remove one of the lines"
			return nil, e
		}
		g, err := readValue(value)
		if err != nil {
			err.Option, err.Origin = e.Option, e.Origin
			return nil, err
		}
		g.origin = e.Origin
		read[key.Value] = g
	}
	return read, nil
}

// readValue returns a single value as it was written, and a list with commas
// between its items. What it means is for the option's kind to say.
func readValue(value *yaml.Node) (given, *Error) {
	if value.Kind == yaml.AliasNode {
		value = value.Alias
	}
	switch {
	case value.Kind == yaml.ScalarNode && value.ShortTag() == "!!null":
		return given{}, wrong("has no value", `write one, or remove the line; "" is the empty value`)
	case value.Kind == yaml.ScalarNode:
		return given{text: value.Value}, nil
	case value.Kind != yaml.SequenceNode:
		return given{}, wrong("is neither a value nor a list", "write a value behind the colon")
	}
	var items []string
	for _, item := range value.Content {
		if item.Kind != yaml.ScalarNode {
			return given{}, wrong("has something other than a value in its list", "write a list of single values")
		}
		items = append(items, item.Value)
	}
	return given{text: strings.Join(items, ","), list: true}, nil
}

func suggestion(wrong string) string {
	if name, ok := nearest(wrong); ok {
		return "did you mean " + name + "?"
	}
	return "the options are " + strings.Join(names()[1:], ", ")
}

func readSmall(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if len(data) > maxFile {
		return nil, fmt.Errorf("more than %d bytes", maxFile)
	}
	return data, err
}
