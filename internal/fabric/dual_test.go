package fabric

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// dual gives the networks of a topology, but for the private endpoints, addresses
// of IPv6: fd00:1::/48 and so on, with the last part of the IPv4 ones.
func (h *handmade) dual() *handmade {
	for i := range h.vnets {
		v := &h.vnets[i]
		v.AddressSpace = append(v.AddressSpace[:1:1], prefix(fmt.Sprintf("fd00:%d::/48", i+1)))
		h.subnets[i].Prefixes = append(h.subnets[i].Prefixes, prefix(fmt.Sprintf("fd00:%d::/64", i+1)))
	}
	for i := range h.vnets {
		for j, p := range h.vnets[i].Peerings {
			for _, remote := range h.vnets {
				if remote.ID == p.Remote {
					h.vnets[i].Peerings[j].RemoteAddressSpace = remote.AddressSpace
				}
			}
		}
	}
	for i, n := range h.nics {
		if n.Kind == network.KindVM {
			b := n.Addrs[0].As4()
			h.nics[i].Addrs = append(n.Addrs, netip.AddrFrom16([16]byte{0: 0xfd, 3: b[1], 15: b[3]}))
		}
	}
	return h
}

func TestConnectionsByIPv6(t *testing.T) {
	t.Parallel()
	h := twoNetworks().dual()
	h.filter(nicID("agent"), network.Inbound, "nsg", rule("no-jump", false, "Tcp", "fd00:1::4/128", "::/0", port(443)), rule("rest", true, "*", "::/0", "::/0"), rule("four", true, "Tcp", anywhere, anywhere, port(22)))
	f := build(t, h.plan())
	jump, agent, worker := namespaceOf(t, f, nicID("jump")), namespaceOf(t, f, nicID("agent")), namespaceOf(t, f, nicID("worker"))
	echo(t, f, worker, "[fd00:2::4]:443")
	attempts{
		{"within a subnet", jump, "[fd00:1::5]:22", refused},
		{"what a group denies", jump, "[fd00:1::5]:443", silent},
		{"IPv4 as before", jump, "10.1.0.5:22", refused},
		{"what no rule allows IPv4", jump, "10.1.0.5:443", silent},
		{"over a peering", jump, "[fd00:2::4]:443", open},
		{"over a peering, nobody listens", agent, "[fd00:2::4]:22", refused},
		{"back", worker, "[fd00:1::4]:22", refused},
		{"not over two peerings", worker, "[fd00:3::4]:22", noRoute},
		{"nobody's address", jump, "[fd00:1::77]:22", noRoute},
		{"the internet, without a public address", jump, "[" + service.Outsider6.String() + "]:22", noRoute},
		{"its gateway", jump, "[fe80::1234:5678:9abc%eth0]:53", silent},
		{"the other machine's link-local address", jump, "[fe80::1%eth0]:22", silent},
		{"from the internet", f.OutsiderNamespace(), "[fd00:1::4]:22", noRoute},
	}.try(t, f)
	if got := seenAs(t, f, jump, "[fd00:2::4]:443"); got != "fd00:1::4 at fd00:2::4" {
		t.Errorf("seen as %s", got)
	}
	if changes := apply(t, f, h.plan()); len(changes) > 0 {
		t.Errorf("a second time: %v", changes)
	}
}
