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
	HostGraph   = "graph.microsoft.com"
	HostDevOps  = "dev.azure.com"
	HostAgent   = "download.agent.dev.azure.com"
	HostMonitor = "dc.services.visualstudio.com"
)

// Platform are the shared services' endpoints; Resource and Owner are empty.
func Platform() []Endpoint {
	return []Endpoint{
		{Host: HostARM, Service: "arm", Tag: "AzureResourceManager"},
		{Host: HostLogin, Service: "login", Tag: "AzureActiveDirectory"},
		{Host: HostGraph, Service: "graph", Tag: "AzureActiveDirectory"},
		{Host: HostDevOps, Service: "devops", Tag: "AzureDevOps"},
		{Host: HostAgent, Service: "agentpackages", Tag: "AzureFrontDoor.FirstParty"},
		globalMonitor(HostMonitor, "insights", "global.in.ai"),
	}
}

// Addresses of the plan that belong to no service (RFC 5737, RFC 3849).
var (
	// Customer holds the public IP addresses of the estate's own resources and of
	// default outbound access (TEST-NET-3).
	Customer = netip.MustParsePrefix("203.0.113.0/24")
	// Customer6 holds their IPv6 addresses (RFC 3849). There is no default outbound
	// access by IPv6.
	Customer6 = netip.MustParsePrefix("2001:db8:0:c::/64")
	// Outsider is a machine on the internet that has nothing to do with the estate (TEST-NET-1).
	Outsider = netip.MustParseAddr("192.0.2.10")
	// Outsider6 is its IPv6 address (RFC 3849).
	Outsider6 = netip.MustParseAddr("2001:db8::10")
	// DefaultOutbound is what a machine without a public address of its own appears as.
	DefaultOutbound = netip.MustParseAddr("203.0.113.254")
	// WireServer is Azure's virtual public address for DNS and health probes.
	WireServer = netip.MustParseAddr("168.63.129.16")
	// Metadata is the instance metadata service.
	Metadata = netip.MustParseAddr("169.254.169.254")
)

// PublicAddr is the public address of an endpoint: a place in its tag's prefix, in
// that of its region where the tag has one. It follows from its owner, so that it
// never changes while others come and go. Owners may share an address (a host name
// still tells them apart, as on Azure's own front ends). It is invalid where the endpoint has no host.
func PublicAddr(ep Endpoint) netip.Addr {
	prefix, ok := placeOf(ep.Tag, ep.Region)
	if !ok || ep.Host == "" {
		return netip.Addr{}
	}
	owner := ep.Owner.Key()
	if ep.Group == "" {
		owner = strings.ToLower(ep.Host) // shared by many: the host is the owner
	}
	h := fnv.New32a()
	h.Write([]byte(owner))
	return nth(prefix, h.Sum32())
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
