package mission

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// The document that an expression asks about is found by its place, in modules and
// with keys that have dots too.
func TestAssignments(t *testing.T) {
	const group = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/"
	nic := arm.Resource{ID: group + "networkInterfaces/nic", Type: "Microsoft.Network/networkInterfaces", Name: "nic",
		Source:     arm.Source{Address: `module.m.azurerm_network_interface.nic["a.b"]`},
		Properties: arm.Object{"ipConfigurations": []any{arm.Object{"properties": arm.Object{"privateIPAddress": "10.1.0.4"}}}}}
	for expression, want := range map[string]string{
		`module.m.azurerm_network_interface.nic["a.b"].private_ip_address`: "10.1.0.4",
		`module.m.azurerm_network_interface.nic["a.b"].mac_address`:        "",
		`azurerm_network_interface.nic["a.b"].private_ip_address`:          "",
		"random_password.p.result":                                         "",
	} {
		r := arm.Resource{ID: group + "routeTables/rt", Type: "Microsoft.Network/routeTables", Name: "rt",
			Properties: arm.Object{"routes": []any{arm.Object{"nextHopIpAddress": arm.Unknown{Expression: expression}}}}}
		e, err := arm.NewEstate(nic, r)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, w := range assignments(e) {
			got = w.read(nic)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", expression, got, want)
		}
	}
}
