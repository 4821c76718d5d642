package api_test

import (
	"fmt"
	"net/http"
	"strings"

	"packhouse/internal/authn"
)

func (b *book) account() {
	b.show(root, "PUT", fmt.Sprintf("/users/%d/password", b.ids["dana"]), `{"password":"correct horse"}`)
	b.show(b.as("dana"), "PUT", "/user/password", `{"current_password":"correct horse","password":"battery staple"}`)
	a := b.Do("POST", "/-/sign-in", strings.NewReader(`{"login":"dana","password":"battery staple"}`), "Content-Type: application/json", "User-Agent: a browser")
	var told struct {
		CSRF string `json:"csrf_token"`
	}
	b.JSON(a, &told)
	cookie, _, _ := strings.Cut(a.Header.Get("Set-Cookie"), ";")
	var sessions []struct{ ID int64 }
	b.JSON(b.send("Cookie: "+cookie, "GET", "/user/sessions", ""), &sessions)
	b.show("Cookie: "+cookie, "GET", "/user/sessions", "")
	path := fmt.Sprintf("/api/v4/user/sessions/%d", sessions[0].ID)
	if a := b.Do("DELETE", path, nil, "Cookie: "+cookie, authn.CSRFHeader+": "+told.CSRF); a.Status != http.StatusNoContent {
		b.t.Errorf("DELETE %s = %d %s, want 204", path, a.Status, a.Body)
	}
	b.end("account")
}
