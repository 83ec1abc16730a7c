package network_test

import (
	"fmt"
	"net/netip"

	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

func ExampleTopology_Reach() {
	e, err := nt.Estate(
		nt.VNet("vnet", "10.1.0.0/16"),
		nt.Subnet("vnet", "jump", "10.1.0.0/24"),
		nt.Subnet("vnet", "training", "10.1.1.0/24", nt.UseNSG("nsg-training")),
		nt.NSG("nsg-training", nt.Rule("deny-ssh", "200 Inbound Deny Tcp *:* -> *:22")),
		nt.VM("jump", "vnet", "jump", "10.1.0.4"),
		nt.VM("node", "vnet", "training", "10.1.1.4"),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	answer := network.FromEstate(e).Reach(network.Flow{
		Source:      netip.MustParseAddr("10.1.0.4"),
		Destination: netip.MustParseAddr("10.1.1.4"),
		Protocol:    network.TCP,
		Port:        22,
	})
	fmt.Println(answer.Value)
	for _, step := range answer.Steps {
		fmt.Printf("%s: %s\n", step.At, step.Reason)
	}
	// Output:
	// no
	// jump (outbound): neither its network interface nor subnet jump has a network security group: everything passes
	// route 10.1.0.0/16: subnet jump has 10.1.0.0/16 -> VnetLocal (system route) for 10.1.1.4
	// NSG nsg-training (subnet training, inbound): rule deny-ssh (priority 200) denies TCP 22 from 10.1.0.4 to 10.1.1.4
}
