package network_test

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
)

// spokes is a hub with n peered networks, each with two subnets, a group of
// fifty rules, four machines and a private endpoint.
func spokes(b *testing.B, n int) *arm.Estate {
	docs := []any{nt.VNet("hub", "10.0.0.0/16"), nt.Subnet("hub", "s0", "10.0.0.0/24"), nt.VM("hub", "hub", "s0", ""), nt.Storage("st")}
	for i := 1; i <= n; i++ {
		v := fmt.Sprintf("spoke%03d", i)
		docs = append(docs, nt.VNet(v, fmt.Sprintf("%s.0.0/16", second(i))), nt.Peer("hub", v), nt.NSG("nsg-"+v, manyRules(50)...),
			nt.Subnet(v, "s0", fmt.Sprintf("%s.0.0/24", second(i)), nt.UseNSG("nsg-"+v)), nt.Subnet(v, "pe", fmt.Sprintf("%s.1.0/24", second(i))),
			nt.Endpoint("pe-"+v, v, "pe", nt.StorageID("st"), "blob"))
		for j := range 4 {
			docs = append(docs, nt.VM(fmt.Sprintf("%s-%d", v, j), v, "s0", ""))
		}
	}
	return estate(b, docs...)
}

// second is the first half of the address space of the i-th network.
func second(i int) string { return fmt.Sprintf("%d.%d", 10+i/256, i%256) }

func manyRules(n int) []arm.Object {
	var out []arm.Object
	for i := range n {
		out = append(out, nt.Rule(fmt.Sprint("r", i), fmt.Sprintf("%d Inbound Deny Tcp 192.168.%d.0/24+VirtualNetwork:* -> Internet:%d", 100+i, i, 1000+i)))
	}
	return out
}

func BenchmarkFromEstate(b *testing.B) {
	for _, n := range []int{10, 100, 200, 500} {
		b.Run(fmt.Sprint(n, " networks"), func(b *testing.B) {
			e := spokes(b, n)
			for b.Loop() {
				network.FromEstate(e)
			}
		})
	}
}

func BenchmarkReach(b *testing.B) {
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(n, " networks"), func(b *testing.B) {
			top := network.FromEstate(spokes(b, n))
			f := network.Flow{Source: netip.MustParseAddr("10.0.0.4"), Destination: netip.MustParseAddr("10.1.0.4"), Protocol: network.TCP, Port: 22}
			b.ReportAllocs()
			for b.Loop() {
				top.Reach(f)
			}
		})
	}
}
