package template

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/source/template/internal/value"
)

const (
	typeUserIdentity = "Microsoft.ManagedIdentity/userAssignedIdentities"
	typePublicIP     = "Microsoft.Network/publicIPAddresses"
)

// settle puts into a document what Azure's rules decide at deployment.
func (r *run) settle(doc *arm.Resource) {
	known := !strings.ContainsRune(doc.Name, '{')
	set := func(name string, v any) {
		if doc.Properties == nil {
			doc.Properties = arm.Object{}
		}
		doc.Properties[name] = v
	}
	host := strings.ToLower(doc.Name)
	switch {
	case doc.IsType(typeUserIdentity):
		set("principalId", arm.PrincipalID(doc.ID))
		set("clientId", arm.StableGUID(doc.ID, "clientId"))
		if r.opts.TenantID != "" {
			set("tenantId", r.opts.TenantID)
		}
	case doc.IsType(service.TypeWorkspace):
		set("workspaceId", service.WorkspaceGUID(doc.ID))
	case doc.IsType(service.TypeKeyVault) && known:
		set("vaultUri", "https://"+host+".vault.azure.net/")
	case doc.IsType(service.TypeRegistry) && known:
		set("loginServer", host+".azurecr.io")
	}
}

// shown is a document as reference() shows it before deployment: what is declared
// and what follows from it. The rest is not known.
func (r *run) shown(s *Step, body value.Object, doc arm.Resource) value.Partial {
	known := value.Object{
		"id": part(string(s.ID)), "resourceId": part(string(s.ID)), "name": s.name, "type": s.Type, "apiVersion": s.APIVersion,
		"subscriptionId": part(s.ID.Subscription()), "resourceGroupName": part(s.ID.ResourceGroup()),
	}
	for k, v := range body {
		known[k] = v
	}
	if tags, ok := value.Field(body, "tags"); ok {
		if o, ok := tags.(value.Object); ok {
			known["tags"] = value.Whole(o)
		}
	}
	declared, _ := value.Field(body, "properties")
	props, _ := declared.(value.Object)
	all := value.Object{}
	for k, v := range props {
		all[k] = v
	}
	for _, name := range []string{"principalId", "clientId", "tenantId", "workspaceId", "vaultUri", "loginServer"} {
		if v, ok := doc.Properties[name]; ok {
			all[name] = v
		}
	}
	extra(doc, all)
	known["properties"] = all
	if doc.Identity != nil {
		known["identity"] = identityShown(doc.Identity)
	}
	return value.Partial{Known: known}
}

// extra adds what reference() shows beside the properties of an estate's document.
func extra(doc arm.Resource, all value.Object) {
	name := strings.ToLower(doc.Name)
	known := !strings.ContainsRune(name, '{')
	switch {
	case doc.IsType(service.TypeStorageAccount) && known:
		ends := value.Whole{}
		for _, s := range []string{"blob", "file", "queue", "table", "dfs"} {
			ends[s] = "https://" + name + "." + s + ".core.windows.net/"
		}
		all["primaryEndpoints"] = value.Object(ends)
		if doc.Location != "" {
			all["primaryLocation"] = part(doc.Location)
		}
	case doc.IsType(service.TypeVirtualNetwork):
		if list, ok := all["subnets"].([]any); ok {
			all["subnets"] = withIDs(doc.ID, list)
		}
	case doc.IsType(typePublicIP) && doc.Location != "":
		if label := arm.String(doc.Properties, "dnsSettings.domainNameLabel"); label != "" {
			dns := value.Object{"domainNameLabel": label, "fqdn": label + "." + doc.Location + ".cloudapp.azure.com"}
			all["dnsSettings"] = dns
		}
	}
}

func withIDs(net arm.ID, list []any) []any {
	out := make([]any, len(list))
	for i, e := range list {
		o, ok := e.(value.Object)
		if !ok {
			out[i] = e
			continue
		}
		name, _ := value.Field(o, "name")
		out[i] = value.Object{"id": text(part(string(net)), "/subnets/", name)}
		for k, v := range o {
			out[i].(value.Object)[k] = v
		}
	}
	return out
}

func identityShown(i *arm.Identity) value.Object {
	out := value.Object{"type": i.Type}
	if i.PrincipalID != "" {
		out["principalId"] = i.PrincipalID
	}
	if i.TenantID != "" {
		out["tenantId"] = i.TenantID
	}
	users := value.Object{}
	for id, u := range i.User {
		users[id] = u
	}
	if len(users) > 0 {
		out["userAssignedIdentities"] = users
	}
	return out
}
