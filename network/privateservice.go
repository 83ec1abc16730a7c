package network

import (
	"fmt"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/verdict"
)

const typePrivateService = "Microsoft.Network/privateLinkServices"

// throughEndpoint ends at a private endpoint, or goes on where it leads to a
// private link service of the estate: that translates the source to an address
// of its own, and hands the connection to a load balancer.
func (w *walk) throughEndpoint(to place) {
	step := w.t.approval(to.nic)
	w.parts = append(w.parts, exit{addr: w.from, endpoint: to.nic.ID})
	r, ok := w.t.estate.Get(to.nic.Target)
	if !ok || !r.IsType(typePrivateService) {
		w.end(step)
		return
	}
	if !w.add(step) {
		return
	}
	var subnet, front arm.ID
	for _, c := range arm.Objects(r.Properties, aboutConfigs) {
		if id := arm.Ref(c, "properties.subnet.id"); subnet == "" {
			subnet = id
		}
	}
	for _, c := range arm.Objects(r.Properties, "loadBalancerFrontendIpConfigurations") {
		front = arm.Ref(c, "id")
	}
	here := verdict.Step{At: "private link service " + r.ID.Name(), Resource: r.ID, Value: verdict.Unknown}
	p := w.t.place(NIC{ID: r.ID, Name: "private link service " + r.ID.Name(), Kind: KindVM, Subnet: subnet})
	fe, found := w.t.frontend(front)
	if !found || p.subnet.ID == "" || len(p.subnet.Prefixes) == 0 {
		here.Reason = fmt.Sprintf("the load balancer or the subnet of private link service %s is not in the estate", r.ID.Name())
		w.end(here)
		return
	}
	source := p.subnet.Prefixes[0].Addr()
	for range reservedFirst {
		source = source.Next()
	}
	here.Value, here.Reason = verdict.Yes, fmt.Sprintf("the source is translated to an address of subnet %s", p.subnet.Name)
	w.add(here)
	w.from, w.origin, w.through, w.site, w.outside = source, p, nil, nil, false
	w.to = fe.private
	w.toBalancer(fe)
}

func (t *Topology) frontend(id arm.ID) (*frontend, bool) {
	for _, lb := range t.Balancers {
		for _, fe := range lb.frontends {
			if id != "" && fe.id.Equal(id) {
				return fe, true
			}
		}
	}
	return nil, false
}
