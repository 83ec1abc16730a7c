package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/privatedns"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// attachment is a Kubernetes cluster that is a compute of a workspace.
type attachment struct {
	cluster   arm.Resource
	compute   arm.Resource
	workspace arm.Resource
}

func (a attachment) why() string {
	return fmt.Sprintf("compute %s attaches cluster %s to workspace %s", a.compute.Name, a.cluster.Name, a.workspace.Name)
}

// attachments are those of the estate, by cluster.
func (w *world) attachments() []attachment {
	var out []attachment
	for _, cluster := range w.estate.OfType(typeCluster) {
		for _, c := range w.estate.OfType(typeCompute) {
			ws, ok := w.estate.Get(c.ID.Parent())
			if ok && attaches(c, cluster.ID) {
				out = append(out, attachment{cluster, c, ws})
			}
		}
	}
	return out
}

// attaches reports whether a compute is a cluster that it names.
func attaches(compute arm.Resource, cluster arm.ID) bool {
	return arm.Ref(compute.Properties, "resourceId").Equal(cluster) || arm.Ref(compute.Properties, "properties.resourceId").Equal(cluster)
}

// attachedClusters are the clusters that are attached, each once.
func (w *world) attachedClusters() []attachment {
	return slices.CompactFunc(w.attachments(), func(a, b attachment) bool { return a.cluster.ID.Equal(b.cluster.ID) })
}

// apiServersClosed requires of each attached cluster that its API server refuses an
// outsider: what serves models is commanded there.
func apiServersClosed(w *world) []Requirement {
	var out []Requirement
	for _, a := range w.attachedClusters() {
		doc := a.cluster
		r := Requirement{
			ID: slug("aks-api-server-closed", doc.Name), Title: "The internet is refused by the API server of cluster " + doc.Name,
			Why: a.why(), From: outsider(), To: Target{Name: "API server of " + doc.Name, Resource: doc.ID, Port: httpsPort},
			Stages: []Stage{{StageAdmit, network.Admit(w.estate, doc, network.Source{Addr: service.Outsider})}},
		}
		w.settle(&r, doc.ID)
		r.faults = []fault{openFault(doc.ID)}
		if r.Outcome == Violated {
			r.Reason = fmt.Sprintf("the API server of %s is public: %s", doc.Name, r.Reason)
			r.Remedy = "set private_cluster_enabled = true (Azure makes the cluster anew), or name who may call in authorized_ip_ranges of api_server_access_profile: azurerm_kubernetes_cluster " + doc.Name
		}
		out = append(out, r)
	}
	return out
}

// apiServersReached requires that those who run what is attached reach the API server
// of a private cluster by its private address.
func apiServersReached(w *world) []Requirement {
	var out []Requirement
	for _, a := range w.attachedClusters() {
		server, ok := w.apiServer(a.cluster)
		if !ok {
			continue
		}
		for _, p := range slices.Concat(w.withRole(RoleAgent), w.withRole(RoleJumpHost)) {
			out = append(out, w.reachAPIServer(a, server, p))
		}
	}
	return out
}

// apiServer is where a private cluster is commanded.
type apiServer struct {
	cluster    arm.Resource
	subnet     network.Subnet
	home       network.VNet
	integrated bool // in a subnet of its own, and not behind a private endpoint
}

// apiServer finds it, where the cluster is private and in networks of the estate.
//
// Sources: Microsoft Learn, "Create a private Azure Kubernetes Service (AKS) cluster";
// "Create an Azure Kubernetes Service cluster with API Server VNet Integration".
func (w *world) apiServer(cluster arm.Resource) (apiServer, bool) {
	if !arm.Bool(cluster.Properties, "apiServerAccessProfile.enablePrivateCluster", false) {
		return apiServer{}, false
	}
	var subnet arm.ID
	for _, pool := range arm.Objects(cluster.Properties, "agentPoolProfiles") {
		if subnet = arm.Ref(pool, "vnetSubnetID"); subnet != "" {
			break
		}
	}
	own := arm.Ref(cluster.Properties, "apiServerAccessProfile.subnetId")
	if own != "" {
		subnet = own
	}
	s, ok := w.net.Subnet(subnet)
	home, known := w.net.VNet(s.VNet)
	return apiServer{cluster, s, home, own != ""}, ok && known
}

func (w *world) reachAPIServer(a attachment, s apiServer, p Place) Requirement {
	r := Requirement{
		ID:    slug("aks-api-server-reached", p.Name, a.cluster.Name),
		Title: fmt.Sprintf("%s %s reaches the API server of cluster %s", p.label(), p.Name, a.cluster.Name),
		Why:   a.why() + ", and " + p.purpose(), From: p, Must: true,
		To: Target{Name: "API server of " + a.cluster.Name, Resource: a.cluster.ID, Port: httpsPort},
	}
	resolve, remedy := w.resolveAPIServer(s, p)
	r.Stages = []Stage{{StageResolve, resolve}, {StageConnect, w.connectAPIServer(s, p, &r.To)}}
	w.settle(&r, a.cluster.ID, p.Resource)
	stage := r.decisiveStage()
	r.faults = append(w.pathFaults(r, stage.Verdict.Decisive()), peeringFault(p.VNet, s.home.ID))
	if r.Outcome == Violated {
		r.Remedy = remedy
		if stage.Name == StageConnect {
			r.Remedy = w.connectRemedy(r)
		}
	}
	return r
}

// purpose is why a place needs what it needs.
func (p Place) purpose() string {
	switch p.Role {
	case RoleAgent:
		return p.Name + " runs pipelines, which deploy"
	case RoleJumpHost:
		return "people work from jump host " + p.Name
	case RoleCompute:
		return p.Name + " trains"
	case RoleServing:
		return p.Name + " serves models"
	}
	return p.Name + " is there"
}

// connectAPIServer takes packets to the address of an API server, which Azure chooses
// in its subnet.
func (w *world) connectAPIServer(s apiServer, p Place, to *Target) verdict.Verdict {
	if !p.Addr.IsValid() {
		return w.connect(p, to.Addr, httpsPort)
	}
	if s.integrated {
		to.Addr = w.inSubnet(Place{}, s.subnet.ID).Addr
		return w.connect(p, to.Addr, httpsPort)
	}
	with := w.withAPIServers()
	nic, ok := with.NIC(apiServerEndpoint(s.cluster.ID))
	if !ok || len(nic.Addrs) == 0 {
		return single(verdict.Unknown, "private endpoint of "+s.cluster.Name, s.cluster.ID, "its subnet has no address left that is known")
	}
	to.Addr = nic.Addrs[0]
	return with.Reach(network.Flow{Source: p.Addr, Destination: to.Addr, Protocol: network.TCP, Port: httpsPort})
}

// apiServerEndpoint is the id of the private endpoint that AKS makes for a private
// cluster.
func apiServerEndpoint(cluster arm.ID) arm.ID {
	return arm.ResourceID(cluster.Subscription(), cluster.ResourceGroup(), service.TypePrivateEndpoint, "kube-apiserver-"+cluster.Name())
}

// withAPIServers are the networks with the private endpoints that AKS makes in the
// subnets of private clusters when they are deployed.
func (w *world) withAPIServers() *network.Topology {
	if w.commanded != nil {
		return w.commanded
	}
	w.commanded = w.net
	docs := slices.Clone(w.estate.All())
	for _, a := range w.attachedClusters() {
		s, ok := w.apiServer(a.cluster)
		if !ok || s.integrated {
			continue
		}
		id := apiServerEndpoint(a.cluster.ID)
		docs = append(docs, arm.Resource{ID: id, Name: id.Name(), Type: service.TypePrivateEndpoint, Location: a.cluster.Location, Properties: arm.Object{
			"subnet": arm.Object{"id": string(s.subnet.ID)},
			"privateLinkServiceConnections": []any{arm.Object{"name": id.Name(), "properties": arm.Object{
				"privateLinkServiceId": string(a.cluster.ID), "groupIds": []any{"management"},
			}}},
		}})
	}
	if e, err := arm.NewEstate(docs...); err == nil {
		w.commanded = network.FromEstate(e)
	}
	return w.commanded
}

// resolveAPIServer says whether the name of a private cluster's API server leads a
// place to it, and how to mend it where not. AKS writes the record, and links the zone
// to the network of the nodes and to no other.
func (w *world) resolveAPIServer(s apiServer, p Place) (verdict.Verdict, string) {
	const profile = "apiServerAccessProfile."
	at := "name of cluster " + s.cluster.Name
	say := func(v verdict.Value, id arm.ID, format string, args ...any) verdict.Verdict {
		return single(v, at, id, fmt.Sprintf(format, args...))
	}
	ownServers := w.names.HasOwnServers(p.NIC)
	if v, ok := w.net.VNet(p.VNet); ok && len(v.DNSServers) > 0 {
		ownServers = true
	}
	zone := arm.ID(arm.String(s.cluster.Properties, profile+"privateDNSZone"))
	u, unknown := arm.UnknownAt(s.cluster.Properties, profile+"privateDNSZone")
	doc, ours := w.estate.Get(zone)
	switch {
	case arm.Bool(s.cluster.Properties, profile+"enablePrivateClusterPublicFQDN", true):
		return say(verdict.Yes, s.cluster.ID, "its public name leads to the private address"), ""
	case unknown:
		return say(verdict.Unknown, s.cluster.ID, "its zone is %s", u), ""
	case p.VNet.Equal(s.home.ID) && !ownServers && !strings.EqualFold(string(zone), "none"):
		return say(verdict.Yes, s.cluster.ID, "AKS links the zone to %s, where its nodes are", s.home.Name), ""
	case strings.EqualFold(string(zone), "none"):
		return say(verdict.Unknown, s.cluster.ID, "its zone is None: the name is left to DNS servers of your own"), ""
	case arm.IsID(string(zone)) && !ours:
		return say(verdict.Unknown, zone, "zone %s is not in the estate: it is not known whether it is linked to %s", zone.Name(), p.VNet.Name()), ""
	case ours:
		return w.seesZone(doc, p, at)
	case ownServers:
		return say(verdict.Unknown, s.cluster.ID, "%s asks DNS servers of its own, and AKS makes the zone", p.Name), ""
	}
	return say(verdict.No, s.cluster.ID, "AKS makes the zone itself (private_dns_zone_id is System) and links it to %s alone: %s does not know the name", s.home.Name, p.VNet.Name()),
		fmt.Sprintf("name a zone of yours that is linked to %s, as privatelink.%s.azmk8s.io, in private_dns_zone_id: azurerm_kubernetes_cluster %s", p.VNet.Name(), service.Region(s.cluster.Location), s.cluster.Name)
}

// seesZone says whether a place is answered from a zone.
func (w *world) seesZone(zone arm.Resource, p Place, at string) (verdict.Verdict, string) {
	answer := w.resolve(p, "aks."+zone.Name)
	switch {
	case answer.Zone.Equal(zone.ID):
		return single(verdict.Yes, at, zone.ID, fmt.Sprintf("%s is answered from zone %s, into which AKS writes the record", p.Name, zone.Name)), ""
	case answer.Verdict.Value == verdict.Unknown || answer.Code == privatedns.ServFail:
		return answer.Verdict, ""
	}
	return single(verdict.No, at, zone.ID, fmt.Sprintf("zone %s is not linked to %s: %s does not know the name", zone.Name, p.VNet.Name(), p.Name)),
		fmt.Sprintf("link zone %s to network %s: azurerm_private_dns_zone_virtual_network_link", zone.Name, p.VNet.Name())
}

// clustersPull requires of each cluster that is attached as a Kubernetes compute that
// its nodes, or the compute itself, may pull from the workspace's registry.
//
// Sources: Microsoft Learn, "Authenticate with Azure Container Registry from Azure
// Kubernetes Service"; "Set up authentication between Azure Machine Learning and other
// services", Kubernetes cluster compute.
func clustersPull(w *world) []Requirement {
	var out []Requirement
	for _, a := range w.attachments() {
		registry, ok := w.estate.Get(arm.Ref(a.workspace.Properties, "containerRegistry"))
		kubelets := w.kubelets(a.cluster)
		if !ok || len(kubelets) == 0 || !strings.EqualFold(arm.String(a.compute.Properties, "computeType"), "Kubernetes") {
			continue
		}
		p := Place{Name: a.cluster.Name, Kind: KindCluster, Role: RoleServing, Resource: a.cluster.ID, Identity: kubelets[0]}
		r := Requirement{
			ID: slug("aks-pulls-images", a.cluster.Name, registry.Name), Title: fmt.Sprintf("Cluster %s may pull images from registry %s", a.cluster.Name, registry.Name),
			Why: a.why() + ", whose images are in " + registry.Name, From: p, As: w.identityName(p.Identity), Must: true,
			To: Target{Name: registry.Name, Service: "registry", Resource: registry.ID},
		}
		r.Stages = []Stage{{StageAuthorize, w.pulls(a, registry, kubelets)}}
		w.settle(&r, a.cluster.ID)
		if r.Outcome != Holds {
			r.Resource, r.Source = a.cluster.ID, a.cluster.Source
		}
		r.faults = []fault{roleFault(kubelets[0], registry.ID)}
		if r.Outcome == Violated {
			r.Remedy = fmt.Sprintf("give the kubelet identity of %s the role AcrPull on %s: azurerm_role_assignment", a.cluster.Name, registry.Name)
		}
		out = append(out, r)
	}
	return out
}

// pulls is the best answer of those by which images may be pulled.
func (w *world) pulls(a attachment, registry arm.Resource, kubelets []string) verdict.Verdict {
	if arm.Bool(registry.Properties, "adminUserEnabled", false) {
		return single(verdict.Yes, "registry "+registry.Name, registry.ID, "its admin account is enabled, and the workspace pulls with its password")
	}
	best := w.access.Allows(kubelets[0], actionPull, false, registry.ID)
	for _, id := range append(kubelets[1:], w.access.IdentitiesOf(a.compute)...) {
		if v := w.access.Allows(id, actionPull, false, registry.ID); best.Value == verdict.No && v.Value != verdict.No || v.Value == verdict.Yes {
			best = v
		}
	}
	return best
}

// kubelets are the identities as which the nodes of a cluster pull images: the one
// of its kubelets, or where that is the cluster's own, all of its own.
func (w *world) kubelets(cluster arm.Resource) []string {
	own := w.access.IdentitiesOf(arm.Resource{ID: cluster.ID, Identity: cluster.Identity})
	all := w.access.IdentitiesOf(cluster)
	apart := slices.DeleteFunc(slices.Clone(all), func(id string) bool { return slices.Contains(own, id) })
	if len(apart) > 0 {
		return apart
	}
	return all
}
