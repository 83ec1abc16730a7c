package schema

import (
	"strings"
	"testing"

	"github.com/zclconf/go-cty/cty"
)

// Every line of the files must be understood: read passes over what it does not.
func TestFilesParse(t *testing.T) {
	for name, file := range map[string]string{"azurerm.txt": azurerm, "older.txt": older, "azapi.txt": azapi, "helpers.txt": helpers} {
		for i, line := range strings.Split(strings.TrimSuffix(file, "\n"), "\n") {
			f := strings.Fields(line)
			switch {
			case strings.HasPrefix(line, "#"):
			case !strings.HasPrefix(line, " "):
				if len(f) != 2 || f[0] != "resource" && f[0] != "data" {
					t.Errorf("%s:%d: not a heading: %s", name, i+1, line)
				}
			case len(f) == 5 && f[1] == "block":
			case len(f) == 3 && strings.Trim(f[1], "rocsw") == "":
				if _, err := parseType(f[2]); err != nil {
					t.Errorf("%s:%d: %v", name, i+1, err)
				}
			default:
				t.Errorf("%s:%d: neither an attribute nor a block: %s", name, i+1, line)
			}
		}
	}
}

func TestSubnet(t *testing.T) {
	b := New().Resource("azurerm_subnet")
	if a := b.Attributes["address_prefixes"]; !a.Optional || !a.Type.Equals(cty.List(cty.String)) {
		t.Errorf("address_prefixes: %+v", a)
	}
	if a := b.Attributes["service_endpoints"]; !a.Optional {
		t.Errorf("service_endpoints of azurerm 4.x: %+v", a)
	}
	if n := b.Blocks["delegation"].Blocks["service_delegation"]; n.Min != 1 || n.Max != 1 || !n.Attributes["name"].Required {
		t.Errorf("service_delegation: %+v", n)
	}
	if New().Resource("azurerm_subnett") != nil {
		t.Error("azurerm_subnett has a schema")
	}
}
