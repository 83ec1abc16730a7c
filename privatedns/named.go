package privatedns

import (
	"net/netip"
	"path"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// refersTo reports whether an unknown value is read from the private address of what
// is declared at a source, as in
// azurerm_private_endpoint.blob.private_service_connection[0].private_ip_address.
func refersTo(u arm.Unknown, source arm.Source) bool {
	address := source.Address
	if i := strings.Index(address, "azurerm_"); i >= 0 {
		address = address[i:]
	}
	return address != "" && strings.HasPrefix(u.Expression, address+".") && path.Dir(u.File) == path.Dir(source.File) && strings.Contains(u.Expression, "private_ip_address")
}

// OwnerOfAddress is the one private endpoint or network interface of an estate whose
// private address an unknown value is read from.
func OwnerOfAddress(e *arm.Estate, u arm.Unknown) (arm.Resource, bool) {
	var found []arm.Resource
	for _, typ := range []string{service.TypePrivateEndpoint, service.TypeNetworkInterface} {
		for _, doc := range e.OfType(typ) {
			if refersTo(u, doc.Source) {
				found = append(found, doc)
			}
		}
	}
	if len(found) != 1 {
		return arm.Resource{}, false
	}
	return found[0], true
}

// addrNamed is the address that an unknown value is read from. Of a private endpoint that
// is the one of its first member.
func (r *reader) addrNamed(u arm.Unknown) (netip.Addr, bool) {
	doc, ok := OwnerOfAddress(r.e, u)
	switch {
	case !ok:
		return netip.Addr{}, false
	case doc.IsType(service.TypeNetworkInterface):
		a := r.nicAddr(doc)
		return a.Unmap(), a.IsValid()
	}
	for _, c := range connections(doc) {
		target, ok := r.e.Get(c.Target)
		if !ok || !c.Approved || c.uncertain != "" {
			continue
		}
		for _, ep := range service.Covered(r.e, target) {
			if a := r.addr(doc.ID, ep.Member); c.covers(ep.Group) && a.IsValid() {
				return a.Unmap(), true
			}
		}
	}
	return netip.Addr{}, false
}
