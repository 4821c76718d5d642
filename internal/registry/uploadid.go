package registry

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/blob"
)

// uploadSecret is the secret that the ids of uploads are signed with.
const uploadSecret = "uploads"

// uploadID is the id of an upload that was begun, and all that is known of it while
// nothing of it has come: who may go on with it is in its signature. So a client that
// begins, and puts a blob in its second request, has one thing stored and not three.
type uploadID struct {
	scope  string // whose upload it is, and where
	random string
	begun  int64 // seconds
	sha512 bool
}

func (h *HostedRepository) scope() string {
	return fmt.Sprintf("%d %s %s", h.projectID, h.owner(), h.name)
}

func (h *HostedRepository) newUpload(now time.Time, withSHA512 bool) uploadID {
	return uploadID{h.scope(), blob.NewID(), now.Unix(), withSHA512}
}

var idDigits = base32.StdEncoding.WithPadding(base32.NoPadding)

// sign returns the id as clients are told it.
func (u uploadID) sign(key []byte) string {
	flag := ""
	if u.sha512 {
		flag = "s"
	}
	head := u.random + "-" + strconv.FormatInt(u.begun, 36) + "-" + flag
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(head + " " + u.scope))
	return head + strings.ToLower(idDigits.EncodeToString(mac.Sum(nil)[:20]))
}

// verify reports whether an id is one of the repository that its actor was told
// within the last day, and whether the SHA-512 was announced with it.
func (h *HostedRepository) verify(key []byte, id string) (withSHA512, ok bool) {
	parts := strings.Split(id, "-")
	if len(parts) != 3 {
		return false, false
	}
	begun, err := strconv.ParseInt(parts[1], 36, 64)
	if err != nil || h.registry.now().Sub(time.Unix(begun, 0)) > uploadLife {
		return false, false
	}
	u := uploadID{h.scope(), parts[0], begun, strings.HasPrefix(parts[2], "s") && len(parts[2]) == 33}
	return u.sha512, hmac.Equal([]byte(u.sign(key)), []byte(id))
}
