package config

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/alecthomas/kong"
)

// units are the units of a size, in lower case. K, M and G alone are missing
// because people mean either of two things by them.
var units = map[string]int64{
	"": 1, "b": 1,
	"kb": 1e3, "mb": 1e6, "gb": 1e9, "tb": 1e12,
	"kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40,
}

func parseSize(text string, v *kong.Value) (any, error) {
	n, err := size(text)
	if err != nil {
		return nil, err
	}
	if n < least(v, size) {
		return nil, tooSmall(v)
	}
	return n, nil
}

// size reads a whole number with a unit, in bytes.
func size(text string) (int64, error) {
	const right = "write a whole number with B, KB, MB, GB, TB, KiB, MiB, GiB or TiB, such as 500MB or 5GiB"
	digits := strings.TrimRight(strings.ToLower(text), "bikmgt ")
	unit, known := units[strings.TrimSpace(strings.ToLower(text[len(digits):]))]
	n, err := strconv.ParseUint(digits, 10, 63)
	switch {
	case digits != "" && strings.Trim(digits, "0123456789") == "" && known && (err != nil || int64(n) > math.MaxInt64/unit):
		return 0, wrong("is more than can be counted", "write something smaller")
	case err != nil || !known:
		return 0, wrong("is not a size", right)
	}
	return int64(n) * unit, nil
}

// formatSize writes a size in the largest unit that leaves it whole.
func formatSize(value any) string {
	n := value.(int64)
	for _, unit := range []string{"TiB", "TB", "GiB", "GB", "MiB", "MB", "KiB", "KB"} {
		if f := units[strings.ToLower(unit)]; n != 0 && n%f == 0 {
			return strconv.FormatInt(n/f, 10) + unit
		}
	}
	return strconv.FormatInt(n, 10)
}

const day = 24 * time.Hour

func parseDuration(text string, v *kong.Value) (any, error) {
	d, err := duration(text)
	if err != nil {
		return nil, err
	}
	if d < least(v, duration) {
		return nil, tooSmall(v)
	}
	return d, nil
}

// duration reads what time.ParseDuration does, and whole days.
func duration(text string) (time.Duration, error) {
	if digits, ok := strings.CutSuffix(text, "d"); ok {
		if days, err := strconv.ParseUint(digits, 10, 31); err == nil && days <= uint64(math.MaxInt64/day) {
			return time.Duration(days) * day, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, wrong("is not a length of time", "write a number with a unit: 90s, 5m, 12h, 30d")
	}
	return d, nil
}

// formatDuration writes 30d for 720h0m0s and 5m for 5m0s.
func formatDuration(value any) string {
	d := value.(time.Duration)
	if d > 0 && d%day == 0 {
		return fmt.Sprintf("%dd", d/day)
	}
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
