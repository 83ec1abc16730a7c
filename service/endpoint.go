package service

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Resource types that are served at host names of their own.
const (
	TypeStorageAccount   = "Microsoft.Storage/storageAccounts"
	TypeKeyVault         = "Microsoft.KeyVault/vaults"
	TypeRegistry         = "Microsoft.ContainerRegistry/registries"
	TypeWorkspace        = "Microsoft.MachineLearningServices/workspaces"
	TypeOnlineEndpoint   = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints"
	TypeReplication      = "Microsoft.ContainerRegistry/registries/replications"
	TypeAppInsights      = "Microsoft.Insights/components"
	TypeLogAnalytics     = "Microsoft.OperationalInsights/workspaces"
	TypeMonitorScope     = "Microsoft.Insights/privateLinkScopes"
	TypeMonitorScoped    = "Microsoft.Insights/privateLinkScopes/scopedResources"
	TypePrivateEndpoint  = "Microsoft.Network/privateEndpoints"
	TypePrivateDNSZone   = "Microsoft.Network/privateDnsZones"
	TypeVirtualNetwork   = "Microsoft.Network/virtualNetworks"
	TypeNetworkInterface = "Microsoft.Network/networkInterfaces"
)

// Endpoint is one host name at which a resource is served.
type Endpoint struct {
	Host     string // public name: stmlops.blob.core.windows.net
	Service  string // which of the resource's services answers there: blob, file, vault, registry, api, notebooks, inference, ...
	Resource arm.ID // the document that is served
	Owner    arm.ID // the resource that a private endpoint names to cover the host: Resource, the workspace of an online endpoint, or an Azure Monitor private link scope
	Group    string // private link sub-resource ("blob"), or "" where private link does not cover the host
	Member   string // member of the group, which has its own address ("registry_data_westeurope")
	Private  string // the name in the private zone that the public one becomes a CNAME of: stmlops.privatelink.blob.core.windows.net
	Zone     string // privatelink.blob.core.windows.net
	Record   string // the record's name in Zone that answers Private: "stmlops", or a wildcard
	Tag      string // service tag that holds its public address: Storage
	Region   string // where that address is; "" where it is of no region, or of one that is not known
	// Always: the public name is a CNAME of Private for everyone, with or without a
	// private endpoint, as those of Azure Monitor are.
	Always bool
}

// PublicName is the name for which a private endpoint records the address of the
// member: the host, or of one without a host of its own the wildcard that all hosts
// under it share, as *.{guid}.inference.{region}.api.azureml.ms for a workspace's
// online endpoints.
func (ep Endpoint) PublicName() string {
	if ep.Host != "" {
		return ep.Host
	}
	return ep.Record + strings.TrimPrefix(ep.Zone, "privatelink")
}

// Endpoints are the host names of a resource, in a stable order; none for a
// type that has no host of its own.
func Endpoints(r arm.Resource) []Endpoint {
	out := renamed(publicCloud(r), r.Location)
	for i := range out {
		if !strings.HasSuffix(out[i].Group, "_secondary") { // of a region that Azure chooses
			out[i].Region = Region(r.Location)
		}
	}
	return out
}

// publicCloud are the host names that a resource would have in the public cloud.
func publicCloud(r arm.Resource) []Endpoint {
	switch {
	case r.IsType(TypeStorageAccount):
		return storage(r)
	case r.IsType(TypeKeyVault):
		return vault(r)
	case r.IsType(TypeRegistry):
		return registry(r)
	case r.IsType(TypeReplication):
		return []Endpoint{registryData(r.ID.Parent(), r.Location)}
	case r.IsType(TypeWorkspace):
		return workspace(r)
	case r.IsType(TypeOnlineEndpoint):
		return onlineEndpoint(r)
	case r.IsType(TypeAppInsights):
		return appInsights(r)
	}
	return nil
}

func storage(r arm.Resource) []Endpoint {
	services := []string{"blob", "file", "queue", "table", "dfs"}
	var out []Endpoint
	for _, s := range services {
		out = append(out, storageHost(r, s, s, ""))
	}
	// Only read access to the second region gives that a name of its own.
	if !strings.Contains(strings.ToUpper(arm.String(r.SKU, "name")), "_RA") {
		return out
	}
	for _, s := range services {
		if s != "file" {
			out = append(out, storageHost(r, s, s+"_secondary", "-secondary"))
		}
	}
	return out
}

func storageHost(r arm.Resource, service, group, ending string) Endpoint {
	name, suffix := strings.ToLower(r.Name)+ending, service+".core.windows.net"
	return Endpoint{
		Host: name + "." + suffix, Service: group, Resource: r.ID, Owner: r.ID,
		Group: group, Member: group, Private: name + ".privatelink." + suffix, Zone: "privatelink." + suffix, Record: name,
		Tag: "Storage",
	}
}

func vault(r arm.Resource) []Endpoint {
	name := strings.ToLower(r.Name)
	return []Endpoint{{
		Host: name + ".vault.azure.net", Service: "vault", Resource: r.ID, Owner: r.ID,
		Group: "vault", Member: "default", Private: name + ".privatelink.vaultcore.azure.net",
		Zone: "privatelink.vaultcore.azure.net", Record: name, Tag: "AzureKeyVault",
	}}
}

const zoneRegistry = "privatelink.azurecr.io"

func registry(r arm.Resource) []Endpoint {
	name := strings.ToLower(r.Name)
	return []Endpoint{
		{
			Host: name + ".azurecr.io", Service: "registry", Resource: r.ID, Owner: r.ID,
			Group: "registry", Member: "registry", Private: name + "." + zoneRegistry, Zone: zoneRegistry, Record: name, Tag: "AzureContainerRegistry",
		},
		registryData(r.ID, r.Location),
	}
}

// registryData is where a registry hands out layers in one of its regions.
func registryData(registry arm.ID, location string) Endpoint {
	region := Region(location)
	data := strings.ToLower(registry.Name()) + "." + region + ".data"
	return Endpoint{
		Host: data + ".azurecr.io", Service: "registrydata", Resource: registry, Owner: registry,
		Group: "registry", Member: "registry_data_" + region, Private: data + "." + zoneRegistry, Zone: zoneRegistry, Record: data, Tag: "AzureContainerRegistry",
	}
}

// The zones of a workspace's private endpoint.
const (
	zoneAPI       = "privatelink.api.azureml.ms"
	zoneNotebooks = "privatelink.notebooks.azure.net"
)

// WorkspaceGUID is the GUID in a workspace's host names. Azure chooses it at
// deployment; here it follows from the id.
func WorkspaceGUID(id arm.ID) string { return arm.StableGUID(id, "workspaceId") }

func workspace(r arm.Resource) []Endpoint {
	guid, region := WorkspaceGUID(r.ID), Region(r.Location)
	api := guid + ".workspace." + region
	notebook := notebookLabel(r.Name, region, guid) + "." + region
	return []Endpoint{
		{
			Host: api + ".api.azureml.ms", Service: "api", Resource: r.ID, Owner: r.ID,
			Group: "amlworkspace", Member: "default", Private: api + "." + zoneAPI, Zone: zoneAPI, Record: api, Tag: "AzureMachineLearning",
		},
		{
			Host: notebook + ".notebooks.azure.net", Service: "notebooks", Resource: r.ID, Owner: r.ID,
			Group: "amlworkspace", Member: "notebook", Private: notebook + "." + zoneNotebooks, Zone: zoneNotebooks, Record: notebook, Tag: "AzureMachineLearning",
		},
		{
			// Online endpoints are answered by this record; their own host names are
			// those of the onlineEndpoints documents.
			Host: "", Service: "inference", Resource: r.ID, Owner: r.ID,
			Group: "amlworkspace", Member: "inference", Private: "*." + guid + ".inference." + region + "." + zoneAPI, Zone: zoneAPI,
			Record: "*." + guid + ".inference." + region, Tag: "AzureMachineLearning",
		},
	}
}

// notebookLabel is ml-{workspace}-{region}-{guid}, cut to the 63 characters of a
// DNS label at the workspace's name.
func notebookLabel(name, region, guid string) string {
	tail := "-" + region + "-" + guid
	name = strings.ToLower(name)
	if room := 63 - len("ml-") - len(tail); len(name) > room {
		name = name[:max(room, 0)]
	}
	return "ml-" + name + tail
}

func onlineEndpoint(r arm.Resource) []Endpoint {
	ws := r.ID.Parent()
	region, name, guid := Region(r.Location), strings.ToLower(r.Name), WorkspaceGUID(ws)
	return []Endpoint{{
		Host: fmt.Sprintf("%s.%s.inference.ml.azure.com", name, region), Service: "inference", Resource: r.ID, Owner: ws,
		Group: "amlworkspace", Member: "inference",
		Private: fmt.Sprintf("%s.%s.inference.%s.%s", name, guid, region, zoneAPI), Zone: zoneAPI,
		Record: "*." + guid + ".inference." + region, Tag: "AzureMachineLearning",
	}}
}

// Region is a location's name as host names spell it: "West Europe" is "westeurope".
func Region(location string) string {
	return strings.ToLower(strings.ReplaceAll(location, " ", ""))
}
