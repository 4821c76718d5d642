package directory

import (
	"context"
	"regexp"
	"strings"
	"time"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Changes writes to the directory. Each method is one transaction; what it
// changed can be seen in the Directory when it returns.
type Changes struct {
	directory *Directory
	store     *store.Store
}

// NewChanges returns what changes a directory and the store behind it.
func NewChanges(d *Directory, s *store.Store) *Changes { return &Changes{d, s} }

// CreateUser makes a user, and a personal namespace of the same name unless it
// is a bot. packhouse.Conflict: the name is taken.
func (c *Changes) CreateUser(ctx context.Context, by ledger.By, u ledger.User) (*ledger.User, error) {
	if err := checkPath("username", u.Username); err != nil {
		return nil, err
	}
	err := c.store.Update(ctx, func(tx *store.Tx) error { return createUser(ctx, tx, by, &u) })
	return &u, err
}

func createUser(ctx context.Context, tx *store.Tx, by ledger.By, u *ledger.User) error {
	u.ID, u.CreatedAt = tx.NewUserID(), tx.Now()
	if u.Name == "" {
		u.Name = u.Username
	}
	if _, err := tx.Append(ctx, by, &ledger.UserPut{Create: true, User: *u}); err != nil || u.Bot {
		return err
	}
	own := ledger.Namespace{
		ID: tx.NewNamespaceID(), UserID: u.ID, Path: u.Username, Name: u.Name,
		Visibility: packhouse.VisibilityPublic, CreatedAt: tx.Now(),
	}
	_, err := tx.Append(ctx, by, &ledger.NamespacePut{Create: true, Namespace: own})
	return err
}

// CreateGroup makes a group; n.Path is its last path part and n.ParentID the
// group that it is made in. Its creator becomes its Owner.
func (c *Changes) CreateGroup(ctx context.Context, by ledger.By, n ledger.Namespace) (*ledger.Namespace, error) {
	if err := checkPath("path", n.Path); err != nil {
		return nil, err
	}
	if n.ParentID == 0 && allDigits(n.Path) {
		return nil, invalid("path", "can't be all digits, because that would be read as an id")
	}
	if n.ParentID != 0 {
		parent := c.directory.Namespace(n.ParentID)
		if parent == nil || parent.UserID != 0 {
			return nil, packhouse.Errorf(packhouse.NotFound, "404 Group Not Found")
		}
		if n.Visibility > parent.Visibility {
			return nil, tooVisible(n.Visibility, parent)
		}
		n.Path = parent.Path + "/" + n.Path
	}
	err := c.store.Update(ctx, func(tx *store.Tx) error {
		if err := stillThere(ctx, tx, n.ParentID); err != nil {
			return err
		}
		n.ID, n.CreatedAt = tx.NewNamespaceID(), tx.Now()
		if _, err := tx.Append(ctx, by, &ledger.NamespacePut{Create: true, Namespace: n}); err != nil || by.UserID == 0 {
			return err
		}
		owner := ledger.Member{
			Target: packhouse.Target{Level: packhouse.Group, ID: n.ID},
			UserID: by.UserID, Role: packhouse.Owner, CreatedAt: tx.Now(),
		}
		_, err := tx.Append(ctx, by, &ledger.MemberPut{Create: true, Member: owner})
		return err
	})
	return &n, err
}

// CreateProject makes a project; p.Path is its last path part, p.NamespaceID
// where it is made, and p.ID its id or 0 for the next one.
// packhouse.Conflict: the path or the id is taken.
func (c *Changes) CreateProject(ctx context.Context, by ledger.By, p ledger.Project) (*ledger.Project, error) {
	if err := checkPath("path", p.Path); err != nil {
		return nil, err
	}
	if p.ID < 0 || p.ID > maxChosenID {
		return nil, packhouse.InvalidParam("id", "is invalid")
	}
	parent := c.directory.Namespace(p.NamespaceID)
	if parent == nil {
		return nil, packhouse.Errorf(packhouse.NotFound, "404 Namespace Not Found")
	}
	if p.Visibility > parent.Visibility {
		return nil, tooVisible(p.Visibility, parent)
	}
	p.Path = parent.Path + "/" + p.Path
	chosen := p.ID != 0
	err := c.store.Update(ctx, func(tx *store.Tx) error {
		if err := stillThere(ctx, tx, p.NamespaceID); err != nil {
			return err
		}
		if p.CreatedAt = tx.Now(); !chosen {
			p.ID = tx.NewProjectID()
		}
		p.CreatorID = by.UserID
		_, err := tx.Append(ctx, by, &ledger.ProjectPut{Create: true, Project: p})
		return err
	})
	return &p, err
}

// stillThere refuses to make something in a namespace that was removed since it
// was looked up.
func stillThere(ctx context.Context, tx *store.Tx, namespaceID int64) error {
	if namespaceID == 0 {
		return nil
	}
	_, err := tx.Namespace(ctx, namespaceID)
	return err
}

// maxChosenID is the largest id that a project can be given. Ids that follow on
// it stay numbers that JSON clients read exactly.
const maxChosenID = 1 << 52

// UpdateProject replaces a project's record after change has edited a copy of
// what it is at that moment, so that changes made at the same time are not lost.
func (c *Changes) UpdateProject(ctx context.Context, by ledger.By, id int64, change func(*ledger.Project) error) (p *ledger.Project, err error) {
	err = c.store.Update(ctx, func(tx *store.Tx) error {
		if p, err = tx.Project(ctx, id); err != nil {
			return err
		}
		if err := change(p); err != nil {
			return err
		}
		if parent := c.directory.Namespace(p.NamespaceID); parent != nil && p.Visibility > parent.Visibility {
			return tooVisible(p.Visibility, parent)
		}
		_, err := tx.Append(ctx, by, &ledger.ProjectPut{Project: *p})
		return err
	})
	if err != nil {
		return nil, err
	}
	return p, nil
}

// AddMember gives a user a role. packhouse.Conflict: they have one there.
func (c *Changes) AddMember(ctx context.Context, by ledger.By, m ledger.Member) (*ledger.Member, error) {
	m.CreatedAt = c.directory.options.Now().UTC()
	err := c.append(ctx, by, &ledger.MemberPut{Create: true, Member: m})
	return &m, err
}

// Admit puts a project or group on a project's job-token allowlist.
// packhouse.Conflict: it is there already.
func (c *Changes) Admit(ctx context.Context, by ledger.By, a ledger.Admission) error {
	a.Admitted.Path = ""
	return c.append(ctx, by, &ledger.AdmissionPut{Admission: a})
}

// Unadmit takes a project or group off a project's job-token allowlist.
// packhouse.NotFound: it is not there.
func (c *Changes) Unadmit(ctx context.Context, by ledger.By, a ledger.Admission) error {
	a.Admitted.Path = ""
	return c.append(ctx, by, &ledger.AdmissionRemove{Admission: a})
}

// UpdateSettings replaces the settings of a group, a project or the instance
// after change has edited a copy of what they are at that moment, and returns
// them. change may replace the maps in them but not write to those.
func (c *Changes) UpdateSettings(ctx context.Context, by ledger.By, t packhouse.Target, change func(*ledger.Settings) error) (s ledger.Settings, err error) {
	err = c.store.Update(ctx, func(tx *store.Tx) error {
		if s, err = tx.SettingsOf(ctx, t); err != nil {
			return err
		}
		if err := change(&s); err != nil {
			return err
		}
		for format, d := range s.Duplicates {
			if d.Except == nil {
				continue
			}
			if _, err := ledger.CompileExcept(*d.Except); err != nil {
				return invalid(format+"_duplicate_exception_regex", packhouse.AsError(err).Message)
			}
		}
		_, err := tx.Append(ctx, by, &ledger.SettingsPut{Settings: s})
		return err
	})
	return s, err
}

func (c *Changes) append(ctx context.Context, by ledger.By, e ledger.Event) error {
	return c.store.Update(ctx, func(tx *store.Tx) error {
		_, err := tx.Append(ctx, by, e)
		return err
	})
}

// pathPattern is GitLab's rule for one part of a path: it begins with a letter,
// digit, underscore or dot.
var pathPattern = regexp.MustCompile(`\A[a-zA-Z0-9_.][a-zA-Z0-9_.-]{0,254}\z`)

// CheckPath refuses what cannot be the last part of a group's or project's path.
func CheckPath(last string) error { return checkPath("path", last) }

func checkPath(param, path string) error {
	if path == "" {
		return packhouse.InvalidParam(param, "is missing")
	}
	if !pathPattern.MatchString(path) || strings.HasSuffix(path, ".git") || strings.HasSuffix(path, ".atom") || strings.Trim(path, ".") == "" {
		return invalid(param, "can contain only letters, digits, '_', '-' and '.'. Cannot start with '-', end in '.git' or '.atom'")
	}
	return nil
}

func allDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// invalid is the refusal of one attribute of a record.
func invalid(param, problem string) error {
	return &packhouse.Error{Kind: packhouse.Invalid, Param: param, Rule: "validation", Message: problem}
}

func tooVisible(v packhouse.Visibility, parent *ledger.Namespace) error {
	return invalid("visibility_level", v.String()+" is not allowed because "+parent.Path+" has "+parent.Visibility.String()+" visibility")
}

// Expires reads an expiry date, which takes effect at the start of that day in
// UTC, or a full timestamp.
func Expires(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if t, err := time.Parse(time.DateOnly, text); err == nil {
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, packhouse.InvalidParam("expires_at", "is invalid")
	}
	return t.UTC(), nil
}
