package require

import (
	"slices"
	"strings"

	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/cloister-ml/cloister/check"
	"github.com/cloister-ml/cloister/network"
)

func (p *parser) port(a *hclsyntax.Attribute) uint16 {
	v, ok := p.value(a)
	if ok && v.Type() == cty.Number {
		if n, _ := v.AsBigFloat().Int64(); n > 0 && n < 1<<16 && v.AsBigFloat().IsInt() {
			return uint16(n)
		}
	}
	p.fail(a.SrcRange, "port is a whole number from 1 to 65535")
	return 0
}

func (p *parser) protocol(a *hclsyntax.Attribute) network.Protocol {
	s := p.text(a)
	for _, known := range []network.Protocol{network.TCP, network.UDP, network.ICMP} {
		if strings.EqualFold(s, string(known)) {
			return known
		}
	}
	p.fail(a.SrcRange, "protocol is tcp, udp or icmp, not %q", s)
	return ""
}

func (p *parser) level(a *hclsyntax.Attribute) check.Severity {
	s := check.Severity(strings.ToLower(p.text(a)))
	if slices.Contains([]check.Severity{check.Critical, check.High, check.Medium, check.Low}, s) {
		return s
	}
	p.fail(a.SrcRange, "%s is critical, high, medium or low, not %q", a.Name, s)
	return ""
}

// selector reads a name, or an object of ways to choose.
func (p *parser) selector(a *hclsyntax.Attribute) check.Selector {
	s := check.Selector{At: place(a.SrcRange)}
	v, ok := p.value(a)
	if !ok {
		return s
	}
	if v.Type() == cty.String {
		s.Any = v.AsString()
		if s.Any == "" {
			p.fail(a.SrcRange, "%s is empty; give a name, a Terraform address or an ARM id", a.Name)
		}
		return s
	}
	if !v.Type().IsObjectType() {
		p.fail(a.SrcRange, "%s is a name, or {name, address, id, tag, subnet, network, type, role, service}", a.Name)
		return s
	}
	fields := map[string]*string{
		"name": &s.Name, "address": &s.Address, "id": &s.ID, "tag": &s.Tag, "subnet": &s.Subnet,
		"network": &s.Network, "type": &s.Type, "role": &s.Role, "service": &s.Service,
	}
	var known []string
	for name := range fields {
		known = append(known, name)
	}
	slices.Sort(known)
	for it := v.ElementIterator(); it.Next(); {
		k, e := it.Element()
		field, ok := fields[k.AsString()]
		switch {
		case !ok:
			p.fail(a.SrcRange, "%s cannot be chosen by %s%s", a.Name, k.AsString(), nearest(k.AsString(), known))
		case e.IsNull() || e.Type() != cty.String || e.AsString() == "":
			p.fail(a.SrcRange, "%s of %s is a string", k.AsString(), a.Name)
		default:
			*field = e.AsString()
		}
	}
	return s
}
