//go:build race

package formattest

// Slowness is by how much bounds on time and memory are to be widened: the race
// detector slows programs down and has them allocate more
// (https://go.dev/doc/articles/race_detector#Runtime_Overheads). Without it they
// hold as they are.
const Slowness = 10
