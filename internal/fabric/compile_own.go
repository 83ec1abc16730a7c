package fabric

import (
	"net/netip"

	"github.com/cloister-ml/cloister/internal/fabric/nft"
	"github.com/cloister-ml/cloister/service"
)

// sitePrefix begins the names of the outsider's interfaces towards sites.
const sitePrefix = "s-"

// wayOut is a site's interface towards the internet.
const wayOut = machineLink + "9"

// notPublic are the ranges that no site's own way to the internet leads to.
var notPublic = []netip.Prefix{
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("168.63.129.16/32"), netip.MustParsePrefix("169.254.0.0/16"),
}

// afterAll makes a route yield to any other to the same prefix.
const afterAll = 1000

// ownInternet gives sites a way to the internet of their own, as what is behind a gateway
// has: it calls public addresses from the outsider's. Nothing comes in by it.
func (c *compiler) ownInternet(sites []Space) {
	var outsider *Space
	for i := range c.plan.Spaces {
		if c.plan.Spaces[i].Role == RoleOutsider {
			outsider = &c.plan.Spaces[i]
		}
	}
	found := false
	for i := range sites {
		s := &sites[i]
		if s.Role != RoleSite {
			continue
		}
		found = true
		link := sitePrefix + digest(s.Name, 12)
		near, far := c.pool.address("way out for "+s.Name), c.pool.address("way out of "+s.Name)
		c.cable(End{outsider.Name, link, []netip.Addr{near}}, End{s.Name, wayOut, []netip.Addr{far}})
		outsider.Routes = append(outsider.Routes, direct(far, link, near))
		s.Routes = append(s.Routes, direct(near, wayOut, far),
			Route{Table: mainTable, Dst: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Type: Unicast, Dev: wayOut, Via: near, Src: far})
		for _, p := range notPublic {
			s.Routes = append(s.Routes, Route{Table: mainTable, Dst: p, Type: Unreachable, Metric: afterAll})
		}
	}
	if !found {
		return
	}
	outsider.Forward = true
	out := nft.Equals(nft.OutIf, nft.Name(machineLink+"0"))
	outsider.Filter = &nft.Table{Name: tableName, Chains: []nft.Chain{
		{Name: "forward", Hook: nft.Forward, Drop: true, Rules: append(tracked(),
			nft.Rule{Match: []nft.Match{nft.Begins(nft.InIf, sitePrefix), out}, Do: accept})},
		{Name: "leaving", Hook: nft.Postrouting, NAT: true, Priority: prioritySource, Rules: []nft.Rule{
			{Match: []nft.Match{out}, Do: nft.Action{Verb: nft.SendAs, Addr: service.Outsider}}}},
	}}
}
