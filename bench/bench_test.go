//go:build linux

package main

import (
	"slices"
	"testing"
	"time"

	"packhouse/bench/load"
	"packhouse/bench/report"
)

func TestParseOptions(t *testing.T) {
	o, err := parseOptions([]string{"-quick", "-only", "GET|idle", "-time", "2s"})
	if err != nil {
		t.Fatal(err)
	}
	if o.rounds != 1 || o.large != 256<<20 || o.time != 2*time.Second || !o.only.MatchString("GET 4 KiB, c16") || o.only.MatchString("publish") {
		t.Errorf("options are %+v", o)
	}
	for _, wrong := range [][]string{{"-rounds", "0"}, {"-large", "0"}, {"-only", "("}, {"extra"}, {"-connections", "0"}} {
		if _, err := parseOptions(wrong); err == nil {
			t.Errorf("parseOptions(%q) gives no error", wrong)
		}
	}
}

func TestOperationsAreToldApart(t *testing.T) {
	o, err := parseOptions(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, list := range [][]operation{o.operations(), o.calibration()} {
		var keys []string
		for _, op := range list {
			keys = append(keys, op.subject+op.reference+op.name)
			if names[op.subject] == "" || names[op.reference] == "" || op.subject == op.reference {
				t.Errorf("%s compares %q with %q", op.name, op.subject, op.reference)
			}
		}
		slices.Sort(keys)
		if got := len(slices.Compact(keys)); got != len(list) {
			t.Errorf("%d different operations among %d", got, len(list))
		}
	}
}

func TestSamples(t *testing.T) {
	small := requestSample(load.Result{Requests: 2000, Seconds: 2, ServerCPU: 0.04, ClientCPU: 0.02, OtherCPU: 1, P50: 3, P99: 7})
	for metric, want := range map[report.Metric]float64{
		report.Requests: 1000, report.CPURequest: 20, report.ClientCPU: 10, report.Others: 0.5, report.P50: 3, report.P99: 7,
	} {
		if small[metric] != want {
			t.Errorf("%s is %v, want %v", metric, small[metric], want)
		}
	}
	large := volumeSample(load.Result{Requests: 2, Bytes: 2 << 30, Seconds: 4, ServerCPU: 1})
	if large[report.Throughput] != float64(2<<30)/4/1e6 || large[report.CPUVolume] != 0.5 {
		t.Errorf("sample of a large file is %v", large)
	}
}

func TestSummarize(t *testing.T) {
	f := summarize("publish", []float64{3, 1, 2})
	if f.P50 != 2 || f.P99 != 3 || f.Operation != "publish" {
		t.Errorf("summarize = %+v", f)
	}
}
