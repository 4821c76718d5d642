package report

import (
	"fmt"
	"io"
	"math"
	"strings"
)

// WriteText prints the whole report for people: where it was measured, the
// table, and what else is needed to judge it.
func (r *Run) WriteText(w io.Writer) error {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "%s, %s cores of %s, Linux %s, %s, nginx %s\n",
		r.Started.Format("2 Jan 2006 15:04"), m["cores"], m["cpu"], m["kernel"], m["go"], m["nginx"])
	if r.Quiet {
		fmt.Fprintf(&b, "Load before the run: %.2f.\n\n", r.Load)
	} else {
		fmt.Fprintf(&b, "Load before the run: %.2f, so a missed rate or latency is no failure but BUSY.\n\n", r.Load)
	}
	if err := WriteTable(&b, r.Rows, r.Quiet); err != nil {
		return err
	}
	b.WriteString("\n")
	for _, f := range r.Fsyncs {
		fmt.Fprintf(&b, "fsync of 4 KiB next to %q: p50 %s ms, p99 %s ms.\n", f.Operation, number(f.P50), number(f.P99))
	}
	if others := r.others(); !math.IsNaN(others) {
		fmt.Fprintf(&b, "While samples ran, everything else on the machine used %.2f cores (median).\n", others)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// others is the median over all samples of what the rest of the machine did.
func (r *Run) others() float64 {
	var values []float64
	for _, row := range r.Rows {
		for _, round := range row.Rounds {
			for _, sample := range []Sample{round.Ours, round.Reference} {
				if v, ok := sample[Others]; ok {
					values = append(values, v)
				}
			}
		}
	}
	return Median(values)
}
