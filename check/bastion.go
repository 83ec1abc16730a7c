package check

import (
	"fmt"

	"github.com/cloister-ml/cloister/arm"
	"github.com/cloister-ml/cloister/network"
)

const typeBastion = "Microsoft.Network/bastionHosts"

// bastionReachesJumpHosts requires SSH from each Bastion to the jump hosts of its
// network.
func bastionReachesJumpHosts(w *world) []Requirement {
	var out []Requirement
	for _, b := range w.estate.OfType(typeBastion) {
		subnet, ok := w.bastionHome(b)
		if !ok {
			continue
		}
		from := Place{Name: b.Name, Kind: KindBastion, Resource: b.ID, VNet: subnet.VNet, Subnet: subnet.ID, Addr: subnet.FirstHost()}
		for _, p := range w.withRole(RoleJumpHost) {
			if !p.VNet.Equal(subnet.VNet) {
				continue
			}
			r := Requirement{
				ID:    slug("bastion-reaches-jump-host", b.Name, p.Name),
				Title: fmt.Sprintf("Bastion %s reaches jump host %s", b.Name, p.Name),
				From:  from, To: Target{Name: p.Name, Resource: p.Resource, Addr: p.Addr, Port: 22}, Must: true,
				Stages: []Stage{{StageConnect, w.connect(from, p.Addr, 22)}},
			}
			w.settle(&r, b.ID)
			if r.Outcome == Violated {
				r.Remedy = w.connectRemedy(r)
			}
			out = append(out, r)
		}
	}
	return out
}

func (w *world) bastionHome(b arm.Resource) (network.Subnet, bool) {
	for _, c := range arm.Objects(b.Properties, "ipConfigurations") {
		if s, ok := w.net.Subnet(arm.Ref(c, "properties.subnet.id")); ok {
			return s, true
		}
	}
	return network.Subnet{}, false
}
