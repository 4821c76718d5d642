package config

import "strconv"

// Error is an option that cannot be used. Its text names the option, where it
// came from, its value, what is wrong with it and what would be right; a value
// that is or has a secret is left out.
type Error struct {
	Option  string // the name, without dashes; "" for a file as a whole
	Value   string // as given; "" where there is none to show
	Origin  Origin
	Problem string // "is not an address with a port"
	Right   string // "write HOST:PORT, such as 127.0.0.1:8080"

	hidden bool // the value is or has a secret
}

// Error implements error.
func (e *Error) Error() string {
	text := e.Origin.String() + ": "
	if e.Option != "" {
		text = "option " + e.Option + " from " + text
	}
	if e.Value != "" {
		text += strconv.Quote(e.Value) + " "
	}
	return text + e.Problem + "; " + e.Right
}

// wrong is an Error whose option, value and origin are still to be filled in.
func wrong(problem, right string) *Error {
	return &Error{Problem: problem, Right: right}
}

// wrongSecret is wrong for a value that must not be shown.
func wrongSecret(problem, right string) *Error {
	return &Error{Problem: problem, Right: right, hidden: true}
}
