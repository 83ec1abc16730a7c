package check

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/verdict"
)

const typeCluster = "Microsoft.ContainerService/managedClusters"

// spacesApart requires of peered networks that their address spaces do not overlap.
func spacesApart(w *world) []Requirement {
	var out []Requirement
	seen := map[fault]bool{}
	for _, v := range w.net.VNets {
		for _, p := range v.Peerings {
			remote, inside := w.net.VNet(p.Remote)
			pair := peeringFault(v.ID, p.Remote)
			if !inside || seen[pair] || remote.ID.Equal(v.ID) {
				continue
			}
			seen[pair] = true
			doc, _ := w.estate.Get(p.ID)
			value, reason := verdict.Yes, "they have no address in common"
			if a, b, ok := network.Overlap(v.AddressSpace, remote.AddressSpace); ok {
				value, reason = verdict.No, fmt.Sprintf("%s of %s overlaps %s of %s, and Azure peers no networks that have an address in common", a, v.Name, b, remote.Name)
			} else if d, unknown := spaceDoubt(v, remote); unknown {
				value, reason = verdict.Unknown, d
			}
			r := w.configured("spaces-apart", doc, fmt.Sprintf("The address spaces of %s and %s do not overlap", v.Name, remote.Name), value, reason,
				fmt.Sprintf("give %s an address space apart from that of %s, with its subnets: azurerm_virtual_network, address_space", remote.Name, v.Name))
			r.ID = slug("spaces-apart", v.Name, remote.Name)
			r.faults = []fault{pair, documentFault(p.ID)}
			for _, back := range remote.Peerings {
				if back.Remote.Equal(v.ID) {
					r.faults = append(r.faults, documentFault(back.ID))
				}
			}
			out = append(out, r)
		}
	}
	return out
}

func spaceDoubt(list ...network.VNet) (string, bool) {
	for _, v := range list {
		if d, ok := v.Doubts.About("addressSpace.addressPrefixes"); ok {
			return d.Reason, true
		}
	}
	return "", false
}

// defaultServiceCIDR is the range that Azure gives a cluster which asks for none.
const defaultServiceCIDR = "10.0.0.0/16"

// aksRangesApart requires that the ranges inside a Kubernetes cluster are apart from
// the subnets of its network and of those peered with it.
func aksRangesApart(w *world) []Requirement {
	var out []Requirement
	for _, c := range w.estate.OfType(typeCluster) {
		vnet, ok := w.clusterNetwork(c)
		if !ok {
			continue
		}
		value, reason := w.clusterRanges(c, vnet)
		out = append(out, w.configured("aks-ranges-apart", c, "The ranges inside cluster "+c.Name+" are apart from its networks", value, reason,
			fmt.Sprintf("choose a range that no network uses: azurerm_kubernetes_cluster %s, network_profile (service_cidr with dns_service_ip, pod_cidr)", c.Name)))
	}
	return out
}

func (w *world) clusterNetwork(c arm.Resource) (network.VNet, bool) {
	for _, pool := range arm.Objects(c.Properties, "agentPoolProfiles") {
		if v, ok := w.net.VNetOf(arm.Ref(pool, "vnetSubnetID")); ok {
			return v, true
		}
	}
	return network.VNet{}, false
}

func (w *world) clusterRanges(c arm.Resource, vnet network.VNet) (verdict.Value, string) {
	ranges := []struct{ what, path, def string }{{"service", "networkProfile.serviceCidr", defaultServiceCIDR}}
	plugin := arm.String(c.Properties, "networkProfile.networkPlugin")
	if strings.EqualFold(plugin, "kubenet") || strings.EqualFold(arm.String(c.Properties, "networkProfile.networkPluginMode"), "overlay") {
		ranges = append(ranges, struct{ what, path, def string }{"pod", "networkProfile.podCidr", "10.244.0.0/16"})
	}
	for _, r := range ranges {
		if u, ok := arm.UnknownAt(c.Properties, r.path); ok {
			return verdict.Unknown, r.what + " range is " + u.String()
		}
		set := arm.String(c.Properties, r.path)
		p, err := netip.ParsePrefix(cmp.Or(set, r.def))
		if err != nil {
			continue
		}
		for _, s := range w.net.Subnets {
			if !s.VNet.Equal(vnet.ID) && !declaresPeering(vnet, s.VNet) {
				continue
			}
			for _, q := range s.Prefixes {
				if p.Overlaps(q) {
					note := ""
					if set == "" {
						note = ", which is Azure's where none is given,"
					}
					return verdict.No, fmt.Sprintf("the %s range %s%s of %s overlaps subnet %s (%s) of %s: what is in it cannot be reached from the cluster",
						r.what, p, note, c.Name, s.Name, q, s.VNet.Name())
				}
			}
		}
	}
	return verdict.Yes, "they overlap no subnet"
}
