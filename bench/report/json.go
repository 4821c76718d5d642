package report

import (
	"encoding/json"
	"io"
	"math"
	"time"
)

// Run is everything about one run of the benchmark that its JSON file keeps.
type Run struct {
	Started time.Time         `json:"started"`
	Machine map[string]string `json:"machine"`
	Load    float64           `json:"load_before"` // load average before anything was started
	Quiet   bool              `json:"quiet"`
	Fsyncs  []Fsync           `json:"fsyncs"`
	Rows    []*Row            `json:"rows"`
}

// Fsync is how long 4 KiB took to reach the disk next to an operation.
type Fsync struct {
	Operation string  `json:"operation"`
	P50       float64 `json:"p50_ms"`
	P99       float64 `json:"p99_ms"`
}

// Failed reports whether a row missed a bound that counts or was not measured.
func (r *Run) Failed() bool {
	for _, row := range r.Rows {
		if row.Verdict(r.Quiet) >= Fail {
			return true
		}
	}
	return false
}

// WriteJSON writes the run, indented.
func (r *Run) WriteJSON(w io.Writer) error {
	type bound struct {
		Must    string `json:"must"`
		Verdict string `json:"verdict"`
	}
	type row struct {
		Operation string             `json:"operation"`
		Subject   string             `json:"subject"`
		Reference string             `json:"reference"`
		Verdict   string             `json:"verdict"`
		Error     string             `json:"error,omitempty"`
		Ratios    map[Metric]float64 `json:"ratios"`
		Bounds    []bound            `json:"bounds"`
		Rounds    []Round            `json:"rounds"`
	}
	rows := []row{}
	for _, x := range r.Rows {
		out := row{
			Operation: x.Operation, Subject: x.Subject, Reference: x.Reference,
			Verdict: x.Verdict(r.Quiet).String(), Ratios: map[Metric]float64{}, Bounds: []bound{}, Rounds: x.Rounds,
		}
		if x.Err != nil {
			out.Error = x.Err.Error()
		}
		for _, m := range shown {
			if v := x.Ratio(m); !math.IsNaN(v) {
				out.Ratios[m] = v
			}
		}
		for _, b := range x.Bounds {
			out.Bounds = append(out.Bounds, bound{b.Text(x.Reference), b.Judge(x, r.Quiet).String()})
		}
		rows = append(rows, out)
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	type plain Run // without WriteJSON's rows
	return enc.Encode(struct {
		*plain
		Rows []row `json:"rows"`
	}{(*plain)(r), rows})
}
