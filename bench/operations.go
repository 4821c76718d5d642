//go:build linux

package main

import (
	"fmt"
	"slices"

	"packhouse/bench/report"
)

// operation is one line of the report: the same thing done by a subject and by
// a reference, and what the subject must reach. make gives the sampler of either.
type operation struct {
	name      string
	subject   string
	reference string
	make      making
	bounds    []report.Bound
}

// operations lists what is measured of Packhouse. CPU and memory are gates on
// any machine; rates and latencies only on a quiet one.
func (o *options) operations() []operation {
	return slices.Concat(o.genericOperations(), npmOperations(), pypiOperations(), nugetOperations(), mavenOperations(), containerOperations())
}

func (o *options) genericOperations() []operation {
	get := []report.Bound{
		{Metric: report.CPURequest, Relative: true, Limit: 2.0},
		{Metric: report.Requests, Relative: true, AtLeast: true, Limit: 0.6, Quiet: true},
	}
	atLeast := func(metric report.Metric, limit float64) report.Bound {
		return report.Bound{Metric: metric, Relative: true, AtLeast: true, Limit: limit, Quiet: true}
	}
	return []operation{
		{"GET 4 KiB, c16", "P", "N", getSmall(16), get},
		{"GET 4 KiB, c64", "P", "N", getSmall(64), get},
		{"GET " + o.largeName(), "P", "N", getLarge, []report.Bound{
			atLeast(report.Throughput, 0.95),
			{Metric: report.CPUVolume, Relative: true, Limit: 1.1},
		}},
		{"PUT " + o.largeName(), "P", "S", putLarge, []report.Bound{
			atLeast(report.Throughput, 0.8),
			{Metric: report.Growth, Limit: 8},
		}},
		{"publish 4 KiB, c1", "P", "F", publish(1, false), []report.Bound{atLeast(report.Requests, 0.5)}},
		{"publish 4 KiB, c32", "P", "F", publish(32, false), []report.Bound{
			atLeast(report.Requests, 0.8),
			{Metric: report.P99, Limit: 50, Quiet: true},
		}},
		{"publish 4 KiB, c32, one version", "P", "F", publish(32, true), nil},
		{"idle memory", "P", "H", idle, []report.Bound{{Metric: report.Resident, Limit: 24}}},
		{"start to first 200", "P", "H", starting, []report.Bound{{Metric: report.Elapsed, Limit: 50, Quiet: true}}},
		{o.holdName(), "P", "H", holding, []report.Bound{{Metric: report.Connection, Limit: 16}}},
	}
}

// calibration lists the references against each other. Their ratios differ
// little between machines, so they show whether a run can be trusted.
func (o *options) calibration() []operation {
	return []operation{
		{"GET 4 KiB, c16", "R", "N", getSmall(16), nil},
		{"GET 4 KiB, c16", "H", "N", getSmall(16), nil},
		{"GET 4 KiB, c64", "H", "N", getSmall(64), nil},
		{"GET " + o.largeName(), "H", "N", getLarge, nil},
		{"PUT " + o.largeName(), "N", "S", putLarge, nil},
		{"PUT 4 KiB, c1, N without fsync", "N", "F", publish(1, false), nil},
		{"PUT 4 KiB, c32, N without fsync", "N", "F", publish(32, false), nil},
		{"idle memory", "H", "N", idle, nil},
		{"start to first 200", "H", "N", starting, nil},
		{o.holdName(), "R", "N", holding, nil},
		{o.holdName(), "H", "N", holding, nil},
	}
}

func (o *options) largeName() string {
	if o.large%(1<<30) == 0 {
		return fmt.Sprintf("%d GiB", o.large>>30)
	}
	return fmt.Sprintf("%d MiB", o.large>>20)
}

func (o *options) holdName() string { return fmt.Sprintf("%d idle connections", o.connections) }
