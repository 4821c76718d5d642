package authz

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"packhouse"
)

var update = flag.Bool("update", false, "rewrite testdata/matrix.golden")

const legend = `What Decide answers. Written by "go test -update"; read the difference in review.

  .  allow          C  challenge (401)     F  forbid (403)     H  hide (404)
  blank: cannot be, such as an anonymous visitor whose token is bound elsewhere

Rows: the credential, the scope of its token, and the roles for which the row holds.
Columns: the state of the object (AnyonePull on, GuestsPull off unless said otherwise). Below it, for projects, the
registry access; in each group of three the visibility private, internal, public.
  here       nothing special; the token reaches the object, the job's project is admitted
  elsewhere  the token is bound elsewhere, the job's project is not on the allowlist
`

// state is a group of columns: one circumstance, and the registry accesses for
// which it is worth showing.
type state struct {
	name       string
	registries []packhouse.RegistryAccess
	set        func(*Object) // nil for elsewhere
}

var projectStates = []state{
	{"here", everyRegistry, func(*Object) {}},
	{"elsewhere", everyRegistry, nil},
	{"archived", everyRegistry, func(o *Object) { o.Archived = true }},
	{"deleting", everyRegistry[:1], func(o *Object) { o.Deleting = true }},
	{"guests pull", everyRegistry[:2], func(o *Object) { o.GuestsPull = true }},
	{"no anyone", everyRegistry[2:3], func(o *Object) { o.AnyonePull = false }},
	{"off", everyRegistry[:1], func(o *Object) { o.PackagesDisabled = true }},
	{"absent", everyRegistry[:1], func(o *Object) { o.Exists, o.Role = false, 0 }},
}

var groupStates = []state{
	{"here", everyRegistry[:1], func(*Object) {}},
	{"elsewhere", everyRegistry[:1], nil},
	{"member below", everyRegistry[:1], func(o *Object) { o.MemberBelow = true }},
	{"open below", everyRegistry[:1], func(o *Object) { o.OpenBelow = true }},
	{"same, no anyone", everyRegistry[:1], func(o *Object) { o.OpenBelow, o.AnyonePull = true, false }},
	{"archived", everyRegistry[:1], func(o *Object) { o.Archived = true }},
	{"deleting", everyRegistry[:1], func(o *Object) { o.Deleting = true }},
	{"guests pull", everyRegistry[:1], func(o *Object) { o.GuestsPull = true }},
	{"off", everyRegistry[:1], func(o *Object) { o.PackagesDisabled = true }},
	{"absent", everyRegistry[:1], func(o *Object) { o.Exists, o.Role = false, 0 }},
}

var instanceStates = []state{
	{"here", nil, func(*Object) {}},
	{"elsewhere", nil, nil},
	{"off", nil, func(o *Object) { o.PackagesDisabled = true }},
}

// line is one credential; its rows differ by role only.
type line struct {
	label string
	who   packhouse.Actor
	roles []packhouse.Role
}

func lines() []line {
	none := everyRole[:1]
	all := []line{{"anonymous", anonymous, none}}
	add := func(label string, roles []packhouse.Role, actor func(packhouse.Scopes) packhouse.Actor, scopes ...packhouse.Scopes) {
		for _, s := range scopes {
			all = append(all, line{fmt.Sprintf("%-12s %-22s", label, strings.Join(s.Names(), " ")), actor(s), roles})
		}
	}
	const api, readAPI, readUser = packhouse.ScopeAPI, packhouse.ScopeReadAPI, packhouse.ScopeReadUser
	const readPkg, writePkg, readReg, writeReg = packhouse.ScopeReadPackages, packhouse.ScopeWritePackages, packhouse.ScopeReadRegistry, packhouse.ScopeWriteRegistry
	add("personal", everyRole, person, api, readAPI, readUser, readPkg, writePkg, readReg, writeReg)
	add("external", everyRole, func(s packhouse.Scopes) packhouse.Actor { return external(person(s)) }, api)
	add("admin", none, func(s packhouse.Scopes) packhouse.Actor { return admin(person(s)) }, api, readAPI, writePkg)
	add("project", everyRole, projectToken, api, readAPI, readPkg, writePkg)
	add("group", everyRole, groupToken, api, readPkg, writePkg)
	add("deploy", none, func(s packhouse.Scopes) packhouse.Actor { return deployToken(lib, s) }, readPkg, writePkg, readReg, writeReg)
	add("group deploy", none, func(s packhouse.Scopes) packhouse.Actor { return deployToken(acme, s) }, readPkg, writePkg, readReg, writeReg)
	return append(all,
		line{"session", session(), everyRole},
		line{"session      of an external", external(session()), everyRole},
		line{"session      of an admin", admin(session()), none},
		line{"job", job(true), everyRole},
		line{"job          READ_PACKAGES only", job(false), everyRole},
		line{"job          of an external", external(job(true)), everyRole},
		line{"job          of an admin", admin(job(true)), none},
	)
}

// elsewhere moves on out of the reach of the actor's token, or its allowlist out
// of the reach of the job's project; false when there is no such limit.
func elsewhere(who packhouse.Actor, on *Object) bool {
	limited := who.Bound.Level != 0
	on.Bound, on.Admits = !limited, false
	return limited || who.Kind == packhouse.JobToken && on.Target.Level == packhouse.Project
}

var letters = map[Outcome]string{Allow: ".", Challenge: "C", Forbid: "F", Hide: "H"}

// cell is one answer; blank when there is no elsewhere for the actor. Tokens
// reach down and never up, so a project's token is always from elsewhere to a
// group.
func cell(who packhouse.Actor, act Action, on Object, st state) string {
	on.Bound = who.Bound.Level <= on.Target.Level
	if st.set != nil {
		st.set(&on)
	} else if !elsewhere(who, &on) {
		return " "
	}
	return letters[Decide(who, act, on).Outcome]
}

// cells is one row of a block.
func cells(who packhouse.Actor, act Action, target packhouse.Target, role packhouse.Role, states []state) string {
	var row strings.Builder
	on := Object{Target: target, Exists: true, Role: role, Admits: true, AnyonePull: true}
	for _, st := range states {
		text := ""
		for _, on.Registry = range st.registries {
			text += " "
			on.Images = on.Registry // whose switches are others, of the same kind
			for _, on.Visibility = range everyVisibility {
				text += cell(who, act, on, st)
			}
		}
		if st.registries == nil {
			text = " " + cell(who, act, on, st)
		}
		fmt.Fprintf(&row, " |%-*s", width(st), text)
	}
	return strings.TrimRight(row.String(), " ")
}

// width is that of a state's columns with the space before them.
func width(st state) int { return max(4*len(st.registries), len(st.name)+1) }

func head(states []state, project bool) string {
	var names, registries strings.Builder
	for _, st := range states {
		fmt.Fprintf(&names, " | %-*s", width(st)-1, st.name)
		text := ""
		for _, r := range st.registries {
			text += " " + r.String()[:3]
		}
		fmt.Fprintf(&registries, " |%-*s", width(st), text)
	}
	h := fmt.Sprintf("%-58s%s\n", "", names.String())
	if project {
		h += fmt.Sprintf("%-58s%s\n", "", registries.String())
	}
	return h
}

// block is the matrix of one action at one level. Roles next to each other
// that get the same share a row.
func block(act Action, target packhouse.Target, states []state) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n%v, %v level\n%s", act, target.Level, head(states, target.Level == packhouse.Project))
	for _, l := range lines() {
		for i := 0; i < len(l.roles); {
			row, first := cells(l.who, act, target, l.roles[i], states), i
			for i < len(l.roles) && cells(l.who, act, target, l.roles[i], states) == row {
				i++
			}
			fmt.Fprintf(&b, "%-36s%-22s%s\n", l.label, span(l.roles, first, i-1), row)
		}
	}
	return b.String()
}

func span(roles []packhouse.Role, first, last int) string {
	if len(roles) == 1 || first == 0 && last == len(roles)-1 {
		return ""
	}
	if first == last {
		return roles[first].String()
	}
	return roles[first].String() + ".." + roles[last].String()
}

func matrix() string {
	var b strings.Builder
	b.WriteString(legend)
	for _, act := range everyAction() {
		levels := []struct {
			target packhouse.Target
			states []state
		}{{lib, projectStates}, {acme, groupStates}, {here, instanceStates}}
		for _, l := range levels {
			if act.Fits(l.target.Level) {
				b.WriteString(block(act, l.target, l.states))
			}
		}
	}
	return b.String()
}

// TestMatrix compares every answer with testdata/matrix.golden.
func TestMatrix(t *testing.T) {
	const file = "testdata/matrix.golden"
	got := matrix()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	gotLines, wantLines := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	if len(gotLines) != len(wantLines) {
		t.Errorf("the matrix has %d lines, want %d", len(gotLines), len(wantLines))
	}
	n, title := 0, ""
	for i := range min(len(gotLines), len(wantLines)) {
		if strings.Contains(wantLines[i], " level") {
			title = wantLines[i]
		}
		if gotLines[i] != wantLines[i] {
			t.Errorf("%s, line %d:\n got %s\nwant %s", title, i+1, gotLines[i], wantLines[i])
		}
		_, row, _ := strings.Cut(gotLines[i], " |")
		for _, letter := range letters {
			n += strings.Count(row, letter)
		}
	}
	t.Logf("%d lines, %d cells; if the difference is meant, run go test -update", len(gotLines), n)
}
