package network

import (
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// connectionLists are the two places of a private endpoint's connection, with the
// state that a new one has: one that the caller may approve is approved.
var connectionLists = []struct{ field, status, text string }{
	{"privateLinkServiceConnections", "Approved", "Auto-Approved"},
	{"manualPrivateLinkServiceConnections", "Pending", "Awaiting approval"},
}

// endpointLinks are the approvals that a private endpoint gives itself: a door into
// a service is for those to open who may approve it at the service. Others ask for
// one by a manual connection.
func endpointLinks(r arm.Resource) map[arm.ID]string {
	links := map[arm.ID]string{}
	for _, c := range arm.Objects(r.Properties, "privateLinkServiceConnections") {
		if to := arm.Ref(c, "properties.privateLinkServiceId"); to != "" {
			links[to] = to.Type() + "/privateEndpointConnectionsApproval/action"
		}
	}
	return links
}

func prepareEndpoint(view cloud.View, old *arm.Resource, r arm.Resource) (arm.Resource, error) {
	if err := checkLocated(r); err != nil {
		return r, err
	}
	remove(r.Properties, "networkInterfaces")
	remove(r.Properties, "customDnsConfigs")
	subnet, err := required(view, r, r.Properties, "subnet.id", typeSubnet)
	if err != nil {
		return r, err
	}
	if err := inRegion(view, r, subnet); err != nil {
		return r, err
	}
	if old != nil && !arm.Ref(old.Properties, "subnet.id").Equal(subnet.ID) {
		return r, refuse("PrivateEndpointSubnetCannotBeChanged", "The subnet of private endpoint %s cannot be changed.", r.ID)
	}
	connections := 0
	for _, list := range connectionLists {
		for _, c := range arm.Objects(r.Properties, list.field) {
			connections++
			if err := prepareConnection(view, old, r, c, list.field, list.status, list.text); err != nil {
				return r, err
			}
		}
	}
	if connections != 1 {
		return r, refuse("PrivateEndpointMustHaveOneConnection", "Private endpoint %s must have exactly one connection; it has %d.", r.ID, connections)
	}
	for _, c := range arm.Objects(r.Properties, "ipConfigurations") {
		if err := checkAddress(view, r, subnet, arm.Object{}, arm.String(c, "properties.privateIPAddress")); err != nil {
			return r, err
		}
	}
	if old != nil {
		if was, ok := arm.Lookup(old.Properties, "customDnsConfigs"); ok {
			r.Properties["customDnsConfigs"] = arm.Clone(was)
		}
	}
	if err := problems(view, r, "InvalidRequestFormat"); err != nil {
		return r, err
	}
	return recordMembers(view, r), nil
}

func prepareConnection(view cloud.View, old *arm.Resource, r arm.Resource, c arm.Object, field, status, text string) error {
	properties, _ := c["properties"].(map[string]any)
	target := arm.Ref(properties, "privateLinkServiceId")
	if target == "" {
		return refuse("LinkedInvalidPropertyId", "Property id '%s' at path 'properties.%s.properties.privateLinkServiceId' is invalid.", arm.String(properties, "privateLinkServiceId"), field)
	}
	found, ok := view.Get(target)
	if !ok && strings.EqualFold(target.Subscription(), r.ID.Subscription()) {
		return missing(r, target)
	}
	if err := checkGroup(view.Estate(), r, found, arm.Strings(properties, "groupIds")); err != nil {
		return err
	}
	state := arm.Object{"status": status, "description": text, "actionsRequired": "None"}
	if old != nil {
		for _, was := range arm.Objects(old.Properties, field) {
			known, ok := arm.Lookup(was, "properties.privateLinkServiceConnectionState")
			if ok && arm.Ref(was, "properties.privateLinkServiceId").Equal(target) {
				state, _ = arm.Clone(known).(map[string]any)
			}
		}
	}
	remove(properties, "privateLinkServiceConnectionState")
	remove(properties, "provisioningState")
	remove(c, "id")
	remove(c, "etag")
	properties["privateLinkServiceConnectionState"] = state
	return nil
}

// checkGroup refuses a sub-resource that the target does not have.
func checkGroup(e *arm.Estate, r, target arm.Resource, groups []string) error {
	var known []string
	for _, ep := range service.Covered(e, target) {
		if ep.Group != "" && !slices.Contains(known, ep.Group) {
			known = append(known, ep.Group)
		}
	}
	if len(known) == 0 {
		return nil // a target of another subscription, or of a type that is not known
	}
	if len(groups) != 1 {
		return refuse("PrivateEndpointInvalidGroupIds", "Private endpoint %s must name exactly one of the sub-resources of %s: %s.", r.ID, target.ID, strings.Join(known, ", "))
	}
	if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, groups[0]) }) {
		return refuse("PrivateEndpointInvalidGroupIds", "%s has no sub-resource %s for private endpoint %s; it has %s.", target.ID, groups[0], r.ID, strings.Join(known, ", "))
	}
	return nil
}

// recordMembers writes down the addresses that are given to the endpoint, each
// with the host name that it is for.
func recordMembers(view cloud.View, r arm.Resource) arm.Resource {
	e := with(view, r)
	t := network.FromEstate(e)
	nic, ok := t.NIC(r.ID)
	if !ok {
		return r
	}
	target, ok := e.Get(nic.Target)
	if !ok {
		return r
	}
	configs := []any{}
	for _, ep := range service.Covered(e, target) {
		if !strings.EqualFold(ep.Group, nic.Group) {
			continue
		}
		if a := t.MemberAddr(r.ID, ep.Member); a.IsValid() {
			configs = append(configs, arm.Object{"fqdn": ep.PublicName(), "ipAddresses": []any{a.String()}})
		}
	}
	r.Properties["customDnsConfigs"] = configs
	return r
}

// hostsOf are the host names of one member of a private endpoint.
func hostsOf(view cloud.View, nic network.NIC, member string) []any {
	out := []any{}
	target, ok := view.Get(nic.Target)
	if !ok {
		return out
	}
	for _, ep := range service.Covered(view.Estate(), target) {
		if ep.Member == member && strings.EqualFold(ep.Group, nic.Group) {
			out = append(out, ep.PublicName())
		}
	}
	return out
}

func presentEndpoint(_ cloud.View, r arm.Resource) arm.Resource {
	r.Properties["networkInterfaces"] = refs([]arm.ID{endpointNIC(r)})
	for _, list := range connectionLists {
		withIDs(r, list.field, list.field)
		fill(r.Properties, list.field, []any{})
	}
	fill(r.Properties, "customNetworkInterfaceName", "")
	fill(r.Properties, "ipConfigurations", []any{})
	fill(r.Properties, "ipVersionType", "IPv4")
	return r
}
