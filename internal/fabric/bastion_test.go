package fabric

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

var bastionID = nt.ID("Microsoft.Network/bastionHosts", "bastion")

// comeIn is a network with a Bastion and a machine, a peered one with another, and
// a security group around the first machine.
func comeIn(t *testing.T, rules ...arm.Object) Plan {
	t.Helper()
	e, err := nt.Estate(
		nt.VNet("hub", "10.1.0.0/16"), nt.Subnet("hub", "AzureBastionSubnet", "10.1.1.0/26"), nt.Subnet("hub", "jump", "10.1.2.0/24", nt.UseNSG("guard")),
		nt.VNet("spoke", "10.2.0.0/16"), nt.Subnet("spoke", "main", "10.2.0.0/24"), nt.Peer("hub", "spoke"),
		nt.NSG("guard", rules...),
		nt.VM("jump", "hub", "jump", "10.1.2.4"), nt.VM("worker", "spoke", "main", "10.2.0.4"),
		nt.Document(bastionID, nt.Set{Path: "ipConfigurations", Value: []any{arm.Object{"properties": arm.Object{"subnet": arm.Object{"id": string(nt.SubnetID("hub", "AzureBastionSubnet"))}}}}}),
	)
	if err != nil {
		t.Fatal(err)
	}
	return Compile(network.FromEstate(e), nil)
}

// A Bastion's packets start at an address of its subnet, and pass what stands
// between: break the group and they do not arrive.
func TestBastionComesInUnderTheRules(t *testing.T) {
	allow := nt.Rule("allow-bastion", "100 Inbound Allow Tcp 10.1.1.0/26:* -> 10.1.2.0/24:22")
	deny := nt.Rule("deny-all", "4000 Inbound Deny * *:* -> *:*")
	f := build(t, comeIn(t, allow, deny))
	from := namespaceOf(t, f, bastionID)
	echo(t, f, namespaceOf(t, f, nt.NICID("nic-jump")), "10.1.2.4:22")
	echo(t, f, namespaceOf(t, f, nt.NICID("nic-jump")), "10.1.2.4:8080")
	echo(t, f, namespaceOf(t, f, nt.NICID("nic-worker")), "10.2.0.4:22")
	for to, want := range map[string]string{"10.1.2.4:22": "10.1.1.4 at 10.1.2.4", "10.2.0.4:22": "10.1.1.4 at 10.2.0.4"} {
		if got := seenAs(t, f, from, to); got != want {
			t.Errorf("%s sees %q, want %q", to, got, want)
		}
	}
	if got := connect(f, from, "10.1.2.4:8080"); got != silent {
		t.Errorf("a port that no rule opens is %s", got)
	}
	apply(t, f, comeIn(t, deny))
	if got := connect(f, from, "10.1.2.4:22"); got != silent {
		t.Errorf("without its rule, port 22 is %s", got)
	}
	if got := connect(f, from, "10.2.0.4:22"); got != open {
		t.Errorf("where no group stands, port 22 is %s", got)
	}
}
