package remark

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/check"
)

func TestParse(t *testing.T) {
	got := map[check.At]check.Remark{}
	err := Parse([]byte(`
# cloister:ignore zone-linked linked by the hub
# The zone.
resource "azurerm_private_dns_zone" "this" {
  name = "x"

  // cloister:ignore zone-exists by hand
  lifecycle {
    ignore_changes = [tags["a"], private_dns_zone_group]
  }
}

resource "azurerm_private_endpoint" "all" {
  lifecycle { ignore_changes = all }
}

resource "azurerm_subnet" "plain" {}
`), "main.tf", got)
	if err != nil {
		t.Fatal(err)
	}
	zone := got[check.At{File: "main.tf", Line: 4}]
	if !slices.Equal(zone.Ignored, []string{"tags", "private_dns_zone_group"}) {
		t.Errorf("it leaves %q to others", zone.Ignored)
	}
	if len(zone.Suppressed) != 2 || zone.Suppressed[0].Rule != "zone-linked" || zone.Suppressed[0].Reason != "linked by the hub" || zone.Suppressed[1].At.Line != 7 {
		t.Errorf("it switches off %+v", zone.Suppressed)
	}
	if all := got[check.At{File: "main.tf", Line: 13}]; !slices.Equal(all.Ignored, []string{"all"}) {
		t.Errorf("the endpoint leaves %q to others", all.Ignored)
	}
	if len(got) != 2 {
		t.Errorf("there are %d remarks", len(got))
	}
}

func TestWhatIsWrongWithAComment(t *testing.T) {
	const block = "\nresource \"a\" \"b\" {}\n"
	for _, c := range []struct{ text, want string }{
		{"# cloister:ignore zone-linked" + block, "main.tf:1: cloister:ignore zone-linked gives no reason"},
		{"# cloister:ignore" + block, "main.tf:1: cloister:ignore names no rule"},
		{"# cloister:ignore zone-linkd why" + block, "main.tf:1: there is no rule zone-linkd"},
		{"# cloister:ignore zone-linked why\n\n" + block, "main.tf:1: cloister:ignore stands beside no resource"},
	} {
		err := Parse([]byte(c.text), "main.tf", map[check.At]check.Remark{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: the error is %v, want %q", c.text, err, c.want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("# cloister:ignore zone-linked x\nresource \"a\" \"b\" {}")
	f.Add("resource \"a\" \"b\" {\n lifecycle {\n ignore_changes = [x, \"y\", z[0].w]\n}\n}")
	f.Fuzz(func(t *testing.T, text string) {
		got := map[check.At]check.Remark{}
		if err := Parse([]byte(text), "x.tf", got); err != nil {
			return
		}
		for _, r := range got {
			for _, s := range r.Suppressed {
				if s.Reason == "" {
					t.Errorf("%q switches %s off without a reason", text, s.Rule)
				}
			}
		}
	})
}
