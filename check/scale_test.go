package check

import (
	"fmt"
	"maps"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// company is a secured solution in an organization's estate: beside it networks
// around a hub, of ten subnets with ten machines each, that are not peered with
// each other. A route to everything takes their packets to the firewall in the
// hub, which lets some on. Each network has a storage account of its own with a
// private endpoint, whose zone is linked to all.
func company(networks int) *draft {
	d := secured()
	d.hub(networks)
	blobs := zoneID("privatelink.blob.core.windows.net")
	for v := range networks {
		name, space := fmt.Sprintf("spoke%03d", v), fmt.Sprintf("10.%d", 10+v)
		d.add(vnetID(name), arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{space + ".0.0/16"}}})
		d.peer(name, "hub")
		d.peer("hub", name)
		d.docs[len(d.docs)-1].Properties["allowForwardedTraffic"] = true
		d.docs[len(d.docs)-2].Properties["allowForwardedTraffic"] = true
		d.add(blobs.Child("virtualNetworkLinks", "link-"+name), arm.Object{"virtualNetwork": ref(vnetID(name))})
		for s := range 10 {
			d.spokeSubnet(name, fmt.Sprintf("s%d", s), fmt.Sprintf("%s.%d.0/24", space, s), v, s, networks)
		}
		d.spokeStorage(fmt.Sprintf("st%03d", v), name, blobs)
	}
	return d
}

func (d *draft) hub(networks int) {
	d.add(vnetID("hub"), arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{"10.3.0.0/16"}}})
	d.add(subnetID("hub", "AzureFirewallSubnet"), arm.Object{"addressPrefix": "10.3.0.0/26"})
	ip := rid("Microsoft.Network/publicIPAddresses", "pip-fw")
	d.add(ip, arm.Object{"publicIPAllocationMethod": "Static"})
	var rules []any
	for v := range networks {
		rules = append(rules, arm.Object{"name": fmt.Sprint("next", v), "protocols": []any{"TCP"}, "sourceAddresses": []any{fmt.Sprintf("10.%d.0.0/16", 10+v)},
			"destinationAddresses": []any{fmt.Sprintf("10.%d.0.0/16", 10+(v+1)%networks)}, "destinationPorts": []any{"1000-1200"}})
	}
	d.add(rid("Microsoft.Network/azureFirewalls", "fw"), arm.Object{
		"ipConfigurations": []any{arm.Object{"name": "c", "properties": arm.Object{
			"subnet": ref(subnetID("hub", "AzureFirewallSubnet")), "publicIPAddress": ref(ip), "privateIPAddress": "10.3.0.4",
		}}},
		"networkRuleCollections": []any{arm.Object{"name": "spokes", "properties": arm.Object{
			"priority": 100.0, "action": arm.Object{"type": "Allow"}, "rules": rules,
		}}},
	})
	d.add(rid("Microsoft.Network/routeTables", "rt"), arm.Object{"routes": []any{arm.Object{"name": "all", "properties": arm.Object{
		"addressPrefix": "0.0.0.0/0", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.3.0.4",
	}}}})
}

// spokeSubnet has a group of two hundred rules.
func (d *draft) spokeSubnet(network, subnet, prefix string, v, s, networks int) {
	var rules []ruleSpec
	for r := range 200 {
		spec := ruleSpec{fmt.Sprint("r", r), "Inbound", "Allow", fmt.Sprintf("10.%d.%d.0/24", 10+(v+r)%networks, (s+r)%10), "VirtualNetwork", fmt.Sprintf("%d-%d", 1000+10*(r%50), 1009+10*(r%50))}
		if r%2 == 1 {
			spec.direction, spec.from, spec.to = "Outbound", spec.to, spec.from
		}
		if r%5 == 4 {
			spec.access = "Deny"
		}
		rules = append(rules, spec)
	}
	group := network + "-" + subnet
	d.nsg(group, rules...)
	d.add(subnetID(network, subnet), arm.Object{"addressPrefix": prefix, "networkSecurityGroup": ref(nsgID(group)),
		"routeTable": ref(rid("Microsoft.Network/routeTables", "rt"))})
	for m := range 10 {
		name := fmt.Sprintf("vm-%s-%d", group, m)
		nic := rid("Microsoft.Network/networkInterfaces", "nic-"+name)
		d.add(nic, arm.Object{"ipConfigurations": []any{arm.Object{"name": "default", "properties": arm.Object{"subnet": ref(subnetID(network, subnet))}}}})
		d.add(vmID(name), arm.Object{"networkProfile": arm.Object{"networkInterfaces": []any{ref(nic)}}})
	}
}

func (d *draft) spokeStorage(name, network string, zone arm.ID) {
	id := rid("Microsoft.Storage/storageAccounts", name)
	d.add(id, arm.Object{"publicNetworkAccess": "Disabled", "networkAcls": arm.Object{"defaultAction": "Deny"}})
	d.add(peID("pe-"+name), arm.Object{
		"subnet": ref(subnetID(network, "s0")),
		"privateLinkServiceConnections": []any{arm.Object{"name": name, "properties": arm.Object{
			"privateLinkServiceId": string(id), "groupIds": []any{"blob"},
		}}},
	})
	d.add(peID("pe-"+name).Child("privateDnsZoneGroups", "default"), arm.Object{"privateDnsZoneConfigs": []any{
		arm.Object{"name": "blob", "properties": arm.Object{"privateDnsZoneId": string(zone)}}}})
}

// The whole of check, and its questions, on an estate of 10,000 network
// interfaces; and on smaller ones and a larger, to see how each grows.
func BenchmarkCompany(b *testing.B) {
	for _, networks := range []int{10, 25, 50, 100, 200} {
		d := company(networks)
		e := d.estate(b)
		g := d.get(nsgID("spoke007-s3"))
		g.Properties = maps.Clone(g.Properties)
		d.allowFirst("spoke007-s3", ruleSpec{"allow-ssh", "Inbound", "Allow", "10.16.0.0/24", "*", "1050"})
		changed := d.estate(b)
		for _, question := range []struct {
			name string
			ask  func()
		}{
			{"prove", func() { Prove(e, Options{}) }},
			{"matrix", func() { Matrix(e) }},
			{"exfil", func() { Exfil(e) }},
			{"trace", func() {
				if _, err := Trace(e, Question{From: "vm-spoke003-s3-1", To: "vm-spoke004-s4-1"}); err != nil {
					b.Fatal(err)
				}
			}},
			{"diff", func() { Diff(e, changed, Options{}, Options{}) }},
		} {
			b.Run(fmt.Sprintf("%s %d interfaces", question.name, networks*100), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					question.ask()
				}
			})
		}
	}
}
