package main

import (
	"fmt"
	"io"
	"net"
	"net/url"

	"packhouse/internal/house"
)

// welcome tells whoever started the server where it is and, on the first start,
// how to use it.
func welcome(out io.Writer, address string, root *house.Administrator) {
	fmt.Fprintf(out, "\nPackhouse is ready at %s\n", address)
	if root.Token == "" {
		fmt.Fprintf(out, "The administrator's token was shown at the first start; it is kept in %s\n\n", root.File)
		return
	}
	api := address + "/api/v4/projects"
	file := api + "/root%2Fhello/packages/generic/greeting/1.0.0/hello.txt"
	fmt.Fprintf(out, `
The administrator is "root". This token is shown once, and kept in %s:

  %s

Paste these lines to make a project, publish a file and fetch it:

  curl --fail --header "PRIVATE-TOKEN: %[2]s" %[3]s -d name=hello
  echo hello | curl --fail --header "PRIVATE-TOKEN: %[2]s" --upload-file - %[4]s
  curl --fail --header "PRIVATE-TOKEN: %[2]s" %[4]s

`, root.File, root.Token, api, file)
}

// addressOf is the address to show: the public one if there is one, else the one
// listened on, as somebody on this machine reaches it.
func addressOf(external *url.URL, listening net.Addr, tls bool) string {
	if external != nil {
		return external.String()
	}
	scheme := "http"
	if tls {
		scheme = "https"
	}
	host, port, err := net.SplitHostPort(listening.String())
	if err != nil {
		return scheme + "://" + listening.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + "://" + net.JoinHostPort(host, port)
}
