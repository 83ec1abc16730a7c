package terraform

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/zclconf/go-cty/cty"
	ctyjson "github.com/zclconf/go-cty/cty/json"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/source/terraform/internal/lang"
)

// existing are the documents that are there already, which data sources name, and
// the data sources that nothing answers.
type existing struct {
	docs       []arm.Resource
	unanswered map[string]*lang.Resource // by address
}

func newExisting(docs []arm.Resource) *existing {
	return &existing{docs: docs, unanswered: map[string]*lang.Resource{}}
}

// find is the document that a data source of a kind names. A configuration that
// says no subscription, or no group, means the only one that fits otherwise.
func (e *existing) find(k kind, v view, id arm.ID) (arm.Resource, bool) {
	var fits []arm.Resource
	for _, d := range e.docs {
		if d.ID.Equal(id) {
			return d, true
		}
		if k.arm == "" || !d.IsType(k.arm) || !strings.EqualFold(d.ID.Name(), id.Name()) {
			continue
		}
		sameGroup := strings.EqualFold(d.ID.ResourceGroup(), id.ResourceGroup()) || !v.has("resource_group_name") && id.Parent().Type() == arm.TypeResourceGroup
		sameSubscription := v.subscription == nowhere || strings.EqualFold(d.ID.Subscription(), v.subscription)
		sameParent := strings.EqualFold(d.ID.Parent().Name(), id.Parent().Name()) || id.Parent().Type() == arm.TypeResourceGroup || id.Type() == arm.TypeResourceGroup
		if sameGroup && sameSubscription && sameParent {
			fits = append(fits, d)
		}
	}
	if len(fits) == 1 {
		return fits[0], true
	}
	return arm.Resource{}, false
}

// answer gives a data source's attributes what a document says.
func (e *existing) answer(v view, doc arm.Resource, out map[string]cty.Value) {
	out["id"] = cty.StringVal(string(doc.ID))
	if v.r.Schema == nil {
		return
	}
	for name, val := range e.said(v.r.Type, doc) {
		at, ok := v.r.Schema.Attributes[name]
		if !ok || !at.Computed && !at.Optional || val == nil {
			continue
		}
		raw, err := json.Marshal(val)
		if err != nil {
			continue
		}
		if c, err := ctyjson.Unmarshal(raw, at.Type); err == nil && !c.IsNull() {
			out[name] = c
		}
	}
}

// said are the attributes of a data source that a document decides.
func (e *existing) said(typ string, doc arm.Resource) arm.Object {
	out := arm.Object{"name": doc.Name, "resource_group_name": doc.ID.ResourceGroup()}
	if doc.Location != "" {
		out["location"] = doc.Location
	}
	if len(doc.Tags) > 0 {
		out["tags"] = doc.Tags
	}
	for _, row := range strings.Split(existingAttributes[typ], "\n") {
		name, path, ok := strings.Cut(strings.TrimSpace(row), " ")
		if !ok {
			continue
		}
		whole := arm.Object{"properties": doc.Properties, "sku": doc.SKU, "kind": doc.Kind}
		path = strings.TrimSpace(path)
		negate := strings.HasPrefix(path, "!")
		val, _ := arm.Lookup(whole, strings.TrimPrefix(path, "!"))
		switch val := val.(type) {
		case nil, arm.Unknown:
		case bool:
			out[name] = val != negate
		case string:
			if out[name] = val; strings.HasSuffix(name, "_enabled") {
				out[name] = val == "Enabled"
			}
		default:
			out[name] = val
		}
	}
	e.listed(typ, doc, out)
	return out
}

// existingAttributes say where a document has the attributes of a data source, each
// after its name; ! is the contrary.
var existingAttributes = map[string]string{
	"azurerm_virtual_network": `
		address_space properties.addressSpace.addressPrefixes
		dns_servers   properties.dhcpOptions.dnsServers
		guid          properties.resourceGuid`,
	"azurerm_subnet": `
		address_prefix                    properties.addressPrefix
		address_prefixes                  properties.addressPrefixes
		network_security_group_id         properties.networkSecurityGroup.id
		route_table_id                    properties.routeTable.id
		private_endpoint_network_policies properties.privateEndpointNetworkPolicies
		default_outbound_access_enabled   properties.defaultOutboundAccess
		private_link_service_network_policies_enabled properties.privateLinkServiceNetworkPolicies`,
	"azurerm_route_table": `
		bgp_route_propagation_enabled !properties.disableBgpRoutePropagation`,
	"azurerm_public_ip": `
		ip_address        properties.ipAddress
		fqdn              properties.dnsSettings.fqdn
		allocation_method properties.publicIPAllocationMethod
		sku               sku.name`,
	"azurerm_user_assigned_identity": `
		principal_id properties.principalId
		client_id    properties.clientId
		tenant_id    properties.tenantId`,
	"azurerm_key_vault": `
		vault_uri                     properties.vaultUri
		tenant_id                     properties.tenantId
		sku_name                      properties.sku.name
		rbac_authorization_enabled    properties.enableRbacAuthorization
		purge_protection_enabled      properties.enablePurgeProtection
		public_network_access_enabled properties.publicNetworkAccess`,
	"azurerm_storage_account": `
		primary_blob_endpoint  properties.primaryEndpoints.blob
		primary_file_endpoint  properties.primaryEndpoints.file
		primary_queue_endpoint properties.primaryEndpoints.queue
		primary_table_endpoint properties.primaryEndpoints.table
		primary_dfs_endpoint   properties.primaryEndpoints.dfs
		is_hns_enabled         properties.isHnsEnabled
		account_kind           kind`,
	"azurerm_container_registry": `
		login_server  properties.loginServer
		admin_enabled properties.adminUserEnabled
		sku           sku.name`,
	"azurerm_log_analytics_workspace": `
		workspace_id      properties.customerId
		retention_in_days properties.retentionInDays
		sku               properties.sku.name`,
	"azurerm_application_insights": `
		app_id       properties.AppId
		workspace_id properties.WorkspaceResourceId`,
	"azurerm_kubernetes_cluster": `
		fqdn                properties.fqdn
		private_fqdn        properties.privateFQDN
		node_resource_group properties.nodeResourceGroup
		kubernetes_version  properties.kubernetesVersion
		oidc_issuer_url     properties.oidcIssuerProfile.issuerURL`,
}

// listed are the attributes that are lists of what stands elsewhere.
func (e *existing) listed(typ string, doc arm.Resource, out arm.Object) {
	switch typ {
	case "azurerm_virtual_network":
		names := []string{}
		for _, d := range e.docs {
			if d.IsType(typeSubnet) && d.ID.Parent().Equal(doc.ID) {
				names = append(names, d.Name)
			}
		}
		if len(names) > 0 {
			out["subnets"] = names
		}
	case "azurerm_subnet":
		if out["address_prefixes"] == nil && out["address_prefix"] != nil {
			out["address_prefixes"] = []any{out["address_prefix"]}
		}
		if list, ok := out["address_prefixes"].([]any); ok && len(list) > 0 && out["address_prefix"] == nil {
			out["address_prefix"] = list[0]
		}
	case "azurerm_route_table":
		routes := []any{}
		for _, r := range arm.Objects(doc.Properties, "routes") {
			routes = append(routes, arm.Object{
				"name": arm.String(r, "name"), "address_prefix": arm.String(r, "properties.addressPrefix"),
				"next_hop_type": arm.String(r, "properties.nextHopType"), "next_hop_in_ip_address": arm.String(r, "properties.nextHopIpAddress"),
			})
		}
		out["route"] = routes
	case "azurerm_firewall":
		configs := []any{}
		for _, c := range arm.Objects(doc.Properties, "ipConfigurations") {
			configs = append(configs, arm.Object{
				"name": arm.String(c, "name"), "private_ip_address": arm.String(c, "properties.privateIPAddress"),
				"subnet_id": arm.String(c, "properties.subnet.id"), "public_ip_address_id": arm.String(c, "properties.publicIPAddress.id"),
			})
		}
		out["ip_configuration"] = configs
	}
}

// joined puts the documents that are there already into the estate, beside what the
// configuration declares.
func (b *builder) join() {
	if b.types.existing == nil {
		return
	}
	for _, d := range b.types.existing.docs {
		if _, declared := b.docs[d.ID.Key()]; !declared {
			d.Properties = arm.Clone(d.Properties)
			b.docs[d.ID.Key()] = &d
		}
	}
}

// carriers are the types of data sources that say where traffic may go.
var carriers = []string{"azurerm_virtual_network", "azurerm_subnet", "azurerm_route_table", "azurerm_network_security_group", "azurerm_private_dns_zone"}

// missingNetworks names the networks and zones that data sources look up and
// nothing answers.
func (b *builder) missingNetworks() {
	if b.types.existing == nil {
		return
	}
	var names []string
	var first *lang.Resource
	for _, address := range slices.Sorted(maps.Keys(b.types.existing.unanswered)) {
		r := b.types.existing.unanswered[address]
		if !slices.Contains(carriers, r.Type) {
			continue
		}
		if first == nil {
			first = r
		}
		v := b.types.view(r, false)
		names = append(names, fmt.Sprintf("%s (%s)", address, kinds[r.Type].id(v).Name()))
	}
	if len(names) == 0 {
		return
	}
	more := ""
	if n := len(names) - 10; n > 0 {
		names, more = names[:10], fmt.Sprintf(" and %d more", n)
	}
	b.warn(first.Range, "Networks that are looked up and not given",
		"This configuration looks up networks and zones that exist already, of which nothing is known here: %s%s. "+
			"Give them with --stub FILE: what \"az network vnet show\" and the like print, a state, or an estate.", strings.Join(names, ", "), more)
}
