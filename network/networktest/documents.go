package networktest

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Subscription and Group hold every document that this package makes.
const (
	Subscription = "00000000-0000-0000-0000-000000000001"
	Group        = "rg-net"
)

// ID is the id of a resource in Group.
func ID(typ, name string) arm.ID { return arm.ResourceID(Subscription, Group, typ, name) }

// Ids of the kinds of documents, by their names.
func VNetID(name string) arm.ID { return ID(service.TypeVirtualNetwork, name) }
func SubnetID(vnet, name string) arm.ID {
	return VNetID(vnet).Child("subnets", name)
}
func NSGID(name string) arm.ID      { return ID("Microsoft.Network/networkSecurityGroups", name) }
func NICID(name string) arm.ID      { return ID(service.TypeNetworkInterface, name) }
func VMID(name string) arm.ID       { return ID("Microsoft.Compute/virtualMachines", name) }
func EndpointID(name string) arm.ID { return ID(service.TypePrivateEndpoint, name) }
func TableID(name string) arm.ID    { return ID("Microsoft.Network/routeTables", name) }
func PublicIPID(name string) arm.ID { return ID("Microsoft.Network/publicIPAddresses", name) }
func NATID(name string) arm.ID      { return ID("Microsoft.Network/natGateways", name) }
func ASGID(name string) arm.ID {
	return ID("Microsoft.Network/applicationSecurityGroups", name)
}
func StorageID(name string) arm.ID   { return ID(service.TypeStorageAccount, name) }
func WorkspaceID(name string) arm.ID { return ID(service.TypeWorkspace, name) }

// Set is a property of a document: a dotted path and its value.
type Set struct {
	Path  string
	Value any
}

// With is a document with properties set; ids and lists may be given as they are.
func With(r arm.Resource, sets ...Set) arm.Resource {
	r.Properties = arm.Clone(r.Properties)
	if r.Properties == nil {
		r.Properties = arm.Object{}
	}
	for _, s := range sets {
		put(r.Properties, strings.Split(s.Path, "."), plain(s.Value))
	}
	return r
}

func put(o arm.Object, path []string, v any) {
	for _, key := range path[:len(path)-1] {
		next, ok := o[key].(map[string]any)
		if !ok {
			next = arm.Object{}
			o[key] = next
		}
		o = next
	}
	o[path[len(path)-1]] = v
}

// plain turns Go values into those that a JSON document holds.
func plain(v any) any {
	switch v := v.(type) {
	case arm.ID:
		return string(v)
	case int:
		return float64(v)
	case []string:
		out := make([]any, len(v))
		for i, s := range v {
			out[i] = s
		}
		return out
	case []arm.Object:
		out := make([]any, len(v))
		for i, o := range v {
			out[i] = o
		}
		return out
	}
	return v
}

// Document is a document of any kind.
func Document(id arm.ID, sets ...Set) arm.Resource {
	r := arm.Resource{ID: id, Name: id.Name(), Type: id.Type(), Location: "westeurope"}
	return With(r, sets...)
}

// VNet is a virtual network.
func VNet(name string, space ...string) arm.Resource {
	return Document(VNetID(name), Set{"addressSpace.addressPrefixes", space})
}

// Subnet is a subnet of a network.
func Subnet(vnet, name, prefix string, sets ...Set) arm.Resource {
	return With(Document(SubnetID(vnet, name), Set{"addressPrefix", prefix}), sets...)
}

// UseNSG, UseTable and UseNAT associate a subnet or a NIC.
func UseNSG(name string) Set   { return Set{"networkSecurityGroup.id", NSGID(name)} }
func UseTable(name string) Set { return Set{"routeTable.id", TableID(name)} }
func UseNAT(name string) Set   { return Set{"natGateway.id", NATID(name)} }

// Peering is one half of a peering.
func Peering(from, to string, sets ...Set) arm.Resource {
	id := VNetID(from).Child("virtualNetworkPeerings", "to-"+to)
	return With(Document(id, Set{"remoteVirtualNetwork.id", VNetID(to)}, Set{"allowVirtualNetworkAccess", true}), sets...)
}

// Peer is a peering with both halves.
func Peer(a, b string) []arm.Resource { return []arm.Resource{Peering(a, b), Peering(b, a)} }

// NSG is a network security group.
func NSG(name string, rules ...arm.Object) arm.Resource {
	return Document(NSGID(name), Set{"securityRules", rules})
}

// Rule is a security rule from one line:
// "100 Inbound Allow Tcp VirtualNetwork:* -> 10.0.0.0/24:22,443".
// Sources and destinations are separated by +.
func Rule(name, line string) arm.Object {
	f := strings.Fields(line)
	var priority int
	if _, err := fmt.Sscan(f[0], &priority); err != nil || len(f) != 7 {
		return arm.Object{"name": name}
	}
	from, fromPorts := cutLast(f[4])
	to, toPorts := cutLast(f[6])
	return arm.Object{"name": name, "properties": arm.Object{
		"priority": float64(priority), "direction": f[1], "access": f[2], "protocol": f[3],
		"sourceAddressPrefixes":      plain(strings.Split(from, "+")),
		"destinationAddressPrefixes": plain(strings.Split(to, "+")),
		"sourcePortRanges":           plain(strings.Split(fromPorts, ",")),
		"destinationPortRanges":      plain(strings.Split(toPorts, ",")),
	}}
}

// cutLast splits "prefixes:ports"; without ports they are all.
func cutLast(s string) (prefixes, ports string) {
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, "*"
	}
	return s[:i], s[i+1:]
}

// RouteTable is a route table.
func RouteTable(name string, routes ...arm.Object) arm.Resource {
	return Document(TableID(name), Set{"routes", routes})
}

// Route is a user-defined route; next hops that are addresses are appliances.
func Route(name, prefix, hop string) arm.Object {
	p := arm.Object{"addressPrefix": prefix, "nextHopType": hop}
	if strings.ContainsAny(hop, ".:") {
		p["nextHopType"], p["nextHopIpAddress"] = "VirtualAppliance", hop
	}
	return arm.Object{"name": name, "properties": p}
}

// VM is a virtual machine with its NIC, which is named nic-{name}. An empty
// address is left to the subnet.
func VM(name, vnet, subnet, addr string, sets ...Set) []arm.Resource {
	nic := With(Document(NICID("nic-"+name), Set{"ipConfigurations", []arm.Object{Config(vnet, subnet, addr)}}), sets...)
	vm := Document(VMID(name), Set{"networkProfile.networkInterfaces", []arm.Object{{"id": string(nic.ID)}}})
	return []arm.Resource{nic, vm}
}

// Config is an IP configuration of a NIC.
func Config(vnet, subnet, addr string, sets ...Set) arm.Object {
	p := arm.Object{"subnet": arm.Object{"id": string(SubnetID(vnet, subnet))}}
	if addr != "" {
		p["privateIPAddress"] = addr
	}
	for _, s := range sets {
		put(p, strings.Split(s.Path, "."), plain(s.Value))
	}
	return arm.Object{"name": "ipconfig", "properties": p}
}

// PublicIP is a public IP address of a SKU.
func PublicIP(name, sku string) arm.Resource {
	r := Document(PublicIPID(name))
	r.SKU = arm.Object{"name": sku}
	return r
}

// Endpoint is a private endpoint with an approved connection.
func Endpoint(name, vnet, subnet string, target arm.ID, group string, sets ...Set) arm.Resource {
	return With(Document(EndpointID(name),
		Set{"subnet.id", SubnetID(vnet, subnet)},
		Set{"privateLinkServiceConnections", []arm.Object{Connection(target, group, "Approved")}},
	), sets...)
}

// Connection is a private link service connection.
func Connection(target arm.ID, group, status string) arm.Object {
	return arm.Object{"name": "connection", "properties": arm.Object{
		"privateLinkServiceId": string(target), "groupIds": []any{group},
		"privateLinkServiceConnectionState": arm.Object{"status": status},
	}}
}

// Storage is a storage account.
func Storage(name string, sets ...Set) arm.Resource { return Document(StorageID(name), sets...) }

// Workspace is a workspace.
func Workspace(name string, sets ...Set) arm.Resource { return Document(WorkspaceID(name), sets...) }

// Cluster is a compute cluster of a workspace.
func Cluster(workspace, name, vnet, subnet string, nodes int, publicIP bool) arm.Resource {
	return Document(WorkspaceID(workspace).Child("computes", name),
		Set{"computeType", "AmlCompute"},
		Set{"properties.scaleSettings.maxNodeCount", nodes},
		Set{"properties.subnet.id", SubnetID(vnet, subnet)},
		Set{"properties.enableNodePublicIp", publicIP},
	)
}

// Estate gathers documents and lists of documents.
func Estate(parts ...any) (*arm.Estate, error) {
	var all []arm.Resource
	for _, p := range parts {
		switch p := p.(type) {
		case arm.Resource:
			all = append(all, p)
		case []arm.Resource:
			all = append(all, p...)
		default:
			return nil, fmt.Errorf("networktest: %T is neither a document nor a list of them", p)
		}
	}
	return arm.NewEstate(all...)
}
