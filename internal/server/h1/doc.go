// Package h1 is a lean HTTP/1.1 transport for the simplest requests, put in
// front of net/http.
//
// A hot download of a few KiB costs net/http more CPU than the registry needs
// to answer it: two writes, a goroutine that watches the connection, and a dozen
// allocations. Most requests of package clients are plain GETs that need none of
// that. A [Listener] reads each connection itself, answers plain requests with
// the same http.Handler in one read and one write, and passes everything else on
// to net/http.
//
// # Why this opens no door to request smuggling
//
// Smuggling needs two parsers that disagree where a request ends. The parser here
// cannot disagree, because it understands only what has one meaning:
//
//   - GET or HEAD, an origin-form target of printable ASCII, exactly HTTP/1.1;
//   - every line ends in CRLF, no line is folded, no other CR or LF occurs;
//   - names are RFC 9110 tokens and values are printable ASCII;
//   - exactly one Host header, of host name characters;
//   - none of Content-Length, Transfer-Encoding, TE, Trailer, Expect, Upgrade,
//     HTTP2-Settings, Proxy-Connection, and no Connection but keep-alive or close.
//
// Such a request has no body in any reading of RFC 9112 and ends at the first
// CRLF CRLF. On the first request that is anything else, the connection goes to
// net/http for the rest of its life, with every unread byte in front and unchanged.
// This package never refuses a request: it answers no 400, 431 or 501, and so
// net/http stays the only judge of odd ones. A test compares both over real sockets,
// and a fuzz target does it for mutated heads.
//
// # What a handler must know
//
// The *http.Request, its Header and URL, and the http.ResponseWriter are reused for
// later requests: a handler keeps none of them after it returns. Strings taken
// from them may be kept, but one header value keeps the memory of the whole head
// alive (at most 8 KiB), so strings.Clone what is kept for long.
//
// The request's context ends when the handler returns and when the listener is
// shut down by force. It does not end when the client goes away; the next write
// reports that.
//
// Not supported for plain requests: trailers, Hijack, and a Transfer-Encoding chosen
// by the handler (it is ignored).
package h1
