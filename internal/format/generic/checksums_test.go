package generic_test

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// What a client announces about its bytes is checked, and kept.
func TestAnnouncedChecksums(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range append([]int{0}, both...) {
		body := content(size, 1)
		m, s1, s5 := md5.Sum([]byte(body)), sha1.Sum([]byte(body)), sha512.Sum512([]byte(body))
		sums := map[string]string{
			"X-Checksum-Sha256": sha256of(body), "X-Checksum-Md5": hex.EncodeToString(m[:]),
			"X-Checksum-Sha1": hex.EncodeToString(s1[:]), "X-Checksum-Sha512": hex.EncodeToString(s5[:]),
		}
		for name, sum := range sums {
			for _, value := range []string{sum, strings.ToUpper(sum)} {
				if a := s.put(fmt.Sprintf("tool/good/%d", size), body, name+": "+value); a.Status != 201 {
					t.Errorf("PUT %d bytes with %s = %d %s, want 201", size, name, a.Status, a.Body)
				}
			}
		}
		stored := s.Stored()
		for name, sum := range sums {
			other := strings.Map(func(c rune) rune {
				if c == '0' {
					return '1'
				}
				return '0'
			}, sum)
			for _, value := range []string{other, sum[1:], sum + "0", "x", strings.Repeat("z", len(sum))} {
				a := s.put(fmt.Sprintf("tool/bad/%d", size), body, name+": "+value)
				if a.Status != 400 || !strings.HasPrefix(string(a.Body), `{"message":"400 Bad request - `) {
					t.Errorf("PUT %d bytes with %s: %s = %d %s, want 400", size, name, value, a.Status, a.Body)
				}
			}
		}
		if got := s.Stored(); got != stored {
			t.Errorf("stored = %+v after refusals, want %+v", got, stored)
		}
	}
	if list := s.Packages(s.project, "package_version=bad"); len(list) != 0 {
		t.Errorf("packages = %+v, want none", list)
	}
	all := fmt.Sprintf("X-Checksum-Sha256: %s", sha256of("hello"))
	s.put("tool/all/f", "hello", all, "X-Checksum-Md5: 5d41402abc4b2a76b9719d911017c592")
	f := s.Files(s.project, s.Packages(s.project, "package_version=all")[0].ID)[0]
	if f.MD5 == nil || *f.MD5 != "5d41402abc4b2a76b9719d911017c592" || f.SHA256 != sha256of("hello") {
		t.Errorf("file = %+v, want both checksums", f)
	}
}
