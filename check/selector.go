package check

import (
	"path"
	"strings"

	"github.com/agext/levenshtein"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/service"
)

// Selector chooses places, services and resources. A field that is empty chooses
// all; Any is compared with each kind of name.
type Selector struct {
	Any     string // name, Terraform address, ARM id, host name, "internet"
	Name    string // patterns may hold * and ?
	Address string // as Terraform names it
	ID      string // of ARM
	Tag     string // name=value
	Subnet  string // name
	Network string // name
	Type    string // of ARM, or the last part of it
	Role    string // agent, jump host, compute, serving
	Service string // blob, file, queue, table, dfs, registry, vault, api, notebooks, ...
	At      At     // where it is written
}

func (s Selector) given() bool { s.At = At{}; return s != Selector{} }

// String is the selector as a message shows it.
func (s Selector) String() string {
	var parts []string
	for _, f := range []struct{ name, value string }{
		{"", s.Any}, {"name ", s.Name}, {"address ", s.Address}, {"id ", s.ID}, {"tag ", s.Tag}, {"subnet ", s.Subnet},
		{"network ", s.Network}, {"type ", s.Type}, {"role ", s.Role}, {"service ", s.Service},
	} {
		if f.value != "" {
			parts = append(parts, f.name+f.value)
		}
	}
	return strings.Join(parts, ", ")
}

// like compares a name with a pattern, without regard to case.
func like(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	ok, err := path.Match(strings.ToLower(pattern), strings.ToLower(name))
	return ok && err == nil
}

// takes reports whether a document is chosen.
func (s Selector) takes(doc arm.Resource) bool {
	if s.Any != "" && !like(s.Any, doc.Name) && !strings.EqualFold(s.Any, doc.Source.Address) && !doc.ID.Equal(arm.ID(s.Any)) && !like(s.Any, doc.Source.Address) {
		return false
	}
	return like(s.Name, doc.Name) && like(s.Address, doc.Source.Address) && (s.ID == "" || doc.ID.Equal(arm.ID(s.ID))) && s.tagged(doc) && s.typed(doc.Type)
}

func (s Selector) typed(typ string) bool {
	if s.Type == "" || strings.EqualFold(s.Type, typ) {
		return true
	}
	last := typ[strings.LastIndexByte(typ, '/')+1:]
	return strings.EqualFold(s.Type, last)
}

func (s Selector) tagged(doc arm.Resource) bool {
	if s.Tag == "" {
		return true
	}
	name, value, valued := strings.Cut(s.Tag, "=")
	for k, v := range doc.Tags {
		if strings.EqualFold(k, name) && (!valued || like(value, v)) {
			return true
		}
	}
	return false
}

// takesPlace reports whether a place is chosen.
func (s Selector) takesPlace(doc arm.Resource, p Place) bool {
	if s.Role != "" && !strings.EqualFold(strings.NewReplacer("-", " ", "_", " ").Replace(s.Role), string(p.Role)) {
		return false
	}
	if !like(s.Subnet, p.Subnet.Name()) || !like(s.Network, p.VNet.Name()) || s.Service != "" {
		return false
	}
	byName := s
	if s.Any != "" && like(s.Any, p.Name) {
		byName.Any = ""
	}
	return byName.takes(doc)
}

// takesEndpoint reports whether a service's endpoint is chosen.
func (s Selector) takesEndpoint(doc arm.Resource, ep service.Endpoint) bool {
	if s.Role != "" || s.Subnet != "" || s.Network != "" || s.Service != "" && !strings.EqualFold(s.Service, ep.Service) {
		return false
	}
	if s.Any != "" && strings.EqualFold(s.Any, ep.Host) {
		return true
	}
	if ep.Resource == "" {
		return s.Any == "" && s.Name == "" && s.Address == "" && s.ID == "" && s.Tag == "" && s.Type == "" && s.Service != ""
	}
	return s.takes(doc)
}

// nearest is the known name that is most like a wrong one, as a question; "" where
// none is.
func nearestName(wrong string, known []string) string {
	best, at := "", 0.55
	for _, k := range known {
		if score := levenshtein.Similarity(strings.ToLower(wrong), strings.ToLower(k), nil); score > at {
			best, at = k, score
		}
	}
	if best == "" {
		return ""
	}
	return "; did you mean " + best + "?"
}
