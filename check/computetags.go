package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// tagNeed is what a compute needs of a service tag.
type tagNeed struct {
	tag      string
	protocol network.Protocol
	port     uint16
}

// computeTags are what every compute in a virtual network needs to reach. Storage
// is reached by private endpoint, and needs its tag where there is none.
//
// Source: Microsoft Learn, "Configure inbound and outbound network traffic" and
// "Secure an Azure Machine Learning training environment with virtual networks".
var computeTags = []tagNeed{
	{"AzureActiveDirectory", network.TCP, 443},
	{"AzureMachineLearning", network.TCP, 443},
	{"AzureMachineLearning", network.UDP, 5831},
	{"BatchNodeManagement", network.TCP, 443},
	{"AzureResourceManager", network.TCP, 443},
	{"MicrosoftContainerRegistry", network.TCP, 443},
	{"AzureFrontDoor.FirstParty", network.TCP, 443},
}

// publicComputePort is where the service calls nodes that have public addresses.
const publicComputePort = 44224

// computeServiceTags requires of the security groups around each compute that they
// let out the service tags it needs, and in what it needs with public addresses.
func computeServiceTags(w *world) []Requirement {
	var out []Requirement
	for _, p := range w.places {
		doc, ok := w.estate.Get(p.Resource)
		if p.Role != RoleCompute || p.NIC == "" || !p.Addr.IsValid() || !ok {
			continue
		}
		filters := w.net.Filters(p.NIC, network.Outbound)
		var missing []string
		var faults []fault
		worst := verdict.Step{Value: verdict.Yes, Reason: "its security groups let them all pass"}
		if len(filters) == 0 {
			worst.Reason = "no security group is in the way"
		}
		for _, need := range w.tagsOf(doc) {
			step, blocked := w.blocks(filters, p, need)
			if !blocked {
				continue
			}
			if step.Value == verdict.Unknown {
				if worst.Value == verdict.Yes {
					worst = step
				}
				continue
			}
			worst = step
			missing = append(missing, fmt.Sprintf("%s %s %d", need.tag, strings.ToUpper(string(need.protocol)), need.port))
			faults = append(faults, tagFault(groupOf(step.Resource), need.tag))
		}
		inbound, blocked := w.blocksService(p, doc)
		if blocked {
			worst = inbound
			if len(missing) == 0 {
				faults = append(faults, publicFault(doc.ID))
			}
			missing = append(missing, fmt.Sprintf("inbound AzureMachineLearning TCP %d, as its nodes have public addresses", publicComputePort))
		}
		reason, at := worst.Reason, doc
		if len(missing) > 0 {
			reason = fmt.Sprintf("%s does not let pass what the nodes of %s need: %s (%s)", nsgName(worst.Resource), p.Name, strings.Join(missing, ", "), worst.Reason)
			if g, ok := w.nearest(worst.Resource); ok {
				at = g
			}
		}
		r := w.configured("compute-service-tags", at, fmt.Sprintf("The security groups of %s %s let its service tags pass", strings.ToLower(p.label()), p.Name),
			worst.Value, reason, fmt.Sprintf("allow these service tags from %s before the rule that denies them: azurerm_network_security_rule of %s", w.around(p.Addr), nsgName(worst.Resource)))
		r.ID, r.faults = slug("compute-service-tags", p.Name), faults
		if at.ID.Equal(worst.Resource) {
			w.point(&r, at, worst.Part)
		}
		out = append(out, r)
	}
	return out
}

// tagsOf are the needs of a compute: with the tags of what its workspace has no
// private way to.
func (w *world) tagsOf(compute arm.Resource) []tagNeed {
	out := slices.Clone(computeTags)
	ws, ok := w.workspaceOf(Place{Resource: compute.ID})
	if !ok {
		return out
	}
	storage := arm.Ref(ws.Properties, "storageAccount")
	if _, inside := w.estate.Get(storage); inside && len(w.endpointsOf(storage)) == 0 && w.endpointsElsewhere(storage) == "" {
		out = append(out, tagNeed{"Storage", network.TCP, 443})
	}
	return out
}

// blocks says which filter keeps a place from a service tag, or may.
func (w *world) blocks(filters []network.Filter, p Place, need tagNeed) (verdict.Step, bool) {
	prefixes, ok := service.Tag(need.tag)
	doc, _ := w.estate.Get(p.Resource)
	region := service.Region(cmp.Or(arm.String(doc.Properties, "computeLocation"), doc.Location))
	if own, known := service.Tag(need.tag + "." + region); known && len(own) > 0 {
		prefixes = own // a rule may be for the compute's own region alone
	}
	if !ok {
		return verdict.Step{}, false
	}
	for _, prefix := range prefixes {
		if !prefix.Addr().Is4() {
			continue
		}
		flow := network.Flow{Source: p.Addr, Destination: prefix.Addr().Next(), Protocol: need.protocol, Port: need.port}
		for _, f := range filters {
			if step := f.Decide(flow); step.Value != verdict.Yes {
				return step, true
			}
		}
		break
	}
	return verdict.Step{}, false
}

// blocksService says which filter keeps the service from a node with a public
// address. Without a subnet group the service's own lets it in.
func (w *world) blocksService(p Place, compute arm.Resource) (verdict.Step, bool) {
	if !hasPublicNodes(compute) || isInstance(compute) {
		return verdict.Step{}, false
	}
	prefixes, ok := service.Tag("AzureMachineLearning")
	if !ok || len(prefixes) == 0 {
		return verdict.Step{}, false
	}
	flow := network.Flow{Source: prefixes[0].Addr().Next(), Destination: p.Addr, Protocol: network.TCP, Port: publicComputePort}
	for _, f := range w.net.Filters(p.NIC, network.Inbound) {
		if step := f.Decide(flow); step.Value == verdict.No {
			return step, true
		}
	}
	return verdict.Step{}, false
}

// hasPublicNodes reports whether it is certain that the nodes of a compute, or the
// serverless ones of a workspace, have public addresses.
func hasPublicNodes(doc arm.Resource) bool {
	path, with, def := "properties.enableNodePublicIp", true, true
	if doc.IsType(service.TypeWorkspace) {
		path, with, def = "serverlessComputeSettings.serverlessComputeNoPublicIP", false, false
	}
	_, unknown := arm.UnknownAt(doc.Properties, path)
	return !unknown && arm.Bool(doc.Properties, path, def) == with
}
