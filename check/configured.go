package check

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// configured is a requirement on what one document says.
func (w *world) configured(rule string, doc arm.Resource, title string, v verdict.Value, reason, remedy string) Requirement {
	r := Requirement{
		ID: slug(rule, doc.ID.Name()), Title: title, Must: true,
		To:     Target{Name: doc.ID.Name(), Resource: doc.ID},
		Stages: []Stage{{StageConfigure, single(v, "", doc.ID, reason)}},
	}
	w.settle(&r)
	if r.Outcome == Violated {
		r.Remedy = remedy
	}
	return r
}

// point says which part of the document a requirement is about, where one is: it is
// declared there.
func (w *world) point(r *Requirement, doc arm.Resource, part string) {
	if part == "" {
		return
	}
	r.Stages[0].Verdict.Steps[0].Part = part
	r.Source = doc.Place(part)
}

// deployable turns what Azure would refuse into requirements that fall. A reference
// to something that the estate does not hold is no fault: it may be there already.
func deployable(w *world) []Requirement {
	var out []Requirement
	add := func(resource arm.ID, part, message string) {
		doc, ok := w.estate.Get(resource)
		if !ok {
			doc = arm.Resource{ID: resource}
		}
		value := verdict.No
		if strings.Contains(message, "is not in the estate") {
			value = verdict.Unknown
		}
		r := w.configured("deployable", doc, "Azure accepts "+doc.ID.Name(), value, message, "")
		r.faults = []fault{documentFault(resource)}
		w.point(&r, doc, part)
		out = append(out, r)
	}
	for _, p := range w.net.Problems {
		add(p.Resource, p.Part, p.Message)
	}
	for _, p := range w.names.Problems {
		add(p.Resource, "", p.Message)
	}
	return out
}

// peeringsConnected requires both halves of every peering, open to traffic.
func peeringsConnected(w *world) []Requirement {
	var out []Requirement
	for _, v := range w.net.VNets {
		for _, p := range v.Peerings {
			doc, _ := w.estate.Get(p.ID)
			value, reason, remedy := w.peeringState(v, p)
			r := w.configured("peering-connected", doc, fmt.Sprintf("The peering from %s to %s is connected", v.Name, p.Remote.Name()), value, reason, remedy)
			r.ID = slug("peering-connected", v.Name, p.Remote.Name())
			r.faults = []fault{peeringFault(v.ID, p.Remote)}
			r.From = Place{Name: v.Name, Kind: KindNetwork, Resource: v.ID, VNet: v.ID}
			r.To = Target{Name: p.Remote.Name(), Resource: p.Remote}
			out = append(out, r)
		}
	}
	return out
}

func (w *world) peeringState(v network.VNet, p network.Peering) (value verdict.Value, reason, remedy string) {
	_, inside := w.net.VNet(p.Remote)
	for _, about := range []string{"remoteVirtualNetwork.id", "connected", "allowVirtualNetworkAccess"} {
		if d, unknown := p.Doubts.About(about); unknown {
			return verdict.Unknown, d.Reason, ""
		}
	}
	switch {
	case !p.Connected && !inside:
		return verdict.Unknown, fmt.Sprintf("%s is not in the estate, so the peering back from there is not known", p.Remote.Name()), ""
	case !p.Connected:
		return verdict.No, fmt.Sprintf("there is a peering from %s to %s and none back, so it stays in the state Initiated and nothing passes", v.Name, p.Remote.Name()),
			missingHalf(p.Remote, v.ID)
	case !p.AllowAccess:
		return verdict.No, fmt.Sprintf("allow_virtual_network_access is false, so the NSGs of %s do not count %s as VirtualNetwork", v.Name, p.Remote.Name()),
			"set allow_virtual_network_access = true: azurerm_virtual_network_peering " + p.ID.Name()
	}
	return verdict.Yes, "both halves exist and let traffic through", ""
}

const typeGateway = "Microsoft.Network/virtualNetworkGateways"

// peeringsOpenNoMore requires that forwarded traffic and gateway transit are off
// where nothing forwards and no gateway is.
func peeringsOpenNoMore(w *world) []Requirement {
	gateways := len(w.estate.OfType(typeGateway)) > 0
	forwards := w.forwards()
	var out []Requirement
	for _, v := range w.net.VNets {
		for _, p := range v.Peerings {
			var needless []string
			if p.AllowForwarded && !forwards {
				needless = append(needless, "allow_forwarded_traffic (no machine of the estate forwards)")
			}
			if p.AllowGatewayTransit && !gateways {
				needless = append(needless, "allow_gateway_transit (the estate has no gateway)")
			}
			if p.UseRemoteGateways && !gateways {
				needless = append(needless, "use_remote_gateways (the estate has no gateway)")
			}
			value, reason := verdict.Yes, "nothing is open that has no use"
			if len(needless) > 0 {
				value, reason = verdict.No, "it sets "+strings.Join(needless, " and ")
			}
			if _, inside := w.net.VNet(p.Remote); !inside && value == verdict.No {
				value, reason = verdict.Unknown, reason+", but "+p.Remote.Name()+" is not in the estate"
			}
			for _, about := range []string{"allowForwardedTraffic", "allowGatewayTransit", "useRemoteGateways"} {
				if d, unknown := p.Doubts.About(about); unknown && value == verdict.Yes {
					value, reason = verdict.Unknown, d.Reason
				}
			}
			doc, _ := w.estate.Get(p.ID)
			r := w.configured("peering-opens-no-more", doc, fmt.Sprintf("The peering from %s to %s opens no more than is needed", v.Name, p.Remote.Name()),
				value, reason, "set these to false: azurerm_virtual_network_peering "+p.ID.Name())
			r.ID = slug("peering-opens-no-more", v.Name, p.Remote.Name())
			out = append(out, r)
		}
	}
	return out
}

// forwards reports whether a machine or firewall of the estate passes on traffic of others.
func (w *world) forwards() bool {
	for _, nic := range w.net.NICs {
		if nic.IPForwarding {
			return true
		}
	}
	return len(w.estate.OfType("Microsoft.Network/azureFirewalls")) > 0
}

// publicAccessOff requires the switch itself to be off. A service whose firewall
// lets in subnets by service endpoints needs it on, and denies the rest.
func publicAccessOff(w *world) []Requirement {
	var out []Requirement
	for _, typ := range []string{service.TypeWorkspace, service.TypeStorageAccount, service.TypeRegistry, service.TypeKeyVault, service.TypeOnlineEndpoint} {
		for _, doc := range w.estate.OfType(typ) {
			value, reason := w.publicAccess(doc)
			r := w.configured("public-access-off", doc, "Public network access of "+doc.Name+" is off", value, reason, publicAccessRemedy(doc.ID))
			if doc.IsType(service.TypeRegistry) && !strings.EqualFold(arm.String(doc.SKU, "name"), "Premium") && r.Remedy != "" {
				r.Remedy = `set sku = "Premium" and public_network_access_enabled = false: azurerm_container_registry ` + doc.Name
			}
			r.faults = []fault{openFault(doc.ID)}
			if firewall(doc) && w.isClosed(doc) {
				r.Severity = Low // a second lock is missing, and nobody comes in
			}
			out = append(out, r)
		}
	}
	return out
}

// subnetRules counts the subnets that a service's firewall lets in by service
// endpoints.
func subnetRules(doc arm.Resource) int {
	return len(arm.List(doc.Properties, "networkAcls.virtualNetworkRules")) + len(arm.List(doc.Properties, "networkRuleSet.virtualNetworkRules"))
}

// firewall reports whether a service's own rules deny whom they do not name.
func firewall(doc arm.Resource) bool {
	return strings.EqualFold(arm.String(doc.Properties, "networkAcls.defaultAction"), "Deny") || strings.EqualFold(arm.String(doc.Properties, "networkRuleSet.defaultAction"), "Deny")
}

func (w *world) publicAccess(doc arm.Resource) (verdict.Value, string) {
	const path = "publicNetworkAccess"
	set := arm.String(doc.Properties, path)
	if u, ok := arm.UnknownAt(doc.Properties, path); ok {
		return verdict.Unknown, "publicNetworkAccess is " + u.String()
	}
	if strings.EqualFold(set, "Disabled") {
		return verdict.Yes, "publicNetworkAccess is Disabled"
	}
	if subnets := subnetRules(doc); subnets > 0 && w.isClosed(doc) {
		return verdict.Yes, fmt.Sprintf("publicNetworkAccess is on for the %d subnets that its firewall lets in, and all else is denied", subnets)
	}
	beside := ""
	if list := w.endpointsOf(doc.ID); len(list) > 0 {
		beside = ", beside private endpoint " + list[0].Name
	}
	if set == "" {
		return verdict.No, fmt.Sprintf("publicNetworkAccess of %s is not set, and is Enabled then%s", doc.Name, beside)
	}
	if firewall(doc) && w.isClosed(doc) {
		beside += ", and nothing but its firewall keeps the internet out"
	}
	return verdict.No, fmt.Sprintf("publicNetworkAccess of %s is %s%s", doc.Name, set, beside)
}

// computeWithoutPublicAddress requires nodes without public addresses.
func computeWithoutPublicAddress(w *world) []Requirement {
	var out []Requirement
	for _, doc := range w.estate.OfType(typeCompute) {
		if !isCluster(doc) && !isInstance(doc) {
			continue
		}
		p := w.computePlace(doc)
		const path = "properties.enableNodePublicIp"
		value, reason := verdict.Yes, "enableNodePublicIp is false"
		if u, ok := arm.UnknownAt(doc.Properties, path); ok {
			value, reason = verdict.Unknown, "enableNodePublicIp is "+u.String()
		} else if arm.Bool(doc.Properties, path, true) {
			value, reason = verdict.No, fmt.Sprintf("the nodes of %s have public addresses (enableNodePublicIp)", doc.Name)
		}
		r := w.configured("compute-without-public-address", doc, "The nodes of "+strings.ToLower(p.label())+" "+doc.Name+" have no public address",
			value, reason, "set node_public_ip_enabled = false: azurerm_machine_learning_compute_"+p.resourceKind()+" "+doc.Name)
		r.faults = []fault{publicFault(doc.ID)}
		out = append(out, r)
	}
	return out
}
