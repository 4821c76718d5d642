package format

import (
	"strconv"
	"strings"
)

// Quality reads the weight of a media type from its parameters, "q=0.5;v=1": 1 where
// there is none, 0 where it cannot be read (RFC 9110, 12.4.2).
func Quality(params string) float64 {
	for one := range strings.SplitSeq(params, ";") {
		key, value, _ := strings.Cut(one, "=")
		if !strings.EqualFold(strings.TrimSpace(key), "q") {
			continue
		}
		q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
		if err != nil || !(q >= 0 && q <= 1) {
			return 0
		}
		return q
	}
	return 1
}
