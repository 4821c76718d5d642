// Package report turns samples into a verdict: medians over rounds, ratios to
// a reference, the bounds they must keep, and the table that people read.
package report

import (
	"math"
	"slices"
)

// Percentile returns the value below or at which p percent of sorted lie (the
// nearest-rank method), and NaN when there is none.
func Percentile[T ~int64 | ~float64](sorted []T, p float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return float64(sorted[max(rank, 1)-1])
}

// Median returns the middle of values, the mean of the middle two when their
// number is even, and NaN when there is none. It leaves values as they are.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
