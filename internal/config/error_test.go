package config

import (
	"errors"
	"strings"
	"testing"
)

const secret = "canary-4f1d"

func TestFlagErrors(t *testing.T) {
	for _, tt := range []struct {
		args string
		want string
	}{
		{"--listen=8080", `option listen from flag --listen: "8080" is not an address with a port; write HOST:PORT, such as 127.0.0.1:8080, or :8080 for all addresses`},
		{"--listen=:http", `option listen from flag --listen: ":http" is not an address with a port; write HOST:PORT, such as 127.0.0.1:8080, or :8080 for all addresses`},
		{"--listen=:65536", `option listen from flag --listen: ":65536" is not an address with a port; write HOST:PORT, such as 127.0.0.1:8080, or :8080 for all addresses`},
		{"--listen=http://a:80", `option listen from flag --listen: "http://a:80" is not an address with a port; write HOST:PORT, such as 127.0.0.1:8080, or :8080 for all addresses`},
		{"--data=", `option data from flag --data: is empty; write the path of a folder, such as /var/lib/packhouse`},
		{"--data=\xff", `option data from flag --data: "\xff" is not the name of a file; write a path in UTF-8`},
		{"--blobs=bucket", `option blobs from flag --blobs: "bucket" is not the address of a bucket; write an address such as s3://bucket?region=eu-1`},
		{"--blobs=s3://KEY:" + secret + "@bucket", `option blobs from flag --blobs: the value has a key in it; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY instead, or use a credentials file`},
		{"--external-url=example.com", `option external-url from flag --external-url: "example.com" is not a URL; write an address such as https://packages.example.com`},
		{"--external-url=https://:80", `option external-url from flag --external-url: "https://:80" is not a URL; write an address such as https://packages.example.com`},
		{"--external-url=ftp://example.com", `option external-url from flag --external-url: "ftp://example.com" is neither http nor https; write an address such as https://packages.example.com`},
		{"--external-url=https://a:" + secret + "@example.com", `option external-url from flag --external-url: the value has a user name or password; write an address such as https://packages.example.com`},
		{"--external-url=https://example.com?a", `option external-url from flag --external-url: "https://example.com?a" has a query or a fragment; write an address such as https://packages.example.com`},
		{"--external-url=https://example.com#", `option external-url from flag --external-url: "https://example.com#" has a query or a fragment; write an address such as https://packages.example.com`},
		{"--tls-cert=a.pem", `option tls-key from default: it is missing, and tls-cert is set by flag --tls-cert; set both for HTTPS, or neither`},
		{"--tls-key=a.pem", `option tls-cert from default: it is missing, and tls-key is set by flag --tls-key; set both for HTTPS, or neither`},
		{"--registry-listen=:5050", `option registry-url from default: it is missing, and registry-listen is set by flag --registry-listen; write the address that clients know the second listener by`},
		{"--registry-url=https://example.com:5050", `option external-url from default: it is missing, and registry-url is set by flag --registry-url; write the address of everything else, where clients of images log in`},
		{"--trusted-proxies=10.0.0.0/8,proxy", `option trusted-proxies from flag --trusted-proxies: "10.0.0.0/8,proxy" has "proxy", which is no network; write addresses and networks with commas between them, such as 10.0.0.0/8,::1`},
		{"--metrics-allow=10.0.0.0/33", `option metrics-allow from flag --metrics-allow: "10.0.0.0/33" has "10.0.0.0/33", which is no network; write addresses and networks with commas between them, such as 10.0.0.0/8,::1`},
		{"--log-level=loud", `option log-level from flag --log-level: "loud" is not known; write one of debug, info, warn, error`},
		{"--log-format=xml", `option log-format from flag --log-format: "xml" is not known; write one of text, json`},
		{"--root-token=" + secret, `option root-token from flag --root-token: the value is too short or too long; use 20 to 1024 random letters, digits, - and _`},
		{"--database=mysql://u:" + secret + "@db/x", `option database from flag --database: the value is not the address of a PostgreSQL database; write one such as postgres://user:password@host:5432/database`},
		{"--root-token=" + secret + " and more characters", `option root-token from flag --root-token: the value has a space or a character that no header can carry; use 20 to 1024 random letters, digits, - and _`},
		{"--query-tokens=maybe", `option query-tokens from flag --query-tokens: "maybe" is neither true nor false; write true or false`},
		{"--gitlab-version=latest", `option gitlab-version from flag --gitlab-version: "latest" is not a version; write three numbers, such as 18.11.2`},
		{"--cache=lots", `option cache from flag --cache: "lots" is not a size; write a whole number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 500MB or 5GiB`},
		{"--cache=", `option cache from flag --cache: is not a size; write a whole number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 500MB or 5GiB`},
		{"--cache=16M", `option cache from flag --cache: "16M" is not a size; write a whole number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 500MB or 5GiB`},
		{"--cache=1.5GiB", `option cache from flag --cache: "1.5GiB" is not a size; write a whole number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 500MB or 5GiB`},
		{"--cache=-1", `option cache from flag --cache: "-1" is not a size; write a whole number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 500MB or 5GiB`},
		{"--cache=0", `option cache from flag --cache: "0" is too small; write "1MiB" or more`},
		{"--reserve=9223372036854775808", `option reserve from flag --reserve: "9223372036854775808" is more than can be counted; write something smaller`},
		{"--reserve=8388608TiB", `option reserve from flag --reserve: "8388608TiB" is more than can be counted; write something smaller`},
		{"--retention=5", `option retention from flag --retention: "5" is not a length of time; write a number with a unit: 90s, 5m, 12h, 30d`},
		{"--retention=-1h", `option retention from flag --retention: "-1h" is not a length of time; write a number with a unit: 90s, 5m, 12h, 30d`},
		{"--retention=106752d", `option retention from flag --retention: "106752d" is not a length of time; write a number with a unit: 90s, 5m, 12h, 30d`},
		{"--purge-every=0", `option purge-every from flag --purge-every: "0" is too small; write "1s" or more`},
		{"--sweep-every=59s", `option sweep-every from flag --sweep-every: "59s" is too small; write "1m" or more`},
		{"--config=/absent.yaml", `option config from flag --config: "/absent.yaml" cannot be read: no such file or directory; write the path of a YAML file that this user may read`},
	} {
		_, _, _, err := parse(t, "serve", tt.args)
		var e *Error
		if !errors.As(err, &e) || err.Error() != tt.want {
			t.Errorf("%s:\ngot  %v\nwant %s", tt.args, err, tt.want)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the error shows the secret: %v", tt.args, err)
		}
	}
}

func TestVariableErrors(t *testing.T) {
	for _, tt := range []struct{ name, value, want string }{
		{"PACKHOUSE_LISTEN", "8080", `option listen from environment variable PACKHOUSE_LISTEN: "8080" is not an address with a port; write HOST:PORT, such as 127.0.0.1:8080, or :8080 for all addresses`},
		{"PACKHOUSE_ROOT_TOKEN", secret, `option root-token from environment variable PACKHOUSE_ROOT_TOKEN: the value is too short or too long; use 20 to 1024 random letters, digits, - and _`},
		{"PACKHOUSE_TLS_CERT", "a.pem", `option tls-key from default: it is missing, and tls-cert is set by environment variable PACKHOUSE_TLS_CERT; set both for HTTPS, or neither`},
		{"PACKHOUSE_CONFIG", "/", `option config from environment variable PACKHOUSE_CONFIG: "/" cannot be read: is a directory; write the path of a YAML file that this user may read`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(tt.name, tt.value)
			_, _, _, err := parse(t, "serve")
			var e *Error
			if !errors.As(err, &e) || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

func TestFileErrors(t *testing.T) {
	const write = "write one option per line, such as listen: 127.0.0.1:8080"
	for _, tt := range []struct{ text, want string }{
		{"listen: 8080", `option listen from FILE:1: "8080" is not an address with a port; write HOST:PORT, such as 127.0.0.1:8080, or :8080 for all addresses`},
		{"# comment\n\nlog_level: info", `option log_level from FILE:3: there is no such option; did you mean log-level?`},
		{"lisen: :80", `option lisen from FILE:1: there is no such option; did you mean listen?`},
		{"wallpaper: x", `option wallpaper from FILE:1: there is no such option; the options are ` + strings.Join(names()[1:], ", ")},
		{"<<: {listen: a}", `option << from FILE:1: there is no such option; the options are ` + strings.Join(names()[1:], ", ")},
		{"config: other.yaml", `option config from FILE:1: a file cannot name another one; remove the line`},
		{"data: a\ndata: b", `option data from FILE:2: it is set in line 1 already; remove one of the lines`},
		{"listen:", `option listen from FILE:1: has no value; write one, or remove the line; "" is the empty value`},
		{"listen: ~", `option listen from FILE:1: has no value; write one, or remove the line; "" is the empty value`},
		{"listen: {host: a}", `option listen from FILE:1: is neither a value nor a list; write a value behind the colon`},
		{"listen: [\":80\"]", `option listen from FILE:1: ":80" is a list; write a single value`},
		{"trusted-proxies: [[a]]", `option trusted-proxies from FILE:1: has something other than a value in its list; write a list of single values`},
		{"query-tokens: 3", `option query-tokens from FILE:1: "3" is neither true nor false; write true or false`},
		{"cache: true", `option cache from FILE:1: "true" is not a size; write a whole number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 500MB or 5GiB`},
		{"retention: 3600", `option retention from FILE:1: "3600" is not a length of time; write a number with a unit: 90s, 5m, 12h, 30d`},
		{"root-token: " + secret, `option root-token from FILE:1: the value is too short or too long; use 20 to 1024 random letters, digits, - and _`},
		{"tls-key: a.pem", `option tls-cert from default: it is missing, and tls-key is set by FILE:1; set both for HTTPS, or neither`},
		{"- listen", `FILE:1: there are no options in it; ` + write},
		{"data: a\nlisten: [a", `FILE:3: this is not YAML: did not find expected ',' or ']'; ` + write},
		{"data: a\n---\ndata: b", `FILE:2: there is a second document; write all options in one, without ---`},
		{"data: a\n---\ndata: [", `FILE:4: this is not YAML: did not find expected node content; ` + write},
		{strings.Repeat("#", maxFile+1), `option config from flag --config: "FILE" cannot be read: more than 1048576 bytes; write the path of a YAML file that this user may read`},
	} {
		name := writeFile(t, tt.text)
		_, _, _, err := parse(t, "serve", "--config", name)
		var e *Error
		if !errors.As(err, &e) || strings.ReplaceAll(err.Error(), name, "FILE") != tt.want {
			t.Errorf("%.40q:\ngot  %v\nwant %s", tt.text, err, tt.want)
		}
	}
}

func TestEmptyFile(t *testing.T) {
	for _, text := range []string{"", "# nothing yet\n"} {
		if _, _, _, err := parse(t, "serve", "--config", writeFile(t, text)); err != nil {
			t.Errorf("%q: %v, want no error", text, err)
		}
	}
}

// TestCommandLineErrors are about the command line as such; most are kong's.
func TestCommandLineErrors(t *testing.T) {
	for _, tt := range []struct{ args, want string }{
		{"serve --lisen=:80", `unknown flag --lisen, did you mean "--listen"?`},
		{"serve --listen", `option listen from flag --listen: has no value; write --listen=HOST:PORT`},
		{"serve --listen --data=x", `--listen: expected address value but got "--data=x" (long flag); perhaps try --listen="--data=x"?`},
		{"serv", `unexpected argument serv, did you mean "serve"?`},
	} {
		if _, _, _, err := parse(t, strings.Fields(tt.args)...); err == nil || err.Error() != tt.want {
			t.Errorf("%s: %v, want %s", tt.args, err, tt.want)
		}
	}
}
