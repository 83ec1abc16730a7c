package cloud

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// target is what the path of an ARM request names.
type target struct {
	// scope is the subscription, group or resource that holds what is asked for; ""
	// for the tenant.
	scope arm.ID
	// namespace and tail follow /providers/: tail is types and names by turns.
	namespace string
	tail      []string
	// provider says that the path has /providers/{namespace}; without it, the
	// target is scope, and rest is what follows it, as resources.
	provider bool
	rest     []string
}

const (
	maxPath     = 4096
	maxSegments = 60
)

// parsePath splits the path of a request (still escaped) into its segments. Slashes
// that follow each other are one, as for ARM: az writes two where a resource has no
// parent.
func parsePath(escaped string) ([]string, error) {
	bad := func(why string) error {
		return Errorf(http.StatusBadRequest, "InvalidRequestUri", "The request URI is not valid: %s.", why)
	}
	if len(escaped) > maxPath {
		return nil, bad("it is too long")
	}
	escaped = strings.TrimSuffix("/"+strings.TrimLeft(escaped, "/"), "/")
	if escaped == "" {
		return nil, nil
	}
	segments := slices.DeleteFunc(strings.Split(escaped[1:], "/"), func(s string) bool { return s == "" })
	if len(segments) > maxSegments {
		return nil, bad("it has too many segments")
	}
	for i, s := range segments {
		plain, err := url.PathUnescape(s)
		if err != nil {
			return nil, bad("it has a wrong escape")
		}
		if plain == "" || plain == "." || plain == ".." || strings.ContainsAny(plain, "/\\?#%<>&") || strings.ContainsFunc(plain, control) || strings.TrimSpace(plain) != plain {
			return nil, bad("one of its segments is empty or has a character that no name has")
		}
		segments[i] = plain
	}
	return segments, nil
}

func control(r rune) bool { return r < 0x20 || r == 0x7f || r == '�' }

// parseTarget reads the segments of a path: an id, a list or an action.
func parseTarget(segments []string) (target, error) {
	var t target
	last := -1
	for i, s := range segments {
		if strings.EqualFold(s, "providers") && i%2 == 0 {
			last = i
		}
	}
	scope := segments
	if last >= 0 && last+1 < len(segments) {
		scope, t.provider = segments[:last], true
		t.namespace, t.tail = segments[last+1], segments[last+2:]
	} else if n := scopeLength(segments); n < len(segments) {
		scope, t.rest = segments[:n], segments[n:]
		if strings.EqualFold(t.rest[0], "deployments") { // as clients wrote before there were resource providers
			t.provider, t.namespace, t.tail, t.rest = true, "Microsoft.Resources", t.rest, nil
		}
	}
	if len(scope) == 0 {
		return t, nil
	}
	id, err := arm.ParseID("/" + strings.Join(scope, "/"))
	if err != nil {
		return target{}, Errorf(http.StatusBadRequest, "InvalidRequestUri", "The request URI is not valid: the scope '/%s' is not a resource id.", strings.Join(scope, "/"))
	}
	t.scope = id
	return t, nil
}

// scopeLength is how many segments name a subscription or a group.
func scopeLength(s []string) int {
	switch {
	case len(s) < 2 || !strings.EqualFold(s[0], "subscriptions"):
		return 0
	case len(s) >= 4 && strings.EqualFold(s[2], "resourceGroups"):
		return 4
	}
	return 2
}

// item reports whether the target is one resource.
func (t target) item() bool {
	if !t.provider {
		return len(t.rest) == 0 && t.scope != ""
	}
	return len(t.tail) > 0 && len(t.tail)%2 == 0
}

// id is the resource of an item, or the resource that a list or an action is
// below: the parent of a child type, else the scope.
func (t target) id() arm.ID {
	if !t.provider || len(t.tail) < 2 {
		return t.scope
	}
	return t.scope + arm.ID("/providers/"+t.namespace+"/"+strings.Join(t.tail[:len(t.tail)/2*2], "/"))
}

// typ is the full type of an item or a list.
func (t target) typ() string {
	parts := []string{t.namespace}
	for i := 0; i < len(t.tail); i += 2 {
		parts = append(parts, t.tail[i])
	}
	return strings.Join(parts, "/")
}

// action is the last segment of an action's path.
func (t target) action() string {
	if len(t.tail)%2 == 1 {
		return t.tail[len(t.tail)-1]
	}
	return ""
}

// handled finds the registered type whose handler owns the path.
func (g *registry) handled(t target) *Type {
	if own := g.typ(t.typ()); own != nil && own.Handler == nil {
		return nil // it is registered by itself, below a type with a handler
	}
	name := t.namespace
	for i := 0; i < len(t.tail); i += 2 {
		name += "/" + t.tail[i]
		if typ := g.typ(name); typ != nil && typ.Handler != nil {
			return typ
		}
	}
	return nil
}

// spellID spells an id as the cloud answers it: a resource that exists as it was
// created, types as they are registered, the rest as asked.
func (c *Cloud) spellID(s *snapshot, id arm.ID) arm.ID {
	if row := s.rows[id.Key()]; row != nil {
		return row.Resource.ID
	}
	parent := id.Parent()
	switch {
	case parent == "":
		if strings.EqualFold(id.Subscription(), c.options.Subscription) {
			return arm.ID("/subscriptions/" + c.options.Subscription)
		}
		return id
	case id.Group().Equal(id):
		return c.spellID(s, parent) + arm.ID("/resourceGroups/"+id.Name())
	}
	spelt := c.types.spell(id.Type())
	above := arm.ID(strings.TrimSuffix(string(parent), "/"))
	if above != "" {
		above = c.spellID(s, above)
	}
	if parent.Type() != "" && strings.HasPrefix(strings.ToLower(id.Type()), strings.ToLower(parent.Type())+"/") {
		return above + arm.ID("/"+spelt[strings.LastIndexByte(spelt, '/')+1:]+"/"+id.Name())
	}
	return above + arm.ID("/providers/"+spelt+"/"+id.Name())
}
