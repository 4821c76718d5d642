package authn_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/ledger"
)

// A header that holds no credential is none; one that holds something else than
// a token of ours is refused or ignored, and never an error of ours.
func TestMalformed(t *testing.T) {
	t.Parallel()
	sc := start(t)
	_, token := sc.make(packhouse.PersonalToken)
	job, jobToken := sc.make(packhouse.JobToken)
	if job.UserID != sc.dana.ID {
		t.Fatal("the job is not dana's")
	}
	const visitor, dana, refused = "", "dana", "401"
	for _, test := range []struct{ target, field, want string }{
		{"/", "Authorization: ", visitor},
		{"/", "Authorization:    ", visitor},
		{"/", "Authorization: Basic", visitor},
		{"/", "Authorization: Basic ", visitor},
		{"/", "Authorization: Basic !!!", visitor},
		{"/", "Authorization: Basic " + token, visitor},
		{"/", "Authorization: Basic ZGFuYQ", visitor}, // without its padding
		{"/", basic(""), visitor},
		{"/", basic(":"), visitor},
		{"/", basic("dana"), visitor},
		{"/", basic("dana:"), visitor},
		{"/", basic("gitlab-ci-token:"), visitor},
		{"/", basic(token + ":"), visitor},
		{"/", basic("dana:x:" + token), visitor}, // the password is x:…
		{"/", basic("dana:" + token + "\n"), visitor},
		{"/", basic("\xff\xfe:" + token), dana},
		{"/", basic("GitLab-CI-Token:nothing"), visitor},
		{"/", basic("gitlab-ci-token:nothing"), refused},
		{"/", basic("gitlab-ci-token:" + token), dana},
		{"/", basic("dana:" + jobToken), dana},
		{"/", "Authorization: Basic x " + base64.StdEncoding.EncodeToString([]byte("dana:"+token)), dana},
		{"/", "Authorization: Bearer", refused},
		{"/", "Authorization: Bearer a " + token, dana}, // GitLab takes the last word
		{"/", "Authorization: Bearer " + token + " a", refused},
		{"/", "Authorization: Negotiate abc", refused},
		{"/", "Private-Token:  " + token, refused}, // net/http has trimmed what comes over the wire
		{"/", "Private-Token: " + strings.ToUpper(token), refused},
		{"/", "Private-Token: " + token[:25], refused},
		{"/", "Private-Token: " + token + "a", refused},
		{"/", "Private-Token: \x00", refused},
		{"/?private_token", "", visitor},
		{"/?private_token=", "", visitor},
		{"/?PRIVATE_TOKEN=" + token, "", visitor},
		{"/?my_private_token=" + token, "", visitor},
		{"/?access_token=" + token, "", visitor},
		{"/?private_token=nothing", "", refused},
		{"/?job_token=nothing", "", refused},
		{"/?private_token=" + token + "&x=%zz", "", dana},
		{"/?x=%zz&private_token=nothing", "", refused},
		{"/?x;y&private_token=" + token, "", dana},
		{"/?private_token=%zz", "", visitor},
	} {
		who, err := sc.ask(test.target, test.field)
		got := who.Name
		if err != nil {
			got = map[packhouse.Kind]string{packhouse.Unauthenticated: refused}[packhouse.KindOf(err)]
		}
		if got != test.want {
			t.Errorf("%s with %q = %q, %v, want %q", test.target, test.field, who.Name, err, test.want)
		}
	}
}

// A token may have up to 8 KiB, because GitLab's job tokens are long; what is
// longer is not even looked up.
func TestLength(t *testing.T) {
	t.Parallel()
	sc := start(t)
	for size, want := range map[int]bool{1: true, 255: true, 2000: true, 8 << 10: true, 8<<10 + 1: false, 60 << 10: false} {
		secret := strings.Repeat("x", size)
		_, _, err := sc.Issue(t.Context(), noOne, ledger.Token{Kind: packhouse.PersonalToken, Name: "long", UserID: sc.dana.ID}, secret)
		must(t, err)
		for i, c := range carriers {
			who, err := sc.send(i, secret)
			if (who.Name == "dana") != want || !want && c.strict != (err != nil) {
				t.Errorf("a token of %d bytes in %s = %q, %v, want it taken: %v", size, c.name, who.Name, err, want)
			}
		}
	}
}

// With the query switched off a token in it counts for nothing, good or bad.
func TestQuerySwitchedOff(t *testing.T) {
	t.Parallel()
	sc := start(t, func(o *authn.Options) { o.QueryTokens = false })
	_, token := sc.make(packhouse.PersonalToken)
	for _, name := range []string{"private_token", "job_token"} {
		for _, value := range []string{token, "nothing"} {
			if who, err := sc.ask("/?" + name + "=" + value); err != nil || who.Kind != packhouse.Anonymous {
				t.Errorf("%s=%s = %+v, %v, want a visitor", name, value, who, err)
			}
		}
	}
	if who, err := sc.ask("/?private_token=nothing", "Private-Token: "+token); err != nil || who.Name != "dana" {
		t.Errorf("by header = %+v, %v, want dana", who, err)
	}
}
