package check

import (
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// prove answers a draft and fails the test on what is not expected in any.
func prove(t testing.TB, d *draft) *Report {
	t.Helper()
	return Prove(d.estate(t), Options{})
}

func TestSecuredEstateHolds(t *testing.T) {
	r := prove(t, secured())
	for _, q := range r.Requirements {
		if q.Outcome != Holds {
			t.Errorf("%s is %s: %s", q.ID, q.Outcome, q.Reason)
		}
		if q.Remedy != "" {
			t.Errorf("%s holds and has the remedy %q", q.ID, q.Remedy)
		}
	}
	if len(r.Requirements) < 50 {
		t.Errorf("only %d requirements were derived", len(r.Requirements))
	}
}

// TestBrokenEstates breaks the secured estate in one way each. Those are the
// findings, with that reason and remedy; what follows from them names them, and
// everything else still holds.
func TestBrokenEstates(t *testing.T) {
	for _, c := range []struct {
		name    string
		break_  func(*draft)
		falls   []string // each finding begins with one of these, and each of these has one
		follows []string // what falls because of the first begins with one of these
		reason  []string // words of the reason of what falls first
		names   arm.ID   // the document that decides what falls first
		remedy  string
		unknown bool
	}{
		{
			name: "one half of the peering removed",
			break_: func(d *draft) {
				d.remove("peer-vnet-aml-to-vnet-bastion")
			},
			falls:   []string{"peering-connected:vnet-bastion:vnet-aml"},
			follows: []string{"agent-reaches-service:vm-agent-0:", "agent-reaches-service:vm-agent-1:", "jump-host-reaches-service:vm-jump:"},
			reason:  []string{"vnet-bastion", "vnet-aml", "none back"},
			names:   vnetID("vnet-bastion").Child("virtualNetworkPeerings", "peer-vnet-bastion-to-vnet-aml"),
			remedy:  "azurerm_virtual_network_peering",
		},
		{
			name: "the peering removed",
			break_: func(d *draft) {
				d.remove("peer-vnet-aml-to-vnet-bastion")
				d.remove("peer-vnet-bastion-to-vnet-aml")
			},
			falls: []string{
				"agent-reaches-service:vm-agent-0:", "agent-reaches-service:vm-agent-1:",
				"jump-host-reaches-service:vm-jump:", "private-names-stay-inside:vnet-bastion:",
			},
			remedy: "peer vnet-bastion and vnet-aml in both directions: azurerm_virtual_network_peering",
		},
		{
			name:    "a zone link removed",
			break_:  func(d *draft) { d.remove("privatelink.azurecr.io/virtualNetworkLinks/link-vnet-bastion") },
			falls:   []string{"zone-linked:privatelink.azurecr.io:vnet-bastion"},
			follows: []string{"agent-reaches-service:vm-agent-0:registry/crmlops", "agent-reaches-service:vm-agent-0:registrydata/crmlops", "agent-reaches-service:vm-agent-1:registry", "jump-host-reaches-service:vm-jump:registry"},
			reason:  []string{"gets its public address", "privatelink.azurecr.io is not linked to vnet-bastion"},
			names:   zoneID("privatelink.azurecr.io"),
			remedy:  "link zone privatelink.azurecr.io to network vnet-bastion: azurerm_private_dns_zone_virtual_network_link",
		},
		{
			name: "a zone removed",
			break_: func(d *draft) {
				d.remove("privatelink.vaultcore.azure.net/virtualNetworkLinks/link-vnet-bastion")
				d.remove("privatelink.vaultcore.azure.net/virtualNetworkLinks/link-vnet-aml")
				d.remove("privateDnsZones/privatelink.vaultcore.azure.net")
				d.get(peID("pe-vault").Child("privateDnsZoneGroups", "default")).Properties["privateDnsZoneConfigs"] = []any{}
			},
			falls:   []string{"zone-exists:pe-vault:privatelink.vaultcore.azure.net"},
			follows: []string{"agent-reaches-service:vm-agent-0:vault/kv-mlops", "agent-reaches-service:vm-agent-1:vault/kv-mlops", "jump-host-reaches-service:vm-jump:vault/kv-mlops", "compute-reaches-service:cpu-cluster:vault/kv-mlops"},
			reason:  []string{"there is no private DNS zone privatelink.vaultcore.azure.net"},
			remedy:  "create the zone privatelink.vaultcore.azure.net",
		},
		{
			name:    "the zone group removed",
			break_:  func(d *draft) { d.remove("pe-blob/privateDnsZoneGroups/default") },
			falls:   []string{"record-exists:pe-blob:privatelink.blob.core.windows.net"},
			follows: []string{"agent-reaches-service:vm-agent-0:blob/stmlops", "agent-reaches-service:vm-agent-1:blob/stmlops", "jump-host-reaches-service:vm-jump:blob/stmlops", "compute-reaches-service:cpu-cluster:blob/stmlops"},
			reason:  []string{"no zone group of pe-blob and no record set writes stmlops into privatelink.blob.core.windows.net"},
			names:   peID("pe-blob"),
			remedy:  "private_dns_zone_group of pe-blob",
		},
		{
			name: "an NSG rule denies the registry's endpoint to compute",
			break_: func(d *draft) {
				rules := d.get(nsgID("nsg-training")).Properties["securityRules"].([]any)
				d.get(nsgID("nsg-training")).Properties["securityRules"] = append(rules, arm.Object{"name": "no-endpoints", "properties": arm.Object{
					"priority": 90.0 + 11, "direction": "Outbound", "access": "Deny", "protocol": "Tcp", "sourceAddressPrefix": "*",
					"sourcePortRange": "*", "destinationAddressPrefix": "AzureResourceManager", "destinationPortRange": "443",
				}})
			},
			falls:   []string{"compute-service-tags:cpu-cluster"},
			follows: []string{"reaches-platform:cpu-cluster:management.azure.com"},
			reason:  []string{"no-endpoints", "denies", "AzureResourceManager TCP 443"},
			names:   nsgID("nsg-training"),
			remedy:  "allow these service tags from 10.1.2.0/24 before the rule that denies them",
		},
		{
			name:   "public access of the storage account enabled",
			break_: func(d *draft) { d.get(storageID).Properties["publicNetworkAccess"] = "Enabled" },
			falls:  []string{"public-access-off:stmlops"},
			reason: []string{"publicNetworkAccess of stmlops is Enabled"},
			names:  storageID,
			remedy: "public_network_access_enabled = false: azurerm_storage_account stmlops",
		},
		{
			name: "public access of the storage account enabled for all",
			break_: func(d *draft) {
				d.get(storageID).Properties["publicNetworkAccess"] = "Enabled"
				delete(d.get(storageID).Properties, "networkAcls")
			},
			falls:   []string{"public-access-off:stmlops"},
			follows: []string{"service-closed-to-internet:blob/stmlops", "service-closed-to-internet:dfs/", "service-closed-to-internet:file/", "service-closed-to-internet:queue/", "service-closed-to-internet:table/"},
			names:   storageID,
			remedy:  "public_network_access_enabled = false: azurerm_storage_account stmlops",
		},
		{
			name: "the vault's private endpoint removed",
			break_: func(d *draft) {
				d.remove("pe-vault/privateDnsZoneGroups/default")
				d.remove("privateEndpoints/pe-vault")
			},
			falls:   []string{"endpoint-exists:kv-mlops:vault"},
			follows: []string{"agent-reaches-service:vm-agent-0:vault/kv-mlops", "agent-reaches-service:vm-agent-1:vault/kv-mlops", "jump-host-reaches-service:vm-jump:vault/kv-mlops", "compute-reaches-service:cpu-cluster:vault/kv-mlops"},
			reason:  []string{"kv-mlops is closed to the internet and has no private endpoint for vault"},
			names:   vaultID,
			remedy:  "give kv-mlops a private endpoint for the sub-resource vault",
		},
		{
			name:   "a role assignment of an agent removed",
			break_: func(d *draft) { d.remove("vm-agent-1.7f951dda.crmlops") },
			falls:  []string{"agent-reaches-service:vm-agent-1:registry/crmlops"},
			reason: []string{"no role assignment allows vm-agent-1", "registries/pull/read", "registry crmlops"},
			names:  vmID("vm-agent-1"),
			remedy: "give the identity of vm-agent-1 the role AcrPull on crmlops: azurerm_role_assignment",
		},
		{
			name:   "the workspace's role on the registry removed",
			break_: func(d *draft) { d.remove("mlw-mlops.7f951dda.crmlops") },
			falls:  []string{"workspace-rights:mlw-mlops:registry/crmlops"},
			reason: []string{"no role assignment allows mlw-mlops"},
			names:  workspaceID,
			remedy: "the role AcrPull on crmlops",
		},
		{
			name:   "nothing guards the training subnet",
			break_: func(d *draft) { delete(d.get(subnetID("vnet-aml", "training")).Properties, "networkSecurityGroup") },
			falls:  []string{"training-data-stays:cpu-cluster"},
			reason: []string{"TCP 443 to any address is open"},
			remedy: "deny the destination tag Internet",
		},
		{
			name: "the agents' subnet is open to its peers",
			break_: func(d *draft) {
				delete(d.get(subnetID("vnet-bastion", "agents")).Properties, "networkSecurityGroup")
				delete(d.get(subnetID("vnet-aml", "training")).Properties, "networkSecurityGroup")
			},
			falls: []string{"training-opens-no-shell:cpu-cluster:vm-agent-0", "training-opens-no-shell:cpu-cluster:vm-agent-1", "training-data-stays:cpu-cluster"},
		},
		{
			name: "Bastion is kept from the jump host",
			break_: func(d *draft) {
				rules := d.get(nsgID("nsg-jump")).Properties["securityRules"].([]any)
				d.get(nsgID("nsg-jump")).Properties["securityRules"] = rules[1:]
			},
			falls:  []string{"bastion-reaches-jump-host:bas-mlops:vm-jump"},
			reason: []string{"deny-all"},
			names:  nsgID("nsg-jump"),
			remedy: "allow TCP 22",
		},
		{
			name: "the jump host has a public address and nothing guards its subnet",
			break_: func(d *draft) {
				ip := rid("Microsoft.Network/publicIPAddresses", "pip-jump")
				d.add(ip, arm.Object{"publicIPAllocationMethod": "Static"}).SKU = arm.Object{"name": "Standard"}
				nic := d.get(rid("Microsoft.Network/networkInterfaces", "nic-vm-jump"))
				nic.Properties["ipConfigurations"].([]any)[0].(arm.Object)["properties"].(arm.Object)["publicIPAddress"] = ref(ip)
				rules := d.get(nsgID("nsg-jump")).Properties["securityRules"].([]any)
				rules[0].(arm.Object)["properties"].(arm.Object)["sourceAddressPrefix"] = "*"
			},
			falls:   []string{"ssh-closed:nsg-jump"},
			follows: []string{"network-closed-to-internet:vnet-bastion:vm-jump"},
			reason:  []string{"rule allow-bastion (priority 100) of nsg-jump lets * in at TCP 22"},
			remedy:  "come in by Bastion",
		},
		{
			name: "compute nodes have public addresses",
			break_: func(d *draft) {
				d.get(clusterID).Properties["properties"].(arm.Object)["enableNodePublicIp"] = true
			},
			falls:   []string{"compute-without-public-address:cpu-cluster"},
			follows: []string{"compute-service-tags:cpu-cluster"},
			names:   clusterID,
		},
		{
			name:   "a compute instance without a role",
			break_: func(d *draft) { d.instance(false) },
			falls:  []string{"compute-reaches-service:ci-notebooks:"},
			reason: []string{"no role assignment allows ci-notebooks"},
			remedy: "give the identity of ci-notebooks the role",
		},
		{
			name: "a compute instance with a public address",
			break_: func(d *draft) {
				who := d.instance(true)
				d.grant(who, dataScientist, workspaceID)
				d.grant(who, blobContributor, storageID)
				d.grant(who, acrPull, registryID)
			},
			falls:  []string{"compute-without-public-address:ci-notebooks"},
			names:  workspaceID.Child("computes", "ci-notebooks"),
			remedy: "node_public_ip_enabled = false: azurerm_machine_learning_compute_instance ci-notebooks",
		},
		{
			name: "a peering forwards for no one",
			break_: func(d *draft) {
				d.get(vnetID("vnet-aml").Child("virtualNetworkPeerings", "peer-vnet-aml-to-vnet-bastion")).Properties["allowForwardedTraffic"] = true
			},
			falls:  []string{"peering-opens-no-more:vnet-aml:vnet-bastion"},
			reason: []string{"allow_forwarded_traffic"},
			remedy: "set these to false",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := secured()
			c.break_(d)
			r := prove(t, d)
			fallen := r.Findings()
			if len(fallen) == 0 {
				t.Fatal("nothing falls")
			}
			for _, q := range r.With(Violated) {
				named := slices.ContainsFunc(c.follows, func(p string) bool { return strings.HasPrefix(q.ID, p) })
				if q.Because != "" && !named || q.Because == "" && named {
					t.Errorf("%s falls because of %q", q.ID, q.Because)
				}
			}
			for _, p := range c.follows {
				if !slices.ContainsFunc(r.With(Violated), func(q Requirement) bool { return strings.HasPrefix(q.ID, p) && q.Because == fallen[0].ID }) {
					t.Errorf("%s does not follow from %s", p, fallen[0].ID)
				}
			}
			for _, q := range fallen {
				if !slices.ContainsFunc(c.falls, func(p string) bool { return strings.HasPrefix(q.ID, p) }) {
					t.Errorf("%s falls too: %s", q.ID, q.Reason)
				}
			}
			for _, p := range c.falls {
				if !slices.ContainsFunc(fallen, func(q Requirement) bool { return strings.HasPrefix(q.ID, p) }) {
					t.Errorf("%s does not fall", p)
				}
			}
			for _, q := range r.With(Unknown) {
				t.Errorf("%s is unknown: %s", q.ID, q.Reason)
			}
			first := fallen[0]
			for _, word := range c.reason {
				if !strings.Contains(first.Reason, word) {
					t.Errorf("the reason %q of %s lacks %q", first.Reason, first.ID, word)
				}
			}
			if c.names != "" && !first.Resource.Equal(c.names) {
				t.Errorf("%s is decided by %s, want %s", first.ID, first.Resource, c.names)
			}
			if first.Source.File == "" {
				t.Errorf("%s says no file and line", first.ID)
			}
			if !strings.Contains(first.Remedy, c.remedy) {
				t.Errorf("the remedy %q of %s lacks %q", first.Remedy, first.ID, c.remedy)
			}
			if first.Remedy == "" {
				t.Errorf("%s has no remedy", first.ID)
			}
		})
	}
}
