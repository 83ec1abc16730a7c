package floorplan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// noTenants are types that refer to subnets and do not stand in them.
var noTenants = []string{
	typeSubnet, typePeering, service.TypeVirtualNetwork, typeNSG, typeRouteTable, typeNAT, typeZoneLink, service.TypePrivateDNSZone,
	"Microsoft.Network/networkWatchers/flowLogs", "Microsoft.Network/serviceEndpointPolicies",
}

// rulePaths are parts of paths at which a service's firewall names the subnets
// that it lets in.
var rulePaths = []string{"networkacls", "networkruleset", "virtualnetworkrules", "ipsecurityrestrictions"}

func (r *reader) tenants() {
	placed := map[string]bool{}
	put := func(subnet arm.ID, t Tenant) {
		if key := subnet.Key() + " " + t.ID.Key(); !placed[key] {
			placed[key], placed[t.ID.Key()] = true, true
			s := r.subnetOf(subnet)
			s.Tenants = append(s.Tenants, t)
		}
	}
	owners := r.owners()
	for _, edge := range r.e.Edges() {
		if !strings.EqualFold(edge.To.Type(), typeSubnet) || !occupies(edge) {
			continue
		}
		doc, ok := r.e.Get(edge.From)
		if !ok || strings.HasPrefix(strings.ToLower(doc.Type), "microsoft.authorization/") {
			continue
		}
		if doc.IsType(service.TypeNetworkInterface) {
			if arm.Ref(doc.Properties, "privateEndpoint.id") != "" {
				continue
			}
			if vm, ok := owners[doc.ID.Key()]; ok {
				put(edge.To, r.tenant(vm, doc.ID))
				continue
			}
		}
		if server, ok := r.e.Get(doc.ID.Parent()); ok && server.IsType(typeHub) {
			doc = server // a route server, whose address is a document of its own
		}
		put(edge.To, r.tenant(doc, doc.ID))
	}
	attached := r.attach()
	for _, doc := range r.e.All() {
		stands := doc.IsType(typeVM) || doc.IsType(typeCompute) || doc.IsType(service.TypePrivateEndpoint)
		if stands && !placed[doc.ID.Key()] && !attached[doc.ID.Key()] {
			r.plan.Elsewhere = append(r.plan.Elsewhere, r.tenant(doc, doc.ID))
		}
	}
	for _, s := range r.subnet {
		slices.SortFunc(s.Tenants, func(a, b Tenant) int {
			return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(natural(a.Name), natural(b.Name)), cmp.Compare(a.ID.Key(), b.ID.Key()))
		})
	}
}

// attach notes at each cluster in a subnet as which computes it is attached to
// workspaces: such a compute stands where the cluster does. It returns their keys.
func (r *reader) attach() map[string]bool {
	out := map[string]bool{}
	for _, c := range r.e.OfType(typeCompute) {
		to := arm.Ref(c.Properties, "resourceId")
		for _, s := range r.subnet {
			for i := range s.Tenants {
				if t := &s.Tenants[i]; to != "" && t.ID.Equal(to) {
					t.Attached = append(t.Attached, c.ID)
					out[c.ID.Key()] = true
				}
			}
		}
	}
	return out
}

// occupies reports whether a reference to a subnet is from something in it.
func occupies(edge arm.Edge) bool {
	if edge.Path == "parent" || slices.ContainsFunc(noTenants, func(t string) bool { return strings.EqualFold(t, edge.From.Type()) }) {
		return false
	}
	path := strings.ToLower(edge.Path)
	return !slices.ContainsFunc(rulePaths, func(p string) bool { return strings.Contains(path, p) })
}

// owners are the virtual machines by network interface.
func (r *reader) owners() map[string]arm.Resource {
	out := map[string]arm.Resource{}
	for _, vm := range r.e.OfType(typeVM) {
		for _, o := range arm.Objects(vm.Properties, "networkProfile.networkInterfaces") {
			out[arm.Ref(o, "id").Key()] = vm
		}
	}
	return out
}

// tenant is what a document is in a subnet; nic is where its addresses are.
func (r *reader) tenant(doc arm.Resource, nic arm.ID) Tenant {
	t := Tenant{ID: doc.ID, Name: nameOf(doc.ID), Kind: kindOf(doc).name, Size: sizeOf(doc)}
	if n, ok := r.net.NIC(nic); ok {
		t.Addresses = texts(n.Addrs)
		if n.Kind == network.KindPrivateEndpoint {
			t.Endpoint = &Endpoint{Target: n.Target, Group: n.Group, Approved: n.Approved}
		}
		return t
	}
	for _, list := range []string{"ipConfigurations", "frontendIPConfigurations", "properties.nodes"} {
		for _, o := range arm.Objects(doc.Properties, list) {
			if a := arm.String(o, "properties.privateIPAddress"); a != "" {
				t.Addresses = append(t.Addresses, a)
			}
		}
	}
	return t
}

// nameOf is a document's name; of a DNS resolver's endpoint with the resolver's.
func nameOf(id arm.ID) string {
	if parent := id.Parent(); strings.EqualFold(parent.Type(), "Microsoft.Network/dnsResolvers") {
		return parent.Name() + "/" + id.Name()
	}
	return id.Name()
}

// sizeOf says how many of it there may be.
func sizeOf(doc arm.Resource) string {
	switch {
	case doc.IsType(typeCompute):
		if _, ok := arm.Lookup(doc.Properties, "properties.scaleSettings.maxNodeCount"); ok {
			lo := arm.Int(doc.Properties, "properties.scaleSettings.minNodeCount", 0)
			return fmt.Sprintf("%d to %d nodes", lo, arm.Int(doc.Properties, "properties.scaleSettings.maxNodeCount", lo))
		}
	case doc.IsType("Microsoft.Compute/virtualMachineScaleSets"):
		if n := arm.Int(doc.SKU, "capacity", -1); n >= 0 {
			return fmt.Sprintf("%d instances", n)
		}
	case doc.IsType("Microsoft.ContainerService/managedClusters"):
		if n := len(arm.Objects(doc.Properties, "agentPoolProfiles")); n > 1 {
			return fmt.Sprintf("%d node pools", n)
		}
	}
	return ""
}

// rank puts what faces outside first and private endpoints last.
func rank(t Tenant) int {
	switch {
	case t.Endpoint != nil || t.Kind == "private endpoint":
		return 2
	case t.Kind == "network interface":
		return 1
	}
	return 0
}

// natural makes agent-2 come before agent-10.
func natural(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		j := i
		for j < len(s) && s[j] >= '0' && s[j] <= '9' {
			j++
		}
		if j > i {
			fmt.Fprintf(&b, "%012s", s[i:j])
			i = j
			continue
		}
		b.WriteByte(s[i])
		i++
	}
	return b.String()
}
