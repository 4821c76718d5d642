package pypi

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"packhouse"
)

// oracle asks the packaging library, which pip and the public index use. It
// answers with a line of JSON for each line.
func oracle(t *testing.T, script string, lines []string) []json.RawMessage {
	t.Helper()
	cmd := exec.Command("../../../.tools/python/bin/python", "-c", script) // "make tools" installs it
	input, err := json.Marshal(lines)
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("packaging: %v\n%s", err, out)
	}
	var answers []json.RawMessage
	for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
		answers = append(answers, json.RawMessage(bytes.Clone(s.Bytes())))
	}
	if len(answers) != len(lines) {
		t.Fatalf("packaging answered %d of %d lines", len(answers), len(lines))
	}
	return answers
}

// versions are what a version may be made of, right and wrong, put together.
func versions() (all []string) {
	for _, head := range []string{"1", "1.0", "1.0.0", "v1", "V01.00", "0", "0.0", "1!1", "0!1.0", "2!0.1", "1.10", "1.9", "00012.3", "99999999999999999999.1"} {
		for _, pre := range []string{"", "a", "a1", ".alpha2", "-b_3", "rc01", "c1", "pre2", "_preview.3"} {
			for _, rest := range []string{"", "-1", ".post2", "post", "-r3", ".rev04", ".dev0", "dev", "_dev.05", ".post1.dev2", "+a", "+1", "+01.B-c_2", ".dev1+0", "+a.1"} {
				all = append(all, head+pre+rest)
			}
		}
	}
	return append(all, "", " 1", "1 ", "1\n", "1..2", "1.", ".1", "a", "1.a.b", "1+", "1+a..b", "1+-a", "1+a+b", "1--1", "1!", "!1", "1!2!3", "1-a-b", "1.0.post1-1",
		"latest", "1.0-SNAPSHOT", "1.x", "1.*", "٣.1", "1.0ｒｃ1", "1po\u017ft1", "1-K", "1.0+\u212a", "1/2", "../1", "1\x00")
}

// What is a version, its canonical forms and the order are those of packaging.
func TestVersionsAgainstPackaging(t *testing.T) {
	t.Parallel()
	list := versions()
	answers := oracle(t, `
import json, sys
from packaging.version import Version, InvalidVersion
from packaging.utils import canonicalize_version
vs = []
for text in json.load(sys.stdin):
    try:
        if text.strip() != text: raise InvalidVersion(text)
        v = Version(text); vs.append(v)
    except InvalidVersion:
        vs.append(None)
order = {v: i for i, v in enumerate(sorted({v for v in vs if v is not None}))}
for v in vs:
    print(json.dumps(None if v is None else [str(v), canonicalize_version(v), order[v]]))
`, list)
	type known struct {
		version
		text string
		rank float64
	}
	var valid []known
	for i, text := range list {
		v, err := parseVersion(text)
		var want []any
		if e := json.Unmarshal(answers[i], &want); e != nil {
			t.Fatal(e)
		}
		if (err == nil) != (want != nil) {
			t.Errorf("parseVersion(%q) = %v, packaging has %s", text, err, answers[i])
			continue
		}
		if err != nil {
			if packhouse.KindOf(err) != packhouse.Invalid {
				t.Errorf("parseVersion(%q): %v is no Invalid", text, err)
			}
			continue
		}
		if v.String() != want[0] || v.key() != want[1] {
			t.Errorf("%q = %q with key %q, packaging has %s", text, v, v.key(), answers[i])
		}
		valid = append(valid, known{v, text, want[2].(float64)})
	}
	if len(valid) < 1500 {
		t.Fatalf("only %d versions are valid; the table is broken", len(valid))
	}
	for i := range valid {
		for j := 0; j < len(valid); j += 7 { // every seventh is a quarter of a million pairs
			a, b := valid[i], valid[j]
			got, want := a.compare(b.version), 0
			switch {
			case a.rank < b.rank:
				want = -1
			case a.rank > b.rank:
				want = 1
			}
			if got != want || (a.key() == b.key()) != (want == 0) {
				t.Fatalf("compare(%q, %q) = %d with keys %q and %q, packaging has %d", a.text, b.text, got, a.key(), b.key(), want)
			}
		}
	}
}

// Names that are one for packaging are one here, and none else.
func TestNamesAgainstPackaging(t *testing.T) {
	t.Parallel()
	var list []string
	for _, a := range []string{"a", "A", "9", "ab", "é", "ſ", "K"} {
		for _, sep := range []string{"", "-", "_", ".", "--", "-_.", "..", " ", "/", "+", "\n"} {
			for _, b := range []string{"b", "B", "0", "-", "b-c", "b.C", ""} {
				list = append(list, a+sep+b)
			}
		}
	}
	answers := oracle(t, `
import json, sys
from packaging.utils import canonicalize_name, InvalidName
for text in json.load(sys.stdin):
    try:
        print(json.dumps(canonicalize_name(text, validate=True) if text.isascii() and "\n" not in text else None))
    except InvalidName:
        print("null")
`, list)
	for i, name := range list {
		key, err := normalise(name)
		want := "null"
		if err == nil {
			want = fmt.Sprintf("%q", key)
		}
		if string(answers[i]) != want {
			t.Errorf("normalise(%q) = %q, %v, packaging has %s", name, key, err, answers[i])
		}
	}
}

// File names that packaging reads are read as it does. It takes some that we
// refuse, such as names with characters that no project may have.
func TestFilenamesAgainstPackaging(t *testing.T) {
	t.Parallel()
	var list []string
	for _, stem := range []string{"lib-1.0", "My_Lib-1.0.0", "my.lib-v1", "a-b-1.0", "lib-1.0-1", "lib-1_0", "lib", "lib-", "-1.0", "lib-x", "lib-1.0+a.b", "lib-1.0+a_b", "lib-1!2", "lib-1.0rc1"} {
		for _, end := range []string{"-py3-none-any.whl", "-1-py3-none-any.whl", "-1a-py2.py3-none-any.whl", "-a1-py3-none-any.whl", "-py3-none.whl", "-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", ".tar.gz", ".zip"} {
			list = append(list, stem+end)
		}
	}
	answers := oracle(t, `
import json, sys
from packaging.utils import *
for f in json.load(sys.stdin):
    try:
        p = parse_wheel_filename(f) if f.endswith(".whl") else parse_sdist_filename(f)
        print(json.dumps([p[0], canonicalize_version(p[1])]))
    except (InvalidWheelFilename, InvalidSdistFilename):
        print("null")
`, list)
	for i, file := range list {
		d, err := parseFilename(file)
		got := "null"
		if err == nil {
			got = fmt.Sprintf("[%q, %q]", d.pkg, d.version)
		}
		if got != string(answers[i]) && !slices.Contains(stricter, file[:strings.LastIndexByte(file, '.')]) {
			t.Errorf("parseFilename(%q) = %s, packaging has %s", file, got, answers[i])
		}
	}
}

var stricter = []string{}
