package check

import (
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// right is something that an identity must be able to do at a service.
type right struct {
	action string
	data   bool
	role   string // the built-in role to suggest
}

// What each role does at the workspace's services, by service.Endpoint.Service.
// A service that is listed with no right must be reached and no more.
var (
	agentNeeds = map[string]*right{
		"api":          {action: actionSubmitJob, role: "AzureML Data Scientist"},
		"blob":         {action: actionWriteBlob, data: true, role: "Storage Blob Data Contributor"},
		"registry":     {action: actionPull, role: "AcrPull"},
		"registrydata": nil,
		"vault":        {action: actionGetSecret, data: true, role: "Key Vault Secrets User"},
		"inference":    nil,
	}
	// People log in as themselves, so a jump host's own identity needs nothing.
	jumpHostNeeds = map[string]*right{
		"api": nil, "notebooks": nil, "blob": nil, "registry": nil, "registrydata": nil, "vault": nil, "inference": nil,
	}
	computeNeeds = map[string]*right{
		"api":          {action: actionWriteRun, role: "AzureML Data Scientist"},
		"blob":         {action: actionWriteBlob, data: true, role: "Storage Blob Data Contributor"},
		"registry":     {action: actionPull, role: "AcrPull"},
		"registrydata": nil,
		"vault":        nil,
		"insights":     nil,
	}
	// Nodes of a Kubernetes cluster pull as the kubelet's identity; models act as
	// their endpoint's.
	servingNeeds = map[string]*right{
		"api": nil, "blob": nil, "registry": nil, "registrydata": nil,
	}
	needsOf = map[Role]map[string]*right{
		RoleAgent: agentNeeds, RoleJumpHost: jumpHostNeeds, RoleCompute: computeNeeds, RoleServing: servingNeeds,
	}
	workspaceNeeds = map[string]*right{
		"blob":     {action: actionWriteBlob, data: true, role: "Storage Blob Data Contributor"},
		"vault":    {action: actionSetSecret, data: true, role: "Key Vault Administrator"},
		"registry": {action: actionPull, role: "AcrPull"},
	}
	// Platform hosts, by service.
	agentPlatform   = []string{"arm", "login", "devops", "agentpackages"}
	computePlatform = []string{"arm", "login"}
)

// associated are the properties of a workspace that name its services.
var associated = []string{"storageAccount", "keyVault", "containerRegistry", "applicationInsights"}

// workspaceServices are the endpoints that make up a workspace: its own, those of
// its online endpoints and those of its associated services. Endpoints that
// cannot be known are left out.
func (w *world) workspaceServices(ws arm.Resource) []service.Endpoint {
	owners := map[string]bool{ws.ID.Key(): true}
	for _, property := range associated {
		if id := arm.Ref(ws.Properties, property); id != "" {
			owners[id.Key()] = true
		}
	}
	var out []service.Endpoint
	for _, ep := range w.endpoints {
		if owners[ep.Owner.Key()] {
			out = append(out, ep)
		}
	}
	return out
}

// workspacesOf are the workspaces that a place works for: a cluster's own, and
// all of the estate for a machine.
func (w *world) workspacesOf(p Place) []arm.Resource {
	if p.Role == RoleServing {
		return w.attachedTo(p.Resource)
	}
	if p.Kind != KindCompute && p.Kind != KindInstance {
		return w.estate.OfType(service.TypeWorkspace)
	}
	if ws, ok := w.workspaceOf(p); ok {
		return []arm.Resource{ws}
	}
	return nil
}

// platform is the shared endpoint of a service.
func (w *world) platform(name string) (service.Endpoint, bool) {
	for _, ep := range w.endpoints {
		if ep.Resource == "" && ep.Service == name {
			return ep, true
		}
	}
	return service.Endpoint{}, false
}

// withRole are the places that have a role.
func (w *world) withRole(r Role) []Place {
	var out []Place
	for _, p := range w.places {
		if p.Role == r {
			out = append(out, p)
		}
	}
	return out
}

// endpointSlug names an endpoint by service and resource, or by host where all share it.
func endpointSlug(ep service.Endpoint) string {
	if ep.Resource == "" {
		return ep.Host
	}
	return ep.Service + "/" + ep.Resource.Name()
}

// slug is a part of a requirement's id.
func slug(parts ...string) string {
	clean := strings.NewReplacer(" ", "-", ":", "-")
	for i, p := range parts {
		parts[i] = clean.Replace(strings.ToLower(p))
	}
	return strings.Join(parts, ":")
}

// attachedTo are the workspaces that a cluster is attached to as a compute.
func (w *world) attachedTo(cluster arm.ID) []arm.Resource {
	var out []arm.Resource
	for _, c := range w.estate.OfType(typeCompute) {
		if !attaches(c, cluster) {
			continue
		}
		if ws, ok := w.estate.Get(c.ID.Parent()); ok {
			out = append(out, ws)
		}
	}
	return out
}
