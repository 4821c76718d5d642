package generic_test

import (
	"strings"
)

// hostileParts are written into every place of a path. No place accepts any of
// them.
var hostileParts = []string{
	// climbing, in every encoding
	"..", ".", "%2e%2e", "%2E%2e", ".%2e", "%2e", "%2e%2e%2f", "..%2f..%2f", "a%2f..%2fb", "..%2fetc%2fpasswd", "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
	"..%5c", "..%5c..%5cwindows", "%5c..%5c", `\..\`, `a\b`, "a%5cb", "..%c0%af", "%c0%ae%c0%ae", "%c0%ae%c0%ae%c0%af", "%e0%80%ae%e0%80%ae",
	"%f0%80%80%ae", "%252e%252e", "%252e%252e%252f", "%25252e", "..%252f", "%uff0e%uff0e", "%ef%bc%8e%ef%bc%8e", "%e2%80%a4%e2%80%a4",
	"%ef%bc%8f", "%e2%88%95", "%e2%81%84", "..;", "..;a=b", "%2e%2e;%2f", "..%00", "%00..", "..%0a", ".%00.", "%2e%00%2e",
	// what is no text, or ends it
	"%00", "a%00b", "a%00.txt", "%0d%0aX-Evil:%20y", "a%0d%0ab", "%0a", "%0d", "%09", "%0b", "%1b%5b31m", "%7f", "%80", "%ff%fe", "%c3", "%ed%a0%80",
	"%e2%80%ae", "%ef%bb%bfa", "%e2%80%8b", "%c2%a0", "\x01", "\x7f", "a\tb", "\x80", "\xc3\xa9", "\xff",
	// what means something to somebody
	"a%20b", "%20", "a%20", "%20a", "a%2fb%20c", "a%3fb", "a%23b", "a#b", "a&b", "a%26b", "a;b=c", "a%3bb", "a:b", "C:", "C:%5cx", "%5c%5chost%5cshare",
	"a*b", "a%7cb", "a%22b", `a"b`, "%3cscript%3e", "<b>", "a'b", "a%27%20OR%201=1--", "$(id)", "`id`", "%24%7bx%7d", "${x}", "{a}", "%7ba%7d", "[a]",
	"a!b", "a,b", "a=b", "a^b", "(a)", "a%b", "%", "%%%", "%2", "%zz", "%g0", "%2x", "%-1",
	// where a part has to begin and end
	"~a", "a~", "@a", "a@", "~", "@", "~root", "", "a%2f", "%2fa", "a%2f%2fb", "%2f", "%2f%2f", "//",
	// too long
	strings.Repeat("a", 256), strings.Repeat("a", 4096), strings.Repeat("%61", 1500), strings.Repeat("%2e%2e%2f", 500), strings.Repeat("../", 1000),
	strings.Repeat("a%2f", 1000) + "a", strings.Repeat("a", 9000),
}

// hostilePlaces are targets with a place for a part; {p} stands for a project
// that exists.
var hostilePlaces = []struct{ name, target string }{
	{"name", "/api/v4/projects/{p}/packages/generic/*/1.0/f"},
	{"version", "/api/v4/projects/{p}/packages/generic/n/*/f"},
	{"file", "/api/v4/projects/{p}/packages/generic/n/1.0/*"},
	{"directory", "/api/v4/projects/{p}/packages/generic/n/1.0/*/f"},
	{"project", "/api/v4/projects/*/packages/generic/n/1.0/f"},
	{"project path", "/api/v4/projects/acme%2F*/packages/generic/n/1.0/f"},
	{"group", "/api/v4/groups/*/-/packages/generic/n/1.0/f"},
	{"file in a group", "/api/v4/groups/acme/-/packages/generic/n/1.0/*"},
	{"mount", "/api/v4/projects/{p}/*/generic/n/1.0/f"},
	{"format", "/api/v4/projects/{p}/packages/*/n/1.0/f"},
	{"start", "/*/api/v4/projects/{p}/packages/generic/n/1.0/f"},
}

// namePlaces are the first of them: where the format's own names stand, the
// refusal is a 400.
const namePlaces = 4

// hostileLines are request lines; * stands for the path of a file.
var hostileLines = []string{
	"POST * HTTP/1.1", "PATCH * HTTP/1.1", "DELETE * HTTP/1.1", "OPTIONS * HTTP/1.1", "TRACE * HTTP/1.1", "CONNECT * HTTP/1.1", "PROPFIND * HTTP/1.1",
	"MOVE * HTTP/1.1", "put * HTTP/1.1", "Put * HTTP/1.1", "PUTT * HTTP/1.1", "P * HTTP/1.1", "PUT\x00 * HTTP/1.1", "P\xc3\x9cT * HTTP/1.1", "(PUT) * HTTP/1.1",
	" PUT * HTTP/1.1", "PUT  * HTTP/1.1", "PUT\t* HTTP/1.1", "PUT * HTTP/1.1 x", "PUT *", "PUT", "", "PUT * HTTP/3.0", "PUT * HTTP/0.9", "PUT * http/1.1",
	"PUT * HTTP/1.1\x00", "PUT * HTTP/+1.1", "PUT * HTTP/1.10", "PUT * HTTP/11", "\x16\x03\x01\x02\x00\x01", "\x00\x00\x00", "SSH-2.0-x",
	"CONNECT evil.example:443 HTTP/1.1", "CONNECT 127.0.0.1:22 HTTP/1.1", "CONNECT / HTTP/1.1", "TRACE / HTTP/1.1", "OPTIONS / HTTP/1.1",
	"PUT http://evil.example/ HTTP/1.1", "PUT http://evil.example/../.. HTTP/1.1", "PUT http://evil.example/a%2f..%2fb HTTP/1.1", "PUT file:///etc/passwd HTTP/1.1",
	"PUT ftp://evil.example/x HTTP/1.1", "PUT //evil.example* HTTP/1.1", "PUT javascript:alert(1) HTTP/1.1", "PUT http://[::1* HTTP/1.1", "PUT mailto:a@b HTTP/1.1",
	"PUT evil.example:80 HTTP/1.1", "PUT a HTTP/1.1", "PUT ? HTTP/1.1", "PUT /? HTTP/1.1", "PUT #* HTTP/1.1", "PUT %2f HTTP/1.1", "PUT /%2f* HTTP/1.1", "PUT /.* HTTP/1.1",
	"PUT *? * HTTP/1.1", "PUT *?status=processing HTTP/1.1", "PUT *?status=%00 HTTP/1.1", "PUT *?status=default%0d%0a HTTP/1.1", "PUT *?status[]=default&select=x HTTP/1.1",
	"PUT *?select=../../x HTTP/1.1", "PUT *?%zz HTTP/1.1", "PUT *?a;b HTTP/1.1", "PUT *?status=default;select=package_file HTTP/1.1", "PUT *?a=%c HTTP/1.1",
}

// hostileHeads are header fields and what follows them, of a PUT to a good path.
var hostileHeads = []string{
	"Content-Length: -1\r\n\r\nx", "Content-Length: abc\r\n\r\nx", "Content-Length: +1\r\n\r\nx", "Content-Length: 0x1\r\n\r\nx", "Content-Length: 1 1\r\n\r\nx",
	"Content-Length: 1, 2\r\n\r\nx", "Content-Length: 1\r\nContent-Length: 2\r\n\r\nxx", "Content-Length: 99999999999999999999\r\n\r\nx", "Content-Length: 1e1\r\n\r\nx",
	"Content-Length: \r\nTransfer-Encoding: gzip\r\n\r\nx", "Transfer-Encoding: gzip\r\n\r\nx", "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
	"Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n", "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
	"Transfer-Encoding: chunked\r\n\r\n-1\r\nx\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1g\r\nx\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nx",
	"Transfer-Encoding: chunked\r\n\r\n0x1\r\nx\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1\r\nxy\r\n0\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1;" + strings.Repeat("a", 9000) + "\r\nx\r\n0\r\n\r\n",
	"Transfer-Encoding: chunked\r\n\r\n\r\nx\r\n0\r\n\r\n",
	"Expect: something\r\nContent-Length: 1\r\n\r\nx", "Host: evil.example\r\nContent-Length: 1\r\n\r\nx", "Bad Name: x\r\nContent-Length: 1\r\n\r\nx",
	"Bad\x00: x\r\nContent-Length: 1\r\n\r\nx", "X: a\x00b\r\nContent-Length: 1\r\n\r\nx", "X: a\rb\r\nContent-Length: 1\r\n\r\nx", ": x\r\nContent-Length: 1\r\n\r\nx",
	"no colon\r\nContent-Length: 1\r\n\r\nx", "X\xc3\xa9: x\r\nContent-Length: 1\r\n\r\nx", "X: " + strings.Repeat("a", 80<<10) + "\r\nContent-Length: 1\r\n\r\nx",
	strings.Repeat("X: y\r\n", 20_000) + "Content-Length: 1\r\n\r\nx", strings.Repeat("a", 80<<10) + ": x\r\nContent-Length: 1\r\n\r\nx",
	"Content-Type: multipart/form-data\r\nContent-Length: 1\r\n\r\nx", "X-Checksum-Sha256: " + strings.Repeat("g", 64) + "\r\nContent-Length: 1\r\n\r\nx",
	"X-Checksum-Md5: %s%n\r\nContent-Length: 1\r\n\r\nx", "X-Checksum-Sha1: ../../x\r\nContent-Length: 1\r\n\r\nx", "X-Checksum-Sha512: \xff\r\nContent-Length: 1\r\n\r\nx",
	"X-Checksum-Sha256: " + strings.Repeat("0", 60<<10) + "\r\nContent-Length: 1\r\n\r\nx", "\r\n",
}
