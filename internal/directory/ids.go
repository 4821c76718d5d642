package directory

import (
	"iter"
	"slices"
)

// ids is a list of ids in ascending order, without duplicates.
type ids []int64

// with returns the list with an id in it. Ids are given out in order, so this
// mostly appends.
func (l ids) with(id int64) ids {
	at, found := slices.BinarySearch(l, id)
	if found {
		return l
	}
	return slices.Insert(l, at, id)
}

// without returns the list without an id.
func (l ids) without(id int64) ids {
	at, found := slices.BinarySearch(l, id)
	if !found {
		return l
	}
	return slices.Delete(l, at, at+1)
}

// union visits the ids of several lists in order, each once, from the first
// after a given one on: upwards, or downwards from the first before it. It looks
// at what it visits and no more.
func union(lists []ids, after int64, down bool) iter.Seq[int64] {
	return func(yield func(int64) bool) {
		rests := make([]ids, len(lists))
		for i, l := range lists {
			at, found := slices.BinarySearch(l, after)
			switch {
			case down && after == 0:
				rests[i] = l
			case down:
				rests[i] = l[:at]
			case found:
				rests[i] = l[at+1:]
			default:
				rests[i] = l[at:]
			}
		}
		for {
			next, any := int64(0), false
			for _, l := range rests {
				if len(l) == 0 {
					continue
				}
				id := l[0]
				if down {
					id = l[len(l)-1]
				}
				if !any || !down && id < next || down && id > next {
					next, any = id, true
				}
			}
			if !any || !yield(next) {
				return
			}
			for i, l := range rests {
				switch {
				case len(l) == 0:
				case !down && l[0] == next:
					rests[i] = l[1:]
				case down && l[len(l)-1] == next:
					rests[i] = l[:len(l)-1]
				}
			}
		}
	}
}
