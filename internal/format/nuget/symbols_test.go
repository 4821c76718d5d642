package nuget_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"packhouse/internal/format/formattest"
)

// pdb is a portable PDB as compilers lay it out: its root, the id of the build, and
// more. at is where the id is.
func pdb(id string, more []byte) (data []byte, at int) {
	le := binary.LittleEndian
	b := []byte("BSJB\x01\x00\x01\x00\x00\x00\x00\x00")
	b = le.AppendUint32(b, 12)
	b = append(b, "PDB v1.0\x00\x00\x00\x00\x00\x00\x02\x00"...)
	at = len(b) + 16 + 12
	b = le.AppendUint32(le.AppendUint32(b, uint32(at)), 32)
	b = append(b, "#Pdb\x00\x00\x00\x00"...)
	b = le.AppendUint32(le.AppendUint32(b, uint32(at+32)), uint32(len(more)))
	b = append(b, "#~\x00\x00"...)
	return append(append(append(b, id...), make([]byte, 12)...), more...), at
}

const (
	buildID   = "\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\xaa\xbb\xcc\xdd"
	signature = "0403020106050807090a0b0c0d0e0f10FFFFFFFF"
)

// sumOf is what a compiler writes into the program: the checksum of the PDB while its
// id was not known yet.
func sumOf(data []byte, at int) string {
	blank := bytes.Clone(data)
	clear(blank[at : at+20])
	sum := sha256.Sum256(blank)
	return hex.EncodeToString(sum[:])
}

func snupkg(items ...item) []byte {
	return zipped(append([]item{{"Lib.nuspec", spec("Lib", "1.0.0", symbolsType)}}, items...)...)
}

// noise cannot be packed.
func noise(n int) []byte {
	b := make([]byte, n)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func (s scene) mustPutSymbols(t *testing.T, data []byte) {
	t.Helper()
	if a := s.put(at(s.project, "/symbolpackage"), data); a.Status != 201 {
		t.Fatalf("PUT of symbols = %d %s, want 201", a.Status, a.Body)
	}
}

// A debugger gets the PDB of its program, byte for byte, with nothing but what the
// program says; and no other.
func TestSymbolServer(t *testing.T) {
	t.Parallel()
	for _, size := range []int{0, 3 << 20} { // kept in the database, and beside it
		s := start(t, "private")
		sibling := s.Project("sibling", s.group, "private")
		data, where := pdb(buildID, noise(size))
		sum := sumOf(data, where)
		s.mustPut(t, nupkg("Lib", "1.0.0"))
		s.mustPutSymbols(t, snupkg(item{"lib/net6.0/Lib.pdb", string(data)}, item{"lib/net7.0/Lib.pdb", string(data)}, item{"lib/net5.0/Old.pdb", "Microsoft C/C++ MSF 7.00"}))
		const file = "/symbolfiles/Lib.pdb/" + signature + "/lib.PDB"
		ask := func(path, sum string) formattest.Answer { return s.Do("GET", path, nil, "Symbolchecksum: "+sum) }
		if a := ask(at(s.project, file), "SHA256:"+sum); a.Status != 403 || !strings.Contains(string(a.Body), "nuget_symbol_server_enabled") {
			t.Errorf("GET while it is off = %d %s, want 403", a.Status, a.Body)
		}
		s.Settings("groups", s.group, `{"nuget_symbol_server_enabled":true}`)
		for _, sums := range []string{"SHA256:" + sum, "sha256:" + strings.ToUpper(sum), "SHA384:00;SHA256:" + strings.Repeat("0", 64) + ";SHA256:" + sum} {
			if a := ask(at(s.project, file), sums); a.Status != 200 || !bytes.Equal(a.Body, data) {
				t.Errorf("GET with %s = %d, %d bytes, want the PDB of %d", sums, a.Status, len(a.Body), len(data))
			}
		}
		if a := s.get(inGroup(s.group, file), "Symbolchecksum: SHA256:"+sum); a.Status != 200 || !bytes.Equal(a.Body, data) {
			t.Errorf("GET in the group = %d, want the PDB", a.Status)
		}
		other := strings.Replace(file, "04030201", "01020304", 1)
		for path, want := range map[string]int{
			at(s.project, other): 404, at(s.project, strings.Replace(file, "/Lib", "/Lab", 1)): 404, at(sibling, file): 404,
			inGroup(s.group, file): 404, at(s.project, "/symbolfiles/Old.pdb/"+signature+"/Old.pdb"): 404,
			at(s.project, "/symbolfiles/Lib.pdb/"+strings.Repeat("0", 5000)+"/Lib.pdb"): 404, at(s.project, "/symbolfiles/%25/_/%2525"): 404,
			at(999999, file): 403,
		} {
			if a := ask(path, "SHA256:"+sum); a.Status != want {
				t.Errorf("GET %.200s = %d %s, want %d", path, a.Status, a.Body, want)
			}
		}
		for sums, want := range map[string]int{"": 400, "SHA256:": 400, "SHA256:abc": 400, "SHA256:" + strings.Repeat("0", 64): 404} {
			if a := ask(at(s.project, file), sums); a.Status != want {
				t.Errorf("GET with the checksum %q = %d %s, want %d", sums, a.Status, a.Body, want)
			}
		}
		if a := s.Do("DELETE", at(s.project, "/Lib/1.0.0"), nil, root); a.Status != 204 {
			t.Errorf("DELETE = %d %s", a.Status, a.Body)
		}
		if a := ask(at(s.project, file), "SHA256:"+sum); a.Status != 404 {
			t.Errorf("GET after the package was deleted = %d, want 404", a.Status)
		}
	}
}

// A build that two versions have is there until both are gone, and one of another
// project does not stand in its way.
func TestSymbolsOfTwo(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	sibling := s.Project("sibling", s.group, "private")
	s.Settings("groups", s.group, `{"nuget_symbol_server_enabled":true}`)
	data, where := pdb(buildID, nil)
	for _, p := range []int64{s.project, sibling} {
		for _, version := range []string{"1.0.0", "2.0.0"} {
			symbols := zipped(item{"Lib.nuspec", spec("Lib", version, symbolsType)}, item{"Lib.pdb", string(data)})
			if a, b := s.put(at(p, "/"), nupkg("Lib", version)), s.put(at(p, "/symbolpackage"), symbols); a.Status != 201 || b.Status != 201 {
				t.Fatalf("PUT = %d, %d, want 201", a.Status, b.Status)
			}
		}
	}
	ask := func(p int64) int {
		return s.Do("GET", at(p, "/symbolfiles/lib.pdb/"+signature+"/lib.pdb"), nil, "Symbolchecksum: SHA256:"+sumOf(data, where)).Status
	}
	for _, one := range []struct {
		version string
		want    int
	}{{"2.0.0", 200}, {"1.0.0", 404}} {
		s.Do("DELETE", at(s.project, "/Lib/"+one.version), nil, root)
		if here, there := ask(s.project), ask(sibling); here != one.want || there != 200 {
			t.Errorf("GET = %d, in the other project %d, want %d and 200", here, there, one.want)
		}
	}
}

// PDBs that are none, or unpack to too much, are refused and leave nothing.
func TestHostileSymbols(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.mustPut(t, nupkg("Lib", "1.0.0"))
	good, where := pdb(buildID, nil)
	edit := func(offset int, with string) string {
		b := bytes.Clone(good)
		copy(b[offset:], with)
		return string(b)
	}
	var many []item
	for i := range 257 {
		many = append(many, item{fmt.Sprintf("%d.pdb", i), string(good)})
	}
	for what, data := range map[string][]byte{
		"cut in the root":            snupkg(item{"a.pdb", string(good[:30])}),
		"magic alone":                snupkg(item{"a.pdb", "BSJB"}),
		"cut in the id":              snupkg(item{"a.pdb", string(good[:where+19])}),
		"long version":               snupkg(item{"a.pdb", edit(12, "\xff\xff\xff\xff")}),
		"many streams":               snupkg(item{"a.pdb", edit(30, "\xff\xff")}),
		"no streams":                 snupkg(item{"a.pdb", edit(30, "\x00\x00")}),
		"id in the root":             snupkg(item{"a.pdb", edit(32, "\x00\x00\x00\x00")}),
		"id far away":                snupkg(item{"a.pdb", edit(32, "\xff\xff\xff\xff")}),
		"small stream":               snupkg(item{"a.pdb", edit(36, "\x13\x00\x00\x00")}),
		"two ids":                    snupkg(item{"a.pdb", edit(56, "#Pdb")}),
		"too many":                   snupkg(many...),
		"unpacks to far more":        snupkg(item{"a.pdb", string(good) + strings.Repeat("\x00", 65<<20)}),
		"a good one and a bad other": snupkg(item{"a.pdb", string(good)}, item{"b.pdb", "BSJB"}),
	} {
		if a := s.put(at(s.project, "/symbolpackage"), data); a.Status != 400 || !strings.Contains(string(a.Body), "PDB") && !strings.Contains(string(a.Body), "unpacks") {
			t.Errorf("%s: PUT = %d %s, want 400 that says so", what, a.Status, a.Body)
		}
	}
	list := s.Packages(s.project, "")
	if len(list) != 1 || len(s.Files(s.project, list[0].ID)) != 1 {
		t.Errorf("packages = %v, want one with one file", list)
	}
}

// Where the setting says so, DELETE hides a version and nothing of it is lost.
func TestDeleteUnlists(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	s.Settings("groups", s.group, `{"nuget_delete_unlists":true}`)
	s.mustPut(t, nupkg("Lib", "1.0.0"))
	s.mustPut(t, nupkg("Lib", "2.0.0"))
	for _, path := range []string{"/Lib/2.0.0", "/Lib/2.0", "/v2/Lib/2.0.0"} {
		if a := s.Do("DELETE", at(s.project, path), nil, root); a.Status != 204 {
			t.Errorf("DELETE %s = %d %s, want 204", path, a.Status, a.Body)
		}
	}
	if hits := string(s.get(at(s.project, "/query?q=lib")).Body); strings.Contains(hits, "2.0.0") || !strings.Contains(hits, "1.0.0") {
		t.Errorf("search = %s, want 1.0.0 alone", hits)
	}
	if a := s.get(at(s.project, "/metadata/lib/2.0.0.json")); !strings.Contains(string(a.Body), `"listed":false`) {
		t.Errorf("leaf = %s, want it unlisted", a.Body)
	}
	if a := s.get(at(s.project, "/download/lib/2.0.0/lib.2.0.0.nupkg")); a.Status != 200 {
		t.Errorf("GET = %d, want 200", a.Status)
	}
	if a := s.Do("POST", at(s.project, "/Lib/2.0.0"), nil, root); a.Status != 200 {
		t.Errorf("POST = %d %s, want 200", a.Status, a.Body)
	}
	if hits := string(s.get(at(s.project, "/query?q=lib")).Body); !strings.Contains(hits, `"version":"2.0.0"`) {
		t.Errorf("search = %s, want 2.0.0 again", hits)
	}
	if a := s.Do("DELETE", at(s.project, "/Lib/3.0.0"), nil, root); a.Status != 404 {
		t.Errorf("DELETE of nothing = %d, want 404", a.Status)
	}
	s.Settings("projects", s.project, `{"nuget_delete_unlists":false}`)
	if a := s.Do("DELETE", at(s.project, "/Lib/2.0.0"), nil, root); a.Status != 204 || s.versions(t, "lib") != "[1.0.0]" {
		t.Errorf("DELETE = %d, versions %s, want 2.0.0 gone", a.Status, s.versions(t, "lib"))
	}
}
