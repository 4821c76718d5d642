package signin

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"packhouse"
)

// Provider is a provider of single sign-on (OpenID Connect Core 1.0), as it
// stands in the file that --sign-in names.
type Provider struct {
	Name             string   `yaml:"name"`  // in addresses
	Label            string   `yaml:"label"` // for people; the name when absent
	Issuer           string   `yaml:"issuer"`
	ClientID         string   `yaml:"client-id"`
	ClientSecretFile string   `yaml:"client-secret-file"`
	Scopes           []string `yaml:"scopes"`         // openid, profile and email when absent
	UsernameClaim    string   `yaml:"username-claim"` // preferred_username when absent
	GroupsClaim      string   `yaml:"groups-claim"`   // groups when absent
	CreateUsers      bool     `yaml:"create-users"`   // make users who are not known here
	LinkUsers        bool     `yaml:"link-users"`     // believe the provider's user names
	Groups           []Grant  `yaml:"groups"`

	secret string
}

// Grant is what membership of a group at the provider gives here.
type Grant struct {
	Claim    string `yaml:"claim"`    // the group's name in the groups claim
	Group    string `yaml:"group"`    // path of a group here …
	Project  string `yaml:"project"`  // … or of a project …
	Role     string `yaml:"role"`     // … in which it gives this role
	Admin    bool   `yaml:"admin"`    // makes an administrator
	External bool   `yaml:"external"` // makes an external user

	role packhouse.Role
}

var providerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)

// ReadProviders reads the providers of a YAML file and their secrets; none when
// the file's name is "".
func ReadProviders(file string) ([]Provider, error) {
	if file == "" {
		return nil, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	loader, err := yaml.NewLoader(bytes.NewReader(data), yaml.WithKnownFields())
	if err != nil {
		return nil, err
	}
	var document struct {
		Providers []Provider `yaml:"providers"`
	}
	if err := loader.Load(&document); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	seen := map[string]bool{}
	for i := range document.Providers {
		p := &document.Providers[i]
		if err := p.complete(); err != nil {
			return nil, fmt.Errorf("%s: provider %q: %w", file, p.Name, err)
		}
		if seen[p.Name] {
			return nil, fmt.Errorf("%s: two providers are called %q", file, p.Name)
		}
		seen[p.Name] = true
	}
	return document.Providers, nil
}

// complete fills in what was left out and refuses what cannot work.
func (p *Provider) complete() error {
	switch {
	case !providerName.MatchString(p.Name):
		return fmt.Errorf("name has to be lower-case letters, digits and -")
	case p.Issuer == "" || p.ClientID == "" || p.ClientSecretFile == "":
		return fmt.Errorf("issuer, client-id and client-secret-file are needed")
	}
	secret, err := os.ReadFile(p.ClientSecretFile)
	if err != nil {
		return err
	}
	if p.secret = strings.TrimSpace(string(secret)); p.secret == "" {
		return fmt.Errorf("%s is empty", p.ClientSecretFile)
	}
	for into, otherwise := range map[*string]string{&p.Label: p.Name, &p.UsernameClaim: "preferred_username", &p.GroupsClaim: "groups"} {
		if *into == "" {
			*into = otherwise
		}
	}
	if len(p.Scopes) == 0 {
		p.Scopes = []string{"openid", "profile", "email"}
	}
	if !slices.Contains(p.Scopes, "openid") {
		p.Scopes = append(p.Scopes, "openid")
	}
	for i := range p.Groups {
		if err := p.Groups[i].complete(); err != nil {
			return fmt.Errorf("groups, entry %d: %w", i+1, err)
		}
	}
	return nil
}

func (g *Grant) complete() error {
	if g.Claim == "" {
		return fmt.Errorf("claim is missing")
	}
	places := 0
	for _, path := range []string{g.Group, g.Project} {
		if path != "" {
			places++
		}
	}
	if places > 1 || (places == 1) != (g.Role != "") || places == 0 && !g.Admin && !g.External {
		return fmt.Errorf("write group and role, project and role, admin or external")
	}
	for _, role := range packhouse.Roles {
		if strings.EqualFold(role.String(), g.Role) {
			g.role = role
		}
	}
	if g.Role != "" && g.role == packhouse.NoAccess {
		return fmt.Errorf("role %q is none of guest, planner, reporter, developer, maintainer, owner", g.Role)
	}
	return nil
}
