package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// behindGateway is the secured estate with a VPN gateway in the hub: one office and a
// pool of clients behind it.
func behindGateway() *draft {
	d := secured()
	gateway, office, link := rid("Microsoft.Network/virtualNetworkGateways", "vgw"), rid("Microsoft.Network/localNetworkGateways", "office"), rid("Microsoft.Network/connections", "to-office")
	d.add(subnetID("vnet-bastion", "GatewaySubnet"), arm.Object{"addressPrefix": "10.2.9.0/27"})
	d.add(gateway, arm.Object{
		"gatewayType": "Vpn", "ipConfigurations": []any{arm.Object{"name": "default", "properties": arm.Object{"subnet": ref(subnetID("vnet-bastion", "GatewaySubnet"))}}},
		"vpnClientConfiguration": arm.Object{"vpnClientAddressPool": arm.Object{"addressPrefixes": []any{"172.16.200.0/24"}}},
	})
	d.add(office, arm.Object{"localNetworkAddressSpace": arm.Object{"addressPrefixes": []any{"10.2.0.0/24", "192.168.7.0/24"}}})
	d.add(link, arm.Object{"connectionType": "IPsec", "virtualNetworkGateway1": ref(gateway), "localNetworkGateway2": ref(office)})
	d.add(rid(typeCircuit, "leased-line"), arm.Object{})
	for _, half := range []arm.ID{vnetID("vnet-bastion").Child("virtualNetworkPeerings", "peer-vnet-bastion-to-vnet-aml"), vnetID("vnet-aml").Child("virtualNetworkPeerings", "peer-vnet-aml-to-vnet-bastion")} {
		d.get(half).Properties["allowGatewayTransit"] = strings.Contains(string(half), "vnet-bastion/")
		d.get(half).Properties["useRemoteGateways"] = !strings.Contains(string(half), "vnet-bastion/")
	}
	return d
}

func TestPlacesBehindGateways(t *testing.T) {
	for _, c := range []struct {
		name    string
		change  func(*draft)
		ask     Question
		outcome Meeting
		reason  string
		remedy  string
	}{
		{"a VPN client keeps its own DNS servers", func(*draft) {}, Question{From: "vpn-client-vgw", To: "kv-mlops"},
			MeetRefused, "Disabled", "dns_servers"},
		{"a VPN client asks the network's DNS servers", func(d *draft) {
			d.get(vnetID("vnet-bastion")).Properties["dhcpOptions"] = arm.Object{"dnsServers": []any{"10.2.9.9"}}
		}, Question{From: "vpn-client-vgw", To: "kv-mlops"}, MeetUnknown, "10.2.9.9", ""},
		{"a VPN client reaches a private endpoint", func(*draft) {}, Question{From: "vpn-client-vgw", To: "pe-vault"}, MeetAdmitted, "", ""},
		{"a VPN client reaches no machine behind a group", func(*draft) {}, Question{From: "vpn-client-vgw", To: "vm-jump", Port: 22}, MeetUnreachable, "deny-all", "allow TCP 22"},
		{"whom the premises ask is not known", func(*draft) {}, Question{From: "on-premises-office", To: "stmlops"}, MeetUnknown, "in no document", ""},
		{"the premises reach a private endpoint", func(*draft) {}, Question{From: "on-premises-office", To: "pe-vault"}, MeetAdmitted, "", ""},
		{"by an address of theirs", func(*draft) {}, Question{From: "192.168.7.20", To: "pe-vault"}, MeetAdmitted, "", ""},
		{"what has no private endpoint, by the internet", func(*draft) {}, Question{From: "on-premises-office", To: "login"}, MeetAllowed, "", ""},
		{"a firewall that lets addresses in", func(d *draft) {
			d.get(vaultID).Properties["publicNetworkAccess"] = "Enabled"
			d.get(vaultID).Properties["networkAcls"] = arm.Object{"defaultAction": "Deny", "ipRules": []any{arm.Object{"value": "198.51.100.7/32"}}}
		}, Question{From: "vpn-client-vgw", To: "kv-mlops"}, MeetUnknown, "in no document", ""},
		{"what a circuit leads to is not known", func(*draft) {}, Question{From: "on-premises-leased-line", To: "pe-vault"}, MeetUnknown, "in no document", ""},
		{"an agent reaches the premises", func(*draft) {}, Question{From: "vm-agent-0", To: "on-premises-office"}, MeetAdmitted, "", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := behindGateway()
			c.change(d)
			tr := ask(t, d, c.ask)
			if tr.Outcome != c.outcome || !strings.Contains(tr.Reason, c.reason) || !strings.Contains(tr.Remedy, c.remedy) {
				t.Fatalf("it meets %q (%s; mend: %s), want %q (%s; mend: %s)", tr.Outcome, tr.Reason, tr.Remedy, c.outcome, c.reason, c.remedy)
			}
		})
	}
}

func TestPlacesBehindGatewaysAreInTheMatrixAndHaveNames(t *testing.T) {
	e := behindGateway().estate(t)
	want := []string{"on-premises-leased-line", "on-premises-office", "vpn-client-vgw"}
	var rows []string
	for _, c := range Matrix(e) {
		if c.From.Remote() && !slices.Contains(rows, c.From.Name) {
			rows = append(rows, c.From.Name)
		}
	}
	if !slices.Equal(rows, want) {
		t.Errorf("the matrix has %v, want %v", rows, want)
	}
	places, _ := Names(e)
	for _, name := range want {
		if !slices.Contains(places, name) {
			t.Errorf("%s is not among the names %v", name, places)
		}
	}
}

func TestRequirementsOfPlacesBehindGateways(t *testing.T) {
	r := Prove(behindGateway().estate(t), Options{Asks: []Ask{
		{Name: "offices stay off the jump host", From: Selector{Any: "on-premises-off*"}, To: Selector{Any: "vm-jump"}, Port: 22},
		{Name: "people reach the vault", From: Selector{Any: "vpn-client-vgw"}, To: Selector{Any: "kv-mlops"}, Private: true, Must: true},
	}})
	if len(r.Unmatched) > 0 {
		t.Fatal(r.Unmatched)
	}
	got := map[string]Outcome{}
	for _, q := range r.Requirements {
		if q.Rule == OwnRule {
			got[q.ID] = q.Outcome
		}
	}
	for id, want := range map[string]Outcome{
		"require:offices-stay-off-the-jump-host:on-premises-office:vm-jump": Holds,
		"require:people-reach-the-vault:vpn-client-vgw:vault/kv-mlops":      Violated,
	} {
		if got[id] != want {
			t.Errorf("%s %s, want %s; all: %v", id, got[id], want, got)
		}
	}
}
