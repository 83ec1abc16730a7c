package network_test

import (
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

func bastion(name, vnet string) arm.Resource {
	return nt.Document(nt.ID("Microsoft.Network/bastionHosts", name), nt.Set{Path: "ipConfigurations", Value: []any{
		arm.Object{"properties": arm.Object{"subnet": arm.Object{"id": string(nt.SubnetID(vnet, "AzureBastionSubnet"))}}},
	}})
}

func TestBastionOfANetwork(t *testing.T) {
	top := topology(t,
		nt.VNet("a", "10.1.0.0/16"), nt.Subnet("a", "AzureBastionSubnet", "10.1.1.0/26"), bastion("bastion-a", "a"),
		nt.VNet("b", "10.2.0.0/16"), nt.Subnet("b", "AzureBastionSubnet", "10.2.1.0/26"), bastion("bastion-b", "b"),
		nt.VNet("c", "10.3.0.0/16"), nt.VNet("d", "10.4.0.0/16"), nt.Peer("a", "c"), nt.Peer("a", "b"),
	)
	tests := []struct{ vnet, want, addr string }{
		{"a", "bastion-a", "10.1.1.4"},
		{"b", "bastion-b", "10.2.1.4"}, // its own, though a peer has one too
		{"c", "bastion-a", "10.1.1.4"},
		{"d", "", ""},
	}
	for _, tt := range tests {
		got, ok := top.BastionFor(nt.VNetID(tt.vnet))
		if ok != (tt.want != "") || got.Name != tt.want || ok && (got.Kind != network.KindBastion || got.Addrs[0].String() != tt.addr) {
			t.Errorf("network %s is reached by %+v, want %s at %s", tt.vnet, got, tt.want, tt.addr)
		}
	}
}
