package function

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/cloister-ml/cloister/source/template/internal/value"
)

var dates = map[string]function{
	"dateTimeAdd":       {min: 2, max: 3, call: dateTimeAdd},
	"dateTimeFromEpoch": {min: 1, max: 1, call: fromEpoch},
	"dateTimeToEpoch": {min: 1, max: 1, call: func(args []any) (any, error) {
		s, err := text(args, 0)
		if err != nil {
			return nil, err
		}
		t, _, err := ParseTime(s)
		return t.Unix(), err
	}},
}

func fromEpoch(args []any) (any, error) {
	n, err := whole(args, 0)
	if err != nil {
		return nil, err
	}
	t := time.Unix(n, 0).UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return nil, errors.New("the time is not within the years 1 to 9999")
	}
	return t.Format("2006-01-02T15:04:05Z"), nil
}

// times are the forms of a point of time that are read, with the .NET format in
// which a result of the same form is written.
var times = []struct{ layout, net string }{
	{"20060102T150405Z", "yyyyMMddTHHmmssZ"},
	{"2006-01-02T15:04:05Z07:00", "yyyy-MM-ddTHH:mm:ssZ"},
	{"2006-01-02T15:04:05.999999999Z07:00", "o"},
	{"2006-01-02T15:04:05", "yyyy-MM-ddTHH:mm:ss"},
	{"2006-01-02 15:04:05Z", "G"},
	{"2006-01-02 15:04:05", "G"},
	{"2006-01-02", "G"},
	{"1/2/2006 3:04:05 PM", "G"},
	{"1/2/2006 15:04:05", "G"},
	{"1/2/2006", "G"},
	{time.RFC1123, "r"},
}

// ParseTime reads a point of time, and says in which .NET format it is written.
func ParseTime(s string) (time.Time, string, error) {
	for _, f := range times {
		if t, err := time.Parse(f.layout, s); err == nil {
			return t.UTC(), f.net, nil
		}
	}
	return time.Time{}, "", fmt.Errorf("%q is not a date and time as ISO 8601 writes them", clipped(s))
}

func clipped(s string) string {
	if len(s) > 60 {
		return s[:57] + "..."
	}
	return s
}

func dateTimeAdd(args []any) (any, error) {
	base, by, err := twoTexts(args)
	if err != nil {
		return nil, err
	}
	t, net, err := ParseTime(base)
	if err != nil {
		return nil, err
	}
	if t, err = addDuration(t, by); err != nil {
		return nil, err
	}
	if len(args) == 3 {
		if net, err = text(args, 2); err != nil {
			return nil, err
		}
	}
	return FormatTime(t, net)
}

var duration = regexp.MustCompile(`^(-)?P(?:(-?\d{1,6})Y)?(?:(-?\d{1,6})M)?(?:(-?\d{1,6})W)?(?:(-?\d{1,7})D)?(?:T(?:(-?\d{1,9})H)?(?:(-?\d{1,9})M)?(?:(-?\d{1,9})(?:\.\d+)?S)?)?$`)

// addDuration adds a duration of ISO 8601: years and months by the calendar.
func addDuration(t time.Time, by string) (time.Time, error) {
	m := duration.FindStringSubmatch(by)
	if m == nil || by[len(by)-1] == 'P' || by[len(by)-1] == 'T' {
		return t, fmt.Errorf("%q is not a duration as ISO 8601 writes them, as P1D or PT5H", clipped(by))
	}
	n := make([]int, len(m))
	for i, s := range m[2:] {
		n[i], _ = strconv.Atoi(s)
		if m[1] == "-" {
			n[i] = -n[i]
		}
	}
	t = t.AddDate(n[0], n[1], 7*n[2]+n[3]).
		Add(time.Duration(n[4]) * time.Hour).Add(time.Duration(n[5]) * time.Minute).Add(time.Duration(n[6]) * time.Second)
	if t.Year() < 1 || t.Year() > 9999 {
		return t, errors.New("the result is not within the years 1 to 9999")
	}
	return t, nil
}

// UTCNow is utcNow(format) at a point of time.
func UTCNow(now time.Time, args []any) (any, error) {
	net := "yyyyMMddTHHmmssZ"
	if len(args) > 0 {
		if u, unknown := value.Unsure(args[0]); unknown {
			return u, nil
		}
		var err error
		if net, err = text(args, 0); err != nil {
			return nil, err
		}
	}
	return FormatTime(now, net)
}
