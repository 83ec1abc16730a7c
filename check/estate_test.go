package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/cloister-ml/cloister/arm"
)

// The estate of these tests: the networks of a secured solution in their
// smallest form. vnet-aml holds the private endpoints and the training subnet,
// vnet-bastion the jump host and the agents.

const (
	testSub   = "11111111-1111-1111-1111-111111111111"
	testGroup = "rg-mlops"
)

func rid(typ, name string) arm.ID { return arm.ResourceID(testSub, testGroup, typ, name) }

func vnetID(name string) arm.ID { return rid("Microsoft.Network/virtualNetworks", name) }

func subnetID(vnet, name string) arm.ID { return vnetID(vnet).Child("subnets", name) }

func nsgID(name string) arm.ID { return rid("Microsoft.Network/networkSecurityGroups", name) }

func zoneID(name string) arm.ID { return rid("Microsoft.Network/privateDnsZones", name) }

func peID(name string) arm.ID { return rid("Microsoft.Network/privateEndpoints", name) }

var (
	storageID   = rid("Microsoft.Storage/storageAccounts", "stmlops")
	vaultID     = rid("Microsoft.KeyVault/vaults", "kv-mlops")
	registryID  = rid("Microsoft.ContainerRegistry/registries", "crmlops")
	workspaceID = rid("Microsoft.MachineLearningServices/workspaces", "mlw-mlops")
	insightsID  = rid("Microsoft.Insights/components", "appi-mlops")
	clusterID   = workspaceID.Child("computes", "cpu-cluster")
	bastionID   = rid("Microsoft.Network/bastionHosts", "bas-mlops")
)

func vmID(name string) arm.ID { return rid("Microsoft.Compute/virtualMachines", name) }

// draft is an estate in the making, which a test changes before it is checked.
type draft struct{ docs []arm.Resource }

func (d *draft) add(id arm.ID, properties arm.Object) *arm.Resource {
	d.docs = append(d.docs, arm.Resource{
		ID: id, Name: id.Name(), Type: id.Type(), Location: "westeurope", Properties: properties,
		Source: arm.Source{File: "main.tf", Line: len(d.docs) + 1, Address: "test." + id.Name()},
	})
	return &d.docs[len(d.docs)-1]
}

// remove takes out every document whose id ends so.
func (d *draft) remove(suffix string) {
	before := len(d.docs)
	d.docs = slices.DeleteFunc(d.docs, func(r arm.Resource) bool { return strings.HasSuffix(string(r.ID), suffix) })
	if len(d.docs) == before {
		panic("no document ends in " + suffix)
	}
}

func (d *draft) get(id arm.ID) *arm.Resource {
	for i := range d.docs {
		if d.docs[i].ID.Equal(id) {
			return &d.docs[i]
		}
	}
	panic("no document " + string(id))
}

func (d *draft) estate(t testing.TB) *arm.Estate {
	t.Helper()
	e, err := arm.NewEstate(d.docs...)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func ref(id arm.ID) arm.Object { return arm.Object{"id": string(id)} }

func system(r *arm.Resource) {
	r.Identity = &arm.Identity{Type: "SystemAssigned", PrincipalID: arm.PrincipalID(r.ID)}
}

func secured() *draft {
	d := &draft{}
	d.networks()
	d.services()
	d.privateLink()
	d.machines()
	d.grants()
	return d
}

type ruleSpec struct {
	name, direction, access, from, to, ports string
}

func (d *draft) nsg(name string, rules ...ruleSpec) {
	var list []any
	for i, r := range rules {
		list = append(list, arm.Object{"name": r.name, "properties": arm.Object{
			"priority": float64(100 + 10*i), "direction": r.direction, "access": r.access, "protocol": "*",
			"sourceAddressPrefix": r.from, "sourcePortRange": "*", "destinationAddressPrefix": r.to, "destinationPortRange": r.ports,
		}})
	}
	d.add(nsgID(name), arm.Object{"securityRules": list})
}

func (d *draft) networks() {
	in, out := "Inbound", "Outbound"
	d.nsg("nsg-training",
		ruleSpec{"allow-endpoints", out, "Allow", "*", "10.1.1.0/24", "443"},
		ruleSpec{"allow-entra", out, "Allow", "*", "AzureActiveDirectory", "443"},
		ruleSpec{"allow-arm", out, "Allow", "*", "AzureResourceManager", "443"},
		ruleSpec{"allow-monitor", out, "Allow", "*", "AzureMonitor", "443"},
		ruleSpec{"allow-aml", out, "Allow", "*", "AzureMachineLearning", "443"},
		ruleSpec{"allow-aml-udp", out, "Allow", "*", "AzureMachineLearning", "5831"},
		ruleSpec{"allow-batch", out, "Allow", "*", "BatchNodeManagement", "443"},
		ruleSpec{"allow-mcr", out, "Allow", "*", "MicrosoftContainerRegistry", "443"},
		ruleSpec{"allow-frontdoor", out, "Allow", "*", "AzureFrontDoor.FirstParty", "443"},
		ruleSpec{"deny-all", out, "Deny", "*", "*", "*"},
	)
	d.nsg("nsg-jump",
		ruleSpec{"allow-bastion", in, "Allow", "10.2.0.0/26", "*", "22"},
		ruleSpec{"deny-all", in, "Deny", "*", "*", "*"},
	)
	d.nsg("nsg-agents", ruleSpec{"deny-all", in, "Deny", "*", "*", "*"})
	d.vnet("vnet-aml", "10.1.0.0/16", map[string][2]string{
		"endpoints": {"10.1.1.0/24", ""}, "training": {"10.1.2.0/24", "nsg-training"},
	})
	d.vnet("vnet-bastion", "10.2.0.0/16", map[string][2]string{
		"AzureBastionSubnet": {"10.2.0.0/26", ""}, "jump": {"10.2.1.0/24", "nsg-jump"}, "agents": {"10.2.2.0/24", "nsg-agents"},
	})
	d.peer("vnet-aml", "vnet-bastion")
	d.peer("vnet-bastion", "vnet-aml")
	nat := rid("Microsoft.Network/natGateways", "nat")
	ip := rid("Microsoft.Network/publicIPAddresses", "pip-nat")
	d.add(ip, arm.Object{"publicIPAllocationMethod": "Static"})
	d.add(nat, arm.Object{"publicIpAddresses": []any{ref(ip)}})
	for _, s := range []arm.ID{subnetID("vnet-aml", "training"), subnetID("vnet-bastion", "agents")} {
		d.get(s).Properties["natGateway"] = ref(nat)
	}
}

func (d *draft) vnet(name, space string, subnets map[string][2]string) {
	d.add(vnetID(name), arm.Object{"addressSpace": arm.Object{"addressPrefixes": []any{space}}})
	for _, subnet := range slices.Sorted(maps.Keys(subnets)) {
		is := subnets[subnet]
		p := arm.Object{"addressPrefix": is[0]}
		if is[1] != "" {
			p["networkSecurityGroup"] = ref(nsgID(is[1]))
		}
		d.add(subnetID(name, subnet), p)
	}
}

func (d *draft) peer(from, to string) {
	d.add(vnetID(from).Child("virtualNetworkPeerings", "peer-"+from+"-to-"+to), arm.Object{
		"remoteVirtualNetwork": ref(vnetID(to)), "allowVirtualNetworkAccess": true,
	})
}

func (d *draft) services() {
	closed := func(extra arm.Object) arm.Object {
		p := arm.Object{"publicNetworkAccess": "Disabled"}
		for k, v := range extra {
			p[k] = v
		}
		return p
	}
	d.add(storageID, closed(arm.Object{"allowSharedKeyAccess": false, "networkAcls": arm.Object{"defaultAction": "Deny", "bypass": "AzureServices"}}))
	d.add(vaultID, closed(arm.Object{"enableRbacAuthorization": true, "networkAcls": arm.Object{"defaultAction": "Deny", "bypass": "AzureServices"}}))
	d.add(registryID, closed(nil)).SKU = arm.Object{"name": "Premium"}
	d.add(insightsID, arm.Object{})
	system(d.add(workspaceID, closed(arm.Object{
		"storageAccount": string(storageID), "keyVault": string(vaultID), "containerRegistry": string(registryID), "applicationInsights": string(insightsID),
		"imageBuildCompute": clusterID.Name(),
	})))
}

// privateServices are the endpoint's name, its target, group and zones.
var privateServices = []struct {
	name, group string
	target      arm.ID
	zones       []string
}{
	{"pe-workspace", "amlworkspace", workspaceID, []string{"privatelink.api.azureml.ms", "privatelink.notebooks.azure.net"}},
	{"pe-blob", "blob", storageID, []string{"privatelink.blob.core.windows.net"}},
	{"pe-file", "file", storageID, []string{"privatelink.file.core.windows.net"}},
	{"pe-registry", "registry", registryID, []string{"privatelink.azurecr.io"}},
	{"pe-vault", "vault", vaultID, []string{"privatelink.vaultcore.azure.net"}},
}

func (d *draft) privateLink() {
	for _, s := range privateServices {
		d.add(peID(s.name), arm.Object{
			"subnet": ref(subnetID("vnet-aml", "endpoints")),
			"privateLinkServiceConnections": []any{arm.Object{"name": s.name, "properties": arm.Object{
				"privateLinkServiceId": string(s.target), "groupIds": []any{s.group},
			}}},
		})
		var configs []any
		for _, z := range s.zones {
			d.add(zoneID(z), arm.Object{})
			for _, v := range []string{"vnet-aml", "vnet-bastion"} {
				d.add(zoneID(z).Child("virtualNetworkLinks", "link-"+v), arm.Object{"virtualNetwork": ref(vnetID(v))})
			}
			configs = append(configs, arm.Object{"name": z, "properties": arm.Object{"privateDnsZoneId": string(zoneID(z))}})
		}
		d.add(peID(s.name).Child("privateDnsZoneGroups", "default"), arm.Object{"privateDnsZoneConfigs": configs})
	}
}

func (d *draft) machines() {
	d.vm("vm-jump", "jump")
	for i := range 2 {
		name := fmt.Sprintf("vm-agent-%d", i)
		d.vm(name, "agents")
		d.add(vmID(name).Child("extensions", "setup"), arm.Object{
			"publisher": "Microsoft.Azure.Extensions", "type": "CustomScript",
			"protectedSettings": arm.Object{"script": "L29wdC9hZ2VudC9pbnN0YWxsCg=="}, // /opt/agent/install
		})
	}
	d.add(bastionID, arm.Object{"ipConfigurations": []any{arm.Object{"name": "default", "properties": arm.Object{
		"subnet": ref(subnetID("vnet-bastion", "AzureBastionSubnet")),
	}}}})
	c := d.add(clusterID, arm.Object{"computeType": "AmlCompute", "properties": arm.Object{
		"vmSize": "STANDARD_DS3_V2", "scaleSettings": arm.Object{"minNodeCount": 0.0, "maxNodeCount": 2.0},
		"subnet": ref(subnetID("vnet-aml", "training")), "enableNodePublicIp": false,
	}})
	system(c)
}

// instance is a data scientist's machine in the training subnet, that may do
// nothing as yet.
func (d *draft) instance(public bool) arm.ID {
	c := d.add(workspaceID.Child("computes", "ci-notebooks"), arm.Object{"computeType": "ComputeInstance", "properties": arm.Object{
		"vmSize": "STANDARD_DS3_V2", "subnet": ref(subnetID("vnet-aml", "training")), "enableNodePublicIp": public,
	}})
	system(c)
	return c.ID
}

func (d *draft) vm(name, subnet string) {
	nic := rid("Microsoft.Network/networkInterfaces", "nic-"+name)
	d.add(nic, arm.Object{"ipConfigurations": []any{arm.Object{"name": "default", "properties": arm.Object{
		"subnet": ref(subnetID("vnet-bastion", subnet)), "privateIPAllocationMethod": "Dynamic",
	}}}})
	system(d.add(vmID(name), arm.Object{"networkProfile": arm.Object{"networkInterfaces": []any{ref(nic)}}}))
}

// Role GUIDs that the tests assign.
const (
	dataScientist   = "f6c7c914-8db3-469d-8ca1-694a8f32e121"
	blobContributor = "ba92f5b4-2d11-453d-a403-e96b0029c9fe"
	acrPull         = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
	secretsUser     = "4633458b-17de-408a-b874-0445c86b69e6"
	vaultAdmin      = "00482a5a-887f-4fb3-b363-3b7fe8e74483"
)

func (d *draft) grant(who arm.ID, role string, on arm.ID) {
	name := who.Name() + "." + role[:8] + "." + on.Name()
	d.add(on.Extension("Microsoft.Authorization", "roleAssignments", name), arm.Object{
		"principalId": arm.PrincipalID(who), "principalType": "ServicePrincipal", "scope": string(on),
		"roleDefinitionId": "/subscriptions/" + testSub + "/providers/Microsoft.Authorization/roleDefinitions/" + role,
	})
}

func (d *draft) grants() {
	for _, who := range []arm.ID{vmID("vm-agent-0"), vmID("vm-agent-1"), clusterID} {
		d.grant(who, dataScientist, workspaceID)
		d.grant(who, blobContributor, storageID)
		d.grant(who, acrPull, registryID)
		d.grant(who, secretsUser, vaultID)
	}
	d.grant(workspaceID, blobContributor, storageID)
	d.grant(workspaceID, acrPull, registryID)
	d.grant(workspaceID, vaultAdmin, vaultID)
}
