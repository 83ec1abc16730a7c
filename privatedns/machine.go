package privatedns

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// internalSuffix ends the names that Azure gives to the machines of a network.
// They are answered in that network alone.
//
// Source: Microsoft Learn, "Name resolution for resources in Azure virtual
// networks" (Azure-provided name resolution; reverse DNS considerations).
const internalSuffix = "internal.cloudapp.net"

// host is a virtual machine's internal name.
type host struct {
	by     arm.ID
	name   string
	addr   netip.Addr // invalid where it is not known
	suffix string     // the network's own suffix, or "" where Azure has yet to choose it
}

// machines gives each virtual machine its names: the internal one, and those in
// the zones that its network is linked to for registration. Azure registers the
// primary interface and no other.
func (r *reader) machines() {
	registering := map[string][]*zone{}
	for _, list := range r.zones {
		for _, z := range list {
			for key, links := range z.links {
				for _, l := range links {
					if l.register {
						registering[key] = append(registering[key], z)
					}
				}
			}
		}
	}
	for _, vm := range r.e.OfType(typeVM) {
		nic, ok := r.primaryNIC(vm)
		if !ok {
			continue
		}
		v, ok := r.vnets[vnetOfNIC(nic).Key()]
		if !ok {
			continue
		}
		h := host{by: vm.ID, name: strings.ToLower(vm.Name), addr: r.nicAddr(nic), suffix: strings.ToLower(arm.String(nic.Properties, "dnsSettings.internalDomainNameSuffix"))}
		if label := arm.String(nic.Properties, "dnsSettings.internalDnsNameLabel"); label != "" {
			h.name = strings.ToLower(label)
		}
		v.hosts[h.name] = h
		for _, z := range registering[v.id.Key()] {
			r.register(z, v, vm, h.addr)
		}
		if h.addr.IsValid() {
			v.reverse[h.addr] = append(v.reverse[h.addr], h.name+"."+internalSuffix)
		}
	}
}

// register writes a machine into a zone that its network registers in.
func (r *reader) register(z *zone, v *vnet, vm arm.Resource, addr netip.Addr) {
	for _, l := range z.links[v.id.Key()] {
		if !l.register {
			continue
		}
		set := recordSet{origin: fmt.Sprintf("registration of virtual machine %s by link %s", vm.Name, l.id.Name()), by: l.id}
		name := absolute(vm.Name, z.name)
		if addr.Is4() {
			set.addrs = []netip.Addr{addr}
			v.reverse[addr] = append(v.reverse[addr], name)
		} else {
			set.unknown = "the address of " + vm.Name + " is not known"
		}
		z.add(name, kindA, set)
	}
}

// primaryNIC is a machine's primary network interface: the one that says so, or
// the first.
func (r *reader) primaryNIC(vm arm.Resource) (arm.Resource, bool) {
	list := arm.Objects(vm.Properties, "networkProfile.networkInterfaces")
	for _, o := range list {
		if arm.Bool(o, "properties.primary", false) {
			list = []arm.Object{o}
			break
		}
	}
	if len(list) == 0 {
		return arm.Resource{}, false
	}
	return r.e.Get(arm.Ref(list[0], "id"))
}

// reverseAddr is the address that a name under in-addr.arpa or ip6.arpa asks for.
func reverseAddr(name string) (netip.Addr, bool) {
	if rest, ok := strings.CutSuffix(name, ".in-addr.arpa"); ok {
		labels := strings.Split(rest, ".")
		if len(labels) != 4 {
			return netip.Addr{}, false
		}
		a, err := netip.ParseAddr(labels[3] + "." + labels[2] + "." + labels[1] + "." + labels[0])
		return a, err == nil
	}
	rest, ok := strings.CutSuffix(name, ".ip6.arpa")
	digits := strings.Split(rest, ".")
	if !ok || len(digits) != 32 {
		return netip.Addr{}, false
	}
	var b strings.Builder
	for i := 31; i >= 0; i-- {
		b.WriteString(digits[i])
		if i%4 == 0 && i > 0 {
			b.WriteByte(':')
		}
	}
	a, err := netip.ParseAddr(b.String())
	return a, err == nil
}

// ReverseName is the name that is asked for the name of an address.
func ReverseName(a netip.Addr) string {
	if a = a.Unmap(); a.Is4() {
		b := a.As4()
		return fmt.Sprintf("%d.%d.%d.%d.in-addr.arpa", b[3], b[2], b[1], b[0])
	}
	b := a.As16()
	var s strings.Builder
	for i := len(b) - 1; i >= 0; i-- {
		fmt.Fprintf(&s, "%x.%x.", b[i]&15, b[i]>>4)
	}
	return s.String() + "ip6.arpa"
}
