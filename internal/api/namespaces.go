package api

import (
	"fmt"
	"strings"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

func (a *API) namespaceEndpoints() []endpoint {
	return []endpoint{
		get(instance, "/namespaces", authz.SignedIn, a.listNamespaces, "List the namespaces that you can use: groups and your own",
			with(paged, text("search", "part of the path"), flag("owned_only", "true for your own alone"), flag("top_level_only", "true leaves groups in groups out"))...),
		get(instance, "/namespaces/{namespace}", authz.SignedIn, a.getNamespace, "Show a namespace"),
		get(instance, "/namespaces/{namespace}/exists", authz.SignedIn, a.namespaceExists, "Tell whether a path is taken",
			number("parent_id", "in this group")),
	}
}

func (a *API) listNamespaces(q *request) (any, error) {
	owned, err := q.params.flag("owned_only", false)
	if err != nil {
		return nil, err
	}
	top, err := q.params.flag("top_level_only", false)
	if err != nil {
		return nil, err
	}
	var list []*ledger.Namespace
	if own := a.Directory.Personal(q.Actor.UserID); own != nil {
		list = append(list, own)
	}
	if !owned {
		for n := range a.Directory.Groups(q.Actor, directory.GroupFilter{TopLevel: top, Membership: !q.Actor.Admin}) {
			list = append(list, n)
		}
	}
	search := strings.ToLower(q.params.text("search"))
	var found []*ledger.Namespace
	for _, n := range list {
		if strings.Contains(strings.ToLower(n.Path), search) {
			found = append(found, n)
		}
	}
	return q.page(len(found), func(i int) any { return a.namespace(q, found[i]) })
}

// namespaceOf finds a namespace by id or path that the caller may know of.
func (a *API) namespaceOf(q *request, ref string) (*ledger.Namespace, error) {
	var n *ledger.Namespace
	if id, ok := parseID(ref); ok {
		n = a.Directory.Namespace(id)
	} else if t, ok := a.Directory.Container(ref); ok {
		n = a.Directory.Namespace(t.ID)
	}
	if n == nil || n.UserID == 0 && !a.sees(q, packhouse.Target{Level: packhouse.Group, ID: n.ID}) {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 Namespace Not Found")
	}
	return n, nil
}

func (a *API) getNamespace(q *request) (any, error) {
	n, err := a.namespaceOf(q, q.Arg("namespace"))
	if err != nil {
		return nil, err
	}
	return a.namespace(q, n), nil
}

// namespaceExists answers for hidden namespaces too: whoever makes one learns it
// anyway.
func (a *API) namespaceExists(q *request) (any, error) {
	parent, err := q.params.number("parent_id", 0)
	if err != nil {
		return nil, err
	}
	prefix := ""
	if parent != 0 {
		n, err := a.namespaceOf(q, itoa(parent))
		if err != nil {
			return nil, err
		}
		prefix = n.Path + "/"
	}
	name := q.Arg("namespace")
	exists, suggests := a.Directory.Taken(prefix+name), []string{}
	for n := 1; exists && len(suggests) == 0; n++ {
		if free := fmt.Sprintf("%s%d", name, n); !a.Directory.Taken(prefix + free) {
			suggests = append(suggests, free)
		}
	}
	return object{"exists": exists, "suggests": suggests}, nil
}
