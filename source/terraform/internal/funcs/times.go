package funcs

import (
	"fmt"
	"maps"
	"math/big"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

func times() map[string]function.Function {
	return map[string]function.Function{
		"timecmp": fromStrings(compareTimes, cty.Number, cty.NumberIntVal, "timestamp_a", "timestamp_b"),
	}
}

// clock are the functions that the time provider defines.
func clock() map[string]function.Function {
	return map[string]function.Function{
		"provider::time::duration_parse": fromStrings(parseDuration, objectOf(durationParts), cty.ObjectVal, "duration"),
		"provider::time::rfc3339_parse":  fromStrings(parseTime, objectOf(timeParts, map[string]cty.Type{"unix": cty.Number}), cty.ObjectVal, "timestamp"),
		"provider::time::unix_timestamp_parse": function.New(&function.Spec{
			Params: []function.Parameter{{Name: "unix_timestamp", Type: cty.Number}},
			Type:   function.StaticReturnType(objectOf(timeParts, map[string]cty.Type{"rfc3339": cty.String})),
			Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
				n, acc := args[0].AsBigFloat().Int64()
				if acc != big.Exact {
					return cty.NilVal, fmt.Errorf("a Unix timestamp is a whole number of seconds")
				}
				t := time.Unix(n, 0).UTC()
				parts := partsOfTime(t)
				parts["rfc3339"] = cty.StringVal(t.Format(time.RFC3339))
				return cty.ObjectVal(parts), nil
			},
		}),
	}
}

func compareTimes(a []string) (int64, error) {
	var at [2]time.Time
	for i, s := range a {
		var err error
		if at[i], err = readTime(s); err != nil {
			return 0, err
		}
	}
	return int64(at[0].Compare(at[1])), nil
}

func readTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return t, fmt.Errorf("%q is not a time in the form of RFC 3339", s)
	}
	return t, nil
}

var durationParts = map[string]cty.Type{
	"hours": cty.Number, "minutes": cty.Number, "seconds": cty.Number,
	"milliseconds": cty.Number, "microseconds": cty.Number, "nanoseconds": cty.Number,
}

var timeParts = map[string]cty.Type{
	"year": cty.Number, "year_day": cty.Number, "day": cty.Number, "month": cty.Number, "month_name": cty.String,
	"weekday": cty.Number, "weekday_name": cty.String, "hour": cty.Number, "minute": cty.Number, "second": cty.Number,
	"iso_year": cty.Number, "iso_week": cty.Number,
}

func objectOf(parts ...map[string]cty.Type) cty.Type {
	all := map[string]cty.Type{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return cty.Object(all)
}

func parseDuration(a []string) (map[string]cty.Value, error) {
	d, err := time.ParseDuration(a[0])
	if err != nil {
		return nil, fmt.Errorf("%q is not a duration, such as 1h30m", a[0])
	}
	return map[string]cty.Value{
		"hours": cty.NumberFloatVal(d.Hours()), "minutes": cty.NumberFloatVal(d.Minutes()), "seconds": cty.NumberFloatVal(d.Seconds()),
		"milliseconds": cty.NumberIntVal(d.Milliseconds()), "microseconds": cty.NumberIntVal(d.Microseconds()),
		"nanoseconds": cty.NumberIntVal(d.Nanoseconds()),
	}, nil
}

func parseTime(a []string) (map[string]cty.Value, error) {
	t, err := readTime(a[0])
	if err != nil {
		return nil, err
	}
	parts := partsOfTime(t)
	parts["unix"] = cty.NumberIntVal(t.Unix())
	return parts, nil
}

func partsOfTime(t time.Time) map[string]cty.Value {
	number := func(n int) cty.Value { return cty.NumberIntVal(int64(n)) }
	year, week := t.ISOWeek()
	return map[string]cty.Value{
		"year": number(t.Year()), "year_day": number(t.YearDay()), "day": number(t.Day()),
		"month": number(int(t.Month())), "month_name": cty.StringVal(t.Month().String()),
		"weekday": number(int(t.Weekday())), "weekday_name": cty.StringVal(t.Weekday().String()),
		"hour": number(t.Hour()), "minute": number(t.Minute()), "second": number(t.Second()),
		"iso_year": number(year), "iso_week": number(week),
	}
}
