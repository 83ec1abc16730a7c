package fabric

import (
	"testing"

	"github.com/cloister-ml/cloister/network"
)

// hubAndSpokes are two spokes whose routes to each other lead through a machine in
// the hub.
func hubAndSpokes(forwarded bool) *handmade {
	h := twoNetworks()
	h.nics[0].IPForwarding = true // jump
	through := func(to string) []network.Route {
		return []network.Route{{Prefix: prefix(to), NextHop: network.HopAppliance, Address: addr("10.1.0.4"), Source: "User"}}
	}
	h.routes[h.subnets[1].ID], h.routes[h.subnets[2].ID] = through("10.3.0.0/16"), through("10.2.0.0/16")
	for i := range h.vnets {
		for j := range h.vnets[i].Peerings {
			h.vnets[i].Peerings[j].AllowForwarded = forwarded
		}
	}
	return h
}

func TestApplianceInAPeeredNetwork(t *testing.T) {
	t.Parallel()
	f := build(t, hubAndSpokes(true).plan())
	name := func(vm string) string { full, _ := f.Namespace(nicID(vm)); return full }
	echo(t, f, name("worker"), ":22")
	echo(t, f, name("remote"), ":22")
	attempts{
		{"spoke to spoke through the hub", name("worker"), "10.3.0.4:22", open},
		{"and back", name("remote"), "10.2.0.4:22", open},
		{"the hub itself", name("worker"), "10.1.0.5:22", refused},
		{"an address that nobody has", name("worker"), "10.3.0.99:22", silent},
	}.try(t, f)
}

func TestPeersThatTakeNothingForwarded(t *testing.T) {
	t.Parallel()
	f := build(t, hubAndSpokes(false).plan())
	name := func(vm string) string { full, _ := f.Namespace(nicID(vm)); return full }
	attempts{
		{"spoke to spoke", name("worker"), "10.3.0.4:22", silent},
		{"spoke to hub", name("worker"), "10.1.0.4:22", refused},
	}.try(t, f)
}

func TestApplianceThatDoesNotForward(t *testing.T) {
	t.Parallel()
	h := hubAndSpokes(true)
	h.nics[0].IPForwarding = false
	p := h.plan()
	if len(p.Notes) == 0 {
		t.Error("nothing is said of a route that leads nowhere")
	}
	f := build(t, p)
	worker, _ := f.Namespace(nicID("worker"))
	if got := connect(f, worker, "10.3.0.4:22"); got == refused {
		t.Error("a machine without IP forwarding has forwarded")
	}
}
