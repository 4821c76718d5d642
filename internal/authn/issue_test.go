package authn_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"

	"packhouse"
	"packhouse/internal/authn"
	"packhouse/internal/ledger"
	"packhouse/internal/store"
)

// A secret is the prefix of its kind and exactly 20 URL-safe characters: older
// Renovate chooses its header by that length, and glab warns of others.
func TestNewSecret(t *testing.T) {
	t.Parallel()
	for kind, pattern := range map[packhouse.ActorKind]string{
		packhouse.PersonalToken: `^glpat-[A-Za-z0-9_-]{20}$`, packhouse.ProjectToken: `^glpat-[A-Za-z0-9_-]{20}$`,
		packhouse.GroupToken: `^glpat-[A-Za-z0-9_-]{20}$`, packhouse.DeployToken: `^gldt-[A-Za-z0-9_-]{20}$`,
		packhouse.JobToken: `^glcbt-[A-Za-z0-9_-]{20}$`,
	} {
		shape, seen := regexp.MustCompile(pattern), map[string]bool{}
		for range 5000 {
			secret := authn.NewSecret(kind)
			if !shape.MatchString(secret) || seen[secret] {
				t.Fatalf("%s: secret %q does not match %s, or came twice", kind, secret, pattern)
			}
			seen[secret] = true
		}
	}
}

// A secret is nowhere but in the hands of who made the token: not in the token's
// record, the actor, the ledger, an error, or the files of the store.
func TestSecretIsNowhere(t *testing.T) {
	t.Parallel()
	sc := start(t)
	for _, kind := range kinds {
		made, secret := sc.make(kind)
		who, err := sc.ask("/", "Private-Token: "+secret)
		must(t, err)
		sc.end(made.ID)
		_, err = sc.ask("/", "Private-Token: "+secret)
		texts := map[string]string{
			"token": fmt.Sprintf("%+v", *made), "actor": fmt.Sprintf("%+v %+v", who, who.Job),
			"author": fmt.Sprintf("%+v", ledger.Of(who, "id")), "error": fmt.Sprintf("%v %+v", err, packhouse.AsError(err)),
		}
		must(t, sc.Store.View(t.Context(), func(tx *store.Tx) error {
			entries, err := tx.Entries(t.Context(), 0, 1000)
			texts["ledger"] = fmt.Sprintf("%d", len(entries))
			for _, e := range entries {
				texts["ledger"] += fmt.Sprintf(" %+v", e.Event)
			}
			return err
		}))
		for _, name := range []string{"", "-wal"} {
			data, err := os.ReadFile(sc.path + name)
			must(t, err)
			texts["file "+name] = string(data)
		}
		for where, text := range texts {
			if strings.Contains(text, secret) || strings.Contains(text, secret[len(secret)-20:]) {
				t.Errorf("the secret of the %s token is in the %s", kind, where)
			}
		}
	}
}

// What Issue sets, and what it leaves as it was given.
func TestIssue(t *testing.T) {
	t.Parallel()
	sc := start(t)
	given := ledger.Token{
		ID: 99, Kind: packhouse.DeployToken, Name: "ci", Username: "puller", Target: sc.project, Scopes: packhouse.ScopeReadPackages,
	}
	made, secret, err := sc.Issue(t.Context(), ledger.By{UserID: sc.dana.ID}, given, "gldt-chosen")
	must(t, err)
	if secret != "gldt-chosen" || made.Digest != authn.DigestOf("gldt-chosen") || made.ID == 99 || made.CreatorID != sc.dana.ID ||
		made.CreatedAt.IsZero() || made.Username != "puller" || made.Target.Path != "" || given.ID != 99 {
		t.Errorf("Issue = %+v with secret %q", made, secret)
	}
	if _, _, err := sc.Issue(t.Context(), noOne, given, "gldt-chosen"); err == nil || packhouse.KindOf(err) != packhouse.Conflict {
		t.Errorf("Issue of the same secret = %v, want Conflict", err)
	}
}

// A project or group token comes with a bot that nobody else is, and the bot's
// membership.
func TestBots(t *testing.T) {
	t.Parallel()
	sc := start(t)
	names := map[string]bool{}
	for _, kind := range []packhouse.ActorKind{packhouse.ProjectToken, packhouse.GroupToken, packhouse.ProjectToken} {
		made, _ := sc.make(kind, func(t *ledger.Token) { t.Name = "release robot" })
		bot := sc.directory.User(made.UserID)
		if bot == nil || !bot.Bot || bot.Name != "release robot" || bot.Admin || names[bot.Username] {
			t.Fatalf("%s: bot = %+v, want a new one", kind, bot)
		}
		names[bot.Username] = true
		if sc.directory.Personal(bot.ID) != nil {
			t.Errorf("the bot %s has a namespace", bot.Username)
		}
		target := map[packhouse.ActorKind]packhouse.Target{packhouse.ProjectToken: sc.project, packhouse.GroupToken: sc.group}[kind]
		if got := sc.directory.Object(packhouse.Actor{Kind: kind, UserID: bot.ID}, target).Role; got != made.Role {
			t.Errorf("%s: the bot has the role %s, want %s", kind, got, made.Role)
		}
	}
}

// A job has one live token of an issuer: making another ends the first. Jobs of
// other issuers, other projects, or without a number are others.
func TestJobTokenIsReplaced(t *testing.T) {
	t.Parallel()
	sc := start(t)
	issue := func(by, project, job int64) string {
		t.Helper()
		_, secret, err := sc.IssueForJob(t.Context(), ledger.By{UserID: by}, ledger.Token{
			Kind: packhouse.JobToken, UserID: sc.dana.ID, Job: &packhouse.Job{ID: job, ProjectID: project},
		})
		must(t, err)
		return secret
	}
	alive := func(secret string) bool {
		_, err := sc.ask("/", "Job-Token: "+secret)
		return err == nil
	}
	first, otherIssuer, otherProject, otherJob := issue(1, 1, 7), issue(2, 1, 7), issue(1, 2, 7), issue(1, 1, 8)
	unnumbered, unnumbered2 := issue(1, 1, 0), issue(1, 1, 0)
	second := issue(1, 1, 7)
	if alive(first) || !alive(second) {
		t.Errorf("first alive: %v, second alive: %v, want the second alone", alive(first), alive(second))
	}
	for name, secret := range map[string]string{
		"another issuer": otherIssuer, "another project": otherProject, "another job": otherJob, "no number": unnumbered, "no number, again": unnumbered2,
	} {
		if !alive(secret) {
			t.Errorf("the token of %s has ended", name)
		}
	}
	for id := int64(1); id < 40; id++ { // whatever number those were given
		if issue(1, 1, id); !alive(unnumbered) || !alive(unnumbered2) {
			t.Fatalf("job %d was taken for one without a number", id)
		}
	}
}

// However many are made at once for one job, one is alive afterwards.
func TestJobTokenRace(t *testing.T) {
	t.Parallel()
	sc := start(t)
	var mu sync.Mutex
	var secrets []string
	var workers sync.WaitGroup
	for range 32 {
		workers.Go(func() {
			_, secret, err := sc.IssueForJob(t.Context(), noOne, ledger.Token{
				Kind: packhouse.JobToken, UserID: sc.dana.ID, Job: &packhouse.Job{ID: 7, ProjectID: sc.project.ID},
			})
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				t.Errorf("IssueForJob = %v", err)
			}
			secrets = append(secrets, secret)
		})
	}
	workers.Wait()
	alive := 0
	for _, secret := range secrets {
		if _, err := sc.ask("/", "Job-Token: "+secret); err == nil {
			alive++
		}
	}
	if alive != 1 {
		t.Errorf("%d of %d tokens are alive, want one", alive, len(secrets))
	}
}
