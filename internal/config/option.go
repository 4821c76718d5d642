package config

import (
	"iter"
	"reflect"
	"slices"
)

// configOption is the option that names the file. It cannot stand in the file.
const configOption = "config"

// option is one field of a Config.
type option struct {
	name  string
	group string
	kind  kind
	value reflect.Value
}

// options goes through the options of c in the order of the fields.
func options(c *Config) iter.Seq[option] {
	return func(yield func(option) bool) {
		fields := reflect.ValueOf(c).Elem()
		for f, value := range fields.Fields() {
			o := option{name: f.Tag.Get("name"), group: f.Tag.Get("group"), kind: kinds[f.Tag.Get("type")], value: value}
			if !yield(o) {
				return
			}
		}
	}
}

// names lists the options.
func names() []string {
	var list []string
	for o := range options(new(Config)) {
		list = append(list, o.name)
	}
	return list
}

// nearest returns the option whose name is most like a wrong one. ok is false
// when none is like it.
func nearest(wrong string) (name string, ok bool) {
	name = slices.MinFunc(names(), func(a, b string) int { return distance(wrong, a) - distance(wrong, b) })
	return name, distance(wrong, name) <= max(1, len(name)/3)
}

// distance counts the bytes to insert, delete or replace to make b of a
// (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0]++
		for j := range len(b) {
			replaced := diagonal
			if a[i] != b[j] {
				replaced++
			}
			diagonal = row[j+1]
			row[j+1] = min(replaced, row[j]+1, diagonal+1)
		}
	}
	return row[len(b)]
}
