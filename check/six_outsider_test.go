package check

import (
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// six gives a machine of vnet-bastion a second address, of IPv6, that is public.
func (d *draft) six(nic, subnet string) {
	d.get(vnetID("vnet-bastion")).Properties["addressSpace"] = arm.Object{"addressPrefixes": []any{"10.2.0.0/16", "fd00:2::/48"}}
	s := d.get(subnetID("vnet-bastion", subnet)).Properties
	s["addressPrefixes"] = []any{s["addressPrefix"], "fd00:2:0:1::/64"}
	delete(s, "addressPrefix")
	ip := rid("Microsoft.Network/publicIPAddresses", "pip-six")
	d.add(ip, arm.Object{"publicIPAddressVersion": "IPv6"}).SKU = arm.Object{"name": "Standard"}
	p := d.get(rid("Microsoft.Network/networkInterfaces", nic)).Properties
	list, _ := p["ipConfigurations"].([]any)
	p["ipConfigurations"] = append(list, arm.Object{"name": "six", "properties": arm.Object{
		"subnet": ref(subnetID("vnet-bastion", subnet)), "privateIPAddressVersion": "IPv6", "publicIPAddress": ref(ip)}})
}

// A change that opens a machine to the internet by IPv6 alone opens a flow.
func TestDiffSeesTheInternetByIPv6(t *testing.T) {
	before, after := secured(), secured()
	for _, d := range []*draft{before, after} {
		d.six("nic-vm-agent-0", "agents")
		deny := d.get(nsgID("nsg-agents")).Properties["securityRules"].([]any)[0].(arm.Object)
		deny["properties"].(arm.Object)["priority"] = 4096.0
	}
	after.allowFirst("nsg-agents", ruleSpec{"allow-six", "Inbound", "Allow", "2000::/3", "*", "22"})
	var flows []string
	for _, f := range Diff(before.estate(t), after.estate(t), Options{}, Options{}).Flows {
		flows = append(flows, strings.Join(f.From, ",")+" > "+strings.Join(f.To, ",")+" "+f.Traffic.String())
	}
	if want := "internet > vm-agent-0 TCP 22"; len(flows) != 1 || flows[0] != want {
		t.Errorf("flows are %q, not %q alone", flows, want)
	}
}

// A place that has addresses of both versions is asked for the internet by both.
func TestInternetIsAskedForByBothVersions(t *testing.T) {
	d := secured()
	d.six("nic-vm-agent-0", "agents")
	w := newWorld(d.estate(t))
	for _, p := range w.places {
		if p.Name != "vm-agent-0" {
			continue
		}
		four, six := 0, 0
		for _, f := range w.toInternet(p) {
			if f.Source.Is6() != f.Destination.Is6() {
				t.Errorf("%s calls %s", f.Source, f.Destination)
			}
			if f.Source.Is6() {
				six++
			} else {
				four++
			}
		}
		if four == 0 || four != six {
			t.Errorf("%d flows are of IPv4 and %d of IPv6", four, six)
		}
	}
}
