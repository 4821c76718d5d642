package generic_test

import (
	"context"
	"fmt"
	"testing"
)

// Only what was downloaded counts as downloaded: no bytes, no download.
func TestNothingSentIsNoDownload(t *testing.T) {
	t.Parallel()
	s := start(t, "private")
	for _, size := range both {
		file, body := fmt.Sprintf("tool/%d/f", size), content(size, 1)
		s.mustPut(t, file, body)
		for _, header := range []string{`If-None-Match: "` + sha256of(body) + `"`, `If-Match: "other"`, fmt.Sprintf("Range: bytes=%d-", size)} {
			s.Do("GET", s.at(file), nil, root, header)
		}
		if err := s.Registry.SaveDownloads(context.Background()); err != nil {
			t.Fatal(err)
		}
		var p struct {
			LastDownloadedAt string `json:"last_downloaded_at"`
		}
		id := s.Packages(s.project, fmt.Sprintf("package_version=%d", size))[0].ID
		s.API("GET", fmt.Sprintf("/projects/%d/packages/%d", s.project, id), "", &p)
		if p.LastDownloadedAt != "" {
			t.Errorf("last_downloaded_at after 304, 412 and 416 = %q, want null", p.LastDownloadedAt)
		}
	}
}
