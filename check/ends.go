package check

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// NameError is a question about something that the estate does not hold, or holds
// more than once.
type NameError struct {
	What  string   // "place", "destination", "identity"
	Asked string   // what was asked for
	Many  []string // what it may mean, where that is more than one thing
	Near  []string // names that are like it, where it means nothing
	All   []string // every name that there is
}

// maxNamed bounds how many names an error lists.
const maxNamed = 12

func (e *NameError) Error() string {
	switch {
	case len(e.Many) > 0:
		return fmt.Sprintf("%s %q may be any of these, name one: %s", e.What, e.Asked, listed(e.Many))
	case len(e.Near) > 0:
		return fmt.Sprintf("there is no %s %q; did you mean %s?", e.What, e.Asked, listed(e.Near))
	case len(e.All) == 0:
		return fmt.Sprintf("there is no %s %q: the estate has none", e.What, e.Asked)
	}
	return fmt.Sprintf("there is no %s %q; there are %s", e.What, e.Asked, listed(e.All))
}

func listed(names []string) string {
	if n := len(names) - maxNamed; n > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), n)
	}
	return strings.Join(names, ", ")
}

// end is something that a question can name.
type end[T any] struct {
	value T
	name  string   // as lists show it
	also  []string // other ways to name it, the exact ones first
}

// Names are compared without regard to case, and the ways to name a thing are
// tried in this order: its own name, then id, address and Terraform address, then
// the Terraform address without an index, its label, and the name's last part.
func pick[T any](what, asked string, ends []end[T]) (T, error) {
	for level := range 3 {
		var found []end[T]
		for _, e := range ends {
			if e.answers(asked, level) {
				found = append(found, e)
			}
		}
		switch {
		case len(found) == 1:
			return found[0].value, nil
		case len(found) > 1:
			return found[0].value, &NameError{What: what, Asked: asked, Many: names(found)}
		}
	}
	var none T
	return none, &NameError{What: what, Asked: asked, Near: near(asked, ends), All: names(ends)}
}

func (e end[T]) answers(asked string, level int) bool {
	switch level {
	case 0:
		return strings.EqualFold(e.name, asked)
	case 1:
		return slices.ContainsFunc(e.also, func(s string) bool { return strings.EqualFold(s, asked) })
	}
	return slices.ContainsFunc(append([]string{e.name}, e.also...), func(s string) bool {
		return slices.ContainsFunc(shorter(s), func(s string) bool { return strings.EqualFold(s, asked) })
	})
}

// shorter are looser forms of a name: a Terraform address without its index or
// without its module, its label, the last part of a name in two parts.
func shorter(s string) []string {
	if arm.IsID(s) {
		return nil
	}
	var out []string
	if first, _, indexed := strings.Cut(s, "["); indexed {
		out = append(out, first)
	}
	bare := s
	if before, _, ok := cutLast(s, "["); ok && strings.HasSuffix(s, "]") {
		bare = before
		out = append(out, bare)
	}
	if typ, label, ok := cutLast(bare, "."); ok && strings.Contains(typ, "_") {
		out = append(out, label)
		if _, short, ok := cutLast(typ, "."); ok {
			out = append(out, short+"."+label)
		}
	}
	if _, last, ok := cutLast(s, "/"); ok {
		out = append(out, last)
	}
	return out
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

func names[T any](ends []end[T]) []string {
	var out []string
	for _, e := range ends {
		out = append(out, e.name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// near are the names that one or two slips of the hand lead to, and those that
// hold what was asked for.
func near[T any](asked string, ends []end[T]) []string {
	asked = strings.ToLower(asked)
	limit := max(len(asked)/4, 1)
	type guess struct {
		name string
		far  int
	}
	var out []guess
	for _, e := range ends {
		far := limit + 1
		for _, s := range append([]string{e.name}, e.also...) {
			if arm.IsID(s) || len(s) > 4*len(asked)+8 {
				continue
			}
			for _, form := range append(shorter(s), s) {
				far = min(far, levenshtein.Distance(asked, strings.ToLower(form), nil))
			}
		}
		if far > limit && len(asked) > 2 && strings.Contains(strings.ToLower(e.name), asked) {
			far = limit
		}
		if far <= limit {
			out = append(out, guess{e.name, far})
		}
	}
	slices.SortStableFunc(out, func(a, b guess) int { return cmp.Or(cmp.Compare(a.far, b.far), cmp.Compare(a.name, b.name)) })
	var list []string
	for _, g := range out {
		if !slices.Contains(list, g.name) {
			list = append(list, g.name)
		}
	}
	return list[:min(len(list), 3)]
}

// internetName asks for the internet at either end.
const internetName = "internet"

// place finds where a question starts: a machine, a compute, a subnet, what is behind
// a gateway, an address or the internet.
func (w *world) place(asked string) (Place, error) {
	if a, err := netip.ParseAddr(asked); err == nil {
		return w.placeAt(a)
	}
	return pick("place", asked, w.sources())
}

// placeAt is the place that has an address.
func (w *world) placeAt(a netip.Addr) (Place, error) {
	a = a.Unmap()
	for _, p := range w.places {
		if nic, ok := w.net.NIC(p.NIC); ok && holds(nic.Addrs, a) {
			p.Addr = a
			return p, nil
		}
	}
	if p, ok := w.remoteAt(a); ok {
		return p, nil
	}
	if s, ok := w.subnetAt(a); ok {
		p := w.machineIn(s)
		p.Name, p.Addr = a.String(), a
		return p, nil
	}
	if a.IsPrivate() {
		return Place{}, fmt.Errorf("no subnet of the estate holds the address %s", a)
	}
	p := outsider()
	p.Name, p.Addr = a.String(), a
	return p, nil
}

func (w *world) subnetAt(a netip.Addr) (network.Subnet, bool) {
	for _, s := range w.net.Subnets {
		if slices.ContainsFunc(s.Prefixes, func(p netip.Prefix) bool { return p.Contains(a) }) {
			return s, true
		}
	}
	return network.Subnet{}, false
}

// machineIn is a machine that could be put into a subnet: it has an address that no
// other has, and no identity.
func (w *world) machineIn(s network.Subnet) Place {
	p := Place{Name: w.subnetName(s), Kind: KindSubnet, Resource: s.ID, VNet: s.VNet, Subnet: s.ID}
	taken := map[netip.Addr]bool{}
	for _, n := range w.net.NICs {
		for _, a := range n.Addrs {
			taken[a] = true
		}
	}
	for _, prefix := range s.Prefixes {
		a := prefix.Masked().Addr()
		for range 4 { // Azure keeps the first four for itself
			a = a.Next()
		}
		for taken[a] {
			a = a.Next()
		}
		if prefix.Contains(a) {
			p.Addr = a
			return p
		}
	}
	return p
}

// subnetName is a subnet's own name, with its network's where another has it too.
func (w *world) subnetName(s network.Subnet) string {
	for _, other := range w.net.Subnets {
		if strings.EqualFold(other.Name, s.Name) && !other.ID.Equal(s.ID) {
			return s.VNet.Name() + "/" + s.Name
		}
	}
	return s.Name
}

// sources are the places that a question can start from.
func (w *world) sources() []end[Place] {
	var out []end[Place]
	out = append(out, end[Place]{value: outsider(), name: internetName})
	for _, p := range slices.Concat(w.places, w.remotes) {
		e := end[Place]{value: p, name: p.Name}
		for _, id := range []arm.ID{p.Resource, p.NIC} {
			e.also = append(e.also, w.called(id)...)
		}
		out = append(out, e)
	}
	for _, s := range w.net.Subnets {
		p := w.machineIn(s)
		out = append(out, end[Place]{value: p, name: p.Name, also: append(w.called(s.ID), s.VNet.Name()+"/"+s.Name)})
	}
	return out
}

// called are the ways to name a document: its name, id and address in the source.
func (w *world) called(id arm.ID) []string {
	doc, ok := w.estate.Get(id)
	if !ok {
		return nil
	}
	out := []string{id.Name(), string(id)}
	if doc.Source.Address != "" {
		out = append(out, doc.Source.Address)
	}
	return out
}

// destinations are what a question can lead to: services, places, private
// endpoints and subnets.
func (w *world) destinations() []end[Target] {
	out := []end[Target]{{value: Target{Name: "any address on the internet", Addr: service.Outsider}, name: internetName}}
	seen := map[string]bool{}
	for _, ep := range w.endpoints {
		t := Target{Name: ep.Host, Service: ep.Service, Resource: ep.Resource, Endpoint: ep}
		e := end[Target]{value: t, name: endpointSlug(ep), also: []string{ep.Host}}
		if ep.Resource == "" {
			e.also = append(e.also, ep.Service)
		}
		// The first endpoint of a resource stands for it.
		if key := ep.Resource.Key(); ep.Resource != "" && !seen[key] && ep.Service == w.principal(ep.Resource) {
			seen[key] = true
			e.also = append(e.also, w.called(ep.Resource)...)
		}
		out = append(out, e)
	}
	for _, p := range slices.Concat(w.places, w.remotes) {
		if !p.Addr.IsValid() {
			continue
		}
		e := end[Target]{value: Target{Name: p.Name, Resource: p.Resource, Addr: p.Addr}, name: p.Name}
		for _, id := range []arm.ID{p.Resource, p.NIC} {
			e.also = append(e.also, w.called(id)...)
		}
		out = append(out, e)
	}
	for _, n := range w.net.NICs {
		if n.Kind == network.KindPrivateEndpoint && len(n.Addrs) > 0 {
			out = append(out, end[Target]{value: Target{Name: n.Name, Resource: n.ID, Addr: n.Addrs[0]}, name: n.Name, also: w.called(n.ID)})
		}
	}
	for _, s := range w.net.Subnets {
		p := w.machineIn(s)
		out = append(out, end[Target]{value: Target{Name: "a machine in " + p.Name, Resource: s.ID, Addr: p.Addr}, name: p.Name, also: append(w.called(s.ID), s.VNet.Name()+"/"+s.Name)})
	}
	return out
}

// principal is the service of a resource that is meant where none is named.
func (w *world) principal(resource arm.ID) string {
	first := ""
	for _, ep := range w.endpoints {
		if !ep.Resource.Equal(resource) {
			continue
		}
		switch ep.Service {
		case "registry", "blob", "api", "vault":
			return ep.Service
		}
		first = cmp.Or(first, ep.Service)
	}
	return first
}

// destination finds where a question leads.
func (w *world) goal(asked string) (Target, error) {
	if a, err := netip.ParseAddr(asked); err == nil {
		a = a.Unmap()
		t := Target{Name: a.String(), Addr: a}
		if nic, ok := w.net.NICByAddr(a); ok {
			t.Resource = cmp.Or(nic.Owner, nic.ID)
		}
		return t, nil
	}
	t, err := pick("destination", asked, w.destinations())
	var unknown *NameError
	if !errors.As(err, &unknown) || len(unknown.Many) > 0 {
		return t, err
	}
	if prefixes, ok := service.Tag(asked); ok && len(prefixes) > 0 {
		return Target{Name: "service tag " + asked, Addr: prefixes[0].Addr().Next()}, nil
	}
	// Any other name with a dot is a host, that a zone of the estate may know.
	if strings.Contains(asked, ".") && len(unknown.Near) == 0 && !strings.Contains(asked, "_") && !strings.ContainsAny(asked, "/[ ") {
		return Target{Name: strings.ToLower(strings.TrimSuffix(asked, "."))}, nil
	}
	return Target{}, err
}

// identity finds whom a question acts as: a managed identity by the name of its
// resource, an id, a Terraform address or its object id.
func (w *world) identity(asked string) (string, error) {
	var ends []end[string]
	for _, doc := range w.estate.All() {
		id, ok := w.access.ObjectID(doc.ID)
		if !ok {
			continue
		}
		if p, ok := w.access.Principal(id); ok && p.Resource.Equal(doc.ID) {
			ends = append(ends, end[string]{value: id, name: p.Name, also: append(w.called(doc.ID), id)})
		}
	}
	return pick("identity", asked, ends)
}

// Names are what a question can start from and lead to, as [Trace] takes them.
func Names(e *arm.Estate) (places, destinations []string) {
	w := newWorld(e)
	return names(w.sources()), names(w.destinations())
}
