package operate

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"packhouse/internal/store/pgtest"
	"packhouse/test/packhousetest"
)

// A registry moves from its data folder to PostgreSQL and back with the commands
// that docs/operate/database.md names. In between it serves from there, is killed,
// and has what it acknowledged.
func TestPostgres(t *testing.T) {
	t.Parallel()
	dir, database := t.TempDir(), pgtest.Database(t)
	data, moved, back := filepath.Join(dir, "data"), filepath.Join(dir, "moved"), filepath.Join(dir, "back")
	bodies := map[string][]byte{"0.1": []byte("small"), "0.2": bytes.Repeat([]byte("large"), 50_000)}

	s := packhousetest.Start(t, packhousetest.FreeAddress(t), data)
	c := newClient(t, s)
	for version, body := range bodies {
		if status, answer := c.do("PUT", c.file(version, "f"), bytes.NewReader(body)); status != 201 {
			t.Fatalf("publish %s = %d %s", version, status, answer)
		}
	}
	s.Kill()
	packhouse(t, true, "restore", "--from", data, "--database", database, "--data", moved)
	if said := packhouse(t, false, "serve", "--listen", "127.0.0.1:0", "--database", "postgres://nobody:canary-7@127.0.0.1:1/none", "--data", moved); strings.Contains(said, "canary-7") {
		t.Errorf("the password is shown: %s", said)
	}

	at := packhousetest.FreeAddress(t)
	for round := range 3 {
		s := packhousetest.Start(t, at, moved, "--database", database)
		c.server = s
		version := fmt.Sprintf("1.%d", round)
		bodies[version] = fmt.Appendf(nil, "of round %d", round)
		if status, answer := c.do("PUT", c.file(version, "f"), bytes.NewReader(bodies[version])); status != 201 {
			t.Fatalf("publish %s = %d %s", version, status, answer)
		}
		for version, body := range bodies {
			if status, got := c.do("GET", c.file(version, "f"), nil); status != 200 || !bytes.Equal(got, body) {
				t.Errorf("round %d: GET %s = %d, %d bytes, want %d", round, version, status, len(got), len(body))
			}
		}
		if said := packhouse(t, false, "restore", "--from", data, "--database", database, "--data", back); !strings.Contains(said, "uses this database") {
			t.Errorf("restore beside a server said %s", said)
		}
		s.Kill()
	}
	packhouse(t, true, "verify", "--database", database, "--data", moved)
	packhouse(t, true, "backup", "--database", database, "--data", moved, "--to", back)
	packhouse(t, true, "verify", "--data", back)
}
