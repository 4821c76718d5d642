package api

import (
	"encoding/json"
	"maps"
	"regexp"
	"strconv"

	"packhouse"
	"packhouse/internal/authz"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
)

// The application settings and plan limits of the instance. Of GitLab's hundreds
// of settings those in the table below are known; what else is sent is kept and
// shown, because Terraform's provider reads back what it wrote, and does nothing.

// setting is an application setting with its value where nobody has set it.
type setting struct {
	param
	value any
}

var visibilities = []string{"private", "internal", "public"}

func applicationSettings(now *directory.Instance) []setting {
	return []setting{
		{flag("package_registry_allow_anyone_to_pull_option", "projects may open their registry to everybody"), now.AnyonePull},
		{word("default_project_visibility", "of new projects where nobody says", visibilities...), "private"},
		{word("default_group_visibility", "of new groups where nobody says", visibilities...), "private"},
		{list("restricted_visibility_levels", "visibilities that only administrators choose"), []string{}},
		{text("personal_access_token_prefix", "what the secrets of access tokens begin with"), "glpat-"},
		{number("max_personal_access_token_lifetime", "the most days that an access token lives; 0 for as many as anybody likes"), nil},
		{flag("disable_personal_access_tokens", "true makes personal tokens count for administrators alone"), false},
		{flag("enforce_ci_inbound_job_token_scope_enabled", "true keeps projects from switching their job-token allowlist off"), false},
		{number("deletion_adjourned_period", "days from the mark for deletion to the removal"), int64(now.DeletionDelay.Hours() / 24)},

		{flag("throttle_authenticated_packages_api_enabled", "limits requests to packages with a credential"), false},
		{number("throttle_authenticated_packages_api_requests_per_period", "how many"), directory.DefaultThrottle.Requests},
		{number("throttle_authenticated_packages_api_period_in_seconds", "in which time"), int64(directory.DefaultThrottle.Period.Seconds())},
		{flag("throttle_unauthenticated_packages_api_enabled", "limits requests to packages without a credential"), false},
		{number("throttle_unauthenticated_packages_api_requests_per_period", "how many"), directory.DefaultThrottle.Requests},
		{number("throttle_unauthenticated_packages_api_period_in_seconds", "in which time"), int64(directory.DefaultThrottle.Period.Seconds())},

		// Kept for those that read back what they wrote; nothing here asks for them yet.
		{flag("npm_package_requests_forwarding", "kept and shown"), false},
		{flag("lock_npm_package_requests_forwarding", "kept and shown"), false},
		{flag("pypi_package_requests_forwarding", "kept and shown"), false},
		{flag("lock_pypi_package_requests_forwarding", "kept and shown"), false},
		{flag("maven_package_requests_forwarding", "kept and shown"), false},
		{flag("lock_maven_package_requests_forwarding", "kept and shown"), false},
		{number("package_registry_cleanup_policies_worker_capacity", "kept and shown"), 2},
		{flag("nuget_skip_metadata_url_validation", "kept and shown"), false},
		{number("container_registry_token_expire_delay", "kept and shown"), 5},
		{flag("signup_enabled", "kept and shown; nobody signs up here"), false},
		{flag("require_admin_approval_after_user_signup", "kept and shown"), true},
	}
}

// planLimits are the limits of file sizes by GitLab's names, and the formats that
// they are for.
var planLimits = []struct{ name, format string }{
	{"cargo_max_file_size", "cargo"}, {"composer_max_file_size", "composer"}, {"conan_max_file_size", "conan"},
	{"debian_max_file_size", "debian"}, {"generic_packages_max_file_size", "generic"}, {"golang_max_file_size", "golang"},
	{"helm_max_file_size", "helm"}, {"maven_max_file_size", "maven"}, {"ml_model_max_file_size", "ml_model"},
	{"npm_max_file_size", "npm"}, {"nuget_max_file_size", "nuget"}, {"pypi_max_file_size", "pypi"}, {"rpm_max_file_size", "rpm"},
	{"rubygems_max_file_size", "rubygems"}, {"terraform_module_max_file_size", "terraform"},
}

func (a *API) instanceEndpoints() []endpoint {
	var settings, limits []param
	for _, s := range applicationSettings(&directory.Instance{}) {
		settings = append(settings, s.param)
	}
	plan := word("plan_name", "the plan; there is one", "default")
	limits = append(limits, plan)
	for _, l := range planLimits {
		limits = append(limits, number(l.name, "largest file in bytes; 0 for any"))
	}
	return []endpoint{
		get(instance, "/application/settings", authz.AdminInstance, a.getApplication, "Show the application settings"),
		put(instance, "/application/settings", authz.AdminInstance, a.putApplication, "Change the application settings", settings...),
		get(instance, "/application/plan_limits", authz.AdminInstance, a.getLimits, "Show the largest files of every format", plan),
		put(instance, "/application/plan_limits", authz.AdminInstance, a.putLimits, "Change the largest files of formats", limits...),
	}
}

var wholeInstance = packhouse.Target{Level: packhouse.Instance}

func (a *API) getApplication(*request) (any, error) {
	return a.application(a.Directory.Settings(wholeInstance)), nil
}

func (a *API) application(s ledger.Settings) object {
	o := object{"id": 1}
	for _, known := range applicationSettings(a.Directory.Instance()) {
		o[known.name] = known.value
	}
	for name, value := range s.Switches {
		o[name] = value
	}
	return o
}

func (a *API) putApplication(q *request) (any, error) {
	s, err := a.Changes.UpdateSettings(q.Context(), q.By, q.Target, func(s *ledger.Settings) error {
		switches := map[string]json.RawMessage{}
		maps.Copy(switches, s.Switches)
		if err := a.takeSettings(q, switches); err != nil {
			return err
		}
		s.Switches = switches
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a.application(s), nil
}

// takeSettings puts the settings that were sent into a table, as JSON.
func (a *API) takeSettings(q *request, into map[string]json.RawMessage) error {
	known := map[string]bool{}
	for _, s := range applicationSettings(a.Directory.Instance()) {
		known[s.name] = true
		if q.params[s.name] == nil {
			continue
		}
		value, err := s.read(q.params)
		if err != nil {
			return err
		}
		into[s.name] = value
	}
	for name, values := range q.params {
		if values != nil && !known[name] && settingName.MatchString(name) && !secretName.MatchString(name) && len(into) < maxSettings {
			into[name] = guess(values)
		}
	}
	return nil
}

const maxSettings = 1000

var (
	settingName = regexp.MustCompile(`\A[a-z][a-z0-9_]{1,99}\z`)
	// secretName are settings of GitLab's that may be secrets. They are not kept:
	// nothing here needs them.
	secretName = regexp.MustCompile(`secret|password|token|_key|credential|private|dsn|url`)
	prefix     = regexp.MustCompile(`\A[a-zA-Z0-9_+=/@:.-]{0,20}\z`)
)

// read takes a setting's value out of a request. Its kind was checked before.
func (s setting) read(p params) (json.RawMessage, error) {
	switch given := p.text(s.name); s.kind {
	case kindFlag:
		v, err := p.flag(s.name, false)
		return encode(v), err
	case kindNumber:
		n, err := p.number(s.name, 0)
		if err == nil && (n < 0 || n > 1<<31) {
			err = packhouse.InvalidParam(s.name, "is invalid")
		}
		return encode(n), err
	case kindList:
		values := p.list(s.name)
		for _, v := range values {
			if _, err := packhouse.ParseVisibility(v); err != nil {
				return nil, packhouse.InvalidParam(s.name, "does not have a valid value")
			}
		}
		return encode(append([]string{}, values...)), nil
	default:
		if s.name == "personal_access_token_prefix" && !prefix.MatchString(given) {
			return nil, packhouse.InvalidParam(s.name, "is invalid")
		}
		return encode(given), nil
	}
}

// guess gives a value that is only kept the kind that it looks like.
func guess(values []string) json.RawMessage {
	if len(values) != 1 {
		return encode(append([]string{}, values...))
	}
	text := values[0]
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return encode(n)
	}
	if text == "true" || text == "false" {
		return encode(text == "true")
	}
	return encode(text)
}

// encode writes a value of which it is known that it can be written.
func encode(v any) json.RawMessage {
	data, _ := json.Marshal(v)
	return data
}

func (a *API) getLimits(*request) (any, error) { return a.limits(), nil }

func (a *API) limits() object {
	o := object{}
	for _, l := range planLimits {
		o[l.name] = a.Directory.Instance().Size(l.format)
	}
	return o
}

func (a *API) putLimits(q *request) (any, error) {
	_, err := a.Changes.UpdateSettings(q.Context(), q.By, q.Target, func(s *ledger.Settings) error {
		sizes := map[string]int64{}
		maps.Copy(sizes, s.Sizes)
		for _, l := range planLimits {
			if !q.params.has(l.name) {
				continue
			}
			n, err := q.params.number(l.name, 0)
			if err != nil || n < 0 {
				return packhouse.InvalidParam(l.name, "is invalid")
			}
			sizes[l.format] = n
		}
		s.Sizes = sizes
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a.limits(), nil
}

// restricted refuses a visibility that only administrators choose.
func (a *API) restricted(q *request, v packhouse.Visibility) error {
	for _, r := range a.Directory.Instance().Restricted {
		if r == v && !q.Actor.Admin {
			return &packhouse.Error{
				Kind: packhouse.Invalid, Rule: "validation", Param: "visibility_level",
				Message: v.String() + " has been restricted by your GitLab administrator",
				Fix:     "choose another visibility, or ask an administrator",
			}
		}
	}
	return nil
}
