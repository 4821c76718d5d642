package packhouse

import (
	"errors"
	"fmt"
	"net/http"
)

// Kind classifies an error by what it means to the caller.
type Kind uint8

// The kinds of error. The zero Kind is Internal: what nobody classified is a
// fault of ours, logged in full and shown as "internal error".
const (
	Internal        Kind = iota
	Invalid              // the request is malformed: 400
	Unauthenticated      // a credential is needed, or the one given is not valid: 401
	Forbidden            // seen but refused: 403
	NotFound             // absent, or hidden from this caller: 404
	NotAllowed           // the path exists, the method does not: 405
	Conflict             // it exists already: 409, or as the format says
	Unsavable            // well formed, but it cannot be saved as it is: 422
	Precondition         // a condition of the request does not hold: 412
	TooLarge             // over a limit: 413, or as the format says
	TooMany              // over a rate: 429
	Unavailable          // not now, try again: 503
	Full                 // no room to store it: 507
)

var statuses = [...]int{
	Internal: http.StatusInternalServerError, Invalid: http.StatusBadRequest,
	Unauthenticated: http.StatusUnauthorized, Forbidden: http.StatusForbidden,
	NotFound: http.StatusNotFound, NotAllowed: http.StatusMethodNotAllowed,
	Conflict: http.StatusConflict, Unsavable: http.StatusUnprocessableEntity, Precondition: http.StatusPreconditionFailed,
	TooLarge: http.StatusRequestEntityTooLarge, TooMany: http.StatusTooManyRequests,
	Unavailable: http.StatusServiceUnavailable, Full: http.StatusInsufficientStorage,
}

// Status returns the HTTP status that stands for the kind unless a format has
// a reason of its own.
func (k Kind) Status() int { return statuses[k] }

// Error is a refusal or failure with a meaning. It is made once, where the
// meaning is known, wrapped with %w on its way, and put into the client's shape
// at the edge.
type Error struct {
	Kind    Kind
	Message string // what happened, for the person who asked; never holds a secret
	Rule    string // machine word for what decided: "allowlist", "role", "size"; may be empty
	Fix     string // what the person, or somebody they can ask, does about it; may be empty
	Param   string // the request parameter at fault; may be empty
	Err     error  // the cause, for the log only; may be nil
}

// Error returns the message, followed by the cause when there is one.
func (e *Error) Error() string {
	if e.Err != nil {
		return e.Message + ": " + e.Err.Error()
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error of the given kind. The text is shown to the person who
// asked; a cause that they should not read goes into Err instead.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Message: fmt.Sprintf(format, args...)}
}

// InvalidParam is the refusal of one request parameter, in GitLab's words:
// "<name> is invalid", "<name> is missing", "<name> does not have a valid value".
func InvalidParam(name, problem string) *Error {
	return &Error{Kind: Invalid, Param: name, Message: name + " " + problem}
}

// AsError finds the Error in err's chain. An error without one is Internal.
func AsError(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Kind: Internal, Message: "internal error", Err: err}
}

// KindOf returns the kind of err; Internal when nobody classified it.
func KindOf(err error) Kind { return AsError(err).Kind }
