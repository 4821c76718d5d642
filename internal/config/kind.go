package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/alecthomas/kong"
)

// kind is how one sort of option is read and written. The tag "type" of a field
// names it.
type kind struct {
	// parse reads what a flag, a variable or a file says. A value that cannot
	// be is an error made by wrong.
	parse func(text string, v *kong.Value) (any, error)
	// format writes a value so that parse reads the same value. It quotes
	// nothing.
	format func(value any) string
}

// kinds are all of them, by the name in the tag.
var kinds = map[string]kind{
	"count":    {parseCount, formatText},
	"address":  {parseAddress, formatText},
	"database": {parseDatabase, formatText},
	"bucket":   {parseBucket, formatText},
	"duration": {parseDuration, formatDuration},
	"file":     {parseFile, formatText},
	"folder":   {parseFolder, formatText},
	"level":    {parseLevel, formatLevel},
	"networks": {parseNetworks, formatNetworks},
	"numbered": {parseNumbered, formatNumbered},
	"rate":     {parseRate, formatText},
	"secret":   {parseSecret, formatText},
	"size":     {parseSize, formatSize},
	"switch":   {parseSwitch, formatText},
	"url":      {parseURL, formatURL},
	"version":  {parseVersion, formatText},
	"word":     {parseWord, formatText},
	"words":    {parseWords, formatWords},
}

func formatText(value any) string { return fmt.Sprint(value) }

func parseFile(text string, _ *kong.Value) (any, error) {
	if strings.ContainsRune(text, 0) || !utf8.ValidString(text) {
		return nil, wrong("is not the name of a file", "write a path in UTF-8")
	}
	return text, nil
}

func parseFolder(text string, v *kong.Value) (any, error) {
	if text == "" {
		return nil, wrong("is empty", "write the path of a folder, such as /var/lib/packhouse")
	}
	return parseFile(text, v)
}

func parseWord(text string, v *kong.Value) (any, error) {
	if words := strings.Split(v.Tag.Vars["words"], ", "); !slices.Contains(words, text) {
		return nil, wrong("is not known", "write one of "+strings.Join(words, ", "))
	}
	return text, nil
}

func parseLevel(text string, v *kong.Value) (any, error) {
	var level slog.Level
	word, err := parseWord(text, v)
	if err != nil {
		return nil, err
	}
	return level, level.UnmarshalText([]byte(word.(string)))
}

func formatLevel(value any) string { return strings.ToLower(value.(slog.Level).String()) }

func parseSwitch(text string, _ *kong.Value) (any, error) {
	switch strings.ToLower(text) {
	case "true", "yes", "on", "1":
		return true, nil
	case "false", "no", "off", "0":
		return false, nil
	}
	return nil, wrong("is neither true nor false", "write true or false")
}

// minSecret is the least length of a secret, in characters: what GitLab demands
// of a token that is preset.
const minSecret = 20

// maxSecret keeps a secret within what fits a header.
const maxSecret = 1024

func parseSecret(text string, _ *kong.Value) (any, error) {
	const right = "use 20 to 1024 random letters, digits, - and _"
	if text == "" {
		return Secret(""), nil
	}
	if len(text) < minSecret || len(text) > maxSecret {
		return nil, wrongSecret("the value is too short or too long", right)
	}
	for i := range len(text) {
		if text[i] <= ' ' || text[i] > '~' {
			return nil, wrongSecret("the value has a space or a character that no header can carry", right)
		}
	}
	return Secret(text), nil
}

// parseDatabase reads the address of a database, which may have a password in it.
func parseDatabase(text string, _ *kong.Value) (any, error) {
	if text == "" {
		return Secret(""), nil
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, wrongSecret("the value is not the address of a PostgreSQL database", "write one such as postgres://user:password@host:5432/database")
	}
	return Secret(text), nil
}

var versionPattern = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)

func parseVersion(text string, _ *kong.Value) (any, error) {
	if !versionPattern.MatchString(text) {
		return nil, wrong("is not a version", "write three numbers, such as 18.11.2")
	}
	return text, nil
}
