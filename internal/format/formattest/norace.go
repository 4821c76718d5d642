//go:build !race

package formattest

// Slowness is by how much bounds on time and memory are to be widened: not at all,
// without the race detector.
const Slowness = 1
