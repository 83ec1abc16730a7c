package check

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

const (
	typeDeployment = "Microsoft.MachineLearningServices/workspaces/onlineEndpoints/deployments"

	actionReadBlob = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
)

// servedBy are the documents above a deployment of an online endpoint that Azure runs
// itself; those on Kubernetes run in the network of their cluster.
func (w *world) servedBy(deployment arm.Resource) (endpoint, ws arm.Resource, ok bool) {
	endpoint, ok = w.estate.Get(deployment.ID.Parent())
	if !ok || onKubernetes(endpoint) || strings.EqualFold(arm.String(deployment.Properties, "endpointComputeType"), "Kubernetes") {
		return endpoint, ws, false
	}
	ws, ok = w.estate.Get(endpoint.ID.Parent())
	return endpoint, ws, ok
}

func onKubernetes(endpoint arm.Resource) bool {
	return strings.EqualFold(endpoint.Kind, "Kubernetes") || strings.EqualFold(endpoint.Kind, "K8S") || arm.String(endpoint.Properties, "compute") != ""
}

// deploymentsReachServices requires of deployments in a workspace without a managed
// network, whose services are closed, that they go out by private endpoints of their
// own.
//
// Source: Microsoft Learn, "Network isolation with managed online endpoints", legacy
// network isolation method.
func deploymentsReachServices(w *world) []Requirement {
	const path = "egressPublicNetworkAccess"
	var out []Requirement
	for _, d := range w.estate.OfType(typeDeployment) {
		endpoint, ws, ok := w.servedBy(d)
		shut := w.shutServices(ws)
		if !ok || managedNetwork(ws) != "" || len(shut) == 0 {
			continue
		}
		where := fmt.Sprintf("deployment %s of endpoint %s", d.Name, endpoint.Name)
		setting := arm.String(d.Properties, path)
		value, reason := verdict.No, fmt.Sprintf("%s leaves by the internet (%s is %s), and %s of its workspace %s closed to it: it gets neither image nor model",
			where, path, cmp.Or(setting, "not set, which means Enabled"), strings.Join(shut, ", "), isAre(len(shut)))
		if u, unknown := arm.UnknownAt(d.Properties, path); unknown {
			value, reason = verdict.Unknown, path+" is "+u.String()
		} else if strings.EqualFold(setting, "Disabled") {
			value, reason = verdict.Yes, where+" leaves by private endpoints of its own"
		}
		r := w.configured("deployment-egress", d, "Deployment "+d.Name+" of endpoint "+endpoint.Name+" reaches its services without the internet", value, reason,
			fmt.Sprintf("give workspace %s a managed network (managed_network of azurerm_machine_learning_workspace), or set egressPublicNetworkAccess of %s to Disabled when it is made", ws.Name, d.Name))
		r.ID = slug("deployment-egress", endpoint.Name, d.Name)
		r.Why = fmt.Sprintf("%s runs outside of every network of yours, and its workspace %s has no managed network", where, ws.Name)
		w.point(&r, d, "properties."+path)
		out = append(out, r)
	}
	return out
}

// endpointNeedsOf are what the identity of an online endpoint must be able to do at
// the workspace's services: its containers are pulled and its models read as it.
var endpointNeedsOf = map[string]*right{
	"blob":     {action: actionReadBlob, data: true, role: "Storage Blob Data Reader"},
	"registry": {action: actionPull, role: "AcrPull"},
}

// endpointRights requires of each online endpoint that its identity has them. Nodes
// of a Kubernetes cluster pull as their own.
//
// Source: Microsoft Learn, "Access Azure resources from an online endpoint with a
// managed identity".
func endpointRights(w *world) []Requirement {
	var out []Requirement
	for _, doc := range w.estate.OfType(service.TypeOnlineEndpoint) {
		ws, ok := w.estate.Get(doc.ID.Parent())
		id := w.access.IdentityOf(doc)
		if !ok || id == "" {
			continue
		}
		p := Place{Name: doc.Name, Kind: KindService, Resource: doc.ID, Identity: id}
		for _, ep := range w.workspaceServices(ws) {
			need := endpointNeedsOf[ep.Service]
			if need == nil || ep.Service == "registry" && onKubernetes(doc) {
				continue
			}
			r := Requirement{
				ID: slug("endpoint-rights", doc.Name, endpointSlug(ep)), Title: fmt.Sprintf("Online endpoint %s has its rights on %s", doc.Name, serviceLabel(ep)),
				Why:  fmt.Sprintf("deployments of %s get their images and models from the services of workspace %s as the identity of the endpoint", doc.Name, ws.Name),
				From: p, As: w.identityName(id), Must: true,
				To: Target{Name: ep.Host, Service: ep.Service, Resource: ep.Resource, Endpoint: ep},
			}
			r.Stages = []Stage{{StageAuthorize, givenByAzure(doc, w.access.Allows(id, need.action, need.data, ep.Resource))}}
			w.settle(&r, ep.Resource, doc.ID)
			if r.Outcome != Holds {
				r.Resource, r.Source = doc.ID, doc.Source
			}
			if r.Outcome == Violated {
				r.Remedy = roleRemedy(r, need)
			}
			out = append(out, r)
		}
	}
	return out
}

// givenByAzure is the verdict on a right that Azure gives a system-assigned identity
// when its endpoint is made. One that users bring must have it before.
func givenByAzure(doc arm.Resource, v verdict.Verdict) verdict.Verdict {
	if v.Value != verdict.No || !doc.Identity.SystemAssigned() {
		return v
	}
	return single(verdict.Unknown, "identity "+doc.Name, doc.ID, fmt.Sprintf(
		"no role assignment of the estate gives it to the system-assigned identity of %s: Azure does when the endpoint is made, if who makes it may assign roles", doc.Name))
}

// computeRegions requires that computes are in the region of their network, and
// compute instances in that of their workspace.
//
// Source: Microsoft Learn, "Secure an Azure Machine Learning training environment with
// virtual networks", limitations.
func computeRegions(w *world) []Requirement {
	var out []Requirement
	for _, doc := range w.estate.OfType(typeCompute) {
		ws, ok := w.estate.Get(doc.ID.Parent())
		subnet := arm.Ref(doc.Properties, "properties.subnet.id")
		vnet, inside := w.estate.Get(subnet.Parent())
		if !ok || doc.Location == "" || !isCluster(doc) && !isInstance(doc) {
			continue
		}
		p := w.computePlace(doc)
		value, reason := verdict.Yes, "it is in "+service.Region(doc.Location)
		remedy := ""
		apart := func(what string, other arm.Resource) bool {
			if other.Location == "" || service.Region(other.Location) == service.Region(doc.Location) {
				return false
			}
			value, reason = verdict.No, fmt.Sprintf("%s %s is in %s, and its %s %s in %s: Azure refuses it", strings.ToLower(p.label()), doc.Name,
				service.Region(doc.Location), what, other.Name, service.Region(other.Location))
			remedy = fmt.Sprintf("set location = %q: azurerm_machine_learning_compute_%s %s", service.Region(other.Location), p.resourceKind(), doc.Name)
			return true
		}
		switch {
		case isInstance(doc) && apart("workspace", ws):
		case inside && apart("network", vnet):
		case !inside && !isInstance(doc):
			continue // a cluster may be in any region
		}
		r := w.configured("compute-region", doc, p.label()+" "+doc.Name+" is in the region of what it needs", value, reason, remedy)
		r.Why = fmt.Sprintf("%s is a compute of workspace %s", doc.Name, ws.Name)
		r.faults = []fault{outsideFault(doc.ID)}
		out = append(out, r)
	}
	return out
}
