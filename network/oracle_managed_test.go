package network_test

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	nt "github.com/cloister-ml/cloister/network/networktest"
	"github.com/cloister-ml/cloister/service"
	"github.com/cloister-ml/cloister/verdict"
)

// managedTraffic is what computes need of the service, as the table of required
// outbound traffic has it: tag, protocol, ports.
var managedTraffic = [][3]string{
	{"AzureActiveDirectory", "Tcp", "80,443"}, {"AzureMachineLearning", "Tcp", "443,8787,18881"}, {"AzureMachineLearning", "Udp", "5831"},
	{"BatchNodeManagement", "*", "443"}, {"AzureResourceManager", "Tcp", "443"}, {"AzureFrontDoor.FirstParty", "Tcp", "443"},
	{"MicrosoftContainerRegistry", "Tcp", "443"}, {"AzureMonitor", "Tcp", "443"},
}

// managed is what a managed network lets out, a packet at a time.
func (o oracle) managed(workspace arm.ID, f network.Flow) verdict.Value {
	ws := o.doc(workspace)
	if hub, ok := o.e.Get(arm.Ref(ws.Properties, "hubResourceId")); ok {
		ws = hub
	}
	if !o.public(f.Destination) {
		return verdict.No
	}
	if arm.String(ws.Properties, "managedNetwork.isolationMode") != "AllowOnlyApprovedOutbound" {
		return verdict.Yes
	}
	allows, denies := verdict.No, verdict.No
	for _, r := range managedTraffic {
		ports := strings.Split(r[2], ",")
		allows = or(allows, verdict.And(yes(r[1] == "*" || r[1] == string(f.Protocol)), verdict.And(yes(portIn(ports, f)), o.managedTag(r[0], nil, f))))
	}
	var rules []arm.Object
	for _, r := range o.e.Children(ws.ID, "Microsoft.MachineLearningServices/workspaces/outboundRules") {
		rules = append(rules, r.Properties)
	}
	if inline, ok := arm.Lookup(ws.Properties, "managedNetwork.outboundRules"); ok {
		for _, r := range inline.(map[string]any) {
			rules = append(rules, r.(map[string]any))
		}
	}
	for _, r := range rules {
		switch arm.String(r, "type") {
		case "FQDN":
			allows = or(allows, o.managedHost(arm.String(r, "destination"), f))
		case "ServiceTag":
			protocol := arm.String(r, "destination.protocol")
			ports := strings.Split(strings.ReplaceAll(arm.String(r, "destination.portRanges"), " ", ""), ",")
			match := verdict.And(yes(protocol == "*" || strings.EqualFold(protocol, string(f.Protocol))), verdict.And(yes(portIn(ports, f)),
				o.managedTag(arm.String(r, "destination.serviceTag"), arm.Strings(r, "destination.addressPrefixes"), f)))
			if arm.String(r, "destination.action") == "Deny" {
				denies = or(denies, match)
			} else {
				allows = or(allows, match)
			}
		}
	}
	// Nothing says whether a rule that allows goes before one that denies.
	switch {
	case allows == verdict.No:
		return verdict.No
	case denies == verdict.No:
		return allows
	}
	return verdict.Unknown
}

func (o oracle) managedTag(tag string, prefixes []string, f network.Flow) verdict.Value {
	if len(prefixes) > 0 {
		return yes(anyContains(prefixes, f.Destination))
	}
	list, listed := service.Tag(tag)
	if !listed {
		return verdict.Unknown
	}
	for _, p := range list {
		if p.Contains(f.Destination) {
			return verdict.Yes
		}
	}
	return verdict.No
}

// managedHost: a name opens ports 80 and 443 of what is not storage.
func (o oracle) managedHost(pattern string, f network.Flow) verdict.Value {
	named := f.Host == pattern
	if below, wild := strings.CutPrefix(pattern, "*"); wild {
		named = strings.HasSuffix(f.Host, below)
	}
	switch {
	case f.Protocol != network.TCP || !slices.Contains([]uint16{80, 443}, f.Port):
		return verdict.No
	case f.Host == "":
		return verdict.Unknown
	}
	return yes(named && !strings.HasSuffix(f.Host, ".core.windows.net"))
}

// The engine and the oracle agree about what managed networks let out.
func TestManagedNetworksAgreeWithOracle(t *testing.T) {
	soak(t, func(t *rapid.T) {
		e := nt.RandomManaged(t)
		o := oracle{e: e, top: network.FromEstate(e)}
		m, ok := o.top.ManagedNetwork(nt.ManagedID)
		if !ok {
			t.Fatal("there is no managed network")
		}
		for range 20 {
			f := nt.ManagedFlow(t)
			if got, want := m.Reach(f), o.managed(nt.ManagedID, f); got.Value != want {
				t.Fatalf("%+v: got %v, the oracle says %v\n%s\n%s", f, got.Value, want, story(got), dump(e))
			}
		}
	})
}
