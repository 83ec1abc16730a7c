package service

import (
	"hash/fnv"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Platform hosts: services that every subscription shares.
const (
	HostARM     = "management.azure.com"
	HostLogin   = "login.microsoftonline.com"
	HostDevOps  = "dev.azure.com"
	HostAgent   = "download.agent.dev.azure.com"
	HostMonitor = "dc.services.visualstudio.com"
)

// Platform are the shared services' endpoints; Resource and Owner are empty.
func Platform() []Endpoint {
	return []Endpoint{
		{Host: HostARM, Service: "arm", Tag: "AzureResourceManager"},
		{Host: HostLogin, Service: "login", Tag: "AzureActiveDirectory"},
		{Host: HostDevOps, Service: "devops", Tag: "AzureDevOps"},
		{Host: HostAgent, Service: "agentpackages", Tag: "AzureFrontDoor.FirstParty"},
		globalMonitor(HostMonitor, "insights", "global.in.ai"),
	}
}

// tagPrefixes gives each service tag its prefix of TEST-NET-2 (RFC 5737). Tags
// that are listed with the same prefix are not told apart here.
var tagPrefixes = map[string]string{
	"AzureActiveDirectory":       "198.51.100.0/29",
	"AzureResourceManager":       "198.51.100.8/29",
	"AzureDevOps":                "198.51.100.16/29",
	"AzureMonitor":               "198.51.100.24/29",
	"MicrosoftContainerRegistry": "198.51.100.32/29",
	"AzureFrontDoor.FirstParty":  "198.51.100.40/29",
	"AzureFrontDoor.FrontEnd":    "198.51.100.48/29",
	"BatchNodeManagement":        "198.51.100.56/29",
	"AzureMachineLearning":       "198.51.100.64/27",
	"Storage":                    "198.51.100.96/27",
	"AzureKeyVault":              "198.51.100.128/27",
	"AzureContainerRegistry":     "198.51.100.160/27",
	"GatewayManager":             "198.51.100.192/29",
	"AzureCloud":                 "198.51.100.0/24",
}

// otherServices holds the services of which no tag has a prefix of its own. They
// are of AzureCloud and of no other tag in the plan.
const otherServices = "198.51.100.224/27"

// Addresses of the plan that belong to no service (RFC 5737).
var (
	// Customer holds the public IP addresses of the estate's own resources and of
	// default outbound access (TEST-NET-3).
	Customer = netip.MustParsePrefix("203.0.113.0/24")
	// Outsider is a machine on the internet that has nothing to do with the estate (TEST-NET-1).
	Outsider = netip.MustParseAddr("192.0.2.10")
	// DefaultOutbound is what a machine without a public address of its own appears as.
	DefaultOutbound = netip.MustParseAddr("203.0.113.254")
	// WireServer is Azure's virtual public address for DNS and health probes.
	WireServer = netip.MustParseAddr("168.63.129.16")
	// Metadata is the instance metadata service.
	Metadata = netip.MustParseAddr("169.254.169.254")
)

// Tag is the prefix list of a service tag. Regional forms ("Storage.WestEurope")
// are the tag's own prefixes. A tag that is not in the plan is not known: ok is
// false, and the caller must not take it as empty. VirtualNetwork, Internet and
// AzureLoadBalancer depend on the network that asks and are not here.
func Tag(name string) (prefixes []netip.Prefix, ok bool) {
	lookup := func(n string) bool {
		for tag, p := range tagPrefixes {
			if strings.EqualFold(tag, n) {
				prefixes = []netip.Prefix{netip.MustParsePrefix(p)}
				return true
			}
		}
		return false
	}
	if lookup(name) {
		return prefixes, true
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 && lookup(name[:i]) {
		return prefixes, true
	}
	return nil, false
}

// PublicAddr is the public address of an endpoint: a place in its tag's prefix
// that follows from its owner, so that it never changes while others come and
// go. Owners may share an address (a host name still tells them apart, as on
// Azure's own front ends). It is invalid where the endpoint has no host.
func PublicAddr(ep Endpoint) netip.Addr {
	prefix, ok := tagPrefixes[ep.Tag]
	if strings.EqualFold(ep.Tag, "AzureCloud") {
		prefix = otherServices
	}
	if !ok || ep.Host == "" {
		return netip.Addr{}
	}
	owner := ep.Owner.Key()
	if ep.Group == "" {
		owner = strings.ToLower(ep.Host) // shared by many: the host is the owner
	}
	h := fnv.New32a()
	h.Write([]byte(owner))
	return nth(netip.MustParsePrefix(prefix), h.Sum32())
}

// All are the endpoints of the platform and of an estate, in a stable order.
func All(e *arm.Estate) []Endpoint {
	out := Platform()
	for _, r := range e.All() {
		out = append(out, Endpoints(r)...)
	}
	return out
}

// nth is a usable address of the IPv4 prefix p: never its first or last.
func nth(p netip.Prefix, n uint32) netip.Addr {
	usable := uint32(1)<<(32-p.Bits()) - 2
	addr := p.Addr().Next()
	for range n % usable {
		addr = addr.Next()
	}
	return addr
}
