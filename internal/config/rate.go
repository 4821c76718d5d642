package config

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// Rate is how many requests may come in a time. The zero Rate is no limit.
type Rate struct {
	Requests int64
	Period   time.Duration
}

// String writes a rate as it is read: 800/15s.
func (r Rate) String() string {
	if r == (Rate{}) {
		return ""
	}
	return fmt.Sprintf("%d/%s", r.Requests, formatDuration(r.Period))
}

func parseRate(text string, _ *kong.Value) (any, error) {
	if text == "" {
		return Rate{}, nil
	}
	requests, period, _ := strings.Cut(text, "/")
	n, err := strconv.ParseUint(requests, 10, 31)
	d, wrongPeriod := duration(period)
	if err != nil || n == 0 || wrongPeriod != nil || d < time.Second || d > day {
		return nil, wrong("is not a rate", "write requests and a time of a second to a day, such as 800/15s")
	}
	return Rate{int64(n), d}, nil
}

func parseCount(text string, _ *kong.Value) (any, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil {
		return nil, wrong("is not a number", "write a whole number, 0 or more")
	}
	return int64(n), nil
}
