package network

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// connection is what a private endpoint is connected to.
type connection struct {
	target   arm.ID
	group    string
	status   string
	approved bool
	doubts   Doubts
}

// readConnection reads the first connection of a private endpoint; Azure takes no
// more than one.
func (b *builder) readConnection(r arm.Resource) connection {
	var c connection
	d := b.read(r, &c.doubts)
	for _, list := range service.ConnectionLists {
		d.as(aboutTarget).objects(list.Path, "connection") // notes what is malformed
	}
	all := service.Connections(r)
	if len(all) == 0 {
		return c
	}
	first := all[0]
	c.target, c.status, c.approved = first.Target, first.Status, first.Approved
	if len(first.Groups) > 0 {
		c.group = first.Groups[0]
	}
	for _, u := range []struct {
		about string
		value *arm.Unknown
	}{{aboutTarget, first.TargetUnknown}, {aboutTarget, first.GroupsUnknown}, {aboutApproval, first.StatusUnknown}} {
		if u.value != nil {
			d.doubt(u.about, unknownReason(u.about, *u.value))
		}
	}
	return c
}

func (b *builder) privateEndpoints() {
	for _, r := range b.e.OfType(service.TypePrivateEndpoint) {
		c := b.readConnection(r)
		n := NIC{ID: r.ID, Owner: r.ID, Name: r.ID.Name(), Kind: KindPrivateEndpoint, Via: ViaNever,
			Target: c.target, Group: c.group, Approved: c.approved, Doubts: c.doubts}
		d := b.read(r, &n.Doubts)
		n.Subnet = d.ref(aboutSubnet)
		n.ASGs = d.refs(aboutASGs)
		b.checkSubnetOf(r, &n)
		if c.target == "" && len(c.doubts) == 0 {
			b.problem(r, "private endpoint %s is connected to nothing; set privateLinkServiceId", n.Name)
		}
		configs := b.memberConfigs(d, c)
		b.pending = append(b.pending, pendingNIC{nic: n, doc: r, configs: configs})
	}
}

// endpointNICs finds the networkInterfaces documents that are a private endpoint's.
func (b *builder) endpointNICs() {
	for _, r := range b.e.OfType(service.TypePrivateEndpoint) {
		for _, o := range arm.Objects(r.Properties, "networkInterfaces") {
			if id := arm.Ref(o, "id"); id != "" {
				b.endpoint[id.Key()] = r.ID
			}
		}
	}
	for _, r := range b.e.OfType(service.TypeNetworkInterface) {
		if id := arm.Ref(r.Properties, "privateEndpoint.id"); id != "" {
			b.endpoint[r.ID.Key()] = id
		}
		if id, ok := b.endpoint[r.ID.Key()]; ok {
			b.endpointDocs[id.Key()] = append(b.endpointDocs[id.Key()], r)
		}
	}
}

// memberConfigs are the addresses of an endpoint: one for each member of its
// group, in the order of the service's hosts.
func (b *builder) memberConfigs(d document, c connection) []ipConfig {
	hosts := b.hosts(d.r, c)
	var out []ipConfig
	index := func(member string) int {
		return slices.IndexFunc(out, func(x ipConfig) bool { return strings.EqualFold(x.member, member) })
	}
	for _, ep := range hosts {
		if index(ep.Member) < 0 {
			out = append(out, ipConfig{member: ep.Member})
		}
	}
	asked := d.objects(aboutConfigs, "IP configuration")
	if len(out) == 0 {
		for _, o := range asked {
			if m := o.text("properties.memberName"); m != "" && index(m) < 0 {
				out = append(out, ipConfig{member: m})
			}
		}
	}
	if len(out) == 0 {
		out = append(out, ipConfig{member: c.group})
	}
	for _, o := range asked {
		if i := index(o.text("properties.memberName")); i >= 0 {
			out[i].addr, out[i].hidden = o.address("properties.privateIPAddress")
		}
	}
	if _, unknown := d.doubts.About(aboutConfigs); unknown {
		for i := range out {
			out[i].hidden = !out[i].addr.IsValid()
		}
	}
	b.recorded(d.r, hosts, func(member string, a netip.Addr) {
		if i := index(member); i >= 0 && !out[i].addr.IsValid() && !out[i].hidden {
			out[i].addr = a
		}
	})
	return out
}

// hosts are the host names that an endpoint covers. A target outside the estate
// is taken to be in the endpoint's own region.
func (b *builder) hosts(r arm.Resource, c connection) []service.Endpoint {
	if c.target == "" {
		return nil
	}
	target, ok := b.e.Get(c.target)
	if !ok {
		target = arm.Resource{ID: c.target, Name: c.target.Name(), Type: c.target.Type(), Location: r.Location}
	}
	var out []service.Endpoint
	for _, ep := range service.Covered(b.e, target) {
		if strings.EqualFold(ep.Group, c.group) {
			out = append(out, ep)
		}
	}
	return out
}

// recorded reports the addresses that Azure has written down for an endpoint
// that is deployed: in its network interface, and beside its host names.
func (b *builder) recorded(r arm.Resource, hosts []service.Endpoint, give func(member string, a netip.Addr)) {
	for _, nic := range b.endpointDocs[r.ID.Key()] {
		for _, o := range arm.Objects(nic.Properties, aboutConfigs) {
			if a, err := parseAddr(arm.String(o, "properties.privateIPAddress")); err == nil {
				give(arm.String(o, "properties.privateLinkConnectionProperties.requiredMemberName"), a)
			}
		}
	}
	for _, o := range arm.Objects(r.Properties, "customDnsConfigs") {
		addrs := arm.Strings(o, "ipAddresses")
		if len(addrs) == 0 {
			continue
		}
		a, err := parseAddr(addrs[0])
		if err != nil {
			continue
		}
		for _, ep := range hosts {
			if strings.EqualFold(ep.PublicName(), arm.String(o, "fqdn")) {
				give(ep.Member, a)
			}
		}
	}
}

// MemberAddr is the address of one member of a private endpoint, or with the
// member "" the first address of another network interface or that of a firewall;
// invalid where there is none, or where it is not known which is the first.
func (t *Topology) MemberAddr(id arm.ID, member string) netip.Addr {
	for _, fw := range t.Firewalls {
		if fw.ID.Equal(id) && member == "" {
			return fw.Private
		}
	}
	n, _ := t.NIC(id)
	if n.Kind != KindPrivateEndpoint {
		_, unknown := firstDoubt(n.Doubts, aboutAddr, aboutConfigs)
		if member != "" || unknown || len(n.Addrs) == 0 {
			return netip.Addr{}
		}
		return n.Addrs[0]
	}
	for i, m := range n.Members {
		if strings.EqualFold(m, member) && i < len(n.Addrs) {
			return n.Addrs[i]
		}
	}
	return netip.Addr{}
}
