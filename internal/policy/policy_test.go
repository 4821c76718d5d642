package policy_test

import (
	"testing"

	"packhouse"
	"packhouse/internal/ledger"
	"packhouse/internal/policy"
)

// The two-way switch: the exception turns the answer round in both directions.
func TestMayDuplicate(t *testing.T) {
	on, off := true, false
	expr := func(s string) *string { return &s }
	for _, test := range []struct {
		name         string
		allowed      *bool
		except       *string
		pkg, version string
		want         bool
	}{
		{"unset", nil, nil, "tool", "1.0", true},
		{"on", &on, nil, "tool", "1.0", true},
		{"on, empty exception", &on, expr(""), "tool", "1.0", true},
		{"on, name matches", &on, expr("tool"), "tool", "1.0", false},
		{"on, version matches", &on, expr(`1\..*`), "tool", "1.0", false},
		{"on, part matches", &on, expr("too"), "tool", "1.0", true},
		{"off", &off, nil, "tool", "1.0", false},
		{"off, name matches", &off, expr("t.*"), "tool", "1.0", true},
		{"off, version matches", &off, expr(".*-SNAPSHOT"), "tool", "1-SNAPSHOT", true},
		{"off, nothing matches", &off, expr("x|y"), "tool", "1.0", false},
		{"off, alternatives are anchored as one", &off, expr("a|tool"), "toolbox", "1.0", false},
	} {
		set := ledger.Duplicates{Allowed: test.allowed, Except: test.except}
		got, err := policy.MayDuplicate(set, test.pkg, test.version)
		if err != nil || got != test.want {
			t.Errorf("%s: MayDuplicate = %v, %v, want %v", test.name, got, err, test.want)
		}
	}
}

func TestStandardRules(t *testing.T) {
	off := false
	for _, test := range []struct {
		name string
		op   policy.Operation
		want packhouse.Kind // Internal: passes
	}{
		{"fits", policy.Operation{Size: 10, Limit: 10}, packhouse.Internal},
		{"one over", policy.Operation{Size: 11, Limit: 10}, packhouse.TooLarge},
		{"no limit", policy.Operation{Size: 1 << 40}, packhouse.Internal},
		{"unknown size", policy.Operation{Size: -1, Limit: 10}, packhouse.Internal},
		{"first copy", policy.Operation{Duplicates: ledger.Duplicates{Allowed: &off}}, packhouse.Internal},
		{"second copy, allowed", policy.Operation{Copies: 1}, packhouse.Internal},
		{"second copy, refused", policy.Operation{Copies: 1, Duplicates: ledger.Duplicates{Allowed: &off}}, packhouse.Conflict},
	} {
		err := policy.Standard().Judge(test.op)
		if test.want == packhouse.Internal {
			if err != nil {
				t.Errorf("%s: Judge = %v, want nil", test.name, err)
			}
			continue
		}
		if e := packhouse.AsError(err); e.Kind != test.want || e.Rule == "" || e.Fix == "" {
			t.Errorf("%s: Judge = %+v, want kind %v with rule and fix", test.name, e, test.want)
		}
	}
}
