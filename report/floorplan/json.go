package floorplan

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/cloister-ml/cloister/arm"
)

// jsonNode is a thing on the map. Beside these it has the fields of what it is:
// [Room], [Subnet], [Tenant], [Service], [Zone] or [Outside].
type jsonNode struct {
	Kind   string `json:"kind"` // network, subnet, tenant, service, zone, outside
	Parent arm.ID `json:"parent,omitempty"`
	thing  any
}

// MarshalJSON writes the thing's fields after the node's.
func (n jsonNode) MarshalJSON() ([]byte, error) {
	type plain jsonNode
	head, err := json.Marshal(plain(n))
	if err != nil {
		return nil, err
	}
	body, err := json.Marshal(n.thing)
	if err != nil {
		return nil, err
	}
	return append(append(head[:len(head)-1], ','), body[1:]...), nil
}

// jsonEdge is a line on the map, or a link of a zone.
type jsonEdge struct {
	Kind      string       `json:"kind"` // peering, endpoint, link, record, way
	From      arm.ID       `json:"from"`
	To        arm.ID       `json:"to"`
	State     PeeringState `json:"state,omitempty"`     // of a peering
	Forwarded bool         `json:"forwarded,omitempty"` // of a peering: forwarded traffic
	Transit   bool         `json:"transit,omitempty"`   // of a peering: one side uses the other's gateway
	Group     string       `json:"group,omitempty"`     // of an endpoint: the sub-resource
	Pending   bool         `json:"pending,omitempty"`   // of an endpoint: not approved
	Type      string       `json:"type,omitempty"`      // of a way: public address, VPN, ExpressRoute
}

// JSON writes a plan as
//
//	{"title": ..., "nodes": [...], "edges": [...], "check": {...}, "findings": [...]}
//
// A node has a kind (network, subnet, tenant, service, zone, outside), an id and a
// name; a subnet's parent is its network, a tenant's its subnet. A tenant with
// addresses in two subnets is there twice. An edge has a kind and two ids: peering
// (network to network), endpoint (private endpoint to service), link (zone to
// network), record (zone to the private endpoint whose records it keeps), way
// (outside to tenant). check counts the requirements and findings are those that
// fall or are not known, where a check was made.
func JSON(w io.Writer, p *Plan) error {
	out := struct {
		Title    string     `json:"title"`
		Nodes    []jsonNode `json:"nodes"`
		Edges    []jsonEdge `json:"edges"`
		Check    *Tally     `json:"check,omitempty"`
		Findings []Finding  `json:"findings,omitempty"`
	}{p.Title, p.jsonNodes(), p.jsonEdges(), p.Tally, p.Findings}
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(out); err != nil {
		return fmt.Errorf("writing the map: %w", err)
	}
	return nil
}

func (p *Plan) jsonNodes() []jsonNode {
	out := []jsonNode{}
	for _, o := range p.Outside {
		out = append(out, jsonNode{"outside", "", o})
	}
	for _, r := range p.Rooms {
		out = append(out, jsonNode{"network", "", r})
		for _, s := range r.Subnets {
			out = append(out, jsonNode{"subnet", r.ID, s})
			for _, t := range s.Tenants {
				out = append(out, jsonNode{"tenant", s.ID, t})
			}
		}
	}
	for _, t := range p.Elsewhere {
		out = append(out, jsonNode{"tenant", "", t})
	}
	for _, s := range p.Services {
		out = append(out, jsonNode{"service", "", s})
	}
	for _, z := range p.Zones {
		out = append(out, jsonNode{"zone", "", z})
	}
	return out
}

func (p *Plan) jsonEdges() []jsonEdge {
	out := []jsonEdge{}
	for _, e := range p.Peerings {
		out = append(out, jsonEdge{Kind: "peering", From: e.A, To: e.B, State: e.State, Forwarded: e.Forwarded, Transit: e.Transit})
	}
	for _, t := range p.tenants() {
		if e := t.Endpoint; e != nil && e.Target != "" {
			out = append(out, jsonEdge{Kind: "endpoint", From: t.ID, To: e.Target, Group: e.Group, Pending: !e.Approved})
		}
	}
	for _, z := range p.Zones {
		for _, l := range z.Links {
			out = append(out, jsonEdge{Kind: "link", From: z.ID, To: l.Room})
		}
		for _, e := range z.Endpoints {
			out = append(out, jsonEdge{Kind: "record", From: z.ID, To: e})
		}
	}
	for _, way := range p.Ways {
		out = append(out, jsonEdge{Kind: "way", From: way.From, To: way.To, Type: way.Kind})
	}
	return out
}

// tenants are all, in the order of the rooms, then those of no subnet.
func (p *Plan) tenants() []Tenant {
	var out []Tenant
	for _, r := range p.Rooms {
		for _, s := range r.Subnets {
			out = append(out, s.Tenants...)
		}
	}
	return append(out, p.Elsewhere...)
}
