package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// Numbered is a name with its number.
type Numbered struct {
	Number int64
	Name   string
}

// parseNumbered reads a list such as 20=acme/tools,31=acme/app. The result is
// never nil.
func parseNumbered(text string, _ *kong.Value) (any, error) {
	list := []Numbered{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		number, name, _ := strings.Cut(item, "=")
		n, err := strconv.ParseInt(strings.TrimSpace(number), 10, 64)
		name = strings.Trim(strings.TrimSpace(name), "/")
		twice := slices.ContainsFunc(list, func(other Numbered) bool { return other.Number == n })
		if err != nil || n <= 0 || name == "" || twice {
			return nil, wrong("has "+strconv.Quote(item)+", which is no number with a path, or is there twice",
				"write pairs with commas between them, such as 20=acme/tools,31=acme/app")
		}
		list = append(list, Numbered{n, name})
	}
	return list, nil
}

func formatNumbered(value any) string {
	var items []string
	for _, item := range value.([]Numbered) {
		items = append(items, fmt.Sprintf("%d=%s", item.Number, item.Name))
	}
	return strings.Join(items, ",")
}

// parseWords reads a list of words. The result is never nil.
func parseWords(text string, _ *kong.Value) (any, error) {
	words := []string{}
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		if strings.ContainsAny(item, " \t\r\n") {
			return nil, wrong("has a space in "+strconv.Quote(item), "write words with commas between them")
		}
		words = append(words, item)
	}
	return words, nil
}

func formatWords(value any) string { return strings.Join(value.([]string), ",") }
