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
	out = append(out, w.serverlessPlaces()...)
	out = append(out, w.scaleSetPlaces()...)
	out = append(out, w.clusterPlaces()...)
	order := map[Role]int{RoleAgent: 0, RoleJumpHost: 1, RoleCompute: 2, RoleServing: 3, RoleOther: 4}
	slices.SortFunc(out, func(a, b Place) int {
		return cmp.Or(cmp.Compare(order[a.Role], order[b.Role]), cmp.Compare(a.Name, b.Name))
	})
	return out
}

// matrixPlaces are the places that have a network interface, those in managed
// networks and those behind gateways.
func (w *world) matrixPlaces() []Place {
	inside := slices.DeleteFunc(slices.Clone(w.places), func(p Place) bool {
		_, isolated := w.isolated(p)
		return p.NIC == "" && !isolated
	})
	return append(inside, w.remotes...)
}

func (w *world) machinePlaces(vm arm.Resource) []Place {
	var out []Place
	for _, nic := range w.owned[vm.ID.Key()] {
		if nic.Kind != network.KindVM {
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
	for _, nic := range w.owned[c.ID.Key()] {
		if nic.Kind == network.KindCompute {
			return w.onNIC(p, nic)
		}
	}
	return w.managed(p, c)
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
	if p.Remote() {
		return fmt.Sprintf("which addresses %s has is in no document", p.Name)
	}
	return fmt.Sprintf("the address of %s is not known", p.Name)
}

// scaleSetPlaces are the scale sets of agents, each by its first instance. One that
// has none yet, as its capacity is 0, is at any free address of its subnet.
func (w *world) scaleSetPlaces() []Place {
	var out []Place
	for _, set := range w.estate.OfType(typeScaleSet) {
		agent := false
		for _, ext := range arm.Objects(set.Properties, "virtualMachineProfile.extensionProfile.extensions") {
			properties, _ := ext["properties"].(map[string]any)
			name, _ := ext["name"].(string)
			agent = agent || installsAgent(arm.Resource{Name: name, Properties: properties})
		}
		if !agent && !taggedAgent(set) {
			continue
		}
		p := Place{Name: set.Name, Kind: KindMachine, Role: RoleAgent, Resource: set.ID, Identity: w.access.IdentityOf(set)}
		if nic, ok := w.firstNIC(set.ID); ok {
			out = append(out, w.onNIC(p, nic))
			continue
		}
		for _, nic := range arm.Objects(set.Properties, "virtualMachineProfile.networkProfile.networkInterfaceConfigurations") {
			for _, c := range arm.Objects(nic, "properties.ipConfigurations") {
				out = append(out, w.inSubnet(p, arm.Ref(c, "properties.subnet.id")))
			}
			break
		}
	}
	return out
}

// firstNIC is the first network interface that a resource owns.
func (w *world) firstNIC(owner arm.ID) (network.NIC, bool) {
	for _, nic := range w.net.NICs {
		if nic.Owner.Equal(owner) && len(nic.Addrs) > 0 {
			return nic, true
		}
	}
	return network.NIC{}, false
}

// clusterPlaces are the node pools' first subnets of the Kubernetes clusters that
// are attached to a workspace.
func (w *world) clusterPlaces() []Place {
	var out []Place
	for _, c := range w.estate.OfType(typeCluster) {
		if len(w.attachedTo(c.ID)) == 0 {
			continue
		}
		for _, pool := range arm.Objects(c.Properties, "agentPoolProfiles") {
			if subnet := arm.Ref(pool, "vnetSubnetID"); subnet != "" {
				out = append(out, w.inSubnet(Place{Name: c.Name, Kind: KindCluster, Role: RoleServing, Resource: c.ID}, subnet))
				break
			}
		}
	}
	return out
}

// inSubnet puts a place at a free address of a subnet.
func (w *world) inSubnet(p Place, subnet arm.ID) Place {
	s, ok := w.net.Subnet(subnet)
	if !ok {
		return p
	}
	p.Subnet, p.VNet, p.Addr = s.ID, s.VNet, s.FirstHost()
	for range 256 {
		if _, taken := w.net.NICByAddr(p.Addr); !taken {
			return p
		}
		p.Addr = p.Addr.Next()
	}
	return p
}
