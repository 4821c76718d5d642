package config

import (
	"errors"
	"reflect"
	"strconv"

	"github.com/alecthomas/kong"
)

// given is the text of an option from a variable or a file, on its way through
// kong to the reader of its kind.
type given struct {
	text   string
	list   bool // it was a list in a file
	origin Origin
}

// reader is the kong.Mapper of a kind.
type reader struct{ kind }

// Decode implements kong.Mapper. A list that is given twice by the same origin
// is the two lists in a row.
func (r reader) Decode(ctx *kong.DecodeContext, target reflect.Value) error {
	if target.Kind() == reflect.Bool && ctx.Scan.Peek().Type != kong.FlagValueToken {
		target.SetBool(true)
		return nil
	}
	if ctx.Scan.Peek().IsEOL() {
		e := wrong("has no value", "write --"+ctx.Value.Name+"="+ctx.Value.Flag.PlaceHolder)
		e.Option, e.Origin = ctx.Value.Name, Origin{Flag: ctx.Value.Name}
		return e
	}
	token, err := ctx.Scan.PopValue(ctx.Value.Tag.Type)
	if err != nil {
		return err
	}
	g, ok := token.Value.(given)
	if !ok {
		g = given{text: token.String(), origin: Origin{Flag: ctx.Value.Name}}
	}
	value, err := r.read(g, ctx.Value)
	if e := (*Error)(nil); errors.As(err, &e) {
		e.Option, e.Origin = ctx.Value.Name, g.origin
		if !e.hidden {
			e.Value = g.text
		}
	}
	if err != nil {
		return err
	}
	parsed := reflect.ValueOf(value)
	if target.Kind() == reflect.Slice && target.Len() > 0 {
		parsed = reflect.AppendSlice(target, parsed)
	}
	target.Set(parsed)
	return nil
}

func (r reader) read(g given, v *kong.Value) (any, error) {
	if g.list && !v.IsSlice() {
		return nil, wrong("is a list", "write a single value")
	}
	return r.parse(g.text, v)
}

// least reads the tag "min" of an option with the option's own parser. Without
// the tag it is the zero value.
func least[T any](v *kong.Value, parse func(string) (T, error)) T {
	value, _ := parse(v.Tag.Get("min")) // a test reads every tag
	return value
}

func tooSmall(v *kong.Value) *Error {
	return wrong("is too small", "write "+strconv.Quote(v.Tag.Get("min"))+" or more")
}
