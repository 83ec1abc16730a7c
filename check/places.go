package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

const (
	typeVM      = "Microsoft.Compute/virtualMachines"
	typeCompute = "Microsoft.MachineLearningServices/workspaces/computes"
)

// outsider is a machine on the internet that has nothing to do with the estate.
func outsider() Place {
	return Place{Name: "internet", Kind: KindInternet, Addr: service.Outsider}
}

// findPlaces are the virtual machines by network interface, the compute clusters
// by first node and the compute instances, ordered by role and name.
func (w *world) findPlaces() []Place {
	var out []Place
	for _, vm := range w.estate.OfType(typeVM) {
		out = append(out, w.machinePlaces(vm)...)
	}
	for _, c := range w.estate.OfType(typeCompute) {
		if isCluster(c) || isInstance(c) {
			out = append(out, w.computePlace(c))
		}
	}
	order := map[Role]int{RoleAgent: 0, RoleJumpHost: 1, RoleCompute: 2, RoleOther: 3}
	slices.SortFunc(out, func(a, b Place) int {
		return cmp.Or(cmp.Compare(order[a.Role], order[b.Role]), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// matrixPlaces are the places that have a network interface.
func (w *world) matrixPlaces() []Place {
	return slices.DeleteFunc(slices.Clone(w.places), func(p Place) bool { return p.NIC == "" })
}

func (w *world) machinePlaces(vm arm.Resource) []Place {
	var out []Place
	for _, nic := range w.net.NICs {
		if nic.Kind != network.KindVM || !nic.Owner.Equal(vm.ID) {
			continue
		}
		p := w.onNIC(Place{Name: vm.Name, Kind: KindMachine, Resource: vm.ID, Identity: w.access.IdentityOf(vm)}, nic)
		p.Role = w.roleOf(vm, p.VNet)
		out = append(out, p)
	}
	if len(out) > 1 {
		for i := range out {
			out[i].Name = vm.Name + "/" + out[i].NIC.Name()
		}
	}
	return out
}

func (w *world) computePlace(c arm.Resource) Place {
	p := Place{Name: c.Name, Kind: KindCompute, Role: RoleCompute, Resource: c.ID, Identity: w.access.IdentityOf(c)}
	if isInstance(c) {
		p.Kind = KindInstance
	}
	for _, nic := range w.net.NICs {
		if nic.Kind == network.KindCompute && nic.Owner.Equal(c.ID) {
			return w.onNIC(p, nic)
		}
	}
	return p
}

func (w *world) onNIC(p Place, nic network.NIC) Place {
	p.NIC, p.Subnet = nic.ID, nic.Subnet
	if v, ok := w.net.VNetOf(nic.Subnet); ok {
		p.VNet = v.ID
	}
	if len(nic.Addrs) > 0 {
		p.Addr = nic.Addrs[0]
	}
	return p
}

// whyNoAddr explains a place whose address is not known.
func (w *world) whyNoAddr(p Place) string {
	if p.Role == RoleCompute && p.NIC == "" {
		return fmt.Sprintf("%s %s has no node in a subnet of the estate: it runs in a network that is not described here", strings.ToLower(p.label()), p.Name)
	}
	return fmt.Sprintf("the address of %s is not known", p.Name)
}
