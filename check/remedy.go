package check

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// remedyFor is the smallest change that mends a flow that must be.
func (w *world) remedyFor(r Requirement, c Cell, need *right) string {
	stage := r.decisiveStage().Name
	if m, isolated := w.isolated(c.From); isolated && stage != StageAuthorize {
		return w.managedRemedy(m, c, stage)
	}
	switch stage {
	case StageResolve:
		return w.resolveRemedy(c)
	case StageConnect:
		return w.connectRemedy(r)
	case StageAdmit:
		return w.admitRemedy(c)
	case StageAuthorize:
		return roleRemedy(r, need)
	}
	return ""
}

func (w *world) resolveRemedy(c Cell) string {
	ep, vnet := c.To, c.From.VNet.Name()
	if c.Resolve.Code == "" || ep.Group == "" {
		return ""
	}
	zone, haveZone := w.zoneNamed(ep.Zone)
	pe, haveEndpoint := w.endpointFor(ep)
	switch {
	case !haveEndpoint:
		return fmt.Sprintf("give %s a private endpoint for the sub-resource %s in a network that %s reaches: azurerm_private_endpoint", ep.Owner.Name(), ep.Group, vnet)
	case !haveZone:
		return fmt.Sprintf("create the zone %s and link it to %s: azurerm_private_dns_zone, azurerm_private_dns_zone_virtual_network_link", ep.Zone, vnet)
	case c.Resolve.Code == "NXDOMAIN" || len(c.Resolve.Addrs) == 0:
		return fmt.Sprintf("name the zone %s in a private_dns_zone_group of %s: azurerm_private_endpoint", zone.Name, pe.Name)
	}
	return fmt.Sprintf("link zone %s to network %s: azurerm_private_dns_zone_virtual_network_link", zone.Name, vnet)
}

// endpointFor is an approved private endpoint that covers a host.
func (w *world) endpointFor(ep service.Endpoint) (network.NIC, bool) {
	for _, nic := range w.net.NICs {
		if nic.Kind == network.KindPrivateEndpoint && nic.Approved && nic.Target.Equal(ep.Owner) && strings.EqualFold(nic.Group, ep.Group) {
			return nic, true
		}
	}
	return network.NIC{}, false
}

func (w *world) connectRemedy(r Requirement) string {
	step := r.decisiveStage().Verdict.Decisive()
	if step.Value != verdict.No {
		return ""
	}
	if far, ok := w.unpeered(r.From.VNet, r.To); ok {
		return w.peeringRemedy(r.From.VNet, far)
	}
	typ := strings.ToLower(step.Resource.Type())
	switch {
	case strings.HasPrefix(typ, "microsoft.network/networksecuritygroups"):
		return fmt.Sprintf("allow TCP %d from %s to %s in NSG %s, before the rule that denies it: azurerm_network_security_rule",
			r.To.Port, w.around(r.From.Addr), w.destination(r.To), nsgName(step.Resource))
	case strings.HasPrefix(typ, "microsoft.network/routetables"):
		return fmt.Sprintf("give %s a route to %s in route table %s: azurerm_route", r.From.Name, r.To.Addr, step.Resource.Name())
	case strings.HasPrefix(typ, "microsoft.network/azurefirewalls"):
		return fmt.Sprintf("allow TCP %d from %s to %s by a network rule of Azure Firewall %s: azurerm_firewall_policy_rule_collection_group, or azurerm_firewall_network_rule_collection where it has no policy",
			r.To.Port, w.around(r.From.Addr), w.destination(r.To), step.Resource.Name())
	case strings.HasSuffix(typ, "virtualnetworkpeerings"):
		return "complete the peering: azurerm_virtual_network_peering " + step.Resource.Name()
	}
	return ""
}

// destination is the service tag of a public target, and the subnet of any other.
func (w *world) destination(t Target) string {
	if t.Endpoint.Tag != "" && service.PublicAddr(t.Endpoint) == t.Addr {
		return "the service tag " + t.Endpoint.Tag
	}
	return w.around(t.Addr)
}

// around is the prefix of the subnet that an address is in: a rule for the one
// address would not outlive its machine.
func (w *world) around(a netip.Addr) string {
	for _, s := range w.net.Subnets {
		for _, p := range s.Prefixes {
			if p.Contains(a) {
				return p.String()
			}
		}
	}
	return a.String()
}

func nsgName(id arm.ID) string {
	for id.Parent() != "" && !strings.EqualFold(id.Type(), "Microsoft.Network/networkSecurityGroups") {
		id = id.Parent()
	}
	return id.Name()
}

// unpeered is the network of a private target that has no complete peering with
// the flow's own.
func (w *world) unpeered(from arm.ID, to Target) (arm.ID, bool) {
	if from == "" {
		return "", false // the internet, or what is behind a gateway
	}
	var home arm.ID
	for _, nic := range w.net.NICs {
		if holds(nic.Addrs, to.Addr) {
			home = nic.Subnet.Parent()
			break
		}
	}
	if home == "" || home.Equal(from) {
		return "", false
	}
	v, _ := w.net.VNet(from)
	for _, p := range v.Peerings {
		if p.Remote.Equal(home) && p.Connected {
			return "", false
		}
	}
	return home, !w.leads(from, to.Addr)
}

// peeringRemedy names the half of a peering that is missing, or both.
func (w *world) peeringRemedy(a, b arm.ID) string {
	near, _ := w.net.VNet(a)
	far, _ := w.net.VNet(b)
	switch {
	case declaresPeering(near, b) && !declaresPeering(far, a):
		return missingHalf(b, a)
	case declaresPeering(far, a) && !declaresPeering(near, b):
		return missingHalf(a, b)
	}
	return fmt.Sprintf("peer %s and %s in both directions: azurerm_virtual_network_peering", a.Name(), b.Name())
}

func missingHalf(from, to arm.ID) string {
	return fmt.Sprintf("add the peering from %s to %s: azurerm_virtual_network_peering", from.Name(), to.Name())
}

func (w *world) admitRemedy(c Cell) string {
	if pe, ok := w.endpointAt(c.From.VNet, target(c.To, c).Addr); ok {
		return fmt.Sprintf("approve the connection of private endpoint %s, or correct the record that leads to it", pe.Name)
	}
	return fmt.Sprintf("reach %s by a private endpoint: azurerm_private_endpoint with the sub-resource %s", c.To.Owner.Name(), c.To.Group)
}

func roleRemedy(r Requirement, need *right) string {
	if r.From.Identity == "" {
		return fmt.Sprintf("give %s a system-assigned identity, and that the role %s on %s", r.From.Name, need.role, r.To.Resource.Name())
	}
	return fmt.Sprintf("give the identity of %s the role %s on %s: azurerm_role_assignment", r.From.Name, need.role, r.To.Resource.Name())
}

// publicAccessRemedy names the switch as the azurerm provider spells it.
func publicAccessRemedy(id arm.ID) string {
	resource := map[string]string{
		strings.ToLower(service.TypeStorageAccount): "azurerm_storage_account", strings.ToLower(service.TypeKeyVault): "azurerm_key_vault",
		strings.ToLower(service.TypeRegistry): "azurerm_container_registry", strings.ToLower(service.TypeWorkspace): "azurerm_machine_learning_workspace",
	}[strings.ToLower(id.Type())]
	if resource == "" {
		return fmt.Sprintf("set publicNetworkAccess of %s to Disabled", id.Name())
	}
	return fmt.Sprintf("set public_network_access_enabled = false: %s %s", resource, id.Name())
}
