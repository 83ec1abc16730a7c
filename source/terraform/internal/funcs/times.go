package funcs

import (
	"fmt"
	"time"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
)

func times() map[string]function.Function {
	return map[string]function.Function{
		"timecmp": fromStrings(compareTimes, cty.Number, cty.NumberIntVal, "timestamp_a", "timestamp_b"),
	}
}

func compareTimes(a []string) (int64, error) {
	var at [2]time.Time
	for i, s := range a {
		var err error
		if at[i], err = time.Parse(time.RFC3339, s); err != nil {
			return 0, fmt.Errorf("%q is not a time in the form of RFC 3339", s)
		}
	}
	return int64(at[0].Compare(at[1])), nil
}
