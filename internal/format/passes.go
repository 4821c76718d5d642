package format

import (
	"net/http"
	"time"

	"packhouse"
)

// Passes makes short-lived tokens out of credentials, for protocols whose clients
// exchange one for the other.
type Passes interface {
	// Pass makes a pass for whoever sent a request, a visitor without any
	// credential included, for what was found that they may access.
	Pass(r *http.Request, access []packhouse.Access, life time.Duration) (token string, err error)
}
