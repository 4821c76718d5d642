package s3_test

import (
	"strings"
	"testing"
	"time"

	"packhouse/internal/blob/s3"
)

func TestParse(t *testing.T) {
	for address, want := range map[string]s3.Options{
		"s3://b":                                {Bucket: "b", Secure: true},
		"s3://b?region=eu-1":                    {Bucket: "b", Secure: true, Region: "eu-1"},
		"s3://b/":                               {Bucket: "b", Secure: true},
		"s3://b/some/where/":                    {Bucket: "b", Secure: true, Prefix: "some/where/"},
		"s3://b?endpoint=s3.example.com":        {Bucket: "b", Secure: true, Endpoint: "s3.example.com", PathStyle: true},
		"s3://b?endpoint=http://10.0.0.1:9000/": {Bucket: "b", Endpoint: "10.0.0.1:9000", PathStyle: true},
		"s3://b?endpoint=https://s3.example.com&path-style=false":   {Bucket: "b", Secure: true, Endpoint: "s3.example.com"},
		"s3://b?redirect=true&redirect-life=90s&part-size=16777216": {Bucket: "b", Secure: true, Redirect: true, LinkLife: 90 * time.Second, PartSize: 16 << 20},
		"s3://b?part-size=1GiB": {Bucket: "b", Secure: true, PartSize: 1 << 30},
	} {
		if got, err := s3.Parse(address); err != nil || got != want {
			t.Errorf("Parse(%q) = %+v, %v, want %+v", address, got, err, want)
		}
	}
	for address, want := range map[string]string{
		"":                                      "is not an address",
		"bucket":                                "is not an address",
		"http://b":                              "is not an address",
		"s3://":                                 "is not an address",
		"s3://b:80":                             "is not an address",
		"s3://b#x":                              "is not an address",
		"s3://b\x00":                            "is not an address",
		"s3://KEY:hidden@b":                     "AWS_ACCESS_KEY_ID",
		"s3://b?endpoint=https://u:hidden@h":    "has a user name or password",
		"s3://b?endpoint=https://h/path":        "is not a host",
		"s3://b?endpoint=ftp://h":               "is not a host",
		"s3://b?secret_key=hidden":              `the unknown key "secret_key"; there are endpoint, part-size,`,
		"s3://b?path-style=perhaps":             "is neither true nor false",
		"s3://b?redirect-life=10":               "is not a length of time",
		"s3://b?redirect-life=169h":             "is not a length of time",
		"s3://b?part-size=1MiB":                 "is not a size",
		"s3://b?part-size=2GiB":                 "is not a size",
		"s3://b?part-size=99999999999999999999": "is not a size",
		"s3://b?x=%zz":                          "its query cannot be read",
	} {
		if got, err := s3.Parse(address); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("Parse(%q) = %+v, %v, want an error that says %q", address, got, err, want)
		}
	}
}
