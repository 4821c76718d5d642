package packhouse

import "slices"

// Pass is what a short-lived token stands for that was made for another
// credential, as clients of container registries exchange one for the other. It
// limits its bearer to what was asked for and granted when it was made; what the
// credential behind it may do is decided at each request all the same.
type Pass struct {
	Access []Access
	// Ended: it ran out less than a day ago. Only what was begun with it may be
	// brought to its end.
	Ended bool
}

// Access is something to be accessed, in the words of the token protocol:
// "repository", "acme/app/api", "pull" and "push".
type Access struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// Allows reports whether the pass was made for all actions of some access.
func (p *Pass) Allows(a Access) bool {
	for _, action := range a.Actions {
		if !slices.ContainsFunc(p.Access, func(has Access) bool {
			return has.Type == a.Type && has.Name == a.Name && slices.Contains(has.Actions, action)
		}) {
			return false
		}
	}
	return true
}
