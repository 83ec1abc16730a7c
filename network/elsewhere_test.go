package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// What a peered network holds is not known where its documents are in another
// estate or another subscription; what the groups on this side say is.
func TestPeerOutsideTheEstate(t *testing.T) {
	set := func(path string, v any) nt.Set { return nt.Set{Path: path, Value: v} }
	space := set("remoteAddressSpace.addressPrefixes", []string{"10.9.0.0/16"})
	base := []any{nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "s", "10.1.0.0/24", nt.UseNSG("nsg"), nt.UseTable("rt")), nt.VM("one", "a", "s", ""),
		nt.NSG("nsg", nt.Rule("ssh", "100 Inbound Deny Tcp *:* -> *:22"), nt.Rule("web", "100 Outbound Deny Tcp *:* -> *:80"), nt.Rule("far", "110 Outbound Allow Tcp *:* -> *:8443")),
		nt.RouteTable("rt", nt.Route("far", "10.50.0.0/16", "10.9.0.4"))}
	for _, c := range []struct {
		name      string
		peering   []nt.Set
		questions []question
	}{
		{"connected", []nt.Set{space, set("peeringState", "Connected")}, []question{
			{"10.1.0.4 -> 10.9.0.4 tcp 443", "unknown", "elsewhere is peered, but its documents are not in the estate"},
			{"10.1.0.4 -> 10.9.0.4 tcp 80", "no", "rule web"},
			{"10.9.0.4 -> 10.1.0.4 tcp 443", "unknown", "what sends from 10.9.0.4 is not known"},
			{"10.9.0.4 -> 10.1.0.4 tcp 22", "no", "rule ssh"},
			{"10.9.0.4 -> 198.51.100.9 tcp 443", "unknown", "not in the estate"},
			{"10.1.0.4 -> 10.50.0.4 tcp 8443", "unknown", "what 10.9.0.4 forwards is not known"},
			{"10.8.0.4 -> 10.1.0.4 tcp 443", "no", "no network of the estate"},
		}},
		{"whether it is connected is not known", []nt.Set{space}, []question{
			{"10.1.0.4 -> 10.9.0.4 tcp 443", "unknown", "not in the estate"},
			{"10.9.0.4 -> 10.1.0.4 tcp 443", "unknown", "not in the estate"},
		}},
		{"its addresses are not known either", nil, []question{
			{"10.1.0.4 -> 10.9.0.4 tcp 443", "unknown", "not in the estate"},
			{"10.9.0.4 -> 10.1.0.4 tcp 443", "unknown", "not in the estate"},
			{"192.0.2.10 -> 10.1.0.4 tcp 443", "no", ""},
		}},
		{"which network it leads to is not known", []nt.Set{set("remoteVirtualNetwork", arm.Unknown{Expression: "var.peer"})}, []question{
			{"10.9.0.4 -> 10.1.0.4 tcp 443", "unknown", "var.peer"}, {"192.0.2.10 -> 10.1.0.4 tcp 443", "no", ""},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ask(t, topology(t, append([]any{nt.Peering("a", "elsewhere", c.peering...)}, base...)...), c.questions...)
		})
	}
}
