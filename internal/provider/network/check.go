package network

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/internal/cloud"
	"github.com/cloister-ml/cloister/network"
	"github.com/cloister-ml/cloister/service"
)

// refuse is a 400 with one of Azure's codes.
func refuse(code, format string, args ...any) error {
	return cloud.Errorf(http.StatusBadRequest, code, format, args...)
}

// resourceName is the rule for most names of Microsoft.Network.
var resourceName = regexp.MustCompile(`^[a-zA-Z0-9]([-_.a-zA-Z0-9]{0,78}[a-zA-Z0-9_])?$`)

func checkName(r arm.Resource) error {
	if !resourceName.MatchString(r.Name) {
		return refuse("InvalidResourceName", "Resource name %s is invalid. The name can be up to 80 characters long. It must begin with a word character, and it must end with a word character or with '_'. The name may contain word characters or '.', '-', '_'.", r.Name)
	}
	return nil
}

// checkLocated is what every resource with a place of its own must have.
func checkLocated(r arm.Resource) error {
	if err := checkName(r); err != nil {
		return err
	}
	if r.Location == "" {
		return refuse("LocationRequired", "The location property is required for this definition.")
	}
	return nil
}

// located is the Prepare of a type that has nothing else to check.
func located(_ cloud.View, _ *arm.Resource, r arm.Resource) (arm.Resource, error) {
	return r, checkLocated(r)
}

// reference finds the document of a wanted type that a property names. ok is
// false where the property is absent.
func reference(view cloud.View, r arm.Resource, o arm.Object, path, typ string) (arm.Resource, bool, error) {
	text := arm.String(o, path)
	if text == "" {
		return arm.Resource{}, false, nil
	}
	id, err := arm.ParseID(text)
	if err != nil || !strings.EqualFold(id.Type(), typ) {
		return arm.Resource{}, false, refuse("LinkedInvalidPropertyId", "Property id '%s' at path '%s' is invalid. Expect fully qualified resource Id of a %s.", text, path, typ)
	}
	found, ok := view.Get(id)
	if !ok {
		return arm.Resource{}, false, missing(r, id)
	}
	return found, true, nil
}

func missing(r arm.Resource, id arm.ID) error {
	return refuse("InvalidResourceReference", "Resource %s referenced by resource %s was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.", id, r.ID)
}

// required is reference for a property that must be there.
func required(view cloud.View, r arm.Resource, o arm.Object, path, typ string) (arm.Resource, error) {
	found, ok, err := reference(view, r, o, path, typ)
	if err == nil && !ok {
		err = refuse("MissingJsonReference", "Value for reference id is missing. Path %s of %s.", path, r.ID)
	}
	return found, err
}

// optional checks references that may be absent: path to type.
func optional(view cloud.View, r arm.Resource, refs map[string]string) error {
	for path, typ := range refs {
		if _, _, err := reference(view, r, r.Properties, path, typ); err != nil {
			return err
		}
	}
	return nil
}

// inRegion refuses a resource in another region than the network it is joined to.
func inRegion(view cloud.View, r, subnet arm.Resource) error {
	vnet, ok := view.Get(subnet.ID.Parent())
	if ok && service.Region(vnet.Location) != service.Region(r.Location) {
		return missing(r, vnet.ID)
	}
	return nil
}

// with is the estate as it would be with a document.
func with(view cloud.View, r arm.Resource) *arm.Estate {
	var all []arm.Resource
	for _, other := range view.Estate().All() {
		if !other.ID.Equal(r.ID) {
			all = append(all, other)
		}
	}
	e, err := arm.NewEstate(append(all, r)...)
	if err != nil {
		return view.Estate() // cannot be: r is there once
	}
	return e
}

// problems refuses a document that brings a problem which was not there before:
// what package network knows and no check of this package has a better word for.
func problems(view cloud.View, r arm.Resource, code string) error {
	after := network.FromEstate(with(view, r)).Problems
	if len(after) == 0 {
		return nil
	}
	known := map[network.Problem]bool{}
	for _, p := range network.FromEstate(view.Estate()).Problems {
		known[sourceless(p)] = true
	}
	for _, p := range after {
		if !known[sourceless(p)] {
			return refuse(code, "%s: %s.", p.Resource, p.Message)
		}
	}
	return nil
}

func sourceless(p network.Problem) network.Problem {
	p.Source, p.Part = arm.Source{}, ""
	return p
}

// prefixes are the address prefixes at several paths.
func prefixes(o arm.Object, paths ...string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, path := range paths {
		for _, s := range arm.Strings(o, path) {
			p, err := netip.ParsePrefix(s)
			if err != nil {
				return nil, refuse("InvalidAddressPrefixFormat", "Address prefix %s has an invalid format. Path %s.", s, path)
			}
			if p != p.Masked() {
				return nil, refuse("InvalidCIDRNotation", "The address prefix %s has an invalid CIDR notation. For the given prefix length, the address prefix should be %s.", s, p.Masked())
			}
			out = append(out, p)
		}
	}
	return out, nil
}

// contains reports whether one of the prefixes holds p whole.
func contains(list []netip.Prefix, p netip.Prefix) bool {
	for _, q := range list {
		if q.Bits() <= p.Bits() && q.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

func overlaps(list []netip.Prefix, p netip.Prefix) bool {
	for _, q := range list {
		if q.Overlaps(p) {
			return true
		}
	}
	return false
}

// users are the documents that refer to id, without its own children.
func users(view cloud.View, id arm.ID) []arm.ID {
	var out []arm.ID
	for _, e := range view.Estate().ReferencesTo(id) {
		if e.Path != "parent" && !e.From.Within(id) {
			out = append(out, e.From)
		}
	}
	return out
}

// unused is the CanDelete of a type that others must let go of first.
func unused(code string) func(cloud.View, arm.Resource) error {
	return func(view cloud.View, r arm.Resource) error {
		if by := users(view, r.ID); len(by) > 0 {
			return refuse(code, "%s cannot be deleted because it is in use by the following resources: %s.", r.ID, join(by))
		}
		return nil
	}
}

func join(ids []arm.ID) string {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = string(id)
	}
	return strings.Join(texts, ", ")
}

// refs are ids as ARM writes a list of references.
func refs(ids []arm.ID) []any {
	out := make([]any, 0, len(ids))
	for _, id := range ids {
		out = append(out, arm.Object{"id": string(id)})
	}
	return out
}

// usersOf are the users of one type.
func usersOf(view cloud.View, id arm.ID, typ string) []arm.ID {
	var out []arm.ID
	for _, u := range users(view, id) {
		if strings.EqualFold(u.Type(), typ) {
			out = append(out, u)
		}
	}
	return out
}

// fill sets a default that Azure shows.
func fill(o arm.Object, field string, v any) {
	if _, ok := arm.Lookup(o, field); !ok {
		o[field] = v
	}
}

// remove takes a field out, however it is spelt.
func remove(o arm.Object, field string) {
	for k := range o {
		if strings.EqualFold(k, field) {
			delete(o, k)
		}
	}
}
