package network

import (
	"fmt"
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// outcome is what may become of a packet at a list of rules: a set of the ends
// that are possible.
type outcome uint8

// What a firewall may do.
const (
	fwDenies outcome = 1 << iota
	fwNetwork
	fwApplication
)

// firewallPart is where packets go through the rules of a firewall.
type firewallPart struct {
	fw                   *Firewall
	from, to             netip.Addr
	network, application []part
}

// of is the outcome of a rule that certainly decides.
func (r firewallRule) of() outcome {
	switch {
	case !r.certainVerb():
		return fwDenies | r.allows()
	case !r.Rule.Allow:
		return fwDenies
	}
	return r.allows()
}

func (r firewallRule) allows() outcome {
	if r.application {
		return fwApplication
	}
	return fwNetwork
}

// decision is what becomes of a packet, why, and the document and the part of it that
// say so: the rule that decides, or the first that may.
type decision struct {
	ends   outcome
	reason string
	holder arm.ID
	part   string
}

// decide tries the rules in their order; what none matches is denied.
func (fw *Firewall) decide(f Flow) decision {
	var may outcome
	doubt := ""
	d := decision{holder: fw.ID}
	for _, r := range fw.rules {
		switch r.test(f) {
		case verdict.No:
			continue
		case verdict.Yes:
			if r.certain() {
				if doubt == "" {
					d.holder, d.part = r.holder, r.Rule.Part
				}
				d.ends, d.reason = may|r.of(), reasonOr(doubt, r.sentence(f))
				return d
			}
		}
		if doubt == "" {
			doubt = fmt.Sprintf("%s, if it applies: %s", r.sentence(f), r.why(f))
			d.holder, d.part = r.holder, r.Rule.Part
		}
		may |= r.of()
	}
	d.ends, d.reason = may|fwDenies, reasonOr(doubt, "no rule allows "+f.service()+" from "+f.Source.String()+" to "+f.Destination.String())
	return d
}

func reasonOr(doubt, reason string) string {
	if doubt == "" {
		return reason
	}
	return doubt + "; otherwise " + reason
}

func (p firewallPart) follow(a *Answer, f Flow) {
	f.Source, f.Destination = p.from, p.to
	d := p.fw.decide(f)
	ends := d.ends
	step := verdict.Step{At: "Azure Firewall " + p.fw.Name, Resource: d.holder, Part: d.part, Value: verdict.Yes, Reason: d.reason}
	switch ends {
	case fwDenies:
		step.Value = verdict.No
		a.Add(step)
		return
	case fwNetwork:
		a.Add(step)
		along(a, p.network, f)
		return
	case fwApplication:
		a.Add(step)
		along(a, p.application, f)
		return
	}
	values := map[verdict.Value]bool{}
	if ends&fwDenies != 0 {
		values[verdict.No] = true
	}
	for _, way := range []struct {
		end   outcome
		parts []part
	}{{fwNetwork, p.network}, {fwApplication, p.application}} {
		if ends&way.end != 0 {
			values[valueOf(way.parts, f).Value] = true
		}
	}
	step.Value = verdict.Unknown
	if len(values) == 1 {
		for v := range values {
			step.Value = v
		}
		step.Reason += "; either way it comes to the same"
	}
	a.Add(step)
}

// whenAt says whether a rule that translates takes a flow between two addresses.
func (r natRule) whenAt(from, to netip.Addr) func(Flow) verdict.Value {
	return func(f Flow) verdict.Value {
		f.Source, f.Destination = from, to
		v := r.Test(f)
		if v == verdict.Yes && !r.certain() {
			return verdict.Unknown
		}
		return v
	}
}
