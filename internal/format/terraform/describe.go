package terraform

import (
	"cmp"
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// about is what is kept of a version, for the registry's documents and for people.
type about struct {
	folder
	Submodules []folder `json:"submodules,omitempty"`
	Examples   []folder `json:"examples,omitempty"`
}

// folder is a module: the root, or one in it.
type folder struct {
	Path         string       `json:"path,omitempty"` // "modules/x"; "" for the root
	Readme       string       `json:"readme,omitempty"`
	Inputs       []input      `json:"inputs,omitempty"`
	Outputs      []output     `json:"outputs,omitempty"`
	Providers    []provider   `json:"providers,omitempty"`
	Dependencies []dependency `json:"dependencies,omitempty"`
	Resources    []string     `json:"resources,omitempty"` // "aws_vpc.this"
}

type input struct {
	Name        string `json:"name"`
	Type        string `json:"type,omitempty"`
	Description string `json:"description,omitempty"`
	Default     string `json:"default,omitempty"` // as it is written
	Required    bool   `json:"required,omitempty"`
}

type output struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

type provider struct {
	Name    string `json:"name"`
	Source  string `json:"source,omitempty"`
	Version string `json:"version,omitempty"`
}

type dependency struct {
	Name    string `json:"name"`
	Source  string `json:"source,omitempty"`
	Version string `json:"version,omitempty"`
}

// describe says what an archive holds. What is not configuration, or is too deep to
// be read, says nothing; clients will say what is wrong with it.
func (a *contents) describe() *about {
	out := &about{}
	folders := map[string]bool{}
	for at := range a.sources {
		folders[at] = true
	}
	for at := range a.readmes {
		folders[at] = true
	}
	for _, at := range sorted(folders) {
		f := folder{Path: at, Readme: a.readmes[at]}
		for _, s := range a.sources[at] {
			f.add(s)
		}
		f.order()
		switch kind, _, _ := strings.Cut(at, "/"); kind {
		case ".":
			f.Path = ""
			out.folder = f
		case "modules":
			out.Submodules = append(out.Submodules, f)
		case "examples":
			out.Examples = append(out.Examples, f)
		}
	}
	return out
}

func sorted(set map[string]bool) (list []string) {
	for name := range set {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// Bounds of what is parsed: the parser recurses.
const (
	maxDepth  = 100
	maxUnary  = 20
	maxChoice = 500 // "?" and template directives in one file
)

// shallow reports whether a text can be parsed without going deep.
func shallow(text []byte, name string) bool {
	tokens, _ := hclsyntax.LexConfig(text, name, hcl.InitialPos)
	depth, unary, choices := 0, 0, 0
	for _, t := range tokens {
		switch t.Type {
		case hclsyntax.TokenOParen, hclsyntax.TokenOBrack, hclsyntax.TokenOBrace, hclsyntax.TokenOQuote, hclsyntax.TokenOHeredoc, hclsyntax.TokenTemplateInterp:
			depth++
		case hclsyntax.TokenCParen, hclsyntax.TokenCBrack, hclsyntax.TokenCBrace, hclsyntax.TokenCQuote, hclsyntax.TokenCHeredoc, hclsyntax.TokenTemplateSeqEnd:
			depth--
		case hclsyntax.TokenQuestion, hclsyntax.TokenTemplateControl:
			choices++
		}
		if unary++; t.Type != hclsyntax.TokenMinus && t.Type != hclsyntax.TokenBang {
			unary = 0
		}
		if depth > maxDepth || unary > maxUnary || choices > maxChoice {
			return false
		}
	}
	return true
}

// add reads a file of configuration. Nothing in it is evaluated.
func (f *folder) add(s source) {
	if !shallow(s.text, s.name) {
		return
	}
	file, _ := hclsyntax.ParseConfig(s.text, s.name, hcl.InitialPos)
	if file == nil {
		return
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return
	}
	for _, b := range body.Blocks {
		f.block(b, s.text)
	}
}

func (f *folder) block(b *hclsyntax.Block, text []byte) {
	label := ""
	if len(b.Labels) > 0 {
		label = short(b.Labels[0])
	}
	attributes := b.Body.Attributes
	switch {
	case b.Type == "terraform":
		for _, inner := range b.Body.Blocks {
			if inner.Type == "required_providers" {
				f.required(inner.Body.Attributes)
			}
		}
	case label == "":
	case b.Type == "variable":
		byDefault, given := attributes["default"]
		in := input{Name: label, Type: written(attributes["type"], text), Description: literal(attributes["description"]), Required: !given}
		in.Default = written(byDefault, text)
		f.Inputs = append(f.Inputs, in)
	case b.Type == "output":
		f.Outputs = append(f.Outputs, output{label, literal(attributes["description"])})
	case b.Type == "module":
		f.Dependencies = append(f.Dependencies, dependency{label, literal(attributes["source"]), literal(attributes["version"])})
	case b.Type == "resource" && len(b.Labels) > 1:
		f.Resources = append(f.Resources, label+"."+short(b.Labels[1]))
	}
}

// required reads required_providers: objects, or versions alone as in old modules.
func (f *folder) required(all hclsyntax.Attributes) {
	for name, a := range all {
		p := provider{Name: short(name), Version: literal(a)}
		if object, ok := a.Expr.(*hclsyntax.ObjectConsExpr); ok {
			for _, item := range object.Items {
				switch hcl.ExprAsKeyword(item.KeyExpr) {
				case "source":
					p.Source = literalOf(item.ValueExpr)
				case "version":
					p.Version = literalOf(item.ValueExpr)
				}
			}
		}
		f.Providers = append(f.Providers, p)
	}
}

// order sorts by name, whatever the order of the files.
func (f *folder) order() {
	slices.SortStableFunc(f.Inputs, func(a, b input) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(f.Outputs, func(a, b output) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(f.Providers, func(a, b provider) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(f.Dependencies, func(a, b dependency) int { return cmp.Compare(a.Name, b.Name) })
	slices.Sort(f.Resources)
}

// literal is the text of an attribute that is a string without anything to evaluate.
func literal(a *hclsyntax.Attribute) string {
	if a == nil {
		return ""
	}
	return literalOf(a.Expr)
}

func literalOf(e hclsyntax.Expression) string {
	t, ok := e.(*hclsyntax.TemplateExpr)
	if !ok || !t.IsStringLiteral() {
		return ""
	}
	value, diagnostics := t.Parts[0].Value(nil)
	if diagnostics.HasErrors() {
		return ""
	}
	return short(value.AsString())
}

// written is an attribute's expression as it stands in the file.
func written(a *hclsyntax.Attribute, text []byte) string {
	if a == nil {
		return ""
	}
	return short(strings.TrimSpace(string(a.Expr.Range().SliceBytes(text))))
}

// short bounds what is kept of one text, in bytes.
func short(text string) string {
	const most = 2000
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "\uFFFD")
}
