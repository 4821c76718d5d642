package s3

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Parse reads the address of a bucket:
//
//	s3://bucket/prefix?endpoint=https://s3.example.com&region=eu-1&path-style=true
//
// Keys of the query: endpoint, of Amazon unless given, with HTTPS unless it says
// http://; region; path-style, true unless the endpoint is Amazon's; redirect;
// redirect-life, such as 10m; part-size, in bytes, MiB or GiB. Credentials have
// no place in it and are refused without being repeated.
func Parse(address string) (Options, error) {
	u, err := url.Parse(address)
	if err != nil {
		return Options{}, fmt.Errorf("it is not an address such as s3://bucket?region=eu-1")
	}
	query, err := url.ParseQuery(u.RawQuery)
	switch {
	case u.User != nil:
		return Options{}, fmt.Errorf("it has a key in it: put that into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a credentials file")
	case err != nil:
		return Options{}, fmt.Errorf("its query cannot be read")
	case u.Scheme != "s3" || u.Host == "" || u.Port() != "" || u.Fragment != "":
		return Options{}, fmt.Errorf("it is not an address such as s3://bucket?region=eu-1")
	}
	o := Options{Bucket: u.Host, Secure: true, PathStyle: query.Get("endpoint") != ""}
	if prefix := strings.Trim(u.Path, "/"); prefix != "" {
		o.Prefix = prefix + "/"
	}
	for name, values := range query {
		set, known := keys[name]
		if !known {
			return Options{}, fmt.Errorf("it has the unknown key %q; there are %s", name, strings.Join(keyNames(), ", "))
		}
		if err := set(&o, values[len(values)-1]); err != nil {
			return Options{}, fmt.Errorf("its %s %w", name, err)
		}
	}
	return o, nil
}

// keys are what can be in the query of an address.
var keys = map[string]func(*Options, string) error{
	"endpoint":   setEndpoint,
	"region":     func(o *Options, v string) error { o.Region = v; return nil },
	"path-style": func(o *Options, v string) error { return setSwitch(&o.PathStyle, v) },
	"redirect":   func(o *Options, v string) error { return setSwitch(&o.Redirect, v) },
	"redirect-life": func(o *Options, v string) (err error) {
		const longest = 7 * 24 * time.Hour // of what can be signed
		if o.LinkLife, err = time.ParseDuration(v); err != nil || o.LinkLife < time.Second || o.LinkLife > longest {
			return fmt.Errorf("is not a length of time from 1s to 168h")
		}
		return nil
	},
	"part-size": setPartSize,
}

func keyNames() (names []string) {
	for name := range keys {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

func setEndpoint(o *Options, text string) error {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(text)
	switch {
	case err == nil && u.User != nil:
		return fmt.Errorf("has a user name or password in it")
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("is not a host, or a URL of one without a path")
	}
	o.Endpoint, o.Secure = u.Host, u.Scheme == "https"
	return nil
}

func setSwitch(to *bool, text string) (err error) {
	if *to, err = strconv.ParseBool(text); err != nil {
		return fmt.Errorf("is neither true nor false")
	}
	return nil
}

func setPartSize(o *Options, text string) error {
	digits, unit := text, 1
	for suffix, size := range map[string]int{"MiB": 1 << 20, "GiB": 1 << 30} {
		if rest, ok := strings.CutSuffix(text, suffix); ok {
			digits, unit = rest, size
		}
	}
	n, err := strconv.ParseUint(digits, 10, 31)
	if err != nil || int64(n)*int64(unit) < minPart || int64(n)*int64(unit) > maxPart {
		return fmt.Errorf("is not a size from 5MiB to 1GiB")
	}
	o.PartSize = int(n) * unit
	return nil
}
