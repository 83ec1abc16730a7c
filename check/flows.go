package check

import (
	"fmt"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

func agentsReachServices(w *world) []Requirement {
	return w.reachServices("agent-reaches-service", RoleAgent, agentNeeds)
}

func jumpHostsReachServices(w *world) []Requirement {
	return w.reachServices("jump-host-reaches-service", RoleJumpHost, jumpHostNeeds)
}

func computeReachesServices(w *world) []Requirement {
	return w.reachServices("compute-reaches-service", RoleCompute, computeNeeds)
}

func servingReachesServices(w *world) []Requirement {
	return w.reachServices("aks-reaches-service", RoleServing, servingNeeds)
}

func (w *world) reachServices(rule string, role Role, needs map[string]*right) []Requirement {
	var out []Requirement
	for _, u := range w.usesOf(role, needs) {
		out = append(out, w.mustReach(rule, u.place, u.ep, u.need))
	}
	return out
}

// use is a service that a place needs.
type use struct {
	place Place
	ep    service.Endpoint
	need  *right
}

// uses are what all places need.
func (w *world) uses() []use {
	if w.needed != nil {
		return w.needed
	}
	out := []use{}
	for _, role := range []Role{RoleAgent, RoleJumpHost, RoleCompute, RoleServing} {
		out = append(out, w.usesOf(role, needsOf[role])...)
	}
	w.needed = out
	return out
}

// runsElsewhere reports a compute that reaches its services from a network of the
// workspace's own, or of Microsoft's where nothing is closed to that.
func (w *world) runsElsewhere(p Place, ws arm.Resource) bool {
	if p.Managed != "" {
		if _, isolated := w.isolated(p); isolated {
			return false
		}
	} else if managedNetwork(ws) != "" {
		return true
	}
	doc, _ := w.estate.Get(p.Resource)
	_, unknown := arm.UnknownAt(doc.Properties, "properties.subnet.id")
	return p.NIC == "" && !unknown && arm.Ref(doc.Properties, "properties.subnet.id") == "" && len(w.shutServices(ws)) == 0
}

// actsAsItself reports whether jobs on a compute need rights of the compute's own
// identity. Where the storage account takes keys, jobs read data with the key that
// the datastore holds and images with the workspace's rights, unless the compute is
// given roles.
//
// Source: Microsoft Learn, "Set up authentication between Azure Machine Learning and
// other services", compute cluster.
func (w *world) actsAsItself(p Place, ws arm.Resource) bool {
	storage, ok := w.estate.Get(arm.Ref(ws.Properties, "storageAccount"))
	return w.isGrantee(p.Identity) || ok && !arm.Bool(storage.Properties, "allowSharedKeyAccess", true)
}

func (w *world) usesOf(role Role, needs map[string]*right) []use {
	var out []use
	for _, p := range w.withRole(role) {
		seen := map[string]bool{}
		for _, ws := range w.workspacesOf(p) {
			if role == RoleCompute && w.runsElsewhere(p, ws) {
				continue
			}
			batch := len(w.estate.Children(ws.ID, typeBatchEndpoint)) > 0
			for _, ep := range w.workspaceServices(ws) {
				need, needed := needs[ep.Service]
				if role == RoleCompute && batch && (ep.Service == "queue" || ep.Service == "table") {
					needed = true
				}
				if !needed || seen[ep.Host] {
					continue
				}
				seen[ep.Host] = true
				if role == RoleCompute && !w.actsAsItself(p, ws) {
					need = nil
				}
				out = append(out, use{p, ep, need})
			}
		}
	}
	return out
}

func reachPlatform(w *world) []Requirement {
	var out []Requirement
	for role, names := range map[Role][]string{RoleAgent: agentPlatform, RoleCompute: computePlatform} {
		for _, p := range w.withRole(role) {
			if role == RoleCompute {
				if ws, ok := w.workspaceOf(p); ok && w.runsElsewhere(p, ws) {
					continue
				}
			}
			for _, name := range names {
				if ep, ok := w.platform(name); ok {
					out = append(out, w.mustReach("reaches-platform", p, ep, nil))
				}
			}
		}
	}
	return out
}

// mustReach requires the whole flow from a place to an endpoint. What private
// link covers must be reached by it.
func (w *world) mustReach(rule string, p Place, ep service.Endpoint, need *right) Requirement {
	c := w.cell(p, ep)
	r := Requirement{
		ID:    slug(rule, p.Name, endpointSlug(ep)),
		Title: fmt.Sprintf("%s %s reaches %s", p.label(), p.Name, serviceLabel(ep)),
		Why:   p.purpose() + ", which needs " + serviceLabel(ep),
		From:  p, To: target(ep, c), Must: true,
	}
	if !p.Addr.IsValid() && p.NIC == "" && p.Managed == "" {
		r.Stages = []Stage{{StageConnect, w.connect(p, r.To.Addr, httpsPort)}}
		r.Remedy = insideRemedy(p)
		w.settle(&r, p.Resource)
		r.faults = []fault{outsideFault(p.Resource)}
		return r
	}
	r.Stages = []Stage{{StageResolve, w.privately(c)}, {StageConnect, c.Connect}, {StageAdmit, c.Admit}}
	if need != nil && p.Identity != "" {
		r.As = w.identityName(p.Identity)
		r.Stages = append(r.Stages, Stage{StageAuthorize, w.access.Allows(p.Identity, need.action, need.data, ep.Resource)})
	} else if need != nil && p.Role == RoleAgent {
		r.Stages = append(r.Stages, Stage{StageAuthorize, single(verdict.No, "virtual machine "+p.Name, p.Resource,
			"it has no managed identity, or several and none of them its own, to act as")})
	}
	w.settle(&r, ep.Resource, p.Resource)
	if r.Outcome != Holds {
		r.faults = w.faultsOf(r, c)
	}
	if r.Outcome == Violated {
		r.Remedy = w.remedyFor(r, c, need)
	}
	if _, isolated := w.isolated(p); p.Managed != "" && !isolated && r.Outcome != Holds && r.decisiveStage().Name != StageAuthorize {
		r.Remedy, r.faults = insideRemedy(p), append([]fault{outsideFault(p.Resource)}, r.faults...)
	}
	return r
}

// insideRemedy puts a compute into the networks of the estate.
func insideRemedy(p Place) string {
	return fmt.Sprintf("give %s %s a subnet of the estate: subnet_resource_id of azurerm_machine_learning_compute_%s", strings.ToLower(p.label()), p.Name, p.resourceKind())
}

// privately is the verdict on a name that must lead to a private endpoint.
func (w *world) privately(c Cell) verdict.Verdict {
	v := verdict.Verdict{Value: c.Resolve.Verdict.Value, Steps: append([]verdict.Step(nil), c.Resolve.Verdict.Steps...)}
	if c.To.Group == "" || len(c.Resolve.Addrs) == 0 || c.Resolve.Private() || c.From.Managed != "" || w.byServiceEndpoint(c) {
		return v
	}
	v.Add(w.whyPublic(c))
	return v
}

// byServiceEndpoint reports whether a closed service lets a subnet in by its service
// endpoint: a way that leads to the public address and nobody else may take.
func (w *world) byServiceEndpoint(c Cell) bool {
	doc, ok := w.estate.Get(c.To.Resource)
	return ok && c.Admit.Value == verdict.Yes && w.hasServiceEndpoint(c.From.Subnet, c.To.Resource) && w.isClosed(doc)
}

// whyPublic explains an answer with the public address.
func (w *world) whyPublic(c Cell) verdict.Step {
	s := verdict.Step{Resource: c.To.Resource, Value: verdict.No}
	addr, vnet := c.Resolve.Addrs[0], c.From.VNet.Name()
	const to = "%s resolves to its public address %s from %s, because "
	zone, haveZone := w.zoneNamed(c.To.Zone)
	switch {
	case len(c.Resolve.CNAMEs) == 0:
		s.Reason = fmt.Sprintf(to+"%s has no approved private endpoint for %s", c.To.Host, addr, vnet, c.To.Owner.Name(), c.To.Group)
	case !haveZone:
		s.Reason = fmt.Sprintf(to+"there is no private DNS zone %s", c.To.Host, addr, vnet, c.To.Zone)
	default:
		s.Resource = zone.ID
		s.Reason = fmt.Sprintf(to+"%s is not linked to %s", c.To.Host, addr, vnet, c.To.Zone, vnet)
	}
	if c.Admit.Value == verdict.No {
		s.Reason += "; " + c.To.Resource.Name() + " refuses it there: " + c.Admit.Decisive().Reason
	}
	return s
}

func (w *world) zoneNamed(name string) (arm.Resource, bool) {
	for _, z := range w.estate.OfType(service.TypePrivateDNSZone) {
		if name != "" && strings.EqualFold(z.Name, name) {
			return z, true
		}
	}
	return arm.Resource{}, false
}

func workspaceRights(w *world) []Requirement {
	var out []Requirement
	for _, ws := range w.estate.OfType(service.TypeWorkspace) {
		p := Place{Name: ws.Name, Kind: KindService, Resource: ws.ID, Identity: w.access.IdentityOf(ws)}
		for _, ep := range w.workspaceServices(ws) {
			need := workspaceNeeds[ep.Service]
			if need == nil || ep.Owner.Equal(ws.ID) {
				continue
			}
			r := Requirement{
				ID:    slug("workspace-rights", ws.Name, endpointSlug(ep)),
				Title: fmt.Sprintf("Workspace %s has its rights on %s", ws.Name, serviceLabel(ep)),
				Why:   fmt.Sprintf("%s is a service of workspace %s, which uses it as its own identity", ep.Resource.Name(), ws.Name),
				From:  p, As: w.identityName(p.Identity), Must: true,
				To: Target{Name: ep.Host, Service: ep.Service, Resource: ep.Resource, Endpoint: ep},
			}
			r.Stages = []Stage{{StageAuthorize, w.granted(ws, w.access.Allows(p.Identity, need.action, need.data, ep.Resource))}}
			w.settle(&r, ep.Resource, ws.ID)
			if r.Outcome == Violated {
				r.Remedy = roleRemedy(r, need)
			}
			out = append(out, r)
		}
	}
	return out
}

func target(ep service.Endpoint, c Cell) Target {
	t := Target{Name: ep.Host, Service: ep.Service, Resource: ep.Resource, Port: httpsPort, Endpoint: ep}
	if len(c.Resolve.Addrs) > 0 {
		t.Addr = c.Resolve.Addrs[0]
	}
	return t
}

// granted is the verdict on a right of an identity that Azure gives its rights
// itself: a system-assigned one is given them when its resource is made, if who
// deploys may assign roles. Where the estate assigns it roles, those are what it
// has.
//
// Source: Microsoft Learn, "Enterprise security and governance for Azure Machine
// Learning", managed identity.
func (w *world) granted(doc arm.Resource, v verdict.Verdict) verdict.Verdict {
	if step := v.Decisive(); v.Value == verdict.No && strings.HasPrefix(step.At, "access policies") {
		return single(verdict.Unknown, step.At, step.Resource, fmt.Sprintf("%s; a workspace writes its own policy when it is made, if it may", step.Reason))
	}
	if v.Value != verdict.No || !doc.Identity.SystemAssigned() || w.isGrantee(w.access.IdentityOf(doc)) {
		return v
	}
	return single(verdict.Unknown, "identity "+doc.Name, doc.ID, fmt.Sprintf(
		"no role assignment of the estate is for the system-assigned identity of %s: Azure gives it its rights when it is made, if who deploys may assign roles", doc.Name))
}

// isGrantee reports whether the estate assigns roles to an identity, or gives it an
// access policy.
func (w *world) isGrantee(objectID string) bool {
	for _, a := range w.estate.OfType("Microsoft.Authorization/roleAssignments") {
		if objectID != "" && strings.EqualFold(arm.String(a.Properties, "principalId"), objectID) {
			return true
		}
	}
	return false
}
