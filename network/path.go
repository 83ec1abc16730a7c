package network

import (
	"fmt"
	"net/netip"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

// part is a piece of a path. A path from one address to another is the same for
// every protocol and port: what they decide is asked of its parts.
type part interface {
	// follow adds the steps that a flow takes here.
	follow(a *Answer, f Flow)
	// space is what passes here.
	space(b *spaceBuilder) spaceNode
}

// along takes a flow along a path, up to where its packets are certain to be dropped.
func along(a *Answer, parts []part, f Flow) {
	for _, p := range parts {
		p.follow(a, f)
		if a.Value == verdict.No {
			return
		}
	}
}

func valueOf(parts []part, f Flow) Answer {
	a := Answer{Value: verdict.Yes}
	along(&a, parts, f)
	return a
}

// fixed is a step that is the same for every protocol and port.
type fixed verdict.Step

func (s fixed) follow(a *Answer, _ Flow) { a.Add(verdict.Step(s)) }

// groups are the security groups of one place, with the addresses that a packet
// has there, and the security admin rules that come before them.
type groups struct {
	admin    *adminFilter
	filters  []Filter
	from, to netip.Addr

	nic       arm.ID
	direction Direction
	open      verdict.Step // where there are none
}

func (g groups) follow(a *Answer, f Flow) {
	if g.open.At != "" {
		a.Add(g.open)
		return
	}
	f.Source, f.Destination = g.from, g.to
	if g.admin == nil {
		g.ask(a, f)
		return
	}
	outcome, step := g.admin.decide(f)
	switch outcome {
	case adminGoesOn:
		if step.At != "" {
			a.Add(step)
		}
		g.ask(a, f)
	case adminDenies, adminAllows:
		a.Add(step)
	default:
		a.Add(g.either(outcome, step, f))
	}
}

func (g groups) ask(a *Answer, f Flow) {
	for _, filter := range g.filters {
		a.Add(filter.Decide(f))
		if a.Value == verdict.No {
			return
		}
	}
}

// either is the step where it is not certain what the admin rules say: it is
// known only where all that they may say comes to the same.
func (g groups) either(o outcome, step verdict.Step, f Flow) verdict.Step {
	after := Answer{Value: verdict.Yes}
	g.ask(&after, f)
	values := map[verdict.Value]bool{}
	if o&adminDenies != 0 {
		values[verdict.No] = true
	}
	if o&adminAllows != 0 {
		values[verdict.Yes] = true
	}
	if o&adminGoesOn != 0 {
		values[after.Value] = true
	}
	if len(values) == 1 {
		for v := range values {
			step.Value = v
		}
		step.Reason += "; it makes no difference here"
	}
	return step
}

// branch is a way that some flows take: those that when takes. Their destination
// port is port from there on, unless that is 0.
type branch struct {
	when  func(Flow) verdict.Value
	space portSpace
	port  uint16
	step  verdict.Step
	parts []part
	// addressed: the addresses of a packet decide too whether the branch takes it.
	addressed bool
}

// fork is where protocol and port decide the way. At most one branch takes a flow.
type fork struct {
	branches []branch
	none     func(Flow) verdict.Step // where no branch does
}

func (k fork) follow(a *Answer, f Flow) {
	var may []branch
	for _, b := range k.branches {
		switch b.when(f) {
		case verdict.Yes:
			a.Add(b.step)
			along(a, b.parts, b.turned(f))
			return
		case verdict.Unknown:
			may = append(may, b)
		}
	}
	if len(may) == 0 {
		a.Add(k.none(f))
		return
	}
	step := may[0].step
	step.Value = verdict.No
	for _, b := range may {
		after := valueOf(b.parts, b.turned(f))
		if after.Value != verdict.No {
			step.Value = verdict.Unknown
			break
		}
		step.Reason = fmt.Sprintf("%s, if it applies; then %s", may[0].step.Reason, after.Decisive().Reason)
	}
	a.Add(step)
}

func (b branch) turned(f Flow) Flow {
	if b.port != 0 {
		f.Port = b.port
	}
	return f
}

// spread is where one of several machines gets the connection, and it is not
// known which: only what is the same for all is certain.
type spread struct {
	step verdict.Step
	ways [][]part
}

func (s spread) follow(a *Answer, f Flow) {
	var first Answer
	for i, way := range s.ways {
		v := valueOf(way, f)
		if i == 0 {
			first = v
			continue
		}
		if v.Value != first.Value {
			step := s.step
			step.Value = verdict.Unknown
			step.Reason += ": not all of them answer alike, " + v.Decisive().Reason
			a.Add(step)
			return
		}
	}
	a.Append(first)
}
