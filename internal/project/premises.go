package project

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/cloister-ml/cloister/arm"
)

// Premises is a network on the premises behind an ExpressRoute circuit, or behind a
// VPN connection with BGP: what the routers there advertise is in no Terraform.
type Premises struct {
	Name     string   `hcl:"name,label"`
	Prefixes []string `hcl:"prefixes"`
	// Circuit is the name or id of the circuit that leads there; it may be one that the
	// Terraform does not have.
	Circuit string `hcl:"circuit,optional"`
	// LocalGateway is the name or id of the local network gateway that stands for it.
	LocalGateway string `hcl:"local_network_gateway,optional"`
	// ASN is the AS number of the routers there, where neither a circuit's peering nor
	// the local network gateway says it.
	ASN int64 `hcl:"asn,optional"`
}

const maxASN = 1<<32 - 1

func (p Premises) check() error {
	if _, err := arm.ParseID(p.id("00000000-0000-0000-0000-000000000000").String()); err != nil || p.Name == "" {
		return errors.New("needs a name that a resource could have")
	}
	if (p.Circuit == "") == (p.LocalGateway == "") {
		return errors.New("needs either circuit or local_network_gateway, the way that leads there")
	}
	if len(p.Prefixes) == 0 {
		return errors.New(`needs prefixes, as ["192.168.0.0/16"]`)
	}
	for _, text := range p.Prefixes {
		prefix, err := netip.ParsePrefix(text)
		switch {
		case err != nil || !prefix.Addr().Is4():
			return fmt.Errorf("has the prefix %q, which is not as 192.168.0.0/16", text)
		case prefix.Bits() == 0:
			return errors.New("advertises 0.0.0.0/0, which is not supported: name the networks that there are")
		case prefix != prefix.Masked():
			return fmt.Errorf("has the prefix %s, of which %s is the beginning: write that", text, prefix.Masked())
		}
	}
	if p.ASN < 0 || p.ASN > maxASN {
		return fmt.Errorf("has the AS number %d, and may have one up to %d", p.ASN, int64(maxASN))
	}
	return nil
}

func (p Premises) id(subscription string) arm.ID {
	return arm.ID("/subscriptions/" + subscription + "/providers/Cloister.Premises/sites/" + p.Name)
}

// document is what the proof and the control plane know of it.
func (p Premises) document(subscription string) arm.Resource {
	id := p.id(subscription)
	prefixes := make([]any, len(p.Prefixes))
	for i, text := range p.Prefixes {
		prefixes[i] = text
	}
	r := arm.Resource{ID: id, Name: p.Name, Type: id.Type(), Properties: arm.Object{"addressPrefixes": prefixes}, Source: arm.Source{File: FileName, Address: "on_premises." + p.Name}}
	if p.Circuit != "" {
		r.Properties["circuit"] = p.Circuit
	}
	if p.LocalGateway != "" {
		r.Properties["localGateway"] = p.LocalGateway
	}
	if p.ASN != 0 {
		r.Properties["asn"] = float64(p.ASN)
	}
	return r
}

// ReadPremises reads what the project in dir declares on the premises, whatever else
// its file says.
func ReadPremises(dir string) ([]Premises, error) {
	p, err := load(dir)
	return p.Premises, err
}

// reached reports whether a connection of an estate leads to what leads there.
func (p Premises) reached(e *arm.Estate) bool {
	name := p.Circuit + p.LocalGateway // one of them is ""
	return slices.ContainsFunc(e.OfType("Microsoft.Network/connections"), func(c arm.Resource) bool {
		to := arm.Ref(c.Properties, "peer.id")
		if p.LocalGateway != "" {
			to = arm.Ref(c.Properties, "localNetworkGateway2.id")
		}
		return to != "" && (to.Equal(arm.ID(name)) || strings.EqualFold(to.Name(), name))
	})
}

// WithPremises is an estate with what is declared on the premises, as far as
// anything in it leads there.
func WithPremises(e *arm.Estate, list []Premises) (*arm.Estate, error) {
	if len(list) == 0 {
		return e, nil
	}
	subscription := ""
	for _, r := range e.All() {
		if subscription = r.ID.Subscription(); subscription != "" {
			break
		}
	}
	all := slices.Clone(e.All())
	for _, p := range list {
		if p.reached(e) {
			all = append(all, p.document(subscription))
		}
	}
	if len(all) == e.Len() {
		return e, nil
	}
	out, err := arm.NewEstate(all...)
	if err != nil {
		return nil, err
	}
	return out.WithUnread(e.Unread()...), nil
}
