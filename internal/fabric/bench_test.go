package fabric

import (
	"fmt"
	"net/netip"
	"testing"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

// exampleLike is an estate of the size of examples/secure-mlops: two peered
// networks, three machines, five private endpoints, six security groups.
func exampleLike() *handmade {
	h := twoNetworks()
	for i := range 4 {
		pe := h.nics[len(h.nics)-1]
		pe.ID = id("privateEndpoints", fmt.Sprintf("pe-%d", i))
		pe.Owner, pe.Name, pe.Addrs = pe.ID, pe.ID.Name(), []netip.Addr{addr(fmt.Sprintf("10.1.0.%d", 20+i))}
		h.nics = append(h.nics, pe)
	}
	for i, n := range h.nics {
		for _, d := range []network.Direction{network.Inbound, network.Outbound} {
			h.filter(n.ID, d, fmt.Sprintf("nsg-%d", i%6),
				rule("ssh", true, "Tcp", "10.1.0.0/16", anywhere, port(22)),
				rule("web", true, "Tcp", anywhere, anywhere, port(80), port(443)),
				rule("dns", false, "Udp", anywhere, anywhere, port(53)),
				rule("rest", false, "*", anywhere, anywhere))
		}
		h.egress[n.ID] = addr("203.0.113.7")
	}
	return h
}

// BenchmarkUp is the time from nothing to whole networks.
func BenchmarkUp(b *testing.B) {
	p := exampleLike().plan()
	f := build(b, p)
	for b.Loop() {
		b.StopTimer()
		if err := f.Remove(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		apply(b, f, p)
	}
}

// BenchmarkDown is the time to take them away.
func BenchmarkDown(b *testing.B) {
	p := exampleLike().plan()
	f := build(b, p)
	for b.Loop() {
		b.StopTimer()
		apply(b, f, p)
		b.StartTimer()
		if err := f.Remove(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSame is the time to find that there is nothing to do.
func BenchmarkSame(b *testing.B) {
	p := exampleLike().plan()
	f := build(b, p)
	for b.Loop() {
		if c := apply(b, f, p); len(c) > 0 {
			b.Fatal(c)
		}
	}
}

// BenchmarkOneRule is the time to land a changed security rule.
func BenchmarkOneRule(b *testing.B) {
	f := build(b, exampleLike().plan())
	for i := 0; b.Loop(); i++ {
		h := exampleLike()
		h.filter(nicID("jump"), network.Inbound, "nsg-changing", rule("r", true, "Tcp", anywhere, anywhere, port(uint16(1+i%60000))))
		apply(b, f, h.plan())
	}
}

// manyNetworks are 50 networks in a ring of peerings with 4 machines each.
func manyNetworks() *handmade {
	h := &handmade{
		routes:  map[arm.ID][]network.Route{},
		filters: map[arm.ID]map[network.Direction][]network.Filter{},
		egress:  map[arm.ID]netip.Addr{},
	}
	const n = 50
	for i := range n {
		v := network.VNet{ID: id("virtualNetworks", fmt.Sprintf("net%d", i)), Name: fmt.Sprintf("net%d", i), AddressSpace: []netip.Prefix{prefix(fmt.Sprintf("10.%d.0.0/16", i))}}
		h.vnets = append(h.vnets, v)
		h.subnets = append(h.subnets, network.Subnet{ID: v.ID.Child("subnets", "main"), Name: "main", VNet: v.ID, Prefixes: []netip.Prefix{prefix(fmt.Sprintf("10.%d.0.0/24", i))}})
	}
	for i := range n {
		h.peer(i, (i+1)%n)
		for j := range 4 {
			name := fmt.Sprintf("vm%d-%d", i, j)
			h.vm(name, i, fmt.Sprintf("10.%d.0.%d", i, 4+j))
			h.filter(nicID(name), network.Inbound, "nsg", rule("ssh", true, "Tcp", "10.0.0.0/8", anywhere, port(22)))
		}
	}
	return h
}

// BenchmarkUpMany is the time from nothing to 200 machines in 50 networks.
func BenchmarkUpMany(b *testing.B) {
	p := manyNetworks().plan()
	f := build(b, p)
	for b.Loop() {
		b.StopTimer()
		if err := f.Remove(b.Context()); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
		apply(b, f, p)
	}
}

func BenchmarkDownMany(b *testing.B) {
	p := manyNetworks().plan()
	f := build(b, p)
	for b.Loop() {
		b.StopTimer()
		apply(b, f, p)
		b.StartTimer()
		if err := f.Remove(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
}
