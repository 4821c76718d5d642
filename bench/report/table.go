package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// WriteTable prints rows as a Markdown table with aligned columns, so that it
// reads well in a terminal and can be pasted into a document. Reasons of rows
// that could not be measured follow it.
func WriteTable(w io.Writer, rows []*Row, quiet bool) error {
	lines := [][]string{{"operation", "ours", "reference", "cpu", "rate", "must", ""}}
	var reasons strings.Builder
	for _, r := range rows {
		lines = append(lines, []string{
			r.Operation,
			label(r.Subject, figures(r.Ours)),
			label(r.Reference, figures(r.Theirs)),
			ratio(r, CPURequest, CPUVolume),
			ratio(r, Requests, Throughput),
			musts(r),
			r.Verdict(quiet).String(),
		})
		if r.Err != nil {
			fmt.Fprintf(&reasons, "\n%s: %v\n", r.Operation, r.Err)
		}
	}
	_, err := io.WriteString(w, align(lines)+reasons.String())
	return err
}

func label(letter, text string) string {
	return strings.TrimSpace(letter + " " + text)
}

// figures lists the metrics that were measured, in a fixed order.
func figures(value func(Metric) float64) string {
	var list []string
	for _, m := range shown {
		if v := value(m); !math.IsNaN(v) {
			list = append(list, number(v)+" "+string(m))
		}
	}
	return strings.Join(list, ", ")
}

// ratio prints the first of the metrics that has one.
func ratio(r *Row, metrics ...Metric) string {
	for _, m := range metrics {
		if v := r.Ratio(m); !math.IsNaN(v) {
			return fmt.Sprintf("%.2f", v)
		}
	}
	return ""
}

func musts(r *Row) string {
	var list []string
	for _, b := range r.Bounds {
		list = append(list, b.Text(r.Reference))
	}
	return strings.Join(list, ", ")
}

// number prints three significant digits, and whole numbers with separators.
func number(v float64) string {
	switch abs := math.Abs(v); {
	case abs >= 1000:
		return thousands(int64(math.Round(v)))
	case abs >= 100:
		return fmt.Sprintf("%.0f", v)
	case abs >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.2f", v)
}

func thousands(n int64) string {
	if n < 0 {
		return "-" + thousands(-n)
	}
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}

// align pads the cells of every column to one width and rules off the first line.
func align(lines [][]string) string {
	widths := make([]int, len(lines[0]))
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for n, line := range lines {
		for i, cell := range line {
			fmt.Fprintf(&b, "| %-*s ", widths[i], cell)
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, width := range widths {
				b.WriteString("| " + strings.Repeat("-", max(width, 3)) + " ")
			}
			b.WriteString("|\n")
		}
	}
	return b.String()
}
