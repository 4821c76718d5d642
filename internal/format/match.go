package format

import (
	"fmt"
	"strings"
)

// Args are what the parameters of a pattern matched, in its order.
type Args []Arg

// Arg is one of them.
type Arg struct{ Name, Value string }

// Pattern is a compiled route path. Patterns are made of segments:
//
//	files            this text
//	{name}           any one segment
//	{v}.info         one segment with this ending, and something before it
//	{path...}        one or more segments, anywhere in the pattern
//
// A pattern that ends with a slash matches only paths that do; one that does
// not matches both, because clients disagree about it.
type Pattern struct {
	segments []segment
	slash    bool
	many     bool // has a {path...}
}

type segment struct {
	text string // literal, or the ending after a parameter
	name string // parameter; "" for a literal
	many bool
}

// Compile reads a pattern such as "/{name...}/-/{file}".
func Compile(pattern string) (Pattern, error) {
	var p Pattern
	rest, ok := strings.CutPrefix(pattern, "/")
	if !ok {
		return p, fmt.Errorf("pattern %q does not begin with a slash", pattern)
	}
	if rest == "" {
		return p, nil
	}
	rest, p.slash = strings.CutSuffix(rest, "/")
	for text := range strings.SplitSeq(rest, "/") {
		s, err := compileSegment(text)
		if err != nil {
			return p, fmt.Errorf("pattern %q: %w", pattern, err)
		}
		if s.many && p.many {
			return p, fmt.Errorf("pattern %q has two parameters of many segments", pattern)
		}
		p.many = p.many || s.many
		p.segments = append(p.segments, s)
	}
	return p, nil
}

func compileSegment(text string) (segment, error) {
	if !strings.HasPrefix(text, "{") {
		if text == "" || strings.ContainsAny(text, "{}") {
			return segment{}, fmt.Errorf("bad segment %q", text)
		}
		return segment{text: text}, nil
	}
	name, ending, ok := strings.Cut(text[1:], "}")
	if !ok || strings.ContainsAny(ending, "{}") {
		return segment{}, fmt.Errorf("bad segment %q", text)
	}
	name, many := strings.CutSuffix(name, "...")
	if name == "" || many && ending != "" {
		return segment{}, fmt.Errorf("bad segment %q", text)
	}
	return segment{text: ending, name: name, many: many}, nil
}

// Match matches the segments of a path, without backtracking: at most one
// parameter takes many segments, so what stands before and after it says how
// many. args is appended to.
func (p Pattern) Match(path Path, args Args) (Args, bool) {
	have, want := len(path.Segments), len(p.segments)
	if p.slash && !path.Slash || have < want || have > want && !p.many {
		return args, false
	}
	at := 0
	for _, s := range p.segments {
		if s.many {
			n := have - want + 1
			args = append(args, Arg{s.name, strings.Join(path.Segments[at:at+n], "/")})
			at += n
			continue
		}
		value := path.Segments[at]
		at++
		if s.name == "" {
			if value != s.text {
				return args, false
			}
			continue
		}
		if s.text != "" {
			var ok bool
			if value, ok = strings.CutSuffix(value, s.text); !ok || value == "" {
				return args, false
			}
		}
		args = append(args, Arg{s.name, value})
	}
	return args, true
}
