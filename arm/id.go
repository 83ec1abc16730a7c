package arm

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
)

// ID is an Azure resource id: a subscription, a resource group, a resource, a
// child or an extension resource. Case is kept as written; ids compare without
// regard to case, so use [ID.Equal] and [ID.Key] and never == between ids of
// different origin.
//
// Source: Azure Resource Manager, "Resource ID" and "Resource naming".
type ID string

// ErrID is wrapped by every error of [ParseID].
var ErrID = errors.New("not a resource id")

// ParseID checks that s is a resource id and returns it without a trailing slash.
func ParseID(s string) (ID, error) {
	if s == string(Tenant) {
		return Tenant, nil
	}
	id := ID(strings.TrimSuffix(s, "/"))
	if !strings.HasPrefix(s, "/") || id == Tenant || len(s) > 2048 {
		return "", fmt.Errorf("%w: %q must begin with '/' and have at most 2048 characters", ErrID, truncate(s))
	}
	var few [fewSegments]string
	segments := id.appendSegments(few[:0])
	for _, seg := range segments {
		if seg == "" || seg == "." || seg == ".." || strings.ContainsAny(seg, "\\?#%\x00") || strings.TrimSpace(seg) != seg {
			return "", fmt.Errorf("%w: %q has the segment %q", ErrID, truncate(s), seg)
		}
	}
	rest := segments
	if len(rest) > 0 && !strings.EqualFold(rest[0], "providers") {
		if !strings.EqualFold(rest[0], "subscriptions") || len(rest) < 2 {
			return "", fmt.Errorf("%w: %q does not begin with /subscriptions/{id} or /providers", ErrID, truncate(s))
		}
		rest = rest[2:]
		if len(rest) > 0 && strings.EqualFold(rest[0], "resourceGroups") {
			if len(rest) < 2 {
				return "", fmt.Errorf("%w: %q names no resource group", ErrID, truncate(s))
			}
			rest = rest[2:]
		}
	}
	return id, checkProviders(s, rest)
}

func checkProviders(s string, rest []string) error {
	for len(rest) > 0 {
		if !strings.EqualFold(rest[0], "providers") || len(rest) < 4 || len(rest)%2 != 0 {
			return fmt.Errorf("%w: %q should go on with /providers/{namespace}/{type}/{name}", ErrID, truncate(s))
		}
		rest = rest[2:]
		for len(rest) > 0 && !strings.EqualFold(rest[0], "providers") {
			rest = rest[2:]
		}
	}
	return nil
}

func truncate(s string) string {
	if len(s) > 120 {
		return s[:120] + "..."
	}
	return s
}

const subscriptions = "/subscriptions/"

// IsID reports whether s parses as the id of a resource or a resource group.
func IsID(s string) bool {
	if len(s) < len(subscriptions) || !strings.EqualFold(s[:len(subscriptions)], subscriptions) {
		return false
	}
	id, err := ParseID(s)
	return err == nil && strings.Count(string(id), "/") > 2
}

func (id ID) segments() []string { return id.appendSegments(nil) }

// fewSegments are as many as most ids have: a slice of an array of so many holds
// them without a call for memory.
const fewSegments = 16

func (id ID) appendSegments(out []string) []string {
	if id == "" || id == "/" {
		return out
	}
	rest := string(id)[1:]
	for {
		i := strings.IndexByte(rest, '/')
		if i < 0 {
			return append(out, rest)
		}
		out = append(out, rest[:i])
		rest = rest[i+1:]
	}
}

func (id ID) String() string { return string(id) }

// Key is the id in the form that is equal for equal ids; it is for maps. Only the
// letters of ASCII have a case.
func (id ID) Key() string {
	for i := range len(id) {
		if 'A' <= id[i] && id[i] <= 'Z' {
			lower := []byte(id)
			for j := i; j < len(lower); j++ {
				lower[j] = lowered(lower[j])
			}
			return string(lower)
		}
	}
	return string(id)
}

// AppendKey appends the key to a slice, so that a map can be asked without making a
// string: m[string(id.AppendKey(buf[:0]))].
func (id ID) AppendKey(b []byte) []byte {
	n := len(b)
	b = append(b, id...)
	for i, c := range b[n:] {
		if c-'A' <= 'Z'-'A' {
			b[n+i] = c + 'a' - 'A'
		}
	}
	return b
}

// Compare orders ids as their keys, without making them.
func (id ID) Compare(other ID) int {
	for i := range min(len(id), len(other)) {
		if a, b := lowered(id[i]), lowered(other[i]); a != b {
			return cmp.Compare(a, b)
		}
	}
	return cmp.Compare(len(id), len(other))
}

// Equal reports whether both ids name the same resource. Ids that are not
// equal mostly begin alike, so they are compared from their ends.
func (id ID) Equal(other ID) bool {
	if len(id) != len(other) {
		return false
	}
	if id == other {
		return true
	}
	for i := len(id) - 1; i >= 0; i-- {
		if id[i] != other[i] && lowered(id[i]) != lowered(other[i]) {
			return false
		}
	}
	return true
}

func lowered(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

// after returns the segment that follows the first segment equal to name.
func (id ID) after(name string) string {
	var few [fewSegments]string
	s := id.appendSegments(few[:0])
	for i := 0; i+1 < len(s); i += 2 {
		if strings.EqualFold(s[i], name) {
			return s[i+1]
		}
		if strings.EqualFold(s[i], "providers") {
			break
		}
	}
	return ""
}

// Subscription is the subscription's GUID, or "".
func (id ID) Subscription() string { return id.after("subscriptions") }

// ResourceGroup is the resource group's name, or "".
func (id ID) ResourceGroup() string { return id.after("resourceGroups") }

// Group is the id of the resource group, or "".
func (id ID) Group() ID {
	if id.ResourceGroup() == "" {
		return ""
	}
	return "/" + ID(strings.Join(id.segments()[:4], "/"))
}

// Name is the last segment.
func (id ID) Name() string {
	if len(id) < 2 {
		return ""
	}
	rest := string(id)[1:]
	return rest[strings.LastIndexByte(rest, '/')+1:]
}

// Type is the full resource type, as "Microsoft.Network/virtualNetworks/subnets".
// Of an extension resource it is the extension's. A resource group is
// "Microsoft.Resources/resourceGroups", a subscription
// "Microsoft.Resources/subscriptions", the tenant "Microsoft.Resources/tenants".
func (id ID) Type() string {
	var few [fewSegments]string
	s := id.appendSegments(few[:0])
	for i := len(s) - 4; i >= 0; i-- {
		if !strings.EqualFold(s[i], "providers") || i%2 != 0 {
			continue
		}
		parts := []string{s[i+1]}
		for j := i + 2; j < len(s); j += 2 {
			parts = append(parts, s[j])
		}
		return strings.Join(parts, "/")
	}
	switch len(s) {
	case 4:
		return TypeResourceGroup
	case 2:
		return TypeSubscription
	case 0:
		if id == Tenant {
			return TypeTenant
		}
	}
	return ""
}

// Parent is the resource that holds this one: the parent of a child resource,
// the scope of an extension resource, the group of a top-level resource, the
// subscription of a group; of what stands at the tenant's own level, as a
// management group does, the tenant; "" above that.
func (id ID) Parent() ID {
	var few [fewSegments]string
	s := id.appendSegments(few[:0])
	if len(s) < 4 {
		return ""
	}
	cut := len(s) - 2
	if cut >= 2 && strings.EqualFold(s[cut-2], "providers") && cut%2 == 0 {
		cut -= 2
	}
	n := cut // slashes, and what stands between them
	for _, segment := range s[:cut] {
		n += len(segment)
	}
	if id[0] == '/' {
		return id[:max(n, 1)]
	}
	return "/" + ID(strings.Join(s[:cut], "/"))
}

// Child is the id of a child resource.
func (id ID) Child(typ, name string) ID { return id + ID("/"+typ+"/"+name) }

// Extension is the id of an extension resource, as a role assignment, of a
// resource, another extension, or any scope up to the tenant.
func (id ID) Extension(namespace, typ, name string) ID {
	return ID(strings.TrimSuffix(string(id), "/")) + ID("/providers/"+namespace+"/"+typ+"/"+name)
}

// Within reports whether id is scope itself or lies under it.
func (id ID) Within(scope ID) bool {
	if scope == "/" || scope == "" {
		return scope == "/"
	}
	n := len(scope)
	return id.Equal(scope) || len(id) > n && id[n] == '/' && id[:n].Equal(scope)
}
