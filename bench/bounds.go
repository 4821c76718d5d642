//go:build linux

package main

import "packhouse/bench/report"

// cpu bounds the CPU of a request by that of the reference.
func cpu(limit float64) []report.Bound {
	return []report.Bound{{Metric: report.CPURequest, Relative: true, Limit: limit}}
}

// times asks for so many times the requests of a peer.
func times(n float64) []report.Bound {
	return []report.Bound{{Metric: report.Requests, Relative: true, AtLeast: true, Limit: n, Quiet: true}}
}

// publishes bounds what a durable publish costs, in microseconds of CPU, and asks
// for a share of the rate of the reference.
func publishes(microseconds, least float64) []report.Bound {
	return append(share(least), report.Bound{Metric: report.CPURequest, Limit: microseconds})
}

// share asks for a share of the rate of the reference.
func share(least float64) []report.Bound {
	return []report.Bound{{Metric: report.Requests, Relative: true, AtLeast: true, Limit: least, Quiet: true}}
}

// soon bounds how long all but the slowest hundredth of the answers take, in
// milliseconds.
var soon = []report.Bound{{Metric: report.P99, Limit: 20, Quiet: true}}

// zipped asks for a compressed answer, as clients do.
var zipped = map[string]string{"Accept-Encoding": "gzip"}
