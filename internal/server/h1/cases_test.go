package h1

import (
	"fmt"
	"strings"
)

// testCase is what a client sends. fast says that the listener itself must serve
// the first request of it; the request that talk appends is not counted, because
// every connection whose requests are plain goes on to it, so a case that is not
// fast must leave the connection to net/http before its first answer.
type testCase struct {
	name string
	raw  string
	fast bool
}

const host = "Host: example.org\r\n"

func cases() []testCase {
	var all []testCase
	add := func(fast bool, name, raw string) { all = append(all, testCase{name, raw, fast}) }
	get := func(fast bool, name, target string) {
		add(fast, "target "+name, "GET "+target+" HTTP/1.1\r\n"+host+"\r\n")
	}
	field := func(fast bool, name, line string) {
		add(fast, "field "+name, "GET /f HTTP/1.1\r\n"+host+line+"\r\n\r\n")
	}
	shape := func(path string) {
		add(true, "answer "+path, "GET "+path+" HTTP/1.1\r\n"+host+"\r\n")
		add(true, "head "+path, "HEAD "+path+" HTTP/1.1\r\n"+host+"\r\n")
	}

	// Targets.
	for _, target := range []string{
		"/", "/a/b.c-d_e~f", "//", "//host/path", "///", "/a//b", "/./a", "/../a", "/a/..", "/a;b=c,d", "/@scope/name",
		"/a+b", "/a=b&c", "/$", "/a:b", "/?", "/??", "/?a=b", "/?a=b?c", "/a?b/c", "/a??", "/?a%zz", "/?%", "/?a;b",
		"/a%2Fb", "/a%2fb", "/%41", "/%00", "/%0d%0a", "/%25", "/%2e%2e/x", "/a%20b", "/%E2%82%AC", "/%ff", "/a%3Fb?c", "/a%23b",
		"/a!b", "/a'b", "/(a)", "/a*b", "/[a]", "/{a}", "/a|b", "/a\\b", "/a^b", "/a`b", "/a\"b", "/<a>", "/?\"<>\\^`{|}",
		"/" + strings.Repeat("a", 3000), "/" + strings.Repeat("%41", 500), "/http://x/", "/a://b",
	} {
		get(true, short(target), target)
	}
	for _, target := range []string{
		"*", "http://example.org/x", "https://example.org", "example.org:80", "a", "?a", "/a#b", "/#", "/?a#b", "/%", "/%z", "/%zz", "/a%4",
		"/a b", "/a\tb", "/\x7f", "/\x01", "/\x80", "/é", "/a\rb", "", "mailto:x", "/" + strings.Repeat("a", 9000),
	} {
		get(false, short(target), target)
	}

	// Request lines.
	for _, line := range []string{
		"POST / HTTP/1.1", "PUT / HTTP/1.1", "DELETE / HTTP/1.1", "OPTIONS / HTTP/1.1", "OPTIONS * HTTP/1.1", "PATCH / HTTP/1.1",
		"CONNECT a:80 HTTP/1.1", "TRACE / HTTP/1.1", "get / HTTP/1.1", "GETT / HTTP/1.1", "GE / HTTP/1.1", "head / HTTP/1.1", "PRI * HTTP/2.0",
		"GET / HTTP/1.0", "GET / HTTP/1.2", "GET / HTTP/2.0", "GET / HTTP/0.9", "GET / HTTP/1.1 ", "GET / http/1.1", "GET /", "GET",
		"GET  / HTTP/1.1", "GET /  HTTP/1.1", " GET / HTTP/1.1", "GET\t/ HTTP/1.1", "GET / HTTP/1.10", "GET / HTTP/11", "GET / HTTP/1.1\r",
		"GET / HTTP/1.1\x00", "\x00GET / HTTP/1.1", "GET / HTTP/+1.1", "\r\nGET / HTTP/1.1", "\nGET / HTTP/1.1", "GET / / HTTP/1.1", "GET HTTP/1.1",
		"", "\x16\x03\x01\x02\x00", "G E T / HTTP/1.1", "GET,/ HTTP/1.1",
	} {
		add(false, "line "+short(line), line+"\r\n"+host+"\r\n")
	}

	// Host.
	for i, value := range []string{"a", "a:80", "127.0.0.1:8080", "[::1]:80", "A.Example", "a..b", "-", "_x"} {
		add(true, fmt.Sprint("host ok ", i), "GET / HTTP/1.1\r\nHost: "+value+"\r\n\r\n")
	}
	for i, lines := range []string{
		"", "Host:\r\n", "Host: \r\n", "Host: a\r\nHost: a\r\n", "Host: a\r\nhost: b\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: a@b\r\n",
		"Host: a,b\r\n", "Host: a%41\r\n", "Host : a\r\n", " Host: a\r\n", "Host\r\n", "Host: a\x00\r\n", "Host: é\r\n", "Host: a\\b\r\n", "Host: a?b\r\n",
	} {
		add(false, fmt.Sprint("host odd ", i), "GET / HTTP/1.1\r\n"+lines+"\r\n")
	}

	// Fields that are plain.
	for _, line := range []string{
		"Accept: */*", "accept-ENCODING: gzip", "X:", "X: ", "X:   a  ", "X:\ta\t", "X:a", "X: a:b", "!#$%&'*+-.^_`|~9: tchar", "x--y: 1", "-: 1",
		"X: 1\r\nX: 2\r\nx: 3", "Pragma: no-cache", "Pragma: no-cache\r\nCache-Control: max-age=1", "Pragma: other", "Connection: keep-alive",
		"connection: KEEP-alive", "Connection: close", "CONNECTION: Close", "Authorization: Basic eDp5", "Private-Token: abc", "Cookie: a=b; c=d",
		"Range: bytes=0-1", "Content-Type: text/plain", "Content-Encoding: gzip", "Keep-Alive: timeout=5", "Content_Length: 5", "Content-Length-X: 5",
		"X-Forwarded-For: 1.2.3.4", "Via: 1.1 x", "Max-Forwards: 0", "Accept: a\r\nAccept: b", "X: " + strings.Repeat("v", 4000), "X: \"quoted\"", "X: a\t",
	} {
		field(true, short(line), line)
	}
	add(true, "field 63 more", "GET / HTTP/1.1\r\n"+host+strings.Repeat("A: b\r\n", 63)+"\r\n")

	// Fields that are not.
	for _, line := range []string{
		"Content-Length: 0", "content-length: 5", "Content-Length: 5\r\nContent-Length: 5", "Content-Length: 5\r\nContent-Length: 6", "Content-Length: -1",
		"Content-Length: +5", "Content-Length: 5, 5", "Content-Length: 0x5", "Content-Length:", "Content-Length: 99999999999999999999", "Content-Length : 5",
		"Content-Length\t: 5", "Content-Length: 5\x00", " Content-Length: 5", "Transfer-Encoding: chunked", "Transfer-Encoding: Chunked", "transfer-encoding: identity",
		"Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
		"Transfer-Encoding: \x0bchunked", "Transfer-Encoding : chunked", "Transfer-Encoding:\tchunked", "Transfer-Encoding: xchunked", "Transfer-Encoding",
		"X: y\r\n Transfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked", "Transfer\u2010Encoding: chunked",
		"Content-Length: 5\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 5", "Transfer-Encoding: chunked\r\nContent-Length: 0",
		"TE: trailers", "te: x", "Trailer: X", "Expect: 100-continue", "Expect: other", "Upgrade: websocket", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings\r\nHTTP2-Settings: AAA",
		"HTTP2-Settings: AAA", "Proxy-Connection: keep-alive", "Connection: upgrade", "Connection: close, keep-alive", "Connection: keep-alive, X", "Connection:",
		"Connection: close\r\nConnection: close", "Connection: keep-alive\r\nConnection: close", "Connection: x", "X Y: 1", "X: a\tb", "X: \x00", "X: a\x01b", "X: \x7f",
		"X: é", "X\xe9: 1", ": 1", "X", "X y", "(x): 1", "X@: 1", "X: a\rb", "X: a\r\n\tb", "X: a\r\n b", " X: 1", "\tX: 1", "X: a\nY: b", "X: a\r\r", "X: a\r",
		"X: " + strings.Repeat("v", 9000), strings.Repeat("n", 9000) + ": x", strings.TrimSuffix(strings.Repeat("A: b\r\n", 64), "\r\n"),
	} {
		field(false, short(line), line)
	}
	for _, body := range []string{
		"Content-Length: 5\r\n\r\nhello", "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "Content-Length: 44\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: example.org\r\n\r\n",
		"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n1c\r\nGET /s HTTP/1.1\r\nHost: a\r\n\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n0\n\nGET /s HTTP/1.1\r\nHost: a\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n5;x=y\r\nhello\r\n0\r\nT: 1\r\n\r\n", "Expect: 100-continue\r\nContent-Length: 2\r\n\r\nok",
	} {
		add(false, "body "+short(body), "GET /b HTTP/1.1\r\n"+host+body)
		add(false, "post "+short(body), "POST /b HTTP/1.1\r\n"+host+body)
	}

	// Line ends.
	add(false, "bare LF", "GET / HTTP/1.1\nHost: a\n\n")
	add(false, "bare LF in head", "GET / HTTP/1.1\r\nHost: a\nX: 1\r\n\r\n")
	add(false, "bare LF at end", "GET / HTTP/1.1\r\nHost: a\r\n\n")
	add(false, "bare CR", "GET / HTTP/1.1\rHost: a\r\r")
	add(false, "CR CR LF", "GET / HTTP/1.1\r\r\nHost: a\r\n\r\n")
	add(false, "LF CR", "GET / HTTP/1.1\n\rHost: a\n\r\n\r")
	add(false, "blank lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n")

	// Several requests.
	one := "GET /1 HTTP/1.1\r\n" + host + "\r\n"
	for i, rest := range []string{
		one, strings.Repeat(one, 40), "HEAD /2 HTTP/1.1\r\n" + host + "\r\n", "\r\n" + one, "\n", "x", "junk\r\n\r\n", "PUT /2 HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\nhi" + one,
		"GET /2 HTTP/1.1\r\n" + host + "Content-Length: 2\r\n\r\nhi", "GET /2 HTTP/1.0\r\n\r\n", "GET /2 HTTP/1.1\r\n\r\n", "GET /2 HTTP/1.1\nHost: a\n\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
		"GET /2 HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n" + one, "GET /%zz HTTP/1.1\r\n" + host + "\r\n", "GET /2 HTTP/1.1\r\n" + host + strings.Repeat("X: "+strings.Repeat("y", 900)+"\r\n", 12) + "\r\n",
	} {
		add(true, fmt.Sprint("then ", i), one+rest)
	}
	add(false, "put then get", "PUT /1 HTTP/1.1\r\n"+host+"Content-Length: 2\r\n\r\nhi"+one)

	for path := range shapes {
		shape(path)
	}
	return all
}

func short(s string) string {
	if len(s) > 24 {
		return fmt.Sprintf("%q… %d", s[:24], len(s))
	}
	return fmt.Sprintf("%q", s)
}
