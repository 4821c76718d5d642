package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
)

func TestPercentile(t *testing.T) {
	hundred := make([]int64, 100)
	for i := range hundred {
		hundred[i] = int64(i + 1)
	}
	for _, c := range []struct {
		sorted []int64
		p      float64
		want   float64
	}{
		{hundred, 50, 50},
		{hundred, 99, 99},
		{hundred, 100, 100},
		{hundred, 0, 1},
		{[]int64{7}, 99, 7},
		{[]int64{1, 2, 3}, 50, 2},
		{[]int64{1, 2, 3, 4}, 50, 2},
	} {
		if got := Percentile(c.sorted, c.p); got != c.want {
			t.Errorf("Percentile of %d values, %v = %v, want %v", len(c.sorted), c.p, got, c.want)
		}
	}
	if got := Percentile([]float64(nil), 50); !math.IsNaN(got) {
		t.Errorf("Percentile of nothing = %v, want NaN", got)
	}
}

func TestMedian(t *testing.T) {
	values := []float64{9, 1, 5}
	if got := Median(values); got != 5 || values[0] != 9 {
		t.Errorf("Median = %v and left %v, want 5 and the order unchanged", got, values)
	}
	if got := Median([]float64{4, 1, 2, 3}); got != 2.5 {
		t.Errorf("Median of four = %v, want 2.5", got)
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("Median of nothing = %v, want NaN", got)
	}
}

// Every round of slowing has a ratio of 2 or 3; the medians of the two sides
// would give 4.
func slowing() *Row {
	return &Row{Operation: "GET", Subject: "P", Reference: "N", Rounds: []Round{
		{Ours: Sample{CPURequest: 20, Requests: 10}, Reference: Sample{CPURequest: 10, Requests: 20}},
		{Ours: Sample{CPURequest: 40, Requests: 20}, Reference: Sample{CPURequest: 20, Requests: 40}},
		{Ours: Sample{CPURequest: 15, Requests: 30}, Reference: Sample{CPURequest: 5, Requests: 10}},
		{Ours: Sample{CPURequest: 60, Requests: 30}, Reference: Sample{CPURequest: 30, Requests: 60}},
		{Ours: Sample{CPURequest: 40, Requests: 30}, Reference: Sample{CPURequest: 4, Requests: 60}},
	}}
}

func TestRatioIsTakenWithinRounds(t *testing.T) {
	r := slowing()
	if got := r.Ratio(CPURequest); got != 2 {
		t.Errorf("Ratio = %v, want 2", got)
	}
	if ours, theirs := r.Ours(CPURequest), r.Theirs(CPURequest); ours != 40 || theirs != 10 {
		t.Errorf("medians = %v and %v, want 40 and 10", ours, theirs)
	}
	if got := r.Ratio(P99); !math.IsNaN(got) {
		t.Errorf("Ratio of what was not measured = %v, want NaN", got)
	}
}

func TestVerdict(t *testing.T) {
	for _, c := range []struct {
		name  string
		bound Bound
		quiet bool
		want  Verdict
	}{
		{"ratio at the limit", Bound{Metric: CPURequest, Relative: true, Limit: 2}, true, Pass},
		{"ratio above", Bound{Metric: CPURequest, Relative: true, Limit: 1.9}, false, Fail},
		{"rate below", Bound{Metric: Requests, Relative: true, AtLeast: true, Limit: 0.6, Quiet: true}, true, Fail},
		{"rate below, busy", Bound{Metric: Requests, Relative: true, AtLeast: true, Limit: 0.6, Quiet: true}, false, Busy},
		{"rate at the limit, busy", Bound{Metric: Requests, Relative: true, AtLeast: true, Limit: 0.5, Quiet: true}, false, Pass},
		{"absolute", Bound{Metric: CPURequest, Limit: 40}, true, Pass},
		{"absolute above", Bound{Metric: CPURequest, Limit: 39}, true, Fail},
		{"not measured", Bound{Metric: P99, Limit: 50, Quiet: true}, false, Fail},
	} {
		r := slowing()
		r.Bounds = []Bound{c.bound}
		if got := r.Verdict(c.quiet); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestVerdictIsTheWorst(t *testing.T) {
	r := slowing()
	if got := r.Verdict(true); got != None {
		t.Errorf("row without bounds: %v, want %v", got, None)
	}
	r.Bounds = []Bound{{Metric: CPURequest, Limit: 1}, {Metric: CPURequest, Limit: 100}}
	if got := r.Verdict(true); got != Fail {
		t.Errorf("one of two bounds missed: %v, want %v", got, Fail)
	}
	r.Err = errors.New("503")
	if got := r.Verdict(true); got != Broken {
		t.Errorf("row with an error: %v, want %v", got, Broken)
	}
}

func TestTable(t *testing.T) {
	broken := &Row{Operation: "PUT", Subject: "P", Reference: "F", Err: errors.New("answer 503")}
	r := slowing()
	r.Bounds = []Bound{{Metric: CPURequest, Relative: true, Limit: 2}, {Metric: P99, Limit: 50}}
	var b strings.Builder
	if err := WriteTable(&b, []*Row{r, broken}, true); err != nil {
		t.Fatal(err)
	}
	want := strings.Join([]string{
		"| operation | ours                        | reference                   | cpu  | rate | must                          |       |",
		"| --------- | --------------------------- | --------------------------- | ---- | ---- | ----------------------------- | ----- |",
		"| GET       | P 30.0 req/s, 40.0 us/req   | N 40.0 req/s, 10.0 us/req   | 2.00 | 0.50 | us/req <= 2 N, ms p99 <= 50   | FAIL  |",
		"| PUT       | P                           | F                           |      |      |                               | ERROR |",
		"", "PUT: answer 503", "",
	}, "\n")
	squeeze := func(s string) string { return strings.Join(strings.Fields(strings.ReplaceAll(s, "-", "")), " ") }
	if squeeze(b.String()) != squeeze(want) {
		t.Errorf("table is\n%swant\n%s", b.String(), want)
	}
	lines := strings.Split(b.String(), "\n")
	for _, line := range lines[:4] {
		if len(line) != len(lines[0]) {
			t.Errorf("line %q is not as long as the first", line)
		}
	}
}

func TestNumber(t *testing.T) {
	for v, want := range map[float64]string{
		0: "0.00", 0.123: "0.12", 9.6: "9.60", 26.61: "26.6", 533.4: "533", 999.7: "1000", 1234: "1,234", 142700.4: "142,700", 1000007: "1,000,007", -2.5: "-2.50",
	} {
		if got := number(v); got != want {
			t.Errorf("number(%v) = %q, want %q", v, got, want)
		}
	}
}

func TestJSON(t *testing.T) {
	r := slowing()
	r.Bounds = []Bound{{Metric: CPURequest, Relative: true, Limit: 1}}
	run := &Run{Quiet: true, Rows: []*Row{r}, Machine: map[string]string{"cores": "2"}}
	var b bytes.Buffer
	if err := run.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Quiet bool
		Rows  []struct {
			Operation, Verdict string
			Ratios             map[string]float64
			Rounds             []struct{ Ours map[string]float64 }
		}
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v in %s", err, b.String())
	}
	if !got.Quiet || len(got.Rows) != 1 || got.Rows[0].Verdict != "FAIL" || got.Rows[0].Ratios["us/req"] != 2 || got.Rows[0].Rounds[0].Ours["us/req"] != 20 {
		t.Errorf("JSON holds %+v", got)
	}
	if !run.Failed() {
		t.Error("a run with a failed row has not failed")
	}
}
