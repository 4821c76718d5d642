package format

import (
	"context"
	"time"

	"packhouse"
)

// Exchanger makes job tokens for ID tokens of other issuers, by the trusted
// publishers of a project. Formats whose clients exchange tokens by themselves
// find it in their Call; their route has Unread set, because the ID token comes
// where a token of ours would.
type Exchanger interface {
	Exchange(context.Context, Exchange) (*Exchanged, error)
}

// Exchange is what is exchanged.
type Exchange struct {
	Token string // the ID token
	// Project is where the job token is for; zero when that follows from the one
	// trusted publisher that takes the token.
	Project packhouse.Target
	// Format and Package, by its key, are what will be published; empty when
	// the client does not say.
	Format, Package string
	RequestID       string
}

// Exchanged is what an ID token was exchanged for.
type Exchanged struct {
	Secret    string // of the job token
	TokenID   int64
	Expires   time.Time
	Life      time.Duration
	Project   packhouse.Target
	Publisher int64 // the trusted publisher that took it
}
