package report

import (
	"fmt"
	"math"
)

// Metric is one thing measured, named by its unit.
type Metric string

// The metrics. The first two are rates, where more is better; of all others
// less is better.
const (
	Requests   Metric = "req/s"
	Throughput Metric = "MB/s"       // 10^6 bytes
	CPURequest Metric = "us/req"     // microseconds of server CPU for one request
	CPUVolume  Metric = "s/GiB"      // seconds of server CPU for one GiB
	P50        Metric = "ms p50"     // latency
	P99        Metric = "ms p99"     // latency
	Resident   Metric = "MiB"        // resident memory
	Growth     Metric = "MiB growth" // peak memory of the sample above the memory before it
	Connection Metric = "KiB/conn"   // memory growth divided by connections
	Elapsed    Metric = "ms"
	Others     Metric = "cores others" // what the rest of the machine did meanwhile
	ClientCPU  Metric = "us/req client"
)

// shown is the order in which the table lists metrics; others are left to the
// JSON file.
var shown = []Metric{Requests, Throughput, CPURequest, CPUVolume, P50, P99, Resident, Growth, Connection, Elapsed}

// Sample is what one timed run against one server gave.
type Sample map[Metric]float64

// Round is a sample of the subject and, next to it in time, one of the
// reference.
type Round struct {
	Ours      Sample `json:"ours"`
	Reference Sample `json:"reference"`
}

// Row is one operation, measured in rounds.
type Row struct {
	Operation string
	Subject   string // letter of the server measured: "P"
	Reference string // letter of the reference it is compared with: "N"
	Rounds    []Round
	Bounds    []Bound
	Err       error // why the operation could not be measured; nil otherwise
}

// Ours returns the median of a metric of the subject; NaN if it was not measured.
func (r *Row) Ours(m Metric) float64 {
	return r.median(func(x Round) (float64, bool) { v, ok := x.Ours[m]; return v, ok })
}

// Theirs returns the median of a metric of the reference; NaN if it was not measured.
func (r *Row) Theirs(m Metric) float64 {
	return r.median(func(x Round) (float64, bool) { v, ok := x.Reference[m]; return v, ok })
}

// Ratio returns the median over the rounds of subject divided by reference.
// Dividing within a round and not after cancels what the machine did in that
// round. It is NaN if either side was not measured.
func (r *Row) Ratio(m Metric) float64 {
	return r.median(func(x Round) (float64, bool) {
		ours, ok := x.Ours[m]
		theirs, both := x.Reference[m]
		return ours / theirs, ok && both && theirs != 0
	})
}

func (r *Row) median(value func(Round) (float64, bool)) float64 {
	var values []float64
	for _, round := range r.Rounds {
		if v, ok := value(round); ok {
			values = append(values, v)
		}
	}
	return Median(values)
}

// Bound is what a row must keep.
type Bound struct {
	Metric   Metric
	Relative bool // Limit is a multiple of the reference, else an absolute value
	AtLeast  bool // Limit is the least allowed, else the most
	Limit    float64
	// Quiet bounds depend on what else the machine does, unlike CPU and memory.
	// Missing one on a busy machine is reported and is no failure.
	Quiet bool
}

// Verdict is the outcome of a bound or a row. The larger the worse.
type Verdict int

// The verdicts.
const (
	None Verdict = iota // nothing to judge
	Pass
	Busy // missed, but the machine was too busy for it to mean something
	Fail
	Broken // not measured
)

// String returns the word for the table.
func (v Verdict) String() string { return [...]string{"-", "PASS", "BUSY", "FAIL", "ERROR"}[v] }

// Judge holds a row against one of its bounds. What was not measured fails.
func (b Bound) Judge(r *Row, quiet bool) Verdict {
	value := r.Ours(b.Metric)
	if b.Relative {
		value = r.Ratio(b.Metric)
	}
	kept := value <= b.Limit
	if b.AtLeast {
		kept = value >= b.Limit
	}
	switch {
	case kept:
		return Pass
	case b.Quiet && !quiet && !math.IsNaN(value):
		return Busy
	}
	return Fail
}

// Text writes the bound for people: "us/req <= 2 N".
func (b Bound) Text(reference string) string {
	sign := "<="
	if b.AtLeast {
		sign = ">="
	}
	if b.Relative {
		return fmt.Sprintf("%s %s %v %s", b.Metric, sign, b.Limit, reference)
	}
	return fmt.Sprintf("%s %s %v", b.Metric, sign, b.Limit)
}

// Verdict returns the worst verdict of the row's bounds.
func (r *Row) Verdict(quiet bool) Verdict {
	if r.Err != nil {
		return Broken
	}
	worst := None
	for _, b := range r.Bounds {
		worst = max(worst, b.Judge(r, quiet))
	}
	return worst
}
