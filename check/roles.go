package check

import (
	"encoding/base64"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

// How a machine's role is told from the documents, in this order:
//
//  1. the tag role (or cloister-role) names it: agent, jump-host;
//  2. a script extension that mentions an agent makes an agent: its name, its
//     settings, its protected settings and a script within them that is base64
//     are looked at;
//  3. a machine in a network that has an AzureBastionSubnet is a jump host;
//  4. any other machine has no role, and nothing is required for it.
//
// A compute cluster is an AmlCompute; a compute instance runs the same code by hand
// and needs the same. Attached machines have no role here.

const (
	typeExtension = "Microsoft.Compute/virtualMachines/extensions"
	bastionSubnet = "AzureBastionSubnet"
	maxScript     = 256 << 10 // bytes of a script that are looked at
)

func taggedAgent(doc arm.Resource) bool {
	for k, v := range doc.Tags {
		if (strings.EqualFold(k, "role") || strings.EqualFold(k, "cloister-role")) && strings.EqualFold(v, "agent") {
			return true
		}
	}
	return false
}

func (w *world) roleOf(vm arm.Resource, vnet arm.ID) Role {
	for k, v := range vm.Tags {
		if !strings.EqualFold(k, "role") && !strings.EqualFold(k, "cloister-role") {
			continue
		}
		switch strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(v)) {
		case "agent":
			return RoleAgent
		case "jumphost", "jumpbox":
			return RoleJumpHost
		}
	}
	for _, ext := range w.estate.Children(vm.ID, typeExtension) {
		if installsAgent(ext) {
			return RoleAgent
		}
	}
	if _, ok := w.bastionSubnet(vnet); ok {
		return RoleJumpHost
	}
	return RoleOther
}

// bastionSubnet is the subnet of a network that Azure Bastion lives in.
func (w *world) bastionSubnet(vnet arm.ID) (network.Subnet, bool) {
	for _, s := range w.net.Subnets {
		if vnet != "" && strings.EqualFold(s.Name, bastionSubnet) && s.VNet.Equal(vnet) {
			return s, true
		}
	}
	return network.Subnet{}, false
}

// installsAgent reports whether a script extension sets up an Azure Pipelines agent.
func installsAgent(ext arm.Resource) bool {
	typ := strings.ToLower(arm.String(ext.Properties, "type"))
	if strings.HasPrefix(typ, "teamservicesagent") {
		return true
	}
	if !strings.HasPrefix(typ, "customscript") {
		return false
	}
	if wordAgent(ext.Name) {
		return true
	}
	for _, path := range []string{"settings", "protectedSettings"} {
		if v, ok := arm.Lookup(ext.Properties, path); ok && mentionsAgent(v) {
			return true
		}
	}
	return false
}

// mentionsAgent looks through a value for the word agent.
func mentionsAgent(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for k, e := range v {
			if wordAgent(k) || mentionsAgent(e) {
				return true
			}
		}
	case []any:
		for _, e := range v {
			if mentionsAgent(e) {
				return true
			}
		}
	case arm.Unknown:
		return wordAgent(v.Expression)
	case string:
		return wordAgent(v) || wordAgent(decoded(v))
	}
	return false
}

// otherAgents are agents that a script may mention and that run no pipelines.
var otherAgents = strings.NewReplacer(
	"walinuxagent", "", "waagent", "", "azuremonitoragent", "", "azuremonitorlinuxagent", "", "ssh-agent", "", "user-agent", "",
)

func wordAgent(s string) bool {
	if len(s) > maxScript {
		s = s[:maxScript]
	}
	return strings.Contains(otherAgents.Replace(strings.ToLower(s)), "agent")
}

func decoded(s string) string {
	if len(s) > maxScript {
		return ""
	}
	b, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return ""
	}
	return string(b)
}

// isInstance reports whether a compute is one machine of a data scientist.
func isInstance(c arm.Resource) bool {
	return strings.EqualFold(arm.String(c.Properties, "computeType"), "ComputeInstance")
}

// isCluster reports whether a compute is a cluster of nodes.
func isCluster(c arm.Resource) bool {
	return strings.EqualFold(arm.String(c.Properties, "computeType"), "AmlCompute")
}
