package packhouse

import "strings"

// Trust narrows a job token that was made for an ID token of another issuer, by
// the trusted publisher that vouched for it.
type Trust struct {
	Publisher int64  `json:"publisher"` // the trusted publisher's id
	Revision  int64  `json:"revision"`  // of its record, as it was when the token was made
	Name      string `json:"name"`      // of the trusted publisher, for people
	// Formats are those that the job may publish; none means all.
	Formats []string `json:"formats,omitempty"`
	// Packages is a pattern of the names that the job may publish, see Matches;
	// "" means all.
	Packages string `json:"packages,omitempty"`
}

// Matches reports whether a pattern covers the whole of a text. The star stands
// for any run of characters, slashes and none included; all else is itself.
func Matches(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(text, first) {
		return false
	}
	text = text[len(first):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, last)
}
