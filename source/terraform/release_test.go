package terraform

import (
	"testing"

	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

func TestReleaseFollowsFromTheConstraints(t *testing.T) {
	for _, c := range []struct {
		constraints []string
		want        int
	}{
		{nil, 5},
		{[]string{">= 3.0"}, 5},
		{[]string{"~> 4.0"}, 4},
		{[]string{"~> 3.117"}, 3},
		{[]string{"=3.4.0"}, 3},
		{[]string{"4.1.0"}, 4},
		{[]string{">= 3.0, < 5.0"}, 4},
		{[]string{">= 3.0, < 4.0.0"}, 3},
		{[]string{"< 4.10"}, 4},
		{[]string{">= 3.0", "~> 4"}, 4},
		{[]string{"!= 4.0"}, 5},
		{[]string{"latest"}, 5},
	} {
		v := view{r: &lang.Resource{Constraints: c.constraints}}
		if got := v.release(); got != c.want {
			t.Errorf("%q leads to release %d, want %d", c.constraints, got, c.want)
		}
	}
}
