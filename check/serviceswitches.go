package check

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// closed reports whether a service lets in no caller from the internet at large; an
// unknown says what is not known of that.
func (w *world) closed(doc arm.Resource) verdict.Step {
	return network.Admit(w.estate, doc, network.Source{Addr: service.Outsider}).Decisive()
}

// isClosed reports whether a service is certain to be closed.
func (w *world) isClosed(doc arm.Resource) bool { return w.closed(doc).Value == verdict.No }

// endpointsOf are the private endpoints connected to a resource.
func (w *world) endpointsOf(id arm.ID) []network.NIC {
	var out []network.NIC
	for _, nic := range w.net.NICs {
		if nic.Kind == network.KindPrivateEndpoint && nic.Target.Equal(id) {
			out = append(out, nic)
		}
	}
	return out
}

// premiumRegistries requires the Premium SKU of each registry that has a private
// endpoint or is closed.
func premiumRegistries(w *world) []Requirement {
	var out []Requirement
	for _, doc := range w.estate.OfType(service.TypeRegistry) {
		endpoints := w.endpointsOf(doc.ID)
		off := strings.EqualFold(arm.String(doc.Properties, "publicNetworkAccess"), "Disabled")
		deny := strings.EqualFold(arm.String(doc.Properties, "networkRuleSet.defaultAction"), "Deny")
		if len(endpoints) == 0 && !off && !deny {
			continue
		}
		sku := arm.String(doc.SKU, "name")
		value, reason := verdict.Yes, "its SKU is Premium"
		if u, ok := arm.UnknownAt(doc.SKU, "name"); ok {
			value, reason = verdict.Unknown, "its SKU is "+u.String()
		} else if !strings.EqualFold(sku, "Premium") {
			why := "closing it to the internet"
			if len(endpoints) > 0 {
				why = "private endpoint " + endpoints[0].Name
			}
			value, reason = verdict.No, fmt.Sprintf("registry %s has the SKU %s, and %s needs Premium", doc.Name, cmp.Or(sku, "of Azure's default"), why)
		}
		r := w.configured("registry-premium", doc, "Registry "+doc.Name+" is Premium, as what is asked of it needs", value, reason,
			`set sku = "Premium": azurerm_container_registry `+doc.Name)
		r.faults = []fault{documentFault(doc.ID), endpointFault(doc.ID, "registry")}
		out = append(out, r)
	}
	return out
}

// imagesAreBuilt requires of each workspace with a closed registry a compute that
// builds its images.
func imagesAreBuilt(w *world) []Requirement {
	var out []Requirement
	for _, ws := range w.estate.OfType(service.TypeWorkspace) {
		reg, ok := w.estate.Get(arm.Ref(ws.Properties, "containerRegistry"))
		if !ok || w.closed(reg).Value == verdict.Yes || managedNetwork(ws) != "" {
			continue
		}
		value, reason := w.imageBuild(ws, reg)
		if step := w.closed(reg); step.Value == verdict.Unknown && value == verdict.No {
			value, reason = verdict.Unknown, step.Reason
		}
		r := w.configured("image-build-compute", ws, "Workspace "+ws.Name+" has a compute that builds its images", value, reason,
			"set image_build_compute_name to a compute cluster in the virtual network: azurerm_machine_learning_workspace "+ws.Name)
		if name := arm.String(ws.Properties, "imageBuildCompute"); name != "" {
			r.faults = []fault{outsideFault(ws.ID.Child("computes", name))}
		}
		out = append(out, r)
	}
	return out
}

func (w *world) imageBuild(ws, reg arm.Resource) (verdict.Value, string) {
	const path = "imageBuildCompute"
	if u, ok := arm.UnknownAt(ws.Properties, path); ok {
		return verdict.Unknown, path + " is " + u.String()
	}
	name := arm.String(ws.Properties, path)
	if name == "" {
		return verdict.No, fmt.Sprintf("registry %s is closed, so ACR Tasks cannot build images in it, and workspace %s names no compute to do it (image_build_compute_name)", reg.Name, ws.Name)
	}
	for _, c := range w.estate.Children(ws.ID, typeCompute) {
		if !strings.EqualFold(c.Name, name) {
			continue
		}
		if isInstance(c) {
			return verdict.No, fmt.Sprintf("images are to be built by %s, and %s is a compute instance: only a compute cluster builds them", name, name)
		}
		if _, unknown := arm.UnknownAt(c.Properties, "properties.subnet.id"); unknown || arm.Ref(c.Properties, "properties.subnet.id") != "" {
			return verdict.Yes, "compute cluster " + name + " builds them"
		}
		return verdict.No, fmt.Sprintf("images are to be built by %s, which is in no virtual network, and registry %s is closed", name, reg.Name)
	}
	return verdict.Yes, "compute " + name + " builds them, which the estate does not show"
}

// managedNetwork is the isolation mode of a workspace with a managed network, or "".
func managedNetwork(ws arm.Resource) string {
	mode := arm.String(ws.Properties, "managedNetwork.isolationMode")
	if u, ok := arm.UnknownAt(ws.Properties, "managedNetwork"); ok {
		return u.String()
	}
	if strings.EqualFold(mode, "Disabled") {
		return ""
	}
	return mode
}

// trustedServices requires of each closed service of a workspace that trusted Azure
// services, or the workspace itself, may pass its firewall.
func trustedServices(w *world) []Requirement {
	var out []Requirement
	seen := map[string]bool{}
	for _, ws := range w.estate.OfType(service.TypeWorkspace) {
		for _, property := range associated {
			doc, ok := w.estate.Get(arm.Ref(ws.Properties, property))
			path := bypassPath(doc)
			if !ok || path == "" || seen[doc.ID.Key()] || w.closed(doc).Value == verdict.Yes {
				continue
			}
			seen[doc.ID.Key()] = true
			step := network.Admit(w.estate, doc, network.Source{Trusted: ws.ID}).Decisive()
			reason := step.Reason
			if step.Value == verdict.No {
				reason = fmt.Sprintf("the firewall of %s makes no exception for trusted Azure services (%s is %s), and workspace %s is one: it cannot use %s",
					doc.Name, path, cmp.Or(arm.String(doc.Properties, path), "not set"), ws.Name, doc.Name)
			}
			r := w.configured("trusted-services-bypass", doc, "Trusted services pass the firewall of "+doc.Name, step.Value, reason, bypassRemedy(doc))
			w.point(&r, doc, "properties."+path)
			out = append(out, r)
		}
	}
	return out
}

func bypassPath(doc arm.Resource) string {
	switch {
	case doc.IsType(service.TypeStorageAccount), doc.IsType(service.TypeKeyVault):
		return "networkAcls.bypass"
	case doc.IsType(service.TypeRegistry):
		return "networkRuleBypassOptions"
	}
	return ""
}

func bypassRemedy(doc arm.Resource) string {
	switch {
	case doc.IsType(service.TypeStorageAccount):
		return `set bypass = ["AzureServices"] in network_rules: azurerm_storage_account ` + doc.Name
	case doc.IsType(service.TypeKeyVault):
		return `set bypass = "AzureServices" in network_acls: azurerm_key_vault ` + doc.Name
	}
	return `set network_rule_bypass_option = "AzureServices": azurerm_container_registry ` + doc.Name
}

// endpointsExist requires a private endpoint for each sub-resource that a closed
// service of a workspace is used by.
func endpointsExist(w *world) []Requirement {
	var out []Requirement
	for _, n := range w.endpointNeeds() {
		if !n.batch {
			out = append(out, w.endpointExists("endpoint-exists", n))
		}
	}
	return out
}

// batchStorageEndpoints requires those of queues and tables where batch endpoints
// keep their state.
func batchStorageEndpoints(w *world) []Requirement {
	var out []Requirement
	for _, n := range w.endpointNeeds() {
		if n.batch {
			out = append(out, w.endpointExists("batch-storage-endpoints", n))
		}
	}
	return out
}

type endpointNeed struct {
	doc   arm.Resource
	group string
	why   string
	batch bool
}

const typeBatchEndpoint = "Microsoft.MachineLearningServices/workspaces/batchEndpoints"

// endpointNeeds are what each workspace needs of closed services. A service that
// lets subnets in by service endpoints is reached by those.
func (w *world) endpointNeeds() []endpointNeed {
	var out []endpointNeed
	seen := map[string]bool{}
	add := func(doc arm.Resource, group, why string, batch bool) {
		if key := doc.ID.Key() + " " + group; !seen[key] {
			seen[key] = true
			out = append(out, endpointNeed{doc, group, why, batch})
		}
	}
	for _, ws := range w.estate.OfType(service.TypeWorkspace) {
		if w.isClosed(ws) {
			add(ws, "amlworkspace", "the workspace is closed to the internet", false)
		}
		if managedNetwork(ws) != "" {
			continue // it makes the endpoints of its services itself
		}
		for _, property := range associated {
			doc, ok := w.estate.Get(arm.Ref(ws.Properties, property))
			if !ok || !w.isClosed(doc) || subnetRules(doc) > 0 {
				continue
			}
			switch {
			case doc.IsType(service.TypeStorageAccount):
				add(doc, "blob", "workspace "+ws.Name+" keeps its data there", false)
				add(doc, "file", "workspace "+ws.Name+" keeps notebooks and code there", false)
				if len(w.estate.Children(ws.ID, typeBatchEndpoint)) > 0 {
					for _, g := range []string{"queue", "table"} {
						add(doc, g, "batch endpoints of "+ws.Name+" keep the state of their jobs there", true)
					}
				}
			case doc.IsType(service.TypeRegistry):
				add(doc, "registry", "images of "+ws.Name+" are kept there", false)
			case doc.IsType(service.TypeKeyVault):
				add(doc, "vault", "secrets of "+ws.Name+" are kept there", false)
			}
		}
	}
	return out
}

func (w *world) endpointExists(rule string, n endpointNeed) Requirement {
	value, reason := verdict.No, fmt.Sprintf("%s is closed to the internet and has no private endpoint for %s, and %s", n.doc.Name, n.group, n.why)
	for _, pe := range w.endpointsOf(n.doc.ID) {
		if strings.EqualFold(pe.Group, n.group) {
			value, reason = verdict.Yes, "private endpoint "+pe.Name+" is there"
			if !pe.Approved {
				value, reason = verdict.No, fmt.Sprintf("the connection of private endpoint %s to %s waits for approval", pe.Name, n.doc.Name)
				if len(pe.Doubts) > 0 {
					value, reason = verdict.Unknown, pe.Doubts[0].Reason
				}
			}
			break
		}
	}
	if elsewhere := w.endpointsElsewhere(n.doc.ID); value == verdict.No && elsewhere != "" {
		value, reason = verdict.Unknown, elsewhere
	}
	r := w.configured(rule, n.doc, fmt.Sprintf("%s has a private endpoint for %s", n.doc.Name, n.group), value, reason, fmt.Sprintf(
		"give %s a private endpoint for the sub-resource %s: azurerm_private_endpoint", n.doc.Name, n.group))
	r.ID = slug(rule, n.doc.Name, n.group)
	r.faults = []fault{endpointFault(n.doc.ID, n.group)}
	return r
}

// endpointGroups requires that the sub-resource of a private endpoint is one of its
// service's, and that its zones are those of the sub-resource.
func endpointGroups(w *world) []Requirement {
	var out []Requirement
	for _, nic := range w.net.NICs {
		target, ok := w.estate.Get(nic.Target)
		if nic.Kind != network.KindPrivateEndpoint || !ok || nic.Group == "" {
			continue
		}
		var groups []string
		zones, others := map[string]bool{}, map[string]string{}
		for _, ep := range service.Endpoints(target) {
			if ep.Group == "" {
				continue
			}
			if !containsFold(groups, ep.Group) {
				groups = append(groups, ep.Group)
			}
			if strings.EqualFold(ep.Group, nic.Group) {
				zones[ep.Zone] = true
			} else {
				others[ep.Zone] = ep.Group
			}
		}
		if len(groups) == 0 {
			continue
		}
		out = append(out, w.endpointGroup(nic, target, groups, zones, others))
	}
	return out
}

func containsFold(list []string, s string) bool {
	for _, have := range list {
		if strings.EqualFold(have, s) {
			return true
		}
	}
	return false
}

// moreGroups are sub-resources that have no host of their own in the plan.
var moreGroups = []string{
	"web", "web_secondary", "blob_secondary", "queue_secondary", "table_secondary", "dfs_secondary", "file_secondary",
}

func (w *world) endpointGroup(nic network.NIC, target arm.Resource, groups []string, zones map[string]bool, others map[string]string) Requirement {
	doc, _ := w.estate.Get(nic.ID)
	value, reason, remedy := verdict.Yes, nic.Group+" is a sub-resource of "+target.Name, ""
	faults := []fault{}
	if !containsFold(groups, nic.Group) && (!target.IsType(service.TypeStorageAccount) || !containsFold(moreGroups, nic.Group)) {
		value = verdict.No
		reason = fmt.Sprintf("%s has no sub-resource %s: it has %s", target.Name, nic.Group, strings.Join(groups, ", "))
		remedy = fmt.Sprintf("set subresource_names = [%q]: azurerm_private_endpoint %s", groups[0], nic.Name)
		for _, g := range groups {
			faults = append(faults, endpointFault(target.ID, g))
		}
	} else {
		for _, id := range w.groupOf(nic.ID).zones {
			name := strings.ToLower(id.Name())
			meant, known := others[name]
			if !zones[name] && known {
				value = verdict.No
				reason = fmt.Sprintf("private endpoint %s is for the sub-resource %s and writes into the zone %s, which is that of %s: the zone gets no record, and %s of %s is not covered",
					nic.Name, nic.Group, name, meant, meant, target.Name)
				remedy = fmt.Sprintf("set subresource_names = [%q]: azurerm_private_endpoint %s", meant, nic.Name)
				faults = append(faults, endpointFault(target.ID, meant), recordFault(name, target.ID))
				for zone := range zones {
					faults = append(faults, recordFault(zone, target.ID), zoneFault(zone))
				}
			}
		}
	}
	r := w.configured("endpoint-sub-resource", doc, "Private endpoint "+nic.Name+" is for the sub-resource that it is meant for", value, reason, remedy)
	r.faults = faults
	return r
}

// computesInside requires of each compute of a workspace whose services are closed
// that it is in a virtual network.
func computesInside(w *world) []Requirement {
	var out []Requirement
	for _, doc := range w.estate.OfType(typeCompute) {
		ws, ok := w.estate.Get(doc.ID.Parent())
		if !ok || !isCluster(doc) && !isInstance(doc) {
			continue
		}
		shut := w.shutServices(ws)
		if len(shut) == 0 {
			continue
		}
		p := w.computePlace(doc)
		value, reason := verdict.Yes, "it is in "+arm.Ref(doc.Properties, "properties.subnet.id").Name()
		u, unknown := arm.UnknownAt(doc.Properties, "properties.subnet")
		if idUnknown, ok := arm.UnknownAt(doc.Properties, "properties.subnet.id"); ok {
			u, unknown = idUnknown, true
		}
		switch mode := managedNetwork(ws); {
		case mode != "":
			value, reason = verdict.Yes, "it is in the managed network of "+ws.Name+" ("+mode+")"
		case unknown:
			value, reason = verdict.Unknown, "its subnet is "+u.String()
		case arm.Ref(doc.Properties, "properties.subnet.id") == "":
			value, reason = verdict.No, fmt.Sprintf("%s %s is in no virtual network, and %s of its workspace %s closed to everything else",
				strings.ToLower(p.label()), doc.Name, strings.Join(shut, ", "), isAre(len(shut)))
		}
		r := w.configured("compute-in-network", doc, p.label()+" "+doc.Name+" is in a virtual network", value, reason,
			fmt.Sprintf("set subnet_resource_id to a subnet from which the private endpoints are reached: azurerm_machine_learning_compute_%s %s", p.resourceKind(), doc.Name))
		r.faults = []fault{outsideFault(doc.ID), publicFault(doc.ID)}
		out = append(out, r)
	}
	return out
}

func isAre(n int) string {
	if n == 1 {
		return "is"
	}
	return "are"
}

// shutServices are the names of a workspace's services that are closed.
func (w *world) shutServices(ws arm.Resource) []string {
	var out []string
	for _, property := range []string{"storageAccount", "containerRegistry", "keyVault"} {
		if doc, ok := w.estate.Get(arm.Ref(ws.Properties, property)); ok && w.isClosed(doc) {
			out = append(out, doc.Name)
		}
	}
	if w.isClosed(ws) {
		out = append(out, ws.Name)
	}
	return out
}
