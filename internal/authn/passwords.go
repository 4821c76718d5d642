package authn

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"packhouse"
	"packhouse/internal/directory"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// The parameters of argon2id (RFC 9106), and how many hashings may go on at a
// time: each takes 64 MiB, so two bound what sign-ins cost in memory.
const (
	hashMemory  = 64 << 10 // KiB
	hashTime    = 1
	hashThreads = 2
	hashLength  = 32
	saltLength  = 16
	hashings    = 2
	hashWait    = 10 * time.Second // for a place among them
)

// Bounds of a password, in characters and bytes.
const (
	minPassword = 8
	maxPassword = 1024
)

// Passwords are what people sign in with. They are good for a session and for
// nothing else: package clients and the API take tokens. Its methods may be
// called concurrently.
type Passwords struct {
	store     *store.Store
	directory *directory.Directory
	places    chan struct{}
	nobody    string // the hash of a password that nobody has
}

// NewPasswords returns the passwords of a store.
func NewPasswords(s *store.Store, d *directory.Directory) *Passwords {
	p := &Passwords{store: s, directory: d, places: make(chan struct{}, hashings)}
	p.nobody = encode(make([]byte, saltLength), make([]byte, hashLength))
	return p
}

// Check refuses a password that is too easy to guess for a user of that name and
// address. Call it before a user is made that shall have one.
func (p *Passwords) Check(username, email, password string) error {
	refuse := func(problem string) error {
		return &packhouse.Error{Kind: packhouse.Invalid, Rule: "validation", Param: "password", Message: problem}
	}
	lower := strings.ToLower(password)
	local, _, _ := strings.Cut(strings.ToLower(email), "@")
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return refuse(fmt.Sprintf("is too short (minimum is %d characters)", minPassword))
	case len(password) > maxPassword:
		return refuse(fmt.Sprintf("is too long (maximum is %d bytes)", maxPassword))
	case !utf8.ValidString(password):
		return refuse("has to be valid UTF-8")
	case strings.Count(lower, lower[:1])*len(lower[:1]) == len(lower):
		return refuse("must not be one character over and over")
	case len(username) >= 3 && strings.Contains(lower, strings.ToLower(username)), len(local) >= 3 && strings.Contains(lower, local):
		return refuse("must not contain the user name or the email address")
	}
	return nil
}

// Set gives a user a password and ends the sessions that were begun with another,
// but the one that is kept (0 for none).
//
// packhouse.Invalid: it is too easy to guess. packhouse.Unavailable: too many
// passwords are being looked at.
func (p *Passwords) Set(ctx context.Context, by ledger.By, u *ledger.User, password string, kept int64) error {
	if err := p.Check(u.Username, u.Email, password); err != nil {
		return err
	}
	salt := make([]byte, saltLength)
	rand.Read(salt) // never fails, see crypto/rand
	hash, err := p.hash(ctx, password, salt)
	if err != nil {
		return err
	}
	return p.store.Update(ctx, func(tx *store.Tx) error {
		if err := tx.SetPassword(ctx, by, u.ID, encode(salt, hash)); err != nil {
			return err
		}
		return endSessions(ctx, tx, by, u.ID, func(t *ledger.Token) bool { return t.ID != kept })
	})
}

// Verify finds the user whose name and password these are. Whether the name or
// the password is wrong cannot be told from the answer, nor from the time that
// it takes.
//
// packhouse.Unauthenticated: one of them is wrong. packhouse.Forbidden: the user
// is blocked. packhouse.Unavailable: too many passwords are being looked at.
func (p *Passwords) Verify(ctx context.Context, username, password string) (*ledger.User, error) {
	user := p.directory.UserByName(username)
	stored := p.nobody
	if user != nil && !user.Bot {
		err := p.store.View(ctx, func(tx *store.Tx) (err error) {
			hash, err := tx.Password(ctx, user.ID)
			if err == nil {
				stored = hash
			}
			return err
		})
		if err != nil && packhouse.KindOf(err) != packhouse.NotFound {
			return nil, err
		}
	}
	salt, want, err := decode(stored)
	if err != nil {
		return nil, err
	}
	if len(password) > maxPassword {
		password = password[:maxPassword] + "…" // nobody's
	}
	got, err := p.hash(ctx, password, salt)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(got, want) != 1 || stored == p.nobody {
		return nil, &packhouse.Error{
			Kind: packhouse.Unauthenticated, Rule: RulePassword, Message: "401 Unauthorized",
			Fix: "the user name or the password is wrong; an administrator can set a new one",
		}
	}
	if user.Standing() != "active" {
		return nil, errBlocked(user)
	}
	return user, nil
}

// RulePassword is the rule by which a user name or password is wrong.
const RulePassword = "password"

// hash waits for a place and computes.
func (p *Passwords) hash(ctx context.Context, password string, salt []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, hashWait)
	defer cancel()
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
		return argon2.IDKey([]byte(password), salt, hashTime, hashMemory, hashThreads, hashLength), nil
	case <-ctx.Done():
		return nil, &packhouse.Error{
			Kind: packhouse.Unavailable, Rule: "busy", Err: ctx.Err(),
			Message: "503 Service Unavailable - too many people sign in at this moment", Fix: "try again",
		}
	}
}

// The form in which a hash is stored names the parameters, so that others can
// follow (https://github.com/P-H-C/phc-string-format).
const hashForm = "$argon2id$v=19$m=65536,t=1,p=2$"

func encode(salt, hash []byte) string {
	return hashForm + base64.RawStdEncoding.EncodeToString(salt) + "$" + base64.RawStdEncoding.EncodeToString(hash)
}

func decode(stored string) (salt, hash []byte, err error) {
	rest, known := strings.CutPrefix(stored, hashForm)
	first, second, _ := strings.Cut(rest, "$")
	salt, err = base64.RawStdEncoding.DecodeString(first)
	if err == nil {
		hash, err = base64.RawStdEncoding.DecodeString(second)
	}
	if !known || err != nil || len(hash) != hashLength {
		return nil, nil, fmt.Errorf("the stored hash of a password cannot be read")
	}
	return salt, hash, nil
}
