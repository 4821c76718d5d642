// Package browser_test goes through the pages with a real browser, Chromium.
package browser_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"packhouse"
	"packhouse/internal/format/formattest"
)

const password = "correct horse battery"

// browser is a Chromium with a window of a size.
type browser struct {
	t       *testing.T
	context context.Context
	pages   string // folder for pictures of pages; "" for none
	width   int64
}

func open(t *testing.T, width, height int64) *browser {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v; make tools installs it", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.NoSandbox)
	allocated, free := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(free)
	ctx, end := chromedp.NewContext(allocated)
	t.Cleanup(end)
	ctx, stop := context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(stop)
	b := &browser{t: t, context: ctx, pages: os.Getenv("PACKHOUSE_TEST_PICTURES"), width: width}
	b.do(chromedp.EmulateViewport(width, height))
	return b
}

func (b *browser) do(steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := chromedp.Do(b.context, steps...); err != nil {
		b.t.Fatal(err)
	}
}

// text is what a script in the page says.
func text[T any](b *browser, script string) T {
	b.t.Helper()
	v, err := chromedp.Run(b.context, chromedp.Evaluate[T](script))
	if err != nil {
		b.t.Fatalf("%s: %v", script, err)
	}
	return v
}

// look checks what every page keeps to, and takes a picture of it.
func (b *browser) look(name string) {
	b.t.Helper()
	if wide := text[int64](b, `document.documentElement.scrollWidth`); wide > b.width {
		b.t.Errorf("%s is %d wide in a window of %d", name, wide, b.width)
	}
	if styled := text[string](b, `getComputedStyle(document.body).marginTop`); styled != "0px" {
		b.t.Errorf("%s has no style: the margin is %s", name, styled)
	}
	if b.pages == "" {
		return
	}
	picture, err := chromedp.Run(b.context, chromedp.FullScreenshot(100))
	if err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.pages, fmt.Sprintf("%s-%d.png", name, b.width)), picture, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// A person signs in, finds a package, opens it, and what the page says to run
// downloads it.
func TestFindAndInstall(t *testing.T) {
	s := formattest.Start(t)
	group := s.Group("acme", 0, "private")
	project := s.Project("tools", group, "private")
	dana, token := s.User("dana")
	s.Member("groups", group, dana, packhouse.Maintainer)
	s.API("PUT", fmt.Sprintf("/users/%d/password", dana), fmt.Sprintf(`{"password":%q}`, password), nil)
	for _, path := range []string{"app/1.0.0/app.txt", "app/2.0.0/app.txt", strings.Repeat("long-", 30) + "name/1.0/" + strings.Repeat("f", 120) + ".txt"} {
		if a := s.Do("PUT", fmt.Sprintf("/api/v4/projects/%d/packages/generic/%s", project, path), strings.NewReader("hello"), "Private-Token: "+token); a.Status != 201 {
			t.Fatalf("publish %s = %d %s", path, a.Status, a.Body)
		}
	}
	for _, size := range []struct{ width, height int64 }{{390, 844}, {1440, 900}} {
		t.Run(fmt.Sprint(size.width), func(t *testing.T) {
			b := open(t, size.width, size.height)
			b.do(chromedp.Navigate(s.URL + "/acme/tools/-/packages"))
			b.look("not-found")
			b.do(chromedp.Click(`main a.button`), chromedp.WaitVisible(`#login`))
			b.look("sign-in")
			b.do(chromedp.SendKeys(`#login`, "dana"), chromedp.SendKeys(`#password`, password), chromedp.Click(`main button`), chromedp.WaitVisible(`table.list`))
			if at := text[string](b, `location.pathname`); at != "/acme/tools/-/packages" {
				t.Errorf("the sign-in leads to %s, want the page that was asked for", at)
			}
			b.look("packages")
			b.do(chromedp.Click(`a.brand`), chromedp.WaitVisible(`#find`))
			b.look("home")
			b.do(chromedp.SendKeys(`#find`, "app"), chromedp.Click(`.find button`), chromedp.WaitVisible(`table.list`))
			if n := text[int](b, `document.querySelectorAll("table.list tbody tr").length`); n != 2 {
				t.Errorf("the search for app finds %d versions, want 2", n)
			}
			b.look("search")
			b.do(chromedp.Click(`table.list tbody tr a.mono`), chromedp.WaitVisible(`.client .copy button`))
			if number := text[string](b, `document.querySelector(".title .number").textContent`); number != "2.0.0" {
				t.Errorf("the first found is version %s, want the newest, 2.0.0", number)
			}
			b.look("version")
			run(t, text[string](b, `document.querySelector(".client .copy code").textContent`), token)
			b.do(chromedp.Navigate(s.URL + "/acme/tools"))
			b.look("project")
			b.do(chromedp.Navigate(s.URL + "/acme/tools/-/container_registry"))
			b.look("images")
			b.do(chromedp.Click(`.user button`), chromedp.WaitVisible(`#login`), chromedp.Navigate(s.URL+"/acme/tools"), chromedp.WaitVisible(`main a.button`))
		})
	}
}

// run runs a command as a person would who copied it.
func run(t *testing.T, command, token string) {
	t.Helper()
	shell := exec.Command("sh", "-c", command)
	shell.Dir = t.TempDir()
	shell.Env = append(os.Environ(), "PACKHOUSE_TOKEN="+token)
	if out, err := shell.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
	if got, err := os.ReadFile(filepath.Join(shell.Dir, "app.txt")); err != nil || string(got) != "hello" {
		t.Errorf("%s downloads %q, %v, want hello", command, got, err)
	}
}
