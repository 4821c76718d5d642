package house

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// Administrator is the first user, "root", as Open found or made it.
type Administrator struct {
	User  *ledger.User
	Token string // the secret, when this start made it; "" otherwise
	File  string // where the secret is kept
}

// tokenFile keeps the administrator's token in the data folder.
const tokenFile = "root-token"

// administrator makes the user root and its token on the first start. A preset
// token is made on any start that does not know it yet, so that it can be
// changed by configuration; the old one stays until it is revoked.
//
// The token is written to its file before it is made, so that no crash leaves a
// token that nobody knows.
func (h *House) administrator(ctx context.Context) (*Administrator, error) {
	root := &Administrator{User: h.Directory.UserByName("root"), File: filepath.Join(h.options.Data, tokenFile)}
	if root.User == nil {
		user, err := h.Changes.CreateUser(ctx, ledger.By{}, ledger.User{Username: "root", Name: "Administrator", Admin: true})
		if packhouse.KindOf(err) == packhouse.Conflict {
			user, err = h.Directory.UserByName("root"), nil // another node that starts has made it, and we have heard of it
		}
		if err != nil {
			return nil, err
		}
		root.User = user
	}
	secret, err := h.rootSecret(root.File)
	if err != nil {
		return nil, err
	}
	err = h.Store.View(ctx, func(tx *store.Tx) error {
		_, err := tx.TokenByDigest(ctx, authn.DigestOf(secret))
		return err
	})
	if packhouse.KindOf(err) != packhouse.NotFound {
		return root, err
	}
	_, root.Token, err = h.Issuer.Issue(ctx, ledger.By{}, ledger.Token{
		Kind: packhouse.PersonalToken, Name: "root token", UserID: root.User.ID,
		Scopes: packhouse.ScopeAPI | packhouse.ScopeSudo,
	}, secret)
	if packhouse.KindOf(err) == packhouse.Conflict {
		return root, nil // the same preset, by another node that starts
	}
	return root, err
}

// rootSecret is the preset token, else the one in the file, else a new one. The
// file holds what it returns.
func (h *House) rootSecret(file string) (string, error) {
	kept, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	secret := strings.TrimSpace(h.options.RootToken) // read from a file it ends with a line feed
	if secret == "" {
		secret = strings.TrimSpace(string(kept))
	}
	if secret == "" {
		secret = authn.NewSecret(packhouse.PersonalToken)
	}
	if secret == strings.TrimSpace(string(kept)) {
		return secret, nil
	}
	return secret, replaceFile(file, secret+"\n")
}

// replaceFile writes a small file so that a crash leaves the old or the new one.
func replaceFile(name, text string) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone already when all went well
	_, err = tmp.WriteString(text)
	if err := errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	if err := os.Rename(tmp.Name(), name); err != nil {
		return err
	}
	return syncFolder(filepath.Dir(name))
}

// syncFolder makes what was renamed in a folder survive a power cut.
func syncFolder(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}
